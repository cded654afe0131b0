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

/// The input of a kernel that result `i` changes in some places, or is what a loop makes of it, where nothing else in the kernel reads it.
Value changedInput(ir::KernelOp kernel, unsigned i) {
  auto result = dyn_cast<OpResult>(kernel.getBody().front().getTerminator()->getOperand(i));
  Operation *op = result ? result.getOwner() : nullptr;
  bool isPart = op && kernel.getNumResults() == 1 && (isa<ir::UpdateOp, ir::DynamicUpdateOp>(op) || ir::isKind(op, Kind::Scatter));
  if (!isPart && !isa_and_nonnull<ir::LoopOp>(op)) return nullptr;
  auto base = dyn_cast<BlockArgument>(op->getOperand(isPart ? 0 : result.getResultNumber()));
  if (!base || !(base.hasOneUse() || ir::changesOneElement(op))) return nullptr;
  Value input = kernel.getInputs()[base.getArgNumber()];
  auto isSame = [&](Value other) { return ir::memoryOf(other) == ir::memoryOf(input); };
  return llvm::count_if(kernel.getInputs(), isSame) == 1 ? input : nullptr;
}

struct PlanMemory : impl::PlanMemoryBase<PlanMemory> {
  DenseMap<Operation *, int64_t> order;
  DenseMap<Value, int64_t> placed;  // the places of results in the workspace
  DenseMap<Value, int64_t> inPlace; // of a body, results of kernels that lie where an argument does
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

  /// The memory of the array that a kernel changes to result `i`, where that array is not read later: the result takes it over.
  std::optional<int64_t> takeOver(ir::KernelOp kernel, unsigned i, int64_t last) {
    Value input = changedInput(kernel, i);
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

  /// Whether result `i` of a body takes the place of its argument `i`: it is that argument, or what kernels one after the other make of it,
  /// each of which is the last to read what it changes.
  bool replacesArgument(func::FuncOp body, OpOperand &output) {
    if (output.getOperandNumber() >= body.getNumArguments()) return false;
    Value argument = body.getArgument(output.getOperandNumber()), root = ir::memoryOf(output.get());
    if (output.get() == argument) return true;
    SmallVector<Value> made;
    while (root != argument) {
      auto kernel = root.getDefiningOp<ir::KernelOp>();
      Value changed = kernel ? changedInput(kernel, cast<OpResult>(root).getResultNumber()) : Value();
      Value before = changed ? ir::memoryOf(changed) : Value();
      if (!before || lastUse(before) != order[kernel]) return false;
      made.push_back(root);
      root = before;
    }
    for (Value v : made) inPlace[v] = int64_t(output.getOperandNumber());
    return true;
  }

  /// What a body writes over its arguments, which its kernels are told too.
  void placeInArguments(func::FuncOp body) {
    Builder b(&getContext());
    for (OpOperand &output : body.getBody().front().getTerminator()->getOpOperands()) {
      if (!replacesArgument(body, output)) continue;
      body.setResultAttr(output.getOperandNumber(), ir::kInPlace, b.getI64IntegerAttr(output.getOperandNumber()));
      count("plan-memory.replaced");
    }
    for (ir::KernelOp kernel : body.getOps<ir::KernelOp>()) {
      SmallVector<int64_t> arguments;
      for (Value result : kernel.getResults()) {
        auto found = inPlace.find(result);
        arguments.push_back(found == inPlace.end() ? -1 : found->second);
      }
      if (llvm::any_of(arguments, [](int64_t argument) { return argument >= 0; }))
        kernel->setAttr(ir::kInPlace, b.getDenseI64ArrayAttr(arguments));
    }
  }

  void runOnOperation() override {
    placed.clear();
    blocks.clear();
    open.clear();
    int64_t total = 0;
    for (auto [i, op] : llvm::enumerate(getOperation().getBody().front())) order[&op] = int64_t(i);
    inPlace.clear();
    if (getOperation().isPrivate()) placeInArguments(getOperation());
    for (ir::KernelOp kernel : getOperation().getOps<ir::KernelOp>()) {
      SmallVector<int64_t> offsets;
      for (OpResult result : kernel.getResults()) {
        auto last = lastUse(result);
        offsets.push_back(-1);
        if (!last || inPlace.contains(result)) continue;
        ir::ArrayType type = ir::typeOf(result);
        bool isOpen = !type.shape.isStatic();
        int64_t bytes = isOpen ? 0 : (numElements(type.shape.words()) * byteSize(type.dtype) + 63) / 64 * 64;
        if (auto taken = takeOver(kernel, result.getResultNumber(), *last)) offsets.back() = *taken;
        else offsets.back() = isOpen ? placeOpen(type, order[kernel], *last) : firstFit(blocks, bytes, order[kernel], *last);
        placed[result] = offsets.back();
        total = std::max(total, offsets.back() + bytes);
        count("plan-memory.arrays");
      }
      kernel.setWorkspace(offsets);
    }
    count("plan-memory.bytes", total);
    Builder b(&getContext());
    getOperation()->setAttr(ir::kWorkspaceBytes, b.getI64IntegerAttr(total));
    if (open.empty()) return;
    count("plan-memory.open-blocks", int64_t(open.size()));
    auto types = llvm::map_to_vector(open, [&](OpenBlock &o) { return Attribute(TypeAttr::get(ir::tensorType(&getContext(), o.type))); });
    getOperation()->setAttr(ir::kBlocks, b.getArrayAttr(types));
  }
};

} // namespace
} // namespace kiln
