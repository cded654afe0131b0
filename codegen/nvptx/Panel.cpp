#include "codegen/nvptx/Panel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace kiln::nvptx {

constexpr int64_t kWide = 16; // bytes of the widest access

/// Whether elements along the first axis lie beside each other, and not those along the second (isWide of the schedule goes by the same).
static bool isNearer(GpuKernel &k, Value operand, size_t along, size_t across) {
  auto buffer = k.ev.buffers.find(operand);
  if (buffer == k.ev.buffers.end()) return along > across;
  auto isOne = [&](size_t axis) { return buffer->second.strides[axis].isConstant(1) && !buffer->second.shape[axis].isConstant(1); };
  return isOne(along) == isOne(across) ? along > across : isOne(along);
}

Panel::Panel(GpuKernel &k, Value operand, size_t along, size_t across, Form form)
    : k(k), e(k.e), operand(operand), along(along), across(across), form(form), dtype(ir::typeOf(operand).dtype), bytes(byteSize(dtype)),
      lanes(std::min<int64_t>(4, kWide / bytes)), size(k.shapeOf(operand)[across]), steps(k.shapeOf(operand)[along]),
      isAlong(isNearer(k, operand, along, across)) {}

void Panel::place(const Coordinates &at, Index number) {
  batch = at, begin = from = e.mul(number, form.lines);
  if (!size.isStatic()) from = e.max(e.min(begin, e.sub(size, form.lines)), 0);
  else if (isShort()) from = 0;
  else if (!isMultiple(size, form.lines)) from = e.min(begin, e.sub(size, form.lines));
  memory = k.shared(form.stages * stageElements() * bytes);
  if (form.copying == Copying::Wide) isAligned = k.isAligned(k.ev.buffers.find(operand)->second.pointer, kWide);
}

Value Panel::isMine(Index position) {
  if (isMultiple(size, form.lines)) return {};
  Value isBefore = isShort() ? e.lessThan(position, size) : Value();
  return both(isBefore, size.isStatic() && isShort() ? Value() : e.lessThan(e.sub(begin, 1), position));
}

Value Panel::both(Value x, Value y) {
  if (!x || !y) return x ? x : y;
  return arith::AndIOp::create(e.b, e.loc, x, y);
}

/// What a thread brings, `width` elements at a time. What lies behind the end is not used: copies leave it out; registers take the last
/// element there is instead, so that no load needs a guard.
void Panel::forEachSpot(int64_t width, Index firstStep, Index present, llvm::function_ref<void(const Spot &)> body) {
  int64_t inner = (isAlong ? form.depth : form.lines) / width, count = form.lines * form.depth / width;
  for (int64_t done = 0; done < count; done += k.threads) {
    // Threads in the order of memory; a pass of them takes whole rows where it can, so that those of one thread lie a constant apart.
    bool isConstant = k.threads % inner == 0;
    Index number = isConstant ? k.thread() : e.add(k.thread(), done);
    Index far = e.add(k.quotient(number, inner), isConstant ? done / inner : 0), near = e.mul(k.remainder(number, inner), width);
    Spot spot{batch, placeOf(far, near), {}, {}};
    if (count < k.threads) spot.isIn = e.lessThan(k.thread(), count);
    Index line = isAlong ? far : near, at = isAlong ? near : far;
    bool isRest = !present.isConstant(form.depth);
    if (isRest) spot.isStep = e.lessThan(at, present);
    if (isRest && !isAsync()) at = e.min(at, e.sub(present, 1));
    if (isShort() && isAsync()) spot.isIn = both(spot.isIn, e.lessThan(line, size));
    if (isShort() && !isAsync()) line = e.min(line, e.sub(size, 1));
    Index step = e.add(firstStep, at);
    if (!steps.isStatic() && !isAsync()) step = e.min(step, e.sub(steps, 1)); // there may be less than a stage
    spot.source[across] = {e.add(from, line), 0, {}}, spot.source[along] = {step, 0, {}};
    body(spot);
  }
}

/// A copy of `count` elements that are `at` elements behind both places; asynchronous where they are 4 bytes at least.
void Panel::copy(const Spot &spot, Index stage, int64_t at, int64_t count) {
  OpBuilder &b = e.b;
  auto space = [&](Value pointer, unsigned number) {
    return LLVM::AddrSpaceCastOp::create(b, e.loc, LLVM::LLVMPointerType::get(b.getContext(), number), pointer);
  };
  const Buffer &buffer = k.ev.buffers.find(operand)->second;
  Index from = e.add(k.ev.offsetOf(buffer, spot.source), at), to = e.add(e.add(e.mul(stage, stageElements()), spot.target), at);
  if (count * bytes < 4) return e.store(memory, to, e.load(buffer.pointer, dtype, from, 0));
  Value source = e.address(buffer.pointer, dtype, from), target = e.address(memory, dtype, to);
  auto cache = count * bytes == kWide ? NVVM::LoadCacheModifierKind::CG : NVVM::LoadCacheModifierKind::CA;
  constexpr unsigned kGlobal = 1, kShared = 3;
  NVVM::CpAsyncOp::create(b, e.loc, space(target, kShared), space(source, kGlobal), uint32_t(count * bytes), cache, Value());
}

