#include "codegen/nvptx/LibraryCalls.h"

#include "codegen/cpu/Schedule.h"
#include "dialects/kiln/Words.h"

using namespace mlir;

namespace kiln::nvptx {

static int64_t bytesOf(DType dtype, int64_t elements) { return elements * byteSize(dtype); }

LibraryCalls::LibraryCalls(ir::ArrayOp op, llvm::function_ref<bool(Value)> isPlain) : op(op), isPlain(isPlain), words(ir::wordsOf(op)) {}

LibraryCalls::Pointer::Pointer(Value array)
    : array(array), offset(0), bytes(bytesOf(ir::typeOf(array).dtype, numElements(ir::typeOf(array).shape))) {}

LibraryCalls::Part LibraryCalls::part(DType dtype, int64_t each, int64_t count) {
  Part part{dtype, each, bytes, bytesOf(dtype, each * count)};
  bytes += ceilDiv(part.bytes, kLine) * kLine;
  return part;
}

void LibraryCalls::call(StringRef routine, ArrayRef<int64_t> numbers, ArrayRef<Pointer> pointers) {
  steps.push_back({{}, routine.str(), SmallVector<int64_t>(numbers), SmallVector<Pointer>(pointers)});
}

static Value placeOf(GpuKernel &k, const LibraryCalls::Part &part) { return k.e.address(k.scratchPointer, DType::U8, part.offset); }

Expr load(GpuKernel &k, const LibraryCalls::Part &part, Index at) { return k.e.load(placeOf(k, part), part.dtype, at, 0); }
void store(GpuKernel &k, const LibraryCalls::Part &part, Index at, Expr value) { k.e.store(placeOf(k, part), at, value); }

void setStatus(GpuKernel &k, Value condition, int32_t bits) {
  k.when(condition, [&] {
    Expr status = k.e.load(k.ev.statusFlag, DType::I32, 0, 0);
    k.e.store(k.ev.statusFlag, 0, ir::orRaw(status, k.e.scalar(DType::I32, bits)));
  });
}

DescribeCalls *deviceRoutineOf(ir::KernelOp kernel) {
  static constexpr std::pair<Op, DescribeCalls *> kRoutines[] = {
#include "kiln/DeviceRoutines.inc"
  };
  auto op = dyn_cast<ir::ArrayOp>(cpu::mainOp(kernel));
  for (auto [id, describe] : kRoutines)
    if (op && op.getId() == id) return describe;
  return nullptr;
}

} // namespace kiln::nvptx
