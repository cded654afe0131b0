// The steps of a launch plan from what emission made of loops and branches (Control.h).
#include "codegen/nvptx/Control.h"

#include "codegen/nvptx/Emit.h"
#include "lib/Core/Types.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace kiln::nvptx {
namespace {

using Step = LaunchPlan::Step;

/// What a routine's name has before it in a module.
constexpr StringLiteral kLibrary = "kiln.library.";

/// The pointer that a loop begins with, where it carries one.
Value atStart(Value pointer) {
  auto argument = dyn_cast<BlockArgument>(pointer);
  Operation *loop = argument ? argument.getOwner()->getParentOp() : nullptr;
  if (auto counted = dyn_cast_or_null<scf::ForOp>(loop)) return atStart(counted.getInitArgs()[argument.getArgNumber() - 1]);
  if (auto asked = dyn_cast_or_null<scf::WhileOp>(loop)) return atStart(asked.getInits()[argument.getArgNumber()]);
  return pointer;
}

class StepReader {
public:
  StepReader(ArgumentOf argumentOf, const llvm::StringMap<int64_t> &bodies) : argumentOf(argumentOf), bodies(bodies) {}

  std::optional<Step> read(Operation &op) {
    if (auto copy = dyn_cast<LLVM::MemcpyOp>(op)) {
      APInt bytes;
      matchPattern(copy.getLen(), m_ConstantInt(&bytes));
      step.kind = Step::Kind::Copy;
      for (Value v : {copy.getDst(), copy.getSrc()}) add(v, bytes.getSExtValue());
    } else if (auto call = dyn_cast<func::CallOp>(op); call && call->hasAttr(kWords)) {
      readLibraryCall(call);
    } else if (call) {
      step.kind = Step::Kind::Call;
      addCalls({call});
    } else if (auto choice = dyn_cast<scf::IndexSwitchOp>(op)) {
      readChoice(choice);
    } else if (auto asked = dyn_cast<scf::WhileOp>(op)) {
      readWhile(asked);
    } else if (auto counted = dyn_cast<scf::ForOp>(op)) {
      readCounted(counted);
    } else {
      return std::nullopt; // a number on its way to a step
    }
    return std::move(step);
  }

private:
  ArgumentOf argumentOf;
  const llvm::StringMap<int64_t> &bodies;
  Step step;

  void readLibraryCall(func::CallOp call) {
    step.kind = Step::Kind::Library;
    step.routine = call.getCallee().drop_front(kLibrary.size()).str();
    auto words = call->getAttrOfType<DenseI64ArrayAttr>(kWords).asArrayRef();
    step.words.assign(words.begin(), words.end());
    for (auto [pointer, bytes] : llvm::zip(call.getOperands(), call->getAttrOfType<DenseI64ArrayAttr>(kBytes).asArrayRef()))
      add(pointer, bytes);
  }

  void add(Value pointer, int64_t bytes) { step.arguments.push_back(argumentOf(atStart(pointer), bytes)); }
  static func::CallOp callIn(Region &region) { return *region.front().getOps<func::CallOp>().begin(); }
  /// By operand of a call: how many bytes of what it points to its body has; the workspace is the last of them.
  static ArrayRef<int64_t> bytesOf(func::CallOp call) {
    auto module = call->getParentOfType<ModuleOp>();
    return module.lookupSymbol(call.getCallee())->getAttrOfType<DenseI64ArrayAttr>(kBytes).asArrayRef();
  }
  void addBody(func::CallOp call) { step.bodies.push_back(bodies.lookup(call.getCallee())); }

  /// Calls of the same arguments.
  void addCalls(ArrayRef<func::CallOp> calls) {
    int64_t workspace = 0;
    for (func::CallOp call : calls) addBody(call), workspace = std::max(workspace, bytesOf(call).back());
    func::CallOp call = calls[0];
    ArrayRef<int64_t> bytes = bytesOf(call).drop_back();
    add(call.getOperand(unsigned(bytes.size())), workspace);
    for (auto [i, size] : llvm::enumerate(bytes)) add(call.getOperand(unsigned(i)), size);
  }

