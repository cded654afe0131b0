#include "lib/Core/Stats.h"
#include "passes/Passes.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/StringSet.h"

#include <algorithm>

namespace kiln {
#define GEN_PASS_DEF_INLINEBODIES
#include "kiln/Passes.h.inc"
} // namespace kiln

using namespace mlir;

namespace kiln {
namespace {

std::optional<int64_t> constantOf(Value v) {
  auto constant = v.getDefiningOp<ir::ConstantOp>();
  return constant ? std::optional(ir::scalarBits(constant.getValue())) : std::nullopt;
}

struct InlineBodies : impl::InlineBodiesBase<InlineBodies> {
  llvm::StringMap<func::FuncOp> functions;
  llvm::StringMap<int> uses;   // of functions as bodies
  llvm::StringSet<> failing;   // functions with operations that fail on some values
  llvm::DenseSet<Value> risky; // that follow from such operations, in the function under way

  /// Whether an operation fails on some values. Where it is inlined nobody may need it any more, and the failure would be lost.
  bool mayFail(Operation &op) {
    auto array = dyn_cast<ir::ArrayOp>(op);
    Kind kind = array ? array.getKind() : Kind::Source;
    return kiln::mayFail(kind) ||
           llvm::any_of(ir::bodiesOf(&op), [&](FlatSymbolRefAttr name) { return failing.contains(name.getValue()); });
  }

  /// Whether an operand comes from an operation that may fail: what takes its place may not need it, and the failure would be lost.
  bool takesRisk(Operation *op) const {
    return llvm::any_of(op->getOperands(), [&](Value v) { return risky.contains(v); });
  }
  void noteRisk(Operation *op) {
    if (mayFail(*op) || takesRisk(op)) risky.insert(op->result_begin(), op->result_end());
  }

  /// Puts the operations of the chosen body in the place of a branch; what comes next.
  Operation *inlineBranch(ir::BranchOp branch) {
    Operation *next = branch->getNextNode();
    auto number = constantOf(branch->getOperand(0));
    if (!number || takesRisk(branch)) return next;
    int64_t last = int64_t(branch.getBodies().size()) - 1;
    auto name = cast<FlatSymbolRefAttr>(branch.getBodies()[unsigned(std::clamp<int64_t>(*number, 0, last))]);
    if (uses[name.getValue()] != 1 || failing.contains(name.getValue())) return next;
    Block &body = functions[name.getValue()].getBody().front();
    OpBuilder b(branch);
    IRMapping map;
    map.map(body.getArguments(), branch->getOperands().drop_front());
    Operation *before = branch->getPrevNode();
    for (Operation &op : body.without_terminator()) b.clone(op, map);
    for (auto [result, value] : llvm::zip(branch.getResults(), body.getTerminator()->getOperands()))
      result.replaceAllUsesWith(map.lookup(value));
    next = before ? before->getNextNode() : &branch->getBlock()->front();
    if (next == branch) next = branch->getNextNode();
    for (FlatSymbolRefAttr other : ir::bodiesOf(branch)) --uses[other.getValue()];
    branch.erase();
    functions[name.getValue()].erase();
    functions.erase(name.getValue());
    count("inline-bodies.branches");
    return next;
  }

  Operation *dropLoop(ir::LoopOp loop) {
    Operation *next = loop->getNextNode();
    Operation *end = functions[loop.getCondition()].getBody().front().getTerminator();
    if (constantOf(end->getOperand(0)) != 0 || takesRisk(loop)) return next;
    for (auto [result, operand] : llvm::zip(loop.getResults(), loop->getOperands())) result.replaceAllUsesWith(operand);
    loop.erase();
    count("inline-bodies.loops");
    return next;
  }

  void runOnOperation() override {
    functions.clear();
    uses.clear();
    failing.clear();
    for (auto fn : getOperation().getOps<func::FuncOp>())
      if (!fn.isExternal()) functions[fn.getName()] = fn;
    getOperation().walk([&](Operation *op) {
      for (FlatSymbolRefAttr name : ir::bodiesOf(op)) ++uses[name.getValue()];
    });
    auto all = llvm::to_vector(getOperation().getOps<func::FuncOp>());
    for (func::FuncOp fn : llvm::reverse(all)) // bodies stand behind what runs them
      if (!fn.isExternal() && llvm::any_of(fn.getBody().front(), [&](Operation &op) { return mayFail(op); })) failing.insert(fn.getName());
    SmallVector<StringAttr> names; // of all, also of those that are gone when it is their turn
    for (func::FuncOp fn : all) names.push_back(fn.getNameAttr());
    for (StringAttr name : names) {
      auto found = functions.find(name.getValue());
      if (found == functions.end()) continue;
      func::FuncOp fn = found->second;
      risky.clear();
      for (Operation *op = &fn.getBody().front().front(); op;) {
        noteRisk(op);
        if (auto branch = dyn_cast<ir::BranchOp>(op)) op = inlineBranch(branch);
        else if (auto loop = dyn_cast<ir::LoopOp>(op)) op = dropLoop(loop);
        else op = op->getNextNode();
      }
    }
  }
};

} // namespace
} // namespace kiln
