#include "codegen/cpu/Evaluate.h"

#include "dialects/kiln/math/Apply.h"
#include "lib/Core/Infer.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace kiln::cpu {

Expr scalarOp(Op op, Expr a, Expr b, Expr c, DType t) { return scalar::apply(op, a, b, c, t); }
Expr identityOf(Op op, Expr like) { return scalar::identityOf(op, like); }
Expr emptyOf(Op op, Expr like) { return scalar::emptyOf(op, like); }

void Evaluator::remember(Value value, ArrayRef<Coordinate> position, Expr result) {
  scopes.back()[value].push_back({Coordinates(position), result});
}

std::optional<Expr> Evaluator::known(Value value, ArrayRef<Coordinate> position) {
  for (auto &scope : llvm::reverse(scopes)) {
    auto found = scope.find(value);
    if (found == scope.end()) continue;
    for (Known &known : found->second)
      if (ArrayRef<Coordinate>(known.position) == position) return known.result;
  }
  return std::nullopt;
}

Expr Evaluator::at(Value value, ArrayRef<Coordinate> position) {
  // Elementwise operations may follow each other in long chains: their operands first, in order, without recursion.
  SmallVector<std::pair<Value, unsigned>> path = {{value, 0}}; // and the operand to look at next
  for (;;) {
    auto &[v, next] = path.back();
    if (auto result = known(v, position)) {
      path.pop_back();
      if (path.empty()) return *result;
      continue;
    }
    auto buffer = buffers.find(v);
    Operation *op = v.getDefiningOp();
    if (buffer != buffers.end()) {
      remember(v, position, loadAt(buffer->second, position));
    } else if (ir::isKind(op, Kind::Elementwise) && next < op->getNumOperands()) {
      Value operand = op->getOperand(next++);
      path.push_back({operand, 0});
    } else {
      remember(v, position, compute(op, position));
    }
  }
}

/// Lets LLVM contract an operation that is one instruction, or divide by a product. Inside the others the order is what makes them
/// accurate.
static void relax(const Expr &made, ArrayRef<Expr> args) {
  using Flags = arith::FastMathFlags;
  auto op = dyn_cast_or_null<arith::ArithFastMathInterface>(made.value.getDefiningOp());
  auto isArgument = [&](Value v) { return llvm::any_of(args, [&](const Expr &arg) { return arg.value == v; }); };
  if (!op || !llvm::all_of(op->getOperands(), isArgument)) return;
  auto flags = Flags::contract | Flags::arcp | Flags::nsz;
  op->setAttr(op.getFastMathAttrName(), arith::FastMathFlagsAttr::get(op->getContext(), flags));
}

Expr Evaluator::compute(Operation *op, ArrayRef<Coordinate> position) {
  auto array = cast<ir::ArrayOp>(op);
  Op id = array.getId();
  switch (array.getKind()) {
  case Kind::Elementwise: {
    SmallVector<Expr, 3> args;
    bool isUniform = true;
    for (Value operand : op->getOperands()) {
      args.push_back(at(operand, position));
      isUniform &= args.back().lanes() == 0;
    }
    if (!isUniform)
      for (Expr &arg : args) arg = e.splat(arg, lanes);
    DType result = ir::typeOf(op->getResult(0)).dtype;
    Expr made = scalarOp(id, args[0], args[std::min<size_t>(1, args.size() - 1)], args.back(), result);
    if (isFast) relax(made, args);
    return made;
  }
  case Kind::Index: return at(op->getOperand(0), source(op, position));
  case Kind::Source: {
    auto iota = dyn_cast<ir::IotaOp>(op);
    return iota ? positions(iota, position) : constant(cast<ir::ConstantOp>(op));
  }
  case Kind::Gather: return gather(cast<ir::GatherOp>(op), position);
  default: break;
  }
  // Of a reduction or the like, whose own loop gives results at its own positions alone.
  refuse(op, "expected reads of its result at the kernel's own positions");
  return e.scalar(ir::typeOf(op->getResult(0)).dtype, 0);
}

void Evaluator::refuse(Operation *op, StringRef expected) {
  if (!std::exchange(isRefused, true)) op->emitOpError("in a kernel: ") << expected;
}

