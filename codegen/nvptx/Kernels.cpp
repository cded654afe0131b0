#include "codegen/nvptx/Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace kiln::nvptx {

Sizes GpuKernel::shapeOf(Value value) {
  return llvm::map_to_vector<4>(ir::typeOf(value).shape, [&](Size d) { return ev.sizeOf(d); });
}

Index GpuKernel::product(ArrayRef<Index> sizes) {
  Index count = 1;
  for (Index n : sizes) count = e.mul(count, n);
  return count;
}

/// Once, at the start of the function, where it is known everywhere.
template <typename Op> static Index number(GpuKernel &k, Value &known) {
  if (known) return Index(known);
  OpBuilder::InsertionGuard guard(k.e.b);
  k.e.b.setInsertionPointToStart(&k.function.getBody().front());
  Value number = Op::create(k.e.b, k.e.loc, gpu::Dimension::x);
  known = arith::IndexCastUIOp::create(k.e.b, k.e.loc, k.e.b.getI64Type(), number);
  return Index(known);
}

Index GpuKernel::thread() { return number<gpu::ThreadIdOp>(*this, threadNumber); }
Index GpuKernel::block() { return number<gpu::BlockIdOp>(*this, blockNumber); }

Value GpuKernel::shared(int64_t bytes) {
  OpBuilder &b = e.b;
  auto module = function->getParentOfType<gpu::GPUModuleOp>();
  std::string name = function.getName().str() + "_shared";
  auto global = module.lookupSymbol<LLVM::GlobalOp>(name);
  int64_t offset = sharedBytes;
  sharedBytes += ceilDiv(bytes, 16) * 16;
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), unsigned(sharedBytes));
  constexpr unsigned kSharedSpace = 3;
  if (global) {
    global.setGlobalType(type);
  } else {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    global = LLVM::GlobalOp::create(b, e.loc, type, /*isConstant=*/false, LLVM::Linkage::Internal, name, Attribute(),
                                    uint64_t(sharedAlignment), kSharedSpace);
  }
  Value address = LLVM::AddressOfOp::create(b, e.loc, LLVM::LLVMPointerType::get(b.getContext(), kSharedSpace), name);
  Value flat = LLVM::AddrSpaceCastOp::create(b, e.loc, LLVM::LLVMPointerType::get(b.getContext()), address);
  return e.address(flat, DType::U8, offset);
}

Value GpuKernel::scratch(Index bytes) {
  Index offset = scratchBytes;
  scratchBytes = e.add(scratchBytes, e.mul(e.ceilDiv(bytes, kLine), kLine));
  return e.address(scratchPointer, DType::U8, offset);
}

void GpuKernel::barrier() { gpu::BarrierOp::create(e.b, e.loc); }

void GpuKernel::when(Value condition, llvm::function_ref<void()> emit) {
  if (!condition) return emit();
  e.when(condition, [&] {
    Evaluator::Scope scope(ev, 0, {});
    emit();
  });
}

/// A word through the registers of the warp.
static Value wordFromLane(Emitter &e, Value word, int64_t by, gpu::ShuffleMode mode) {
  auto number = [&](int64_t n) { return arith::ConstantIntOp::create(e.b, e.loc, e.b.getI32Type(), n); };
  return gpu::ShuffleOp::create(e.b, e.loc, word, number(by), number(kWarp), mode).getShuffleResult();
}

Value GpuKernel::fromLane(Value value, int64_t by, gpu::ShuffleMode mode) {
  OpBuilder &b = e.b;
  Type type = value.getType(), i32 = b.getI32Type(), i64 = b.getI64Type();
  unsigned width = type.getIntOrFloatBitWidth();
  Type whole = b.getIntegerType(width);
  if (type != whole) value = arith::BitcastOp::create(b, e.loc, whole, value);
  Value result;
  if (width == 64) {
    Value half = arith::ConstantIntOp::create(b, e.loc, i64, 32);
    Value low = wordFromLane(e, arith::TruncIOp::create(b, e.loc, i32, value), by, mode);
    Value high = wordFromLane(e, arith::TruncIOp::create(b, e.loc, i32, arith::ShRUIOp::create(b, e.loc, value, half)), by, mode);
    Value above = arith::ShLIOp::create(b, e.loc, arith::ExtUIOp::create(b, e.loc, i64, high), half);
    result = arith::OrIOp::create(b, e.loc, above, arith::ExtUIOp::create(b, e.loc, i64, low));
  } else if (width == 32) {
    result = wordFromLane(e, value, by, mode);
  } else {
    result = arith::TruncIOp::create(b, e.loc, whole, wordFromLane(e, arith::ExtUIOp::create(b, e.loc, i32, value), by, mode));
  }
  return type == whole ? result : arith::BitcastOp::create(b, e.loc, type, result).getResult();
}

SmallVector<Value> GpuKernel::joinLanes(const Reducer &r, SmallVector<Value> acc, int64_t lanes) {
  auto from = [&](int64_t by, gpu::ShuffleMode mode) { return llvm::map_to_vector(acc, [&](Value v) { return fromLane(v, by, mode); }); };
  for (int64_t n = lanes / 2; n >= 1; n /= 2) acc = r.join(e, acc, from(n, gpu::ShuffleMode::DOWN));
  return from(0, gpu::ShuffleMode::IDX);
}

template <typename Op> static Index divided(Emitter &e, Index x, Index by) {
  return Index(Op::create(e.b, e.loc, e.use(x), e.use(by)).getResult());
}

