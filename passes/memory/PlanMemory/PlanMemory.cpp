#include "lib/Core/Infer.h"
#include "lib/Core/Stats.h"
#include "passes/Passes.h"
#include "passes/memory/PlanMemory/InPlace.h"
#include "passes/memory/PlanMemory/Lifetimes.h"
#include "passes/memory/PlanMemory/Planned.h"
#include "llvm/ADT/StringMap.h"

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
  TensorType type;
  int64_t to;
};

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

/// The plan of one program or body.
class Planner {
public:
  /// `bodies`: functions by name; those that this one runs are planned.
  Planner(func::FuncOp fn, const llvm::StringMap<func::FuncOp> &bodies) : fn(fn), bodies(bodies) {}
  LogicalResult run();

private:
  func::FuncOp fn;
  const llvm::StringMap<func::FuncOp> &bodies;
  std::optional<Lifetimes> lifetimes;
  DenseMap<Value, int64_t> placed;  // the places of results in the workspace
  DenseMap<Value, int64_t> inPlace; // of a body, by result of a kernel that changes an argument where it lies: the input that it changes
  SmallVector<Block> blocks;
  SmallVector<OpenBlock> open;

  /// The memory of an array that a kernel reads, and nobody after it: a result takes it over.
  std::optional<int64_t> takeOver(ir::KernelOp kernel, Reads &reads, unsigned result, int64_t last) {
    for (Value input : kernel.getInputs()) {
      Value memory = ir::memoryOf(input);
      auto found = placed.find(memory);
      if (found == placed.end() || !reads.allow(result, memory) || !isChanged(kernel, result)) continue;
      int64_t *to = endOf(found->second, lifetimes->at(kernel));
      if (!to || lifetimes->lastUse(memory) != lifetimes->at(kernel)) continue;
      *to = last;
      count("plan-memory.in-place");
      int64_t place = found->second;
      placed.erase(found); // no other result of the kernel has it too
      return place;
    }
    return std::nullopt;
  }

  /// Until when a place in the workspace is taken, which is as long as `from`; null where another result has it already.
  int64_t *endOf(int64_t place, int64_t from) {
    if (place < 0) return open[openBlock(place)].to == from ? &open[openBlock(place)].to : nullptr;
    auto block = llvm::find_if(blocks, [&](Block &b) { return b.offset == place && b.to == from; });
    return block == blocks.end() ? nullptr : &block->to;
  }

  /// Sizes are known at a call only, so memory is shared between arrays that are as large as each other in every call.
  int64_t placeOpen(const TensorType &type, int64_t from, int64_t to) {
    auto found = llvm::find_if(open, [&](OpenBlock &b) { return b.to < from && areAsLarge(b.type, type); });
    if (found == open.end()) open.push_back({type, to}), found = std::prev(open.end());
    found->to = to;
    return openPlace(size_t(found - open.begin()));
  }

  /// The last operation that reads an array, also under another shape, but for one; null where it is an output.
  static Operation *lastReader(Value v, Operation *except) {
    Operation *last = except;
    for (Operation *user : v.getUsers()) {
      if (user->hasTrait<OpTrait::IsTerminator>()) return nullptr;
      Operation *reader = isa<ir::ReshapeOp>(user) ? lastReader(user->getResult(0), except) : user;
      if (!reader) return nullptr;
      if (last->isBeforeInBlock(reader)) last = reader;
    }
    return last;
  }

  /// Whether a result that may lie where an operand does gains by that. A way of a branch that makes it anew would do so elsewhere first.
  bool isChanged(ir::KernelOp kernel, unsigned result) const {
    auto made = dyn_cast<OpResult>(kernel.getBody().front().getTerminator()->getOperand(result));
    auto branch = made ? dyn_cast<ir::BranchOp>(made.getOwner()) : nullptr;
    return !branch || llvm::any_of(ir::bodiesOf(branch), [&](FlatSymbolRefAttr name) {
      func::FuncOp body = bodies.lookup(name.getValue());
      return body && body.getResultAttr(made.getResultNumber(), ir::kInPlace);
    });
  }
  /// The array that a kernel changes where it lies, as far as it may; null: none.
  Value changedBy(ir::KernelOp kernel, unsigned result) const { return isChanged(kernel, result) ? changedInput(kernel, result) : Value(); }

  /// Kernels of a body that change parts of an array go behind the others that read it, so that they can do so in place: each once, as two
  /// that read what the other one changes would go behind each other for ever.
  void moveBehindReaders() {
    for (ir::KernelOp kernel : llvm::to_vector(fn.getOps<ir::KernelOp>())) {
      for (OpResult result : kernel.getResults()) {
        Value before = changedBy(kernel, result.getResultNumber());
        Operation *last = before ? lastReader(before, kernel) : nullptr;
        if (!last || last == kernel) continue;
        if (llvm::all_of(kernel->getUsers(), [&](Operation *user) { return last->isBeforeInBlock(user); })) kernel->moveAfter(last);
      }
    }
  }