  /// The number that a value follows from: a constant, or one in memory.
  void addNumber(Value v) {
    APInt constant;
    if (matchPattern(v, m_ConstantInt(&constant)))
      return step.arguments.push_back({LaunchPlan::Memory::Constant, constant.getSExtValue(), 0, 0});
    while (!v.getDefiningOp<LLVM::LoadOp>()) v = v.getDefiningOp()->getOperand(0);
    auto load = v.getDefiningOp<LLVM::LoadOp>();
    add(load.getAddr(), load.getType().getIntOrFloatBitWidth() / 8);
  }

  void readChoice(scf::IndexSwitchOp choice) {
    step.kind = Step::Kind::Choose;
    addNumber(choice.getArg());
    SmallVector<func::CallOp> calls = {callIn(choice.getDefaultRegion())};
    for (Region &region : choice.getCaseRegions()) calls.push_back(callIn(region));
    addCalls(calls);
  }

  /// The values that the call of a loop's body begins with: where they are, where the next ones go, and what all trips read.
  void addValues(func::CallOp call, int64_t workspace) {
    ArrayRef<int64_t> bytes = bytesOf(call).drop_back();
    auto body = call->getParentOfType<ModuleOp>().lookupSymbol<func::FuncOp>(call.getCallee());
    unsigned inputs = unsigned(body->getAttrOfType<IntegerAttr>(kInputs).getInt()), all = unsigned(bytes.size()), carried = all - inputs;
    step.carried = int64_t(carried);
    addBody(call);
    add(call.getOperand(all), workspace);
    for (unsigned i = 0; i < carried; ++i) add(call.getOperand(i), bytes[i]);
    for (unsigned i = inputs; i < all; ++i) add(call.getOperand(i), bytes[i]);
    for (unsigned i = carried; i < inputs; ++i) add(call.getOperand(i), bytes[i]);
  }

  void readWhile(scf::WhileOp asked) {
    func::CallOp condition = callIn(asked.getBefore()), body = callIn(asked.getAfter());
    step.kind = Step::Kind::While;
    addBody(condition);
    size_t flag = bytesOf(condition).size() - 2;
    add(condition.getOperand(unsigned(flag)), bytesOf(condition)[flag]);
    addValues(body, std::max(bytesOf(condition).back(), bytesOf(body).back()));
  }

  void readCounted(scf::ForOp counted) {
    auto counts = counted->getAttrOfType<DenseI64ArrayAttr>(kCounts);
    step.kind = Step::Kind::Repeat, step.counter = counts[0], step.by = counts[1];
    addNumber(counted.getLowerBound());
    addNumber(counted.getUpperBound());
    func::CallOp body = callIn(counted.getRegion());
    addValues(body, bytesOf(body).back());
  }
};

} // namespace

void emitLibraryCall(cpu::Emitter &e, StringRef routine, ArrayRef<int64_t> words, ValueRange pointers, ArrayRef<int64_t> bytes) {
  auto module = e.b.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  std::string name = (kLibrary + routine).str();
  auto function = module.lookupSymbol<func::FuncOp>(name);
  if (!function) {
    OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPointToEnd(module.getBody());
    function = func::FuncOp::create(e.b, e.loc, name, e.b.getFunctionType(pointers.getTypes(), {}));
    function.setPrivate();
  }
  auto call = func::CallOp::create(e.b, e.loc, function, pointers);
  call->setAttr(kWords, e.b.getDenseI64ArrayAttr(words));
  call->setAttr(kBytes, e.b.getDenseI64ArrayAttr(bytes));
}

std::optional<LaunchPlan::Step> stepOf(Operation &op, ArgumentOf argumentOf, const llvm::StringMap<int64_t> &bodies) {
  return StepReader(argumentOf, bodies).read(op);
}

} // namespace kiln::nvptx