void Panel::clear(const Spot &spot, Index stage, int64_t count) {
  Type type = VectorType::get({count}, e.memoryType(dtype));
  Value zero = arith::ConstantOp::create(e.b, e.loc, e.b.getZeroAttr(type));
  Value target = e.address(memory, dtype, e.add(e.mul(stage, stageElements()), spot.target));
  LLVM::StoreOp::create(e.b, e.loc, zero, target, unsigned(count * bytes));
}

void Panel::start(Index step, Index stage, Value isThere, Index present) {
  onTheWay.clear();
  if (!isAsync())
    return forEachSpot(1, step, present, [&](const Spot &spot) {
      Expr value = k.ev.at(operand, spot.source);
      if (form.reader != Reader::Threads && spot.isStep)
        value = value.with(arith::SelectOp::create(e.b, e.loc, spot.isStep, value.value, e.scalar(dtype, 0).value));
      onTheWay.push_back({spot, value});
    });
  int64_t width = form.copying == Copying::Wide ? kWide / bytes : 1;
  auto copyAll = [&](int64_t count) {
    forEachSpot(width, step, present, [&](const Spot &spot) {
      auto copies = [&] {
        for (int64_t at = 0; at < width; at += count) copy(spot, stage, at, count);
      };
      auto zeros = [&] { clear(spot, stage, width); };
      if (form.reader == Reader::Threads || !spot.isStep) return k.when(both(spot.isIn, spot.isStep), copies);
      k.when(spot.isIn, [&] { e.when(spot.isStep, copies, zeros); });
    });
  };
  k.when(isThere, [&] {
    if (isAligned) e.when(isAligned, [&] { copyAll(width); }, [&] { copyAll(1); });
    else copyAll(1);
  });
}

void Panel::finish(Index stage) {
  for (auto &[spot, value] : onTheWay) {
    Index at = e.add(e.mul(stage, stageElements()), spot.target);
    k.when(spot.isIn, [&, &value = value] { e.store(memory, at, value); });
  }
}

/// Where an element of a stage lies, by its row there and its place in the row.
Index Panel::placeOf(Index far, Index near) {
  if (form.reader != Reader::Group) return e.add(e.mul(far, pitch()), near);
  constexpr int64_t kRow = 64, kPiece = 8; // elements of 2 bytes
  Index block = e.mul(k.quotient(near, kRow), kRow * (isAlong ? form.lines : form.depth)), within = k.remainder(near, kRow);
  Value piece = arith::XOrIOp::create(e.b, e.loc, e.use(k.quotient(within, kPiece)), e.use(k.remainder(far, kPiece)));
  return e.add(e.add(block, e.mul(far, kRow)), e.add(e.mul(Index(piece), kPiece), k.remainder(within, kPiece)));
}

Index Panel::elementAt(Index stage, Index line, Index step) {
  return e.add(e.mul(stage, stageElements()), isAlong ? placeOf(line, step) : placeOf(step, line));
}

Expr Panel::read(Index stage, Index firstLine, int64_t i, int64_t step) {
  int64_t width = isAlong ? lanes : run(), lane = isAlong ? step % width : i % width;
  if (width == 1) return readAlone(stage, firstLine, i, step);
  (isAlong ? step : i) -= lane;
  Value &value = known[{i, step}];
  if (!value) {
    Value address = e.address(memory, dtype, elementAt(stage, e.add(firstLine, line(i)), step));
    value = LLVM::LoadOp::create(e.b, e.loc, VectorType::get({width}, e.memoryType(dtype)), address, unsigned(width * bytes));
  }
  Value number = arith::ConstantIntOp::create(e.b, e.loc, e.b.getI32Type(), lane);
  return e.fromMemory(LLVM::ExtractElementOp::create(e.b, e.loc, value, number), dtype);
}

Expr Panel::readAlone(Index stage, Index firstLine, int64_t i, Index step) {
  return e.load(memory, dtype, elementAt(stage, e.add(firstLine, line(i)), step), 0);
}

} // namespace kiln::nvptx