Expr Evaluator::constant(ir::ConstantOp op) {
  DType dtype = ir::typeOf(op.getResult()).dtype;
  int64_t bits = ir::scalarBits(op.getValue());
  return ir::bits(e.scalar(DType::I32, 0), dtype, dtype == DType::Bool ? uint64_t(bits != 0) : uint64_t(bits));
}

Value Evaluator::lanePositions(const Coordinate &c) {
  if (c.lanes) return c.lanes;
  Value numbers = e.laneNumbers(lanes);
  auto type = numbers.getType();
  auto splat = [&](Index i) { return vector::BroadcastOp::create(e.b, e.loc, type, e.use(i)); };
  if (c.step != 1) numbers = arith::MulIOp::create(e.b, e.loc, numbers, splat(c.step));
  return arith::AddIOp::create(e.b, e.loc, numbers, splat(baseOf(c)));
}

Expr Evaluator::positions(ir::IotaOp op, ArrayRef<Coordinate> position) {
  const Coordinate &c = position[size_t(op.getAxis())];
  Value at = c.isUniform() ? e.use(baseOf(c)) : lanePositions(c);
  return scalar::cast(Expr(e.b, e.loc, at, DType::I64), ir::typeOf(op.getResult()).dtype);
}

Coordinate Evaluator::shifted(Coordinate c, Index by) {
  if (c.lanes) c.lanes = arith::AddIOp::create(e.b, e.loc, c.lanes, vector::BroadcastOp::create(e.b, e.loc, c.lanes.getType(), e.use(by)));
  else c.base = e.add(c.base, by);
  return c;
}

/// Start i of a dynamic slice, moved so that all of it lies inside.
Index Evaluator::dynamicStart(Value starts, int i, Index size, Index part) {
  Scope scope(*this, 0, {});
  Value given = at(starts, Coordinate{i, 0, {}}).value;
  Value above = arith::MaxSIOp::create(e.b, e.loc, given, e.use(0));
  return Index(arith::MinSIOp::create(e.b, e.loc, above, e.use(e.sub(size, part))).getResult());
}

Coordinates Evaluator::source(Operation *op, ArrayRef<Coordinate> position) {
  TensorType from = ir::typeOf(op->getOperand(0)), to = ir::typeOf(op->getResult(0));
  Coordinates result;
  if (auto broadcast = dyn_cast<ir::BroadcastOp>(op)) {
    for (auto [i, axis] : llvm::enumerate(broadcast.getAxes()))
      result.push_back(from.shape[int(i)].is(1) && !to.shape[int(axis)].is(1) ? Coordinate{} : position[size_t(axis)]);
  } else if (auto slice = dyn_cast<ir::DynamicSliceOp>(op)) {
    for (int i = 0; i < to.shape.rank; ++i)
      result.push_back(shifted(position[size_t(i)], dynamicStart(slice.getStarts(), i, sizeOf(from.shape[i]), sizeOf(to.shape[i]))));
  } else if (auto transpose = dyn_cast<ir::TransposeOp>(op)) {
    result.resize(position.size());
    for (auto [at, axis] : llvm::zip(position, transpose.getPermutation())) result[size_t(axis)] = at;
  } else if (auto slice = dyn_cast<ir::SliceOp>(op)) {
    for (auto [at, start, step] : llvm::zip(position, slice.getStarts(), slice.getSteps())) {
      Coordinate c = at;
      if (c.lanes) {
        auto splat = [&](Index n) { return vector::BroadcastOp::create(e.b, e.loc, c.lanes.getType(), e.use(n)); };
        c.lanes = arith::MulIOp::create(e.b, e.loc, c.lanes, splat(step));
        c.lanes = arith::AddIOp::create(e.b, e.loc, c.lanes, splat(sizeOf(start)));
      } else {
        c.base = e.add(e.mul(c.base, step), sizeOf(start));
        c.step *= step;
        c.rowStep *= step;
      }
      result.push_back(c);
    }
  } else {
    KILN_ASSERT(isa<ir::ReshapeOp>(op), "an op that moves elements");
    result = ir::throughUnitAxes(from.shape, to.shape, position, Coordinate{}); // others are aliases between kernels
  }
  return result;
}