Index GpuKernel::quotient(Index x, Index by) {
  if (x.isStatic() && by.isStatic()) return x.number() / by.number();
  return by.isConstant(1) ? x : divided<arith::DivUIOp>(e, x, by);
}
Index GpuKernel::remainder(Index x, Index by) {
  if (x.isStatic() && by.isStatic()) return x.number() % by.number();
  return by.isConstant(1) ? Index(0) : divided<arith::RemUIOp>(e, x, by);
}

void GpuKernel::place(Coordinates &position, Index linear, ArrayRef<Index> shape, int64_t skip) {
  OpBuilder &b = e.b;
  position.resize(shape.size());
  int64_t first = -1; // the outermost axis: what is left
  for (int64_t axis = int64_t(shape.size()) - 1; axis >= 0; --axis)
    if (axis != skip && !shape[size_t(axis)].isConstant(1)) first = axis;
  // Divisions of 32 bits, where those are enough, take a quarter of the instructions. (The compiler for the device looks for itself where
  // sizes are open.)
  bool isStatic = llvm::all_of(shape, [](Index n) { return n.isStatic(); });
  bool isNarrow = isStatic && product(shape).number() < (int64_t(1) << 31);
  Value left = e.use(linear);
  if (isNarrow) left = arith::TruncIOp::create(b, e.loc, b.getI32Type(), left);
  auto wide = [&](Value v) { return isNarrow ? arith::ExtUIOp::create(b, e.loc, b.getI64Type(), v).getResult() : v; };
  for (int64_t axis = int64_t(shape.size()) - 1; axis >= 0; --axis) {
    if (axis == skip) continue;
    if (shape[size_t(axis)].isConstant(1)) position[size_t(axis)] = {};
    else if (axis == first) position[size_t(axis)] = {Index(wide(left)), 0, {}};
    else {
      Index n = shape[size_t(axis)];
      Value size = isNarrow ? arith::ConstantIntOp::create(b, e.loc, left.getType(), n.number()).getResult() : e.use(n);
      position[size_t(axis)] = {Index(wide(arith::RemUIOp::create(b, e.loc, left, size))), 0, {}};
      left = arith::DivUIOp::create(b, e.loc, left, size);
    }
  }
}

Value GpuKernel::isAligned(Value pointer, int64_t bytes) {
  for (auto [known, multiple, answer] : aligned)
    if (known == pointer && multiple == bytes) return answer;
  OpBuilder &b = e.b;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&function.getBody().front());
  Value address = LLVM::PtrToIntOp::create(b, e.loc, b.getI64Type(), pointer);
  Value rest = arith::AndIOp::create(b, e.loc, address, e.use(bytes - 1));
  Value answer = arith::CmpIOp::create(b, e.loc, arith::CmpIPredicate::eq, rest, e.use(0));
  aligned.push_back({pointer, bytes, answer});
  return answer;
}

/// Those of which anybody reads something: a narrow product has its float32 sums as a result too.
SmallVector<unsigned> GpuKernel::used() {
  auto all = llvm::seq<unsigned>(0, kernel.getNumResults());
  return llvm::to_vector(llvm::make_filter_range(all, [&](unsigned i) { return !kernel.getResult(i).use_empty(); }));
}

void GpuKernel::storeResults(ArrayRef<Coordinate> position) {
  SmallVector<Expr> results; // all before the first store: one may take the place of what they are computed from
  for (unsigned i : used()) results.push_back(ev.at(yielded()[i], position));
  for (auto [result, i] : llvm::zip(results, used())) ev.storeAt(outputs[i], position, result);
}

/// Whether runs of `count` elements, from a multiple of that on, lie beside each other.
static bool hasRuns(const Buffer &buffer, int64_t count) {
  if (isComplex(buffer.dtype) || buffer.dtype == DType::Bool || !buffer.strides.back().isConstant(1)) return false;
  return llvm::all_of(ArrayRef(buffer.strides).drop_back(), [&](Index stride) { return isMultiple(stride, count); });
}

void GpuKernel::storeResults(int64_t count, llvm::function_ref<Coordinates(int64_t)> at) {
  OpBuilder &b = e.b;
  SmallVector<Coordinates> positions;
  SmallVector<SmallVector<Expr>> results(outputs.size());
  for (int64_t i = 0; i < count; ++i) {
    positions.push_back(at(i));
    for (unsigned result : used()) results[result].push_back(ev.at(yielded()[result], positions.back()));
  }
  for (unsigned result : used()) {
    ArrayRef<Expr> values = results[result];
    const Buffer &buffer = outputs[result];
    auto alone = [&] {
      for (int64_t i = 0; i < count; ++i) ev.storeAt(buffer, positions[size_t(i)], values[size_t(i)]);
    };
    auto together = [&] {
      auto type = VectorType::get({count}, e.memoryType(buffer.dtype));
      Value all = LLVM::PoisonOp::create(b, e.loc, type);
      for (int64_t i = 0; i < count; ++i) {
        Value number = arith::ConstantIntOp::create(b, e.loc, b.getI32Type(), i);
        all = LLVM::InsertElementOp::create(b, e.loc, all, values[size_t(i)].value, number);
      }
      Value address = e.address(buffer.pointer, buffer.dtype, ev.offsetOf(buffer, positions[0]));
      LLVM::StoreOp::create(b, e.loc, all, address, unsigned(count * byteSize(buffer.dtype)));
    };
    if (count > 1 && hasRuns(buffer, count)) e.when(isAligned(buffer.pointer, count * byteSize(buffer.dtype)), together, alone);
    else alone();
  }
}

} // namespace kiln::nvptx
