#include "codegen/cpu/Emit.h"

#include "codegen/cpu/Target.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <bit>

using namespace mlir;

namespace kiln::cpu {

static constexpr auto kNoWrap = arith::IntegerOverflowFlags::nsw;

static Index plus(Index x, int64_t distance) { return Index::behind(x.base(), x.offset() + distance); }

Value Emitter::use(Index i) {
  if (i.base() && !i.offset()) return i.base();
  Value number = arith::ConstantIntOp::create(b, loc, b.getI64Type(), i.offset());
  return i.base() ? arith::AddIOp::create(b, loc, i.base(), number, kNoWrap).getResult() : number;
}
Index Emitter::add(Index x, Index y) {
  if (y.isStatic()) return plus(x, y.number());
  if (x.isStatic()) return plus(y, x.number());
  return Index::behind(arith::AddIOp::create(b, loc, x.base(), y.base(), kNoWrap), x.offset() + y.offset());
}
Index Emitter::sub(Index x, Index y) {
  if (y.isStatic()) return plus(x, -y.number());
  if (x.base() == y.base()) return x.offset() - y.offset();
  return Index::behind(arith::SubIOp::create(b, loc, use(x), y.base(), kNoWrap), -y.offset());
}
Index Emitter::mul(Index x, Index y) {
  if (x.isStatic() && y.isStatic()) return x.number() * y.number();
  if (x.isConstant(0) || y.isConstant(0)) return 0;
  if (x.isConstant(1)) return y;
  if (y.isConstant(1)) return x;
  if (x.isStatic()) std::swap(x, y);
  if (!y.isStatic()) return Index(arith::MulIOp::create(b, loc, use(x), use(y), kNoWrap).getResult());
  return Index::behind(arith::MulIOp::create(b, loc, x.base(), use(y), kNoWrap), x.offset() * y.number());
}
Index Emitter::min(Index x, Index y) {
  if (x.isStatic() && y.isStatic()) return std::min(x.number(), y.number());
  return Index(arith::MinSIOp::create(b, loc, use(x), use(y)).getResult());
}
Index Emitter::max(Index x, Index y) {
  if (x.isStatic() && y.isStatic()) return std::max(x.number(), y.number());
  return Index(arith::MaxSIOp::create(b, loc, use(x), use(y)).getResult());
}
Index Emitter::ceilDiv(Index x, int64_t by) {
  if (x.isStatic()) return (x.number() + by - 1) / by;
  return Index(arith::DivUIOp::create(b, loc, use(add(x, by - 1)), use(by)).getResult());
}
Index Emitter::floorTo(Index x, int64_t by) {
  if (x.isStatic()) return x.number() / by * by;
  return Index(arith::AndIOp::create(b, loc, use(x), use(-by)).getResult()); // by is a power of two
}
Value Emitter::lessThan(Index x, Index y) { return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, use(x), use(y)); }

struct Emitter::Region {
  Regions *regions;
  explicit Region(Emitter &e) : regions(e.regions) {
    if (regions) regions->enter();
  }
  ~Region() {
    if (regions) regions->leave();
  }
};

SmallVector<Value> Emitter::loop(Index from, Index to, Index step, ValueRange init,
                                 llvm::function_ref<SmallVector<Value>(Index, ValueRange)> body) {
  if (from.isStatic() && to.isStatic() && step.isStatic()) {
    if (from.number() >= to.number()) return SmallVector<Value>(init);
    if (from.number() + step.number() >= to.number()) return body(from, init);
  }
  auto loop = scf::ForOp::create(b, loc, use(from), use(to), use(step), init);
  OpBuilder::InsertionGuard guard(b);
  if (init.empty()) loop.getBody()->getTerminator()->erase();
  b.setInsertionPointToEnd(loop.getBody());
  Region region(*this);
  SmallVector<Value> results = body(Index(loop.getInductionVar()), loop.getRegionIterArgs());
  scf::YieldOp::create(b, loc, results);
  return SmallVector<Value>(loop.getResults());
}

void Emitter::loop(Index from, Index to, Index step, llvm::function_ref<void(Index)> body) {
  loop(from, to, step, ValueRange{}, [&](Index i, ValueRange) {
    body(i);
    return SmallVector<Value>();
  });
}