/// A position counted from the end if it is negative; `isBad` where it is outside.
Expr Evaluator::wrapIndex(Expr index, Index count, Expr *isBad) {
  // Of uint64 above int64 all are outside, where a conversion would make them positions from the end.
  if (index.dtype == DType::U64) index = scalar::min(index, ir::constant(index, double(uint64_t(1) << 62)));
  index = scalar::cast(index, DType::I64);
  Expr size = e.splat(Expr(e.b, e.loc, e.use(count), DType::I64), index.lanes()), zero = ir::constant(index, 0);
  Expr wrapped = scalar::select(scalar::less(index, zero), index + size, index);
  *isBad = scalar::bitwise_or(scalar::less(wrapped, zero), scalar::greater_equal(wrapped, size));
  return scalar::select(*isBad, zero, wrapped);
}

/// What an element was before it was moved.
static Operation *originOf(Value v) {
  Operation *op = v.getDefiningOp();
  while (op && isa<ir::ReshapeOp, ir::BroadcastOp>(op)) op = op->getOperand(0).getDefiningOp();
  return op;
}

/// The positions along axes that a single position is computed from here, with the sizes of the axes, whose product is at most `count`;
/// none: it is not.
static SmallVector<std::pair<Value, int64_t>> axesOf(Value position, int64_t count) {
  SmallVector<std::pair<Value, int64_t>> axes;
  auto size = [](Operation *op) { return dyn_cast_or_null<ir::ConstantOp>(originOf(op->getOperand(2))); };
  auto op = dyn_cast_or_null<ir::RavelIndexOp>(originOf(position));
  for (int64_t product = 1; op; op = dyn_cast_or_null<ir::RavelIndexOp>(originOf(position))) {
    if (ir::typeOf(op.getResult()).shape.rank || !size(op)) return {};
    axes.push_back({op->getOperand(1), ir::scalarBits(size(op).getValue())});
    if (axes.back().second <= 0 || __builtin_mul_overflow(product, axes.back().second, &product) || product > count) return {};
    position = op->getOperand(0);
  }
  auto start = dyn_cast_or_null<ir::ConstantOp>(originOf(position));
  if (!start || ir::scalarBits(start.getValue()) != 0) return {};
  std::reverse(axes.begin(), axes.end());
  return axes;
}

Expr Evaluator::indexAt(Value indices, ArrayRef<Coordinate> position, Index count, Expr *isBad) {
  auto axes = axesOf(indices, count.isStatic() ? count.number() : 0);
  if (axes.empty()) return wrapIndex(at(indices, position), count, isBad);
  Expr index = e.scalar(DType::I64, 0),
       isOutside = e.scalar(DType::Bool, 0); // each axis by itself: what a loop leaves as it is stands before it
  *isBad = isOutside;
  for (auto [along, size] : axes) {
    Expr inside = wrapIndex(at(along, {}), size, &isOutside);
    index = index * e.scalar(DType::I64, double(size)) + inside;
    *isBad = scalar::bitwise_or(*isBad, isOutside);
  }
  return index;
}

/// The call's status is 1 from here on where `isBad` holds.
void Evaluator::reportIndex(Expr isBad) {
  Value any = isBad.value;
  if (isBad.lanes()) {
    if (mask) any = arith::AndIOp::create(e.b, e.loc, any, mask);
    any = vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::OR, any);
  }
  if (!statusFlag) {
    statusFlag = e.stack(DType::I32, 1);
    OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPointAfterValue(statusFlag);
    e.store(statusFlag, 0, e.scalar(DType::I32, 0));
  }
  e.when(any, [&] { e.store(statusFlag, 0, e.scalar(DType::I32, 1)); });
}

Expr Evaluator::gather(ir::GatherOp op, ArrayRef<Coordinate> position) {
  Value x = op.getX(), indices = op.getIndices();
  size_t axis = size_t(op.getAxis()), rank = size_t(ir::typeOf(indices).shape.rank);
  Expr isBad = e.scalar(DType::Bool, 0);
  Index count = buffers.find(x)->second.shape[axis];
  Expr safe = indexAt(indices, position.slice(axis, rank), count, &isBad);
  reportIndex(isBad);
  if (count.isConstant(0)) { // no element is safe to read
    bool isUniform = llvm::all_of(position, [](const Coordinate &c) { return c.isUniform(); });
    return e.splat(e.scalar(ir::typeOf(x).dtype, 0), isUniform ? 0 : lanes);
  }
  Coordinates from(position.take_front(axis));
  from.push_back(safe.lanes() ? Coordinate{{}, 0, safe.value} : Coordinate{Index(safe.value), 0, {}});
  from.append(position.begin() + axis + rank, position.end());
  return at(x, from);
}

