#include "frontend/Mode.h"

#include "frontend/Control.h"
#include "frontend/OpsShared.h"

namespace kiln {

[[gnu::tls_model("initial-exec")]] thread_local constinit Mode *Mode::active = nullptr;

Mode::Mode() : below(active) { active = this; }
Mode::~Mode() {
  over = true;
  active = firstLive(active);
}
void Mode::end() {
  over = true;
  active = firstLive(active);
}

Array Mode::apply(const Operation &operation) {
  Below others(*this);
  return kiln::apply(operation);
}
std::vector<Array> Mode::applyAll(const Operation &operation) {
  Below others(*this);
  return kiln::applyAll(operation);
}
void Mode::noteView(const Array &from, Array &view, Op op, std::span<const int64_t> words) {
  Below others(*this);
  kiln::noteView(from, view, op, words);
}
void Mode::write(Array &target, const Array &value) {
  Below others(*this);
  writeInto(target, value);
}
Array Mode::leave(const Array &value, const char *why, Leaving how) {
  Below others(*this);
  return kiln::leave(value, why, how);
}

Array apply(const Operation &operation) {
  if (Mode *mode = Mode::current()) return mode->apply(operation);
  return run(operation);
}

static std::vector<Array> runAll(const Operation &o) {
  if (info(o.op).kind == Kind::Library) return applyLibraryAll(o.op, o.operands, o.words);
  std::vector<Array> operands;
  for (const Array *a : o.operands) operands.push_back(*a);
  return runBodies(o.op, o.words, o.bodies, std::move(operands), longWork().check);
}

std::vector<Array> applyAll(const Operation &operation) {
  if (Mode *mode = Mode::current()) return mode->applyAll(operation);
  return runAll(operation);
}

Array applyConstant(DType dtype, const Scalar &bits, Device *device) {
  auto part = [&](int64_t raw) {
    int64_t words[] = {int64_t(realType(dtype)), raw};
    return apply({Op::Constant, {}, words, {realType(dtype), {}}, false, device});
  };
  if (!isComplex(dtype)) return part(bits[0]);
  bool isDouble = dtype == DType::C128;
  Array re = part(isDouble ? bits[0] : bits[0] & 0xffffffff), im = part(isDouble ? bits[1] : int64_t(uint64_t(bits[0]) >> 32));
  const Array *parts[] = {&re, &im};
  return apply({Op::Complex, parts, {}, {dtype, {}}});
}

void writeInto(Array &target, const Array &value) {
  if (Mode *mode = Mode::current()) return mode->write(target, value);
  Device *device = deviceOf(target);
  checkWrite("assignment", device, value);
  Array source = value.size() && overlaps(target, value) ? copy(value) : value;
  if (device && !isNumber(source)) source = moved(source, device);
  prepareWrite(target); // others run until here, and wait from here on
  if (device) return device->write(withOwnCell(target), source);
  eager::stridedCopy(target, {source.data(), source.dtype, broadcastStrides(source, target.shape)});
}

//===-- running one operation ---------------------------------------------------------------------------------------===//

namespace {

Array runElementwise(const Operation &o) {
  const Array &x = *o.operands[0];
  if (o.op == Op::Bitcast) return bitcast(x, o.type.dtype);
  if (o.op == Op::Cast && x.dtype == o.type.dtype) return copy(x);
  if (o.op == Op::Real || o.op == Op::Imag) return copy(partOf(x, o.op == Op::Imag));
  eager::Input inputs[3];
  for (size_t i = 0; i < o.operands.size(); ++i) {
    const Array &operand = *o.operands[i];
    inputs[i] = {operand.data(), operand.dtype, operand.strides};
  }
  Array result = Array::empty(o.type.dtype, o.type.shape.numbers());
  Running running(result.size(), o.operands);
  eager::elementwise(o.op, {inputs, o.operands.size()}, o.type.dtype, o.type.shape.numbers(), result.data());
  return result;
}

/// Views of the operand where they can be.
Array runMove(const Operation &o) {
  const Array &x = *o.operands[0];
  if (o.op == Op::DynamicSlice) return dynamicSlice(x, *o.operands[1], WordReader{o.words}.dims());
  if (auto view = viewOfMove(x, o.op, o.words, o.type.shape.numbers())) return std::move(*view);
  return *viewOfMove(copy(x), o.op, o.words, o.type.shape.numbers());
}

Array runAssemble(const Operation &o) {
  WordReader words{o.words};
  if (o.op == Op::Concat) return concat(o.operands, o.words[0]);
  if (o.op == Op::DynamicUpdate) return dynamicUpdate(*o.operands[0], *o.operands[1], *o.operands[2]);
  Array result = copy(*o.operands[0]);
  Dims starts = words.dims();
  Array part = slice(result, starts, o.operands[1]->shape, words.dims());
  assign(part, *o.operands[1]);
  return result;
}

/// Positions of the true elements of a mask, as many as the type says; -1 behind the last.
Array firstPositions(const Array &mask, const TensorType &type) {
  Array found = positionsOfTrue(mask), result = full(type.shape.numbers(), type.dtype, {-1, 0}, nullptr);
  Dims count = {std::min(found.size(), result.size())};
  Array part = slice(result, {0}, count, {1});
  assign(part, slice(found, {0}, count, {1}));
  return result;
}

} // namespace

static Array runAny(const Operation &o) {
  WordReader words{o.words};
  auto operand = [&](size_t i) -> const Array & { return *o.operands[i]; };
  switch (info(o.op).kind) {
  case Kind::Elementwise: return runElementwise(o);
  case Kind::Index: return runMove(o);
  case Kind::Source:
    if (o.op == Op::Iota) return iota(o.type.dtype, o.type.shape.numbers(), o.words[0], nullptr);
    return constantArray(o.type.dtype, {o.words[1], 0});
  case Kind::Reduce: return reduce(o.op, operand(0), words.dims(), false);
  case Kind::Argreduce: return reduce(o.op, operand(0), Dims{o.words[0]}, false);
  case Kind::Contract: {
    Dims xBatch = words.dims(), yBatch = words.dims();
    int64_t xAxis = words.next();
    return dotGeneral(operand(0), operand(1), xBatch, yBatch, xAxis, words.next());
  }
  case Kind::Assemble: return runAssemble(o);
  case Kind::Gather: return gather(operand(0), operand(1), o.words[0]);
  case Kind::Scatter: return scatter(o.op, operand(0), operand(1), operand(2), o.words[0]);
  case Kind::Scan: return alongAxis(o.op, operand(0), o.words[0]);
  case Kind::Sort: return alongAxis(o.op, operand(0), o.words[0], o.words[1]);
  case Kind::Compact: return firstPositions(operand(0), o.type);
  case Kind::Convolve: {
    Dims strides = words.dims(), low = words.dims(), high = words.dims(), dilation = words.dims();
    return convolution(operand(0), operand(1), strides, low, high, dilation, words.next());
  }
  case Kind::Library: return applyLibrary(o.op, o.operands, o.words);
  case Kind::Control: return runAll(o)[0];
  }
  __builtin_unreachable();
}

/// Row-major, on a device: from there, or a number of the host.
static Array copyOnto(Device &device, const Array &x) {
  if (!x.size()) return Array::empty(x.dtype, x.shape, &device);
  const Array *operand = &x;
  int64_t word = int64_t(x.dtype);
  return device.run({Op::Cast, {&operand, 1}, {&word, 1}, x.type(), false, &device});
}

/// By the kernels of another device than the CPU; views are the same on all of them.
static Array runOn(Device &device, const Operation &o) {
  std::vector<Array> held;
  std::vector<const Array *> operands;
  held.reserve(o.operands.size());
  for (const Array *a : o.operands) operands.push_back(isNumber(*a) ? a : &held.emplace_back(moved(*a, &device)));
  Operation there = o;
  there.operands = operands;
  there.device = &device;
  bool isView = info(o.op).kind == Kind::Index && o.op != Op::DynamicSlice;
  if (isView) {
    Array view = runMove(there);
    return o.mayShare ? view : copyOnto(device, view);
  }
  if (o.op == Op::Real || o.op == Op::Imag) return copyOnto(device, partOf(*operands[0], o.op == Op::Imag));
  if (o.op == Op::Bitcast) {
    Array result = copyOnto(device, *operands[0]);
    result.dtype = o.type.dtype;
    return result;
  }
  bool isMove = o.op == Op::Cast && operands[0]->dtype == o.type.dtype;
  if (isMove && held.size() && !deviceOf(*o.operands[0])) return held[0]; // new as it is
  return device.run(there);
}

Array run(const Operation &o) {
  if (Device *device = placeOf(o)) return runOn(*device, o);
  Array result = runAny(o);
  bool isView = info(o.op).kind == Kind::Index;
  return isView && !o.mayShare ? copy(result) : result;
}

} // namespace kiln