void Emitter::when(Value condition, llvm::function_ref<void()> then, llvm::function_ref<void()> otherwise) {
  auto branch = scf::IfOp::create(b, loc, condition, bool(otherwise));
  OpBuilder::InsertionGuard guard(b);
  auto emit = [&](Block *block, llvm::function_ref<void()> body) {
    b.setInsertionPointToStart(block);
    Region region(*this);
    body();
  };
  emit(branch.thenBlock(), then);
  if (otherwise) emit(branch.elseBlock(), otherwise);
}

Type Emitter::memoryType(DType dtype) { return dtype == DType::Bool ? b.getI8Type() : registerType(dtype); }
Type Emitter::registerType(DType dtype) { return ir::registerType(b.getContext(), dtype); }
Type Emitter::vectorOf(Type element, int64_t lanes) { return lanes ? VectorType::get({lanes}, element) : element; }

Value Emitter::address(Value pointer, DType dtype, Index offset) {
  if (isComplex(dtype)) return address(pointer, realType(dtype), mul(offset, 2));
  if (offset.isConstant(0)) return pointer;
  auto type = LLVM::LLVMPointerType::get(b.getContext());
  LLVM::GEPArg arg(use(offset));
  return LLVM::GEPOp::create(b, loc, type, memoryType(dtype), pointer, ArrayRef<LLVM::GEPArg>{arg}, LLVM::GEPNoWrapFlags::inbounds);
}

Value Emitter::widen(Value inMemory, DType dtype) {
  if (dtype != DType::Bool) return inMemory;
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(inMemory.getType()));
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, inMemory, zero);
}

Value Emitter::shuffle(Value x, Value y, ArrayRef<int64_t> lanes) { return vector::ShuffleOp::create(b, loc, x, y, lanes); }

static SmallVector<int64_t> numbers(int64_t count, llvm::function_ref<int64_t(int64_t)> f) {
  return llvm::map_to_vector(llvm::seq<int64_t>(0, count), f);
}

/// Lanes of two rows of `n`, in one of which bit `d` of a position says from which row it comes: units of `d` that alternate within pieces
/// of the width of a lane of the processor, or every other piece of both.
static SmallVector<int64_t> exchanged(int64_t n, int64_t piece, int64_t d, bool isHigh) {
  return numbers(n, [=](int64_t lane) {
    int64_t at = lane % piece, unit = at / d, half = n / piece / 2, index = lane / piece;
    if (d < piece) return (unit & 1) * n + lane - at + (isHigh ? piece / 2 : 0) + unit / 2 * d + at % d;
    return index / half * n + (2 * (index % half) + isHigh) * piece + at;
  });
}

/// A vector that LLVM knows nothing of: where 64 shuffles hang together, its search for better ones takes longer than all else.
static Value opaque(OpBuilder &b, Location loc, Value v) {
  auto type = cast<VectorType>(v.getType());
  bool isInteger = type.getElementType().isInteger();
  Type number = type.getElementTypeBitWidth() == 32 ? Type(b.getF32Type()) : b.getF64Type();
  if (isInteger) v = vector::BitCastOp::create(b, loc, type.clone(number), v);
  v = LLVM::CallIntrinsicOp::create(b, loc, v.getType(), b.getStringAttr("llvm.arithmetic.fence"), ValueRange{v}).getResult(0);
  return isInteger ? vector::BitCastOp::create(b, loc, type, v).getResult() : v;
}

/// What processors do in an instruction each: rows exchange units within lanes of 16 bytes, then such lanes.
void Emitter::transpose(SmallVectorImpl<Value> &rows) {
  int64_t n = int64_t(rows.size()), bits = cast<VectorType>(rows[0].getType()).getElementTypeBitWidth();
  int64_t piece = std::clamp<int64_t>(128 / bits, 1, n);
  bool areWide = n * bits == 512 && bits >= 32;
  for (int64_t d = 1; d < n; d *= 2) {
    if (areWide && d > 1)
      for (Value &row : rows) row = opaque(b, loc, row);
    SmallVector<int64_t> low = exchanged(n, piece, d, false), high = exchanged(n, piece, d, true);
    for (int64_t i = 0; i < n; ++i) {
      if (i & d) continue;
      Value x = rows[size_t(i)], y = rows[size_t(i | d)];
      rows[size_t(i)] = shuffle(x, y, low);
      rows[size_t(i | d)] = shuffle(x, y, high);
    }
  }
  // Bits of the position within a lane come in the order of their halves: the first exchange decides the highest.
  auto turned = llvm::to_vector(rows);
  for (int64_t i = 0; i < n; ++i) {
    int64_t at = i & -piece;
    for (int64_t d = 1; d < piece; d *= 2)
      if (i & d) at |= piece / 2 / d;
    rows[size_t(at)] = turned[size_t(i)];
  }
}