Value Evaluator::laneOffsets(const Buffer &buffer, ArrayRef<Coordinate> position) {
  auto type = VectorType::get({lanes}, e.b.getI64Type());
  Value sum;
  for (auto [c, stride] : llvm::zip(position, buffer.strides)) {
    if (c.isUniform()) continue;
    Value part = lanePositions(c);
    if (!stride.isConstant(1)) part = arith::MulIOp::create(e.b, e.loc, part, vector::BroadcastOp::create(e.b, e.loc, type, e.use(stride)));
    sum = sum ? arith::AddIOp::create(e.b, e.loc, sum, part).getResult() : part;
  }
  return sum;
}

/// The distance between lanes in memory where it is known: 0 (one element for all), 1 (consecutive) or something else.
static std::optional<int64_t> laneStride(const Buffer &buffer, ArrayRef<Coordinate> position) {
  int64_t total = 0;
  for (auto [c, stride] : llvm::zip(position, buffer.strides)) {
    if (c.isUniform()) continue;
    if (c.lanes || !stride.isStatic()) return std::nullopt;
    total += c.step * stride.number();
  }
  return total;
}

Index Evaluator::offsetOf(const Buffer &buffer, ArrayRef<Coordinate> position) {
  Index offset = 0;
  for (auto [c, stride] : llvm::zip(position, buffer.strides))
    if (!c.lanes) offset = e.add(offset, e.mul(baseOf(c), stride));
  return offset;
}

static Index uniformOffset(Evaluator &ev, const Buffer &buffer, ArrayRef<Coordinate> position) {
  Index offset = 0;
  for (auto [c, stride] : llvm::zip(position, buffer.strides))
    if (c.isUniform()) offset = ev.e.add(offset, ev.e.mul(ev.baseOf(c), stride));
  return offset;
}

/// The lanes lie far from each other in memory, and the rows of the tile are neighbours there.
bool Evaluator::crossesTile(const Buffer &buffer, ArrayRef<Coordinate> position) {
  if (!tileRows || mask || isComplex(buffer.dtype)) return false;
  int64_t rowStride = 0;
  for (auto [c, stride] : llvm::zip(position, buffer.strides)) {
    if (c.lanes || (c.rowStep && !stride.isStatic())) return false;
    if (c.rowStep) rowStride += c.rowStep * stride.number();
  }
  return rowStride == 1;
}

/// The rows of a tile at once: what lies along them in memory is loaded lane by lane and turned in registers. None at a position that each
/// row computes anew.
std::optional<Expr> Evaluator::loadAcross(const Buffer &buffer, ArrayRef<Coordinate> position) {
  auto known =
      llvm::find_if(tileLoads, [&](TileLoad &t) { return t.pointer == buffer.pointer && ArrayRef<Coordinate>(t.position) == position; });
  if (known == tileLoads.end()) {
    if (row != 0) return std::nullopt;
    Index start = offsetOf(buffer, position), between = 0;
    for (auto [c, stride] : llvm::zip(position, buffer.strides))
      if (c.step) between = e.add(between, e.mul(c.step, stride));
    SmallVector<Value> square;
    for (int64_t lane = 0; lane < lanes; ++lane)
      square.push_back(e.loadBytes(buffer.pointer, buffer.dtype, e.add(start, e.mul(between, lane)), tileRows));
    e.transpose(square);
    tileLoads.push_back({buffer.pointer, Coordinates(position), square});
    known = std::prev(tileLoads.end());
  }
  return e.fromMemory(known->rows[size_t(row)], buffer.dtype);
}

/// The parts of a complex buffer as buffers of their own.
static Buffer partOf(Emitter &e, const Buffer &buffer, int part) {
  Buffer result = buffer;
  result.dtype = realType(buffer.dtype);
  result.pointer = e.address(buffer.pointer, result.dtype, part);
  for (Index &s : result.strides) s = e.mul(s, 2);
  return result;
}

static Value allLanes(Emitter &e, int64_t lanes) {
  return arith::ConstantOp::create(e.b, e.loc, DenseElementsAttr::get(VectorType::get({lanes}, e.b.getI1Type()), true));
}

