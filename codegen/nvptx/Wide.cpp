#include "codegen/nvptx/Wide.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace kiln::nvptx {

constexpr int64_t kAccessBytes = 16;

Value Wide::isAligned() {
  OpBuilder &b = e.b;
  Value bits;
  for (Value pointer : k.givenPointers) {
    Value mine = LLVM::PtrToIntOp::create(b, e.loc, b.getI64Type(), pointer);
    bits = bits ? arith::OrIOp::create(b, e.loc, bits, mine).getResult() : mine;
  }
  if (!bits) return {};
  Value rest = arith::AndIOp::create(b, e.loc, bits, e.use(kAccessBytes - 1));
  return arith::CmpIOp::create(b, e.loc, arith::CmpIPredicate::eq, rest, e.use(0));
}

SmallVector<Coordinates> Wide::from(Coordinates position, size_t axis, Index number) {
  Index start = e.mul(number, count);
  if (start.base()) multiples.push_back(start.base());
  SmallVector<Coordinates> at;
  for (int64_t i = 0; i < count; ++i) {
    position[axis] = {e.add(start, i), 0, {}};
    at.push_back(position);
  }
  return at;
}

bool Wide::isMultiple(Index i) { return i.offset() % count == 0 && (i.isStatic() || llvm::is_contained(multiples, i.base())); }

/// Whether the positions are one after the other in memory, and begin at a whole access.
bool Wide::isOneAccess(const Buffer &buffer, ArrayRef<Coordinates> at) {
  if (isComplex(buffer.dtype) || count * byteSize(buffer.dtype) > kAccessBytes) return false;
  for (auto [axis, stride] : llvm::enumerate(buffer.strides)) {
    Index first = at[0][axis].base;
    if (!nvptx::isMultiple(stride, count) && !isMultiple(first)) return false;
  }
  for (size_t i = 1; i < at.size(); ++i) {
    int64_t distance = 0;
    for (auto [axis, stride] : llvm::enumerate(buffer.strides)) {
      Index first = at[0][axis].base, mine = at[i][axis].base;
      if (first.base() != mine.base()) return false;
      if (first == mine) continue;
      if (!stride.isStatic()) return false;
      distance += (mine.offset() - first.offset()) * stride.number();
    }
    if (distance != int64_t(i)) return false;
  }
  return true;
}

void Wide::loadFrom(Value array, const Buffer &buffer, ArrayRef<Coordinates> at) {
  if (ev.known(array, at[0]) || !isOneAccess(buffer, at)) return;
  auto type = e.vectorOf(e.memoryType(buffer.dtype), count);
  Value from = e.address(buffer.pointer, buffer.dtype, ev.offsetOf(buffer, at[0]));
  Value all = LLVM::LoadOp::create(e.b, e.loc, type, from, unsigned(count * byteSize(buffer.dtype)));
  for (auto [i, position] : llvm::enumerate(at)) {
    Value one = LLVM::ExtractElementOp::create(e.b, e.loc, all, e.use(int64_t(i)));
    ev.remember(array, position, e.fromMemory(one, buffer.dtype));
  }
}

void Wide::load(Value value, ArrayRef<Coordinates> at) {
  SmallVector<std::pair<Value, SmallVector<Coordinates>>> ahead = {{value, SmallVector<Coordinates>(at)}};
  SmallVector<std::pair<Value, Coordinates>> seen; // by their first positions
  while (!ahead.empty()) {
    auto [v, positions] = ahead.pop_back_val();
    if (ev.known(v, positions[0]) || llvm::is_contained(seen, std::pair(v, positions[0]))) continue;
    seen.push_back({v, positions[0]});
    auto buffer = ev.buffers.find(v);
    Operation *op = v.getDefiningOp();
    if (buffer != ev.buffers.end()) {
      loadFrom(v, buffer->second, positions);
    } else if (ir::isKind(op, Kind::Elementwise)) {
      for (Value operand : llvm::reverse(op->getOperands())) ahead.push_back({operand, positions});
    } else if (ir::isKind(op, Kind::Index) && !isa<ir::DynamicSliceOp>(op)) {
      auto sources = llvm::map_to_vector(positions, [&, op = op](const Coordinates &p) { return ev.source(op, p); });
      ahead.push_back({op->getOperand(0), sources});
    }
  }
}

void Wide::store(const Buffer &to, ArrayRef<Coordinates> at, ArrayRef<Expr> values) {
  if (!isOneAccess(to, at)) {
    for (auto [position, value] : llvm::zip(at, values)) ev.storeAt(to, position, value);
    return;
  }
  Value all = LLVM::PoisonOp::create(e.b, e.loc, e.vectorOf(e.memoryType(to.dtype), count));
  for (auto [i, value] : llvm::enumerate(values)) {
    Value one = value.value;
    if (to.dtype == DType::Bool) one = arith::ExtUIOp::create(e.b, e.loc, e.b.getI8Type(), one);
    all = LLVM::InsertElementOp::create(e.b, e.loc, all, one, e.use(int64_t(i)));
  }
  Value address = e.address(to.pointer, to.dtype, ev.offsetOf(to, at[0]));
  LLVM::StoreOp::create(e.b, e.loc, all, address, unsigned(count * byteSize(to.dtype)));
}

} // namespace kiln::nvptx