  /// Whether result `i` of a body takes the place of its argument `i`: it is that argument, or what kernels one after the other change of
  /// it in some places, each of which is the last to read what it changes. (Where one computes it anew, as well to another place as over
  /// the old one, its caller has two places already, or would have to copy.)
  bool replacesArgument(OpOperand &output) {
    if (output.getOperandNumber() >= fn.getNumArguments()) return false;
    Value argument = fn.getArgument(output.getOperandNumber()), root = ir::memoryOf(output.get());
    if (output.get() == argument) return true;
    SmallVector<std::pair<Value, int64_t>> made;
    while (root != argument) {
      auto kernel = root.getDefiningOp<ir::KernelOp>();
      Value before = kernel ? changedBy(kernel, cast<OpResult>(root).getResultNumber()) : Value();
      if (!before || lifetimes->lastUse(before) != lifetimes->at(kernel)) return false;
      auto input = llvm::find_if(kernel.getInputs(), [&](Value v) { return ir::memoryOf(v) == before; });
      made.push_back({root, input - kernel.getInputs().begin()});
      root = before;
    }
    inPlace.insert(made.begin(), made.end());
    return true;
  }

  /// What a body writes over its arguments, which its kernels are told too.
  void placeInArguments() {
    Builder b(fn.getContext());
    for (OpOperand &output : fn.getBody().front().getTerminator()->getOpOperands()) {
      if (!replacesArgument(output)) continue;
      fn.setResultAttr(output.getOperandNumber(), ir::kInPlace, b.getI64IntegerAttr(output.getOperandNumber()));
      count("plan-memory.replaced");
    }
    for (ir::KernelOp kernel : fn.getOps<ir::KernelOp>()) {
      auto inputs = llvm::map_to_vector(kernel.getResults(), [&](Value result) { return inPlace.lookup_or(result, -1); });
      if (llvm::any_of(inputs, [](int64_t input) { return input >= 0; })) kernel.setInPlace(inputs);
    }
  }

  /// Whether a result of a program may lie in the memory of the argument that it replaces: nothing can fail from there on.
  bool replacesArgument(OpOperand &output, int64_t safe, const DenseMap<Value, int> &returned) {
    auto asked = fn.getResultAttrOfType<IntegerAttr>(output.getOperandNumber(), ir::kReplaces);
    if (!asked) return false;
    Value argument = fn.getArgument(unsigned(asked.getInt())), root = ir::memoryOf(output.get());
    auto kernel = root.getDefiningOp<ir::KernelOp>();
    if (!kernel || returned.lookup(root) > 1 || lifetimes->at(kernel) < safe || lifetimes->lastUse(argument) != lifetimes->at(kernel))
      return false;
    unsigned number = cast<OpResult>(root).getResultNumber();
    return Reads(kernel).allow(number, argument) && isChanged(kernel, number);
  }

  void replaceArguments() {
    int64_t safe = firstSafe(fn, *lifetimes);
    Operation *end = fn.getBody().front().getTerminator();
    DenseMap<Value, int> returned;
    for (Value v : end->getOperands()) ++returned[ir::memoryOf(v)];
    for (OpOperand &output : end->getOpOperands()) {
      if (!replacesArgument(output, safe, returned)) continue;
      unsigned number = output.getOperandNumber();
      fn.setResultAttr(number, ir::kInPlace, fn.getResultAttr(number, ir::kReplaces));
      count("plan-memory.replaced");
    }
  }
};

LogicalResult Planner::run() {
  int64_t total = 0;
  if (fn.isPrivate()) moveBehindReaders();
  lifetimes.emplace(fn);
  if (fn.isPrivate()) placeInArguments();
  else replaceArguments();
  for (ir::KernelOp kernel : fn.getOps<ir::KernelOp>()) {
    SmallVector<int64_t> offsets;
    Reads reads(kernel);
    for (OpResult result : kernel.getResults()) {
      auto last = lifetimes->lastUse(result);
      offsets.push_back(-1);
      if (!last || inPlace.contains(result)) continue;
      TensorType type = ir::typeOf(result);
      bool isOpen = !type.shape.isStatic();
      int64_t bytes = isOpen ? 0 : (numElements(type.shape) * byteSize(type.dtype) + 63) / 64 * 64;
      if (auto taken = takeOver(kernel, reads, result.getResultNumber(), *last)) offsets.back() = *taken;
      else offsets.back() = isOpen ? placeOpen(type, lifetimes->at(kernel), *last) : firstFit(blocks, bytes, lifetimes->at(kernel), *last);
      placed[result] = offsets.back();
      total = std::max(total, offsets.back() + bytes);
      if (total > kMostWorkspace) return kernel.emitOpError("workspace: expected at most ") << kMostWorkspace << " bytes, got " << total;
      count("plan-memory.arrays");
    }
    kernel.setWorkspace(offsets);
  }
  count("plan-memory.bytes", total);
  Builder b(fn.getContext());
  fn->setAttr(ir::kWorkspaceBytes, b.getI64IntegerAttr(total));
  if (open.empty()) return success();
  count("plan-memory.open-blocks", int64_t(open.size()));
  auto types = llvm::map_to_vector(open, [&](OpenBlock &o) { return Attribute(TypeAttr::get(ir::tensorType(b.getContext(), o.type))); });
  fn->setAttr(ir::kBlocks, b.getArrayAttr(types));
  return success();
}

struct PlanMemory : impl::PlanMemoryBase<PlanMemory> {
  void runOnOperation() override {
    llvm::StringMap<func::FuncOp> functions;
    for (auto fn : getOperation().getOps<func::FuncOp>()) functions[fn.getName()] = fn;
    auto all = llvm::to_vector(getOperation().getOps<func::FuncOp>());
    for (func::FuncOp fn : llvm::reverse(all)) // bodies stand behind what runs them
      if (!fn.isDeclaration() && failed(Planner(fn, functions).run())) signalPassFailure();
  }
};

} // namespace
} // namespace kiln