/// Each lane twice, for the two parts of a complex number.
Value Emitter::pairMask(Value mask) {
  int64_t lanes = cast<VectorType>(mask.getType()).getNumElements();
  return shuffle(mask, mask, numbers(2 * lanes, [](int64_t i) { return i / 2; }));
}

Expr Emitter::loadComplex(Value pointer, DType dtype, Index offset, int64_t lanes, Value mask) {
  DType part = realType(dtype);
  Index at = mul(offset, 2);
  if (!lanes) return ir::makeComplex(load(pointer, part, at, 0), load(pointer, part, add(at, 1), 0));
  Value both = load(pointer, part, at, 2 * lanes, mask ? pairMask(mask) : Value()).value;
  Value re = shuffle(both, both, numbers(lanes, [](int64_t i) { return 2 * i; }));
  Value im = shuffle(both, both, numbers(lanes, [](int64_t i) { return 2 * i + 1; }));
  return {b, loc, re, dtype, im};
}

void Emitter::storeComplex(Value pointer, Index offset, Expr value, Value mask) {
  int64_t lanes = value.lanes();
  Index at = mul(offset, 2);
  if (!lanes) {
    store(pointer, at, realPart(value));
    return store(pointer, add(at, 1), imagPart(value));
  }
  Value both = shuffle(value.value, value.imag, numbers(2 * lanes, [&](int64_t i) { return i / 2 + (i % 2) * lanes; }));
  store(pointer, at, {b, loc, both, realType(value.dtype)}, mask ? pairMask(mask) : Value());
}

Value Emitter::loadBytes(Value pointer, DType dtype, Index offset, int64_t lanes) {
  return LLVM::LoadOp::create(b, loc, vectorOf(memoryType(dtype), lanes), address(pointer, dtype, offset), unsigned(byteSize(dtype)));
}

Expr Emitter::load(Value pointer, DType dtype, Index offset, int64_t lanes, Value mask) {
  if (isComplex(dtype)) return loadComplex(pointer, dtype, offset, lanes, mask);
  Type type = vectorOf(memoryType(dtype), lanes);
  Value from = address(pointer, dtype, offset);
  Value result;
  if (mask && lanes) {
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
    result = LLVM::MaskedLoadOp::create(b, loc, type, from, mask, zero, b.getI32IntegerAttr(int32_t(byteSize(dtype))));
  } else {
    result = LLVM::LoadOp::create(b, loc, type, from, unsigned(byteSize(dtype)));
  }
  return {b, loc, widen(result, dtype), dtype};
}

void Emitter::store(Value pointer, Index offset, Expr value, Value mask, bool streams) {
  if (isComplex(value.dtype)) return storeComplex(pointer, offset, value, mask);
  Value stored = value.value;
  int64_t lanes = value.lanes();
  if (value.dtype == DType::Bool) stored = arith::ExtUIOp::create(b, loc, vectorOf(b.getI8Type(), lanes), stored);
  Value to = address(pointer, value.dtype, offset);
  unsigned alignment = unsigned(byteSize(value.dtype));
  DenseElementsAttr fixed;
  if (mask && matchPattern(mask, m_Constant(&fixed)) && llvm::count(fixed.getValues<bool>(), true) == 1) {
    // The first lane alone. LLVM 22 makes a scalar store of such a masked one too, but of the width before a truncation.
    Value one = vector::ExtractOp::create(b, loc, stored, 0);
    LLVM::StoreOp::create(b, loc, one, to, alignment);
  } else if (mask && lanes) LLVM::MaskedStoreOp::create(b, loc, stored, to, mask, alignment);
  else {
    streams &= lanes * byteSize(value.dtype) % kLine == 0 && lanes > 0;
    LLVM::StoreOp::create(b, loc, stored, to, streams ? unsigned(kLine) : alignment, /*isVolatile=*/false, /*isNonTemporal=*/streams);
  }
}

