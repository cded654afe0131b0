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

void Panel::place(const Coordinates &at, Index start) {
  batch = at, first = start;
  memory = k.shared(form.stages * stageElements() * bytes);
  if (form.copying != Copying::Wide) return;
  OpBuilder &b = e.b;
  Value address = LLVM::PtrToIntOp::create(b, e.loc, b.getI64Type(), k.ev.buffers.find(operand)->second.pointer);
  Value rest = arith::AndIOp::create(b, e.loc, address, e.use(kWide - 1));
  isAligned = arith::CmpIOp::create(b, e.loc, arith::CmpIPredicate::eq, rest, e.use(0));
}

/// What a thread brings, `width` elements at a time. Positions behind the end are those of the last element there is: what comes from them is
/// not used, and no access needs a guard. Registers take the steps of a block also behind the last one.
void Panel::forEachSpot(int64_t width, Index from, llvm::function_ref<void(const Spot &)> body) {
  int64_t inner = (isAlong ? form.depth : form.lines) / width, count = form.lines * form.depth / width;
  auto inside = [&](Index x, int64_t end, bool isWhole, int64_t each) { return isWhole ? x : e.min(x, end - each); };
  for (int64_t done = 0; done < count; done += k.threads) {
    // Threads in the order of memory; those of one pass lie in whole rows, so that the distance of passes is a constant.
    Index far = k.quotient(k.thread(), inner), near = e.mul(k.remainder(k.thread(), inner), width);
    if (k.threads % inner == 0) far = e.add(far, done / inner);
    else far = k.quotient(e.add(k.thread(), done), inner), near = e.mul(k.remainder(e.add(k.thread(), done), inner), width);
    Index line = isAlong ? far : near, step = isAlong ? near : far;
    Spot spot{batch, e.add(e.mul(far, pitch()), near), {}};
    spot.source[across] = {inside(e.add(first, line), size, size % form.lines == 0, isAlong ? 1 : width), 0, {}};
    spot.source[along] = {inside(e.add(from, step), steps, isAsync() && steps % form.depth == 0, isAlong ? width : 1), 0, {}};
    if (count < k.threads) spot.isIn = e.lessThan(k.thread(), count);
    body(spot);
  }
}

void Panel::copy(int64_t width, Index from, Index stage) {
  OpBuilder &b = e.b;
  auto space = [&](Value pointer, unsigned number) {
    return LLVM::AddrSpaceCastOp::create(b, e.loc, LLVM::LLVMPointerType::get(b.getContext(), number), pointer);
  };
  const Buffer &buffer = k.ev.buffers.find(operand)->second;
  int64_t size = width * bytes;
  auto cache = size == kWide ? NVVM::LoadCacheModifierKind::CG : NVVM::LoadCacheModifierKind::CA;
  forEachSpot(width, from, [&](const Spot &spot) {
    k.when(spot.isIn, [&] {
      Value source = e.address(buffer.pointer, dtype, k.ev.offsetOf(buffer, spot.source));
      Value target = e.address(memory, dtype, e.add(e.mul(stage, stageElements()), spot.target));
      constexpr unsigned kGlobal = 1, kShared = 3;
      NVVM::CpAsyncOp::create(b, e.loc, space(target, kShared), space(source, kGlobal), uint32_t(size), cache, Value());
    });
  });
}

void Panel::start(Index from, Index stage, Value isThere) {
  if (!isAsync()) {
    onTheWay.clear();
    return forEachSpot(1, from, [&](const Spot &spot) { onTheWay.push_back(k.ev.at(operand, spot.source)); });
  }
  k.when(isThere, [&] {
    if (!isAligned) return copy(1, from, stage);
    auto scoped = [&](int64_t width) {
      Evaluator::Scope scope(k.ev, 0, {});
      copy(width, from, stage);
    };
    e.when(isAligned, [&] { scoped(kWide / bytes); }, [&] { scoped(1); });
  });
}

void Panel::finish(Index stage) {
  if (isAsync()) return;
  size_t i = 0;
  forEachSpot(1, 0, [&](const Spot &spot) {
    Expr value = onTheWay[i++];
    k.when(spot.isIn, [&] { e.store(memory, e.add(e.mul(stage, stageElements()), spot.target), value); });
  });
}

Expr Panel::read(Index stage, Index firstLine, int64_t i, int64_t step) {
  int64_t width = isAlong ? lanes : run(), lane = isAlong ? step % width : i % width;
  if (isAlong) step -= lane;
  else i -= lane;
  Value &value = known[{i, step}];
  if (!value) {
    Index near = isAlong ? Index(step) : e.add(firstLine, line(i)), far = isAlong ? e.add(firstLine, line(i)) : Index(step);
    Index at = e.add(e.mul(stage, stageElements()), e.add(e.mul(far, pitch()), near));
    Type type = e.memoryType(dtype);
    if (width > 1) type = VectorType::get({width}, type);
    value = LLVM::LoadOp::create(e.b, e.loc, type, e.address(memory, dtype, at), unsigned(width * bytes));
  }
  if (width == 1) return e.fromMemory(value, dtype);
  Value number = arith::ConstantIntOp::create(e.b, e.loc, e.b.getI32Type(), lane);
  return e.fromMemory(LLVM::ExtractElementOp::create(e.b, e.loc, value, number), dtype);
}

} // namespace kiln::nvptx
