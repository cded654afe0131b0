#include "passes/memory/PlanMemory/Traffic.h"

#include "passes/memory/PlanMemory/InPlace.h"

using namespace mlir;

namespace kiln {
namespace {

/// What is needed of the values in a kernel, from its results backwards.
class Needs {
public:
  explicit Needs(Block &body) {
    for (Value yielded : body.getTerminator()->getOperands()) needs[yielded].isWhole = true;
    for (Operation &op : llvm::reverse(body.without_terminator())) read(op);
  }
  /// The parts of an argument that are read; none: all of it. False where nothing is.
  bool find(Value argument, std::vector<Shape> &parts) const {
    auto found = needs.find(argument);
    if (found == needs.end()) return false;
    if (!found->second.isWhole) parts = found->second.parts;
    return true;
  }

private:
  struct Need {
    bool isWhole = false;
    std::vector<Shape> parts;
    void add(const Need &other) {
      constexpr size_t kMost = 16;
      parts.insert(parts.end(), other.parts.begin(), other.parts.end());
      isWhole |= other.isWhole || parts.size() > kMost;
    }
  };
  DenseMap<Value, Need> needs;

  static Need of(Operation &op, unsigned operand, const Need &result) {
    auto array = dyn_cast<ir::ArrayOp>(op);
    ir::Access access = array ? array.getAccess(operand) : ir::Access::Any;
    bool takesPart = operand == array.getMainIndex() && isa<ir::SliceOp, ir::DynamicSliceOp, ir::GatherOp>(op);
    if (takesPart && result.isWhole) return {false, {ir::typeOf(op.getResult(0)).shape}};
    bool isOneToOne = access == ir::Access::Same || (access == ir::Access::Moved && !isa<ir::BroadcastOp>(op));
    return takesPart || isOneToOne ? result : Need{true, {}};
  }

  void read(Operation &op) {
    Need result;
    for (Value v : op.getResults())
      if (auto found = needs.find(v); found != needs.end()) result.add(found->second);
    for (OpOperand &operand : op.getOpOperands()) {
      Need need = of(op, operand.getOperandNumber(), result);
      needs[operand.get()].add(need);
    }
  }
};

/// Where the memory of a value is, by the plan: in an argument or output, or at a place of the workspace.
std::pair<Value, int64_t> placeOf(Value value) {
  Value root = ir::memoryOf(value);
  auto kernel = root.getDefiningOp<ir::KernelOp>();
  if (!kernel || !kernel.getWorkspace()) return {root, -1};
  unsigned number = cast<OpResult>(root).getResultNumber();
  if (auto inPlace = kernel.getInPlace(); inPlace && (*inPlace)[number] >= 0)
    return placeOf(kernel.getInputs()[size_t((*inPlace)[number])]);
  if (int64_t place = (*kernel.getWorkspace())[number]; place != -1) return {nullptr, place};
  auto program = kernel->getParentOfType<func::FuncOp>();
  for (OpOperand &output : program.getBody().front().getTerminator()->getOpOperands())
    if (auto argument = program.getResultAttrOfType<IntegerAttr>(output.getOperandNumber(), ir::kInPlace))
      if (ir::memoryOf(output.get()) == root) return {program.getArgument(unsigned(argument.getInt())), -1};
  return {root, -1};
}

Moved &entryOf(std::vector<Moved> &list, Value memory) {
  for (Moved &m : list)
    if (m.memory == memory) return m;
  return list.emplace_back(Moved{memory, ir::typeOf(memory).shape, {}});
}

} // namespace

Traffic trafficOf(ir::KernelOp kernel) {
  Traffic traffic;
  Block &body = kernel.getBody().front();
  Needs needs(body);
  auto changed = [&](unsigned i) { // the array that a result is in the place of, but for a part
    Value base = kernel.getKind() == ir::KernelKind::Control ? nullptr : changedInput(kernel, i);
    return base && placeOf(base) == placeOf(kernel.getResult(i)) ? base : nullptr;
  };
  Value base = kernel.getNumResults() == 1 ? changed(0) : nullptr;
  llvm::SmallDenseSet<Value> whole;
  for (auto [argument, input] : llvm::zip(body.getArguments(), kernel.getInputs())) {
    std::vector<Shape> parts;
    Value memory = ir::memoryOf(input);
    if (memory == base || !needs.find(argument, parts)) continue;
    Moved &moved = entryOf(traffic.reads, memory);
    if (parts.empty()) whole.insert(memory);
    moved.parts.insert(moved.parts.end(), parts.begin(), parts.end());
    if (whole.contains(memory)) moved.parts.clear();
  }
  for (Value result : kernel.getResults()) {
    Moved &moved = traffic.writes.emplace_back(Moved{result, ir::typeOf(result).shape, {}});
    if (!base) continue;
    Operation *op = body.getTerminator()->getOperand(0).getDefiningOp();
    moved.parts.push_back(ir::typeOf(op->getOperand(ir::isKind(op, Kind::Scatter) ? 2 : 1)).shape);
  }
  return traffic;
}

} // namespace kiln