Expr Emitter::splat(Expr scalar, int64_t lanes) {
  if (!lanes || scalar.lanes()) return scalar;
  if (isComplex(scalar.dtype)) return ir::makeComplex(splat(realPart(scalar), lanes), splat(imagPart(scalar), lanes));
  auto type = VectorType::get({lanes}, scalar.value.getType());
  if (auto constant = scalar.value.getDefiningOp<arith::ConstantOp>())
    return scalar.with(arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, Attribute(constant.getValue()))));
  return scalar.with(vector::BroadcastOp::create(b, loc, type, scalar.value));
}

Value Emitter::laneNumbers(int64_t lanes) {
  SmallVector<int64_t> numbers(static_cast<size_t>(lanes));
  for (int64_t i = 0; i < lanes; ++i) numbers[size_t(i)] = i;
  auto type = VectorType::get({lanes}, b.getI64Type());
  return arith::ConstantOp::create(b, loc, DenseIntElementsAttr::get(type, ArrayRef<int64_t>(numbers)));
}

Value Emitter::maskBelow(Index count, int64_t lanes) {
  // In i32: half the registers, and a tail is shorter than its lanes.
  SmallVector<int32_t> numbers(static_cast<size_t>(lanes));
  for (int64_t i = 0; i < lanes; ++i) numbers[size_t(i)] = int32_t(i);
  auto type = VectorType::get({lanes}, b.getI32Type());
  if (count.isStatic()) {
    auto isIn = llvm::map_to_vector(numbers, [&](int32_t i) { return i < count.number(); });
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(VectorType::get({lanes}, b.getI1Type()), ArrayRef<bool>(isIn)));
  }
  Value lane = arith::ConstantOp::create(b, loc, DenseIntElementsAttr::get(type, ArrayRef<int32_t>(numbers)));
  Value n = arith::TruncIOp::create(b, loc, b.getI32Type(), use(min(count, lanes)));
  Value all = vector::BroadcastOp::create(b, loc, type, n);
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, lane, all);
}

int64_t Emitter::restLanes(Index rest, int64_t lanes) {
  return rest.isStatic() ? int64_t(llvm::PowerOf2Ceil(uint64_t(rest.number()))) : lanes;
}

/// 0: of a scalar.
static int64_t lanesOf(Value value) {
  auto vector = dyn_cast<VectorType>(value.getType());
  return vector ? vector.getDimSize(0) : 0;
}

Value Emitter::firstLanes(Value vector, int64_t lanes) {
  if (int64_t all = lanesOf(vector); !all || lanes == all) return vector;
  return vector::ShuffleOp::create(b, loc, vector, vector, llvm::to_vector(llvm::seq(lanes)));
}

Value Emitter::withFirstLanes(Value vector, Value first) {
  int64_t all = lanesOf(vector), few = lanesOf(first);
  if (few == all) return first;
  SmallVector<int64_t> widened(size_t(all), 0), taken;
  for (int64_t i = 0; i < all; ++i) {
    if (i < few) widened[size_t(i)] = i;
    taken.push_back(i < few ? i : all + i);
  }
  Value wide = vector::ShuffleOp::create(b, loc, first, first, widened);
  return vector::ShuffleOp::create(b, loc, wide, vector, taken);
}

Expr Emitter::scalar(DType dtype, double number) {
  if (isComplex(dtype)) return ir::makeComplex(scalar(realType(dtype), number), scalar(realType(dtype), 0));
  if (isNarrow(dtype)) return kiln::scalar::cast(scalar(DType::F32, number), dtype);
  Type type = registerType(dtype);
  TypedAttr attr = isFloat(dtype) ? TypedAttr(b.getFloatAttr(type, number)) : TypedAttr(b.getIntegerAttr(type, int64_t(number)));
  return {b, loc, arith::ConstantOp::create(b, loc, attr), dtype};
}

Value Emitter::stack(DType dtype, int64_t elements) {
  OpBuilder::InsertionGuard guard(b);
  Operation *fn = b.getInsertionBlock()->getParentOp();
  while (!fn->hasTrait<OpTrait::IsIsolatedFromAbove>()) fn = fn->getParentOp();
  b.setInsertionPointToStart(&fn->getRegion(0).front());
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  return LLVM::AllocaOp::create(b, loc, pointer, memoryType(dtype), use(isComplex(dtype) ? 2 * elements : elements), 64);
}

int64_t lanesFor(Index n, int64_t limit) {
  if (!n.isStatic() || n.number() >= limit) return limit;
  return int64_t(std::bit_ceil(uint64_t(std::max<int64_t>(n.number(), 1))));
}

} // namespace kiln::cpu
