#include "lib/Core/Stats.h"
#include "passes/Passes.h"
#include "passes/memory/PlanMemory/InPlace.h"

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

  /// The memory of an array that a kernel reads, and nobody after it: a result takes it over.
  std::optional<int64_t> takeOver(ir::KernelOp kernel, Reads &reads, unsigned result, int64_t last) {
    for (Value input : kernel.getInputs()) {
      Value memory = ir::memoryOf(input);
      auto found = placed.find(memory);
      if (found == placed.end() || !reads.allow(result, memory)) continue;
      int64_t *to = endOf(found->second, order[kernel]);
      if (!to || lastUse(memory) != order[kernel]) continue;
      *to = last;
      count("plan-memory.in-place");
      return found->second;
    }
    return std::nullopt;
  }

  /// Until when a place in the workspace is taken, which is as long as `from`; null where another result has it already.
  int64_t *endOf(int64_t place, int64_t from) {
    if (place < 0) return open[size_t(-2 - place)].to == from ? &open[size_t(-2 - place)].to : nullptr;
    auto block = llvm::find_if(blocks, [&](Block &b) { return b.offset == place && b.to == from; });
    return block == blocks.end() ? nullptr : &block->to;
  }

  /// Sizes are known at a call only, so memory is shared between arrays that are as large as each other in every call.
  int64_t placeOpen(const ir::ArrayType &type, int64_t from, int64_t to) {
    auto found = llvm::find_if(open, [&](OpenBlock &b) { return b.to < from && b.isAsLarge(type); });
    if (found == open.end()) open.push_back({type, to}), found = std::prev(open.end());
    found->to = to;
    return openPlace(size_t(found - open.begin()));
  }

  /// The kernel whose result takes the place of an argument, as nobody reads that after it; null where there is none.
  ir::KernelOp lastReader(Value root, Value argument) {
    auto kernel = root.getDefiningOp<ir::KernelOp>();
    return kernel && lastUse(argument) == order[kernel] ? kernel : ir::KernelOp();
  }

  /// Whether result `i` of a body is its argument `i`, or a kernel changes that in some places. (Where one computes it anew, as well to
  /// another place as over the old one, its caller has two places already, or would have to copy.)
  bool replacesArgument(func::FuncOp body, OpOperand &output) {
    if (output.getOperandNumber() >= body.getNumArguments()) return false;
    Value argument = body.getArgument(output.getOperandNumber());
    if (output.get() == argument) return true;
    ir::KernelOp kernel = lastReader(ir::memoryOf(output.get()), argument);
    return kernel && Reads(kernel).change(argument);
  }

  /// Whether a result of a program may lie in the memory of the argument that it replaces: nothing can fail from there on.
  bool replacesArgument(func::FuncOp program, OpOperand &output, int64_t safe, const DenseMap<Value, int> &returned) {
    auto asked = program.getResultAttrOfType<IntegerAttr>(output.getOperandNumber(), ir::kReplaces);
    if (!asked) return false;
    Value argument = program.getArgument(unsigned(asked.getInt())), root = ir::memoryOf(output.get());
    if (root == argument || returned.lookup(root) > 1) return false;
    ir::KernelOp kernel = lastReader(root, argument);
    return kernel && order[kernel] >= safe && Reads(kernel).allow(cast<OpResult>(root).getResultNumber(), argument);
  }

  void replaceArguments(func::FuncOp fn) {
    int64_t safe = 0; // kernels that can fail stand before
    for (ir::KernelOp kernel : fn.getOps<ir::KernelOp>())
      if (mayFail(kernel)) safe = order[kernel] + 1;
    Operation *end = fn.getBody().front().getTerminator();
    DenseMap<Value, int> returned;
    for (Value v : end->getOperands()) ++returned[ir::memoryOf(v)];
    for (OpOperand &output : end->getOpOperands()) {
      unsigned number = output.getOperandNumber();
      if (!(fn.isPrivate() ? replacesArgument(fn, output) : replacesArgument(fn, output, safe, returned))) continue;
      Attribute argument = Builder(&getContext()).getI64IntegerAttr(number);
      if (!fn.isPrivate()) argument = fn.getResultAttr(number, ir::kReplaces);
      fn.setResultAttr(number, ir::kInPlace, argument);
      count("plan-memory.replaced");
    }
  }

  void runOnOperation() override {
    placed.clear();
    blocks.clear();
    open.clear();
    int64_t total = 0;
    for (auto [i, op] : llvm::enumerate(getOperation().getBody().front())) order[&op] = int64_t(i);
    for (ir::KernelOp kernel : getOperation().getOps<ir::KernelOp>()) {
      SmallVector<int64_t> offsets;
      Reads reads(kernel);
      for (OpResult result : kernel.getResults()) {
        auto last = lastUse(result);
        offsets.push_back(-1);
        if (!last) continue;
        ir::ArrayType type = ir::typeOf(result);
        bool isOpen = !type.shape.isStatic();
        int64_t bytes = isOpen ? 0 : (numElements(type.shape.words()) * byteSize(type.dtype) + 63) / 64 * 64;
        if (auto taken = takeOver(kernel, reads, result.getResultNumber(), *last)) offsets.back() = *taken;
        else offsets.back() = isOpen ? placeOpen(type, order[kernel], *last) : firstFit(blocks, bytes, order[kernel], *last);
        placed[result] = offsets.back();
        total = std::max(total, offsets.back() + bytes);
        count("plan-memory.arrays");
      }
      kernel.setWorkspace(offsets);
    }
    count("plan-memory.bytes", total);
    Builder b(&getContext());
    replaceArguments(getOperation());
    getOperation()->setAttr(ir::kWorkspaceBytes, b.getI64IntegerAttr(total));
    if (open.empty()) return;
    count("plan-memory.open-blocks", int64_t(open.size()));
    auto types = llvm::map_to_vector(open, [&](OpenBlock &o) { return Attribute(TypeAttr::get(ir::tensorType(&getContext(), o.type))); });
    getOperation()->setAttr(ir::kBlocks, b.getArrayAttr(types));
  }
};

} // namespace
} // namespace kiln
