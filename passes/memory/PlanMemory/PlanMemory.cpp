#include "lib/Core/Stats.h"
#include "passes/Passes.h"

namespace kiln {
#define GEN_PASS_DEF_PLANMEMORY
#include "kiln/Passes.h.inc"
} // namespace kiln

using namespace mlir;

namespace kiln {
namespace {

/// A placed array: bytes [offset, offset + size) while operations [from, to] run.
struct Block {
  int64_t offset, size, from, to;
};

/// The lowest offset at which `size` bytes are free from `from` to `to`.
int64_t firstFit(SmallVectorImpl<Block> &blocks, int64_t size, int64_t from, int64_t to) {
  int64_t offset = 0;
  for (Block &b : blocks) { // ordered by offset
    if (b.to < from || to < b.from) continue;
    if (offset + size <= b.offset) break;
    offset = std::max(offset, b.offset + b.size);
  }
  auto at = llvm::find_if(blocks, [&](Block &b) { return b.offset > offset; });
  blocks.insert(at, Block{offset, size, from, to});
  return offset;
}

struct PlanMemory : impl::PlanMemoryBase<PlanMemory> {
  DenseMap<Operation *, int64_t> order;

  /// The last operation that reads an array, also under another shape; none where it is an output.
  std::optional<int64_t> lastUse(Value v) {
    int64_t last = order[v.getDefiningOp()];
    for (Operation *user : v.getUsers()) {
      if (user->hasTrait<OpTrait::IsTerminator>()) return std::nullopt;
      int64_t at = order[user];
      if (isa<ir::ReshapeOp>(user)) {
        auto through = lastUse(user->getResult(0));
        if (!through) return std::nullopt;
        at = *through;
      }
      last = std::max(last, at);
    }
    return last;
  }

  void runOnOperation() override {
    SmallVector<Block> blocks;
    int64_t total = 0;
    for (auto [i, op] : llvm::enumerate(getOperation().getBody().front())) order[&op] = int64_t(i);
    for (ir::KernelOp kernel : getOperation().getOps<ir::KernelOp>()) {
      SmallVector<int64_t> offsets;
      for (Value result : kernel.getResults()) {
        auto last = lastUse(result);
        offsets.push_back(-1);
        if (!last) continue;
        TensorType type = ir::typeOf(result);
        if (llvm::any_of(type.shape, isSymbol)) {
          kernel.emitOpError("an intermediate array of dynamic size cannot be placed: expected static sizes, got ") << result.getType();
          return signalPassFailure();
        }
        int64_t bytes = (numElements(type.shape) * byteSize(type.dtype) + 63) / 64 * 64;
        offsets.back() = firstFit(blocks, bytes, order[kernel], *last);
        total = std::max(total, offsets.back() + bytes);
        count("plan-memory.arrays");
      }
      kernel.setWorkspace(offsets);
    }
    count("plan-memory.bytes", total);
    getOperation()->setAttr("kiln.workspace_bytes", Builder(&getContext()).getI64IntegerAttr(total));
  }
};

} // namespace
} // namespace kiln
