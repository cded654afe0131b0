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

/// An array in the workspace whose size is open: one of a row behind the placed ones.
struct OpenBlock {
  ir::ArrayType type;
  int64_t to;

  bool isAsLarge(const ir::ArrayType &other) const {
    auto sorted = [](const Shape &shape) {
      SmallVector<Size> sizes(shape.begin(), shape.end());
      llvm::erase(sizes, Size::constant(1));
      llvm::sort(sizes);
      return sizes;
    };
    return byteSize(type.dtype) == byteSize(other.dtype) && sorted(type.shape) == sorted(other.shape);
  }
};

/// How the workspace of a kernel names open block i.
int64_t openPlace(size_t i) { return -2 - int64_t(i); }

/// The lowest offset at which `size` bytes are free from `from` to `to`; arrays come in the order in which they are made.
int64_t firstFit(SmallVectorImpl<Block> &blocks, int64_t size, int64_t from, int64_t to) {
  llvm::erase_if(blocks, [&](Block &b) { return b.to < from; });
  int64_t offset = 0;
  for (Block &b : blocks) { // ordered by offset
    if (offset + size <= b.offset) break;
    offset = std::max(offset, b.offset + b.size);
  }
  auto at = llvm::find_if(blocks, [&](Block &b) { return b.offset > offset; });
  blocks.insert(at, Block{offset, size, from, to});
  return offset;
}

/// The input of a kernel that its one result changes in some places, where nothing else in the kernel reads it.
Value changedInput(ir::KernelOp kernel) {
  if (kernel.getNumResults() != 1) return nullptr;
  Operation *op = kernel.getBody().front().getTerminator()->getOperand(0).getDefiningOp();
  if (!op || !(isa<ir::UpdateOp, ir::DynamicUpdateOp>(op) || ir::isKind(op, Kind::Scatter))) return nullptr;
  auto base = dyn_cast<BlockArgument>(op->getOperand(0));
  if (!base || !base.hasOneUse()) return nullptr;
  Value input = kernel.getInputs()[base.getArgNumber()];
  auto isSame = [&](Value other) { return ir::memoryOf(other) == ir::memoryOf(input); };
  return llvm::count_if(kernel.getInputs(), isSame) == 1 ? input : nullptr;
}

struct PlanMemory : impl::PlanMemoryBase<PlanMemory> {
  DenseMap<Operation *, int64_t> order;
  DenseMap<Value, int64_t> placed; // the places of results in the workspace
  SmallVector<Block> blocks;
  SmallVector<OpenBlock> open;

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

  /// The memory of the array that a kernel changes, where that array is not read later: the result takes it over.
  std::optional<int64_t> takeOver(ir::KernelOp kernel, int64_t last) {
    Value input = changedInput(kernel);
    auto found = input ? placed.find(ir::memoryOf(input)) : placed.end();
    if (found == placed.end() || lastUse(ir::memoryOf(input)) != order[kernel]) return std::nullopt;
    auto extend = [&](auto &block) {
      block.to = last;
      count("plan-memory.in-place");
      return found->second;
    };
    if (found->second < 0) return extend(open[size_t(-2 - found->second)]);
    auto block = llvm::find_if(blocks, [&](Block &b) { return b.offset == found->second && b.to == order[kernel]; });
    if (block == blocks.end()) return std::nullopt;
    return extend(*block);
  }

  /// Sizes are known at a call only, so memory is shared between arrays that are as large as each other in every call.
  int64_t placeOpen(const ir::ArrayType &type, int64_t from, int64_t to) {
    auto found = llvm::find_if(open, [&](OpenBlock &b) { return b.to < from && b.isAsLarge(type); });
    if (found == open.end()) open.push_back({type, to}), found = std::prev(open.end());
    found->to = to;
    return openPlace(size_t(found - open.begin()));
  }

  /// Whether result `i` of a body takes the place of its argument `i`: it is that argument, or what a kernel makes of it that nobody else
  /// reads it after.
  bool replacesArgument(func::FuncOp body, OpOperand &output) {
    if (output.getOperandNumber() >= body.getNumArguments()) return false;
    Value argument = body.getArgument(output.getOperandNumber()), root = ir::memoryOf(output.get());
    if (output.get() == argument) return true;
    auto kernel = root.getDefiningOp<ir::KernelOp>();
    Value changed = kernel ? changedInput(kernel) : Value();
    return changed && ir::memoryOf(changed) == argument && lastUse(argument) == order[kernel];
  }

  void runOnOperation() override {
    placed.clear();
    blocks.clear();
    open.clear();
    int64_t total = 0;
    for (auto [i, op] : llvm::enumerate(getOperation().getBody().front())) order[&op] = int64_t(i);
    for (ir::KernelOp kernel : getOperation().getOps<ir::KernelOp>()) {
      SmallVector<int64_t> offsets;
      for (Value result : kernel.getResults()) {
        auto last = lastUse(result);
        offsets.push_back(-1);
        if (!last) continue;
        ir::ArrayType type = ir::typeOf(result);
        bool isOpen = !type.shape.isStatic();
        int64_t bytes = isOpen ? 0 : (numElements(type.shape.words()) * byteSize(type.dtype) + 63) / 64 * 64;
        if (auto taken = takeOver(kernel, *last)) offsets.back() = *taken;
        else offsets.back() = isOpen ? placeOpen(type, order[kernel], *last) : firstFit(blocks, bytes, order[kernel], *last);
        placed[result] = offsets.back();
        total = std::max(total, offsets.back() + bytes);
        count("plan-memory.arrays");
      }
      kernel.setWorkspace(offsets);
    }
    count("plan-memory.bytes", total);
    Builder b(&getContext());
    if (getOperation().isPrivate())
      for (OpOperand &output : getOperation().getBody().front().getTerminator()->getOpOperands())
        if (replacesArgument(getOperation(), output)) {
          getOperation().setResultAttr(output.getOperandNumber(), ir::kInPlace, b.getI64IntegerAttr(output.getOperandNumber()));
          count("plan-memory.replaced");
        }
    getOperation()->setAttr(ir::kWorkspaceBytes, b.getI64IntegerAttr(total));
    if (open.empty()) return;
    count("plan-memory.open-blocks", int64_t(open.size()));
    auto types = llvm::map_to_vector(open, [&](OpenBlock &o) { return Attribute(TypeAttr::get(ir::tensorType(&getContext(), o.type))); });
    getOperation()->setAttr(ir::kBlocks, b.getArrayAttr(types));
  }
};

} // namespace
} // namespace kiln