Value Evaluator::lanePointers(const Buffer &buffer, ArrayRef<Coordinate> position) {
  Value base = e.address(buffer.pointer, buffer.dtype, uniformOffset(*this, buffer, position));
  auto pointers = VectorType::get({lanes}, LLVM::LLVMPointerType::get(e.b.getContext()));
  return LLVM::GEPOp::create(e.b, e.loc, pointers, e.memoryType(buffer.dtype), base, ArrayRef<LLVM::GEPArg>{laneOffsets(buffer, position)});
}

/// Lanes that are a step of -1, 2 or -2 apart, of two vectors that hold them all and reach no further.
Expr Evaluator::loadStepped(const Buffer &buffer, ArrayRef<Coordinate> position, int64_t step) {
  int64_t span = (lanes - 1) * step, second = std::abs(span) - (lanes - 1);
  Index first = e.add(offsetOf(buffer, position), std::min<int64_t>(span, 0));
  Value low = e.loadBytes(buffer.pointer, buffer.dtype, first, lanes);
  Value high = second ? e.loadBytes(buffer.pointer, buffer.dtype, e.add(first, second), lanes) : low;
  SmallVector<int64_t> from;
  for (int64_t lane = 0; lane < lanes; ++lane) {
    int64_t at = lane * step - std::min<int64_t>(span, 0);
    from.push_back(at < lanes ? at : lanes + at - second);
  }
  return e.fromMemory(e.shuffle(low, high, from), buffer.dtype);
}

Expr Evaluator::loadAt(const Buffer &buffer, ArrayRef<Coordinate> position) {
  auto stride = laneStride(buffer, position);
  if (stride == 0) return e.load(buffer.pointer, buffer.dtype, offsetOf(buffer, position), 0);
  if (stride == 1) return e.load(buffer.pointer, buffer.dtype, offsetOf(buffer, position), lanes, mask);
  if (crossesTile(buffer, position))
    if (auto turned = loadAcross(buffer, position)) return *turned;
  if (isComplex(buffer.dtype)) return ir::makeComplex(loadAt(partOf(e, buffer, 0), position), loadAt(partOf(e, buffer, 1), position));
  if (!mask && stride && std::abs(*stride) <= 2) return loadStepped(buffer, position, *stride);
  Value from = lanePointers(buffer, position), active = mask ? mask : allLanes(e, lanes);
  auto type = VectorType::get({lanes}, e.memoryType(buffer.dtype));
  Value zero = arith::ConstantOp::create(e.b, e.loc, e.b.getZeroAttr(type));
  Value loaded = LLVM::masked_gather::create(e.b, e.loc, type, from, active, ValueRange{zero}, unsigned(byteSize(buffer.dtype)));
  Expr result{e.b, e.loc, loaded, DType::U8};
  return buffer.dtype == DType::Bool ? scalar::cast(result, DType::Bool) : result.with(loaded, buffer.dtype);
}

/// Lane by lane, which costs less than a scatter of the processor.
void Evaluator::storeStepped(const Buffer &buffer, ArrayRef<Coordinate> position, int64_t step, Expr value) {
  Index first = offsetOf(buffer, position);
  for (int64_t lane = 0; lane < lanes; ++lane) {
    Value one = vector::ExtractOp::create(e.b, e.loc, value.value, ArrayRef<int64_t>{lane});
    e.store(buffer.pointer, e.add(first, lane * step), value.with(one, value.dtype));
  }
}

void Evaluator::storeAt(const Buffer &buffer, ArrayRef<Coordinate> position, Expr value) {
  if (!lanes) return e.store(buffer.pointer, offsetOf(buffer, position), value);
  value = e.splat(value, lanes);
  auto stride = laneStride(buffer, position);
  if (stride == 1) return e.store(buffer.pointer, offsetOf(buffer, position), value, mask, buffer.streams);
  if (isComplex(buffer.dtype)) {
    storeAt(partOf(e, buffer, 0), position, realPart(value));
    return storeAt(partOf(e, buffer, 1), position, imagPart(value));
  }
  if (!mask && stride) return storeStepped(buffer, position, *stride, value);
  Value to = lanePointers(buffer, position), stored = value.value;
  if (value.dtype == DType::Bool) stored = arith::ExtUIOp::create(e.b, e.loc, e.vectorOf(e.b.getI8Type(), lanes), stored);
  LLVM::masked_scatter::create(e.b, e.loc, stored, to, mask ? mask : allLanes(e, lanes), unsigned(byteSize(buffer.dtype)));
}

} // namespace kiln::cpu
