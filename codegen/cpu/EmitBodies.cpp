#include "codegen/cpu/ProgramEmitter.h"

#include "dialects/kiln/Program.h"
#include "lib/Core/Infer.h"

#include <cmath>

using namespace mlir;

namespace kiln::cpu {

/// What a kernel does between two questions whether to stop, in cheap element operations, at the most; what is not known is much.
static int64_t workOf(ir::KernelOp kernel, const EmittedBodies &bodies) {
  using Kind = ir::KernelKind;
  constexpr int64_t kLoops = 16; // between two questions of the loop around them; the time is the same for any number of trips
  Operation &first = kernel.getBody().front().front();
  if (isa<ir::LoopOp>(first)) return kWorkBetweenPolls / kLoops;
  if (isa<ir::BranchOp>(first)) {
    int64_t most = 1;
    for (FlatSymbolRefAttr name : ir::bodiesOf(&first)) most = std::max(most, bodies.find(name.getValue())->second.work);
    return most;
  }
  constexpr Kind kKnown[] = {Kind::Elementwise, Kind::Reduction, Kind::Assemble,   Kind::Scatter,
                             Kind::Scan,        Kind::Compact,   Kind::Contraction};
  if (!llvm::is_contained(kKnown, kernel.getKind())) return kWorkBetweenPolls;
  auto isOpen = [](Value v) { return !ir::typeOf(v).shape.isStatic(); };
  for (Operation &op : kernel.getBody().front().without_terminator())
    if (llvm::any_of(op.getOperands(), isOpen) || llvm::any_of(op.getResults(), isOpen)) return kWorkBetweenPolls;
  int64_t most = 1, cost = 0;
  auto elements = [](Value v) { return double(numElements(ir::typeOf(v).shape)); };
  for (Operation &op : kernel.getBody().front().without_terminator())
    if (ir::isKind(&op, ::kiln::Kind::Contract)) // each element of the result: about sqrt(|x| |y| / |result|) products
      most = int64_t(std::sqrt(elements(op.getOperand(0)) * elements(op.getOperand(1)) * std::max(1.0, elements(op.getResult(0)))));
  using enum ::kiln::Kind;
  constexpr ::kiln::Kind kOncePerResult[] = {Elementwise, Index, Source, Assemble, Gather};
  for (Operation &op : kernel.getBody().front().without_terminator()) {
    auto array = cast<ir::ArrayOp>(op);
    cost += array.getCost();
    bool isUpdate = isa<ir::UpdateOp, ir::DynamicUpdateOp>(op), isInPlace = (isUpdate || array.getKind() == Scatter) && kernel.getInPlace();
    for (Value v : op.getResults()) most = std::max(most, numElements(ir::typeOf(isInPlace ? op.getOperand(isUpdate ? 1 : 2) : v).shape));
    if (isInPlace || llvm::is_contained(kOncePerResult, array.getKind())) continue;
    for (Value v : op.getOperands()) most = std::max(most, numElements(ir::typeOf(v).shape));
  }
  return std::min<int64_t>(kWorkBetweenPolls, most) * std::max<int64_t>(cost, 1);
}

/// How many operations a call of a body becomes where its kernels and the bodies that they run are inlined into it; 0: too many.
int64_t ProgramEmitter::inlinedOps(func::FuncOp entry) {
  constexpr int64_t kMost = 8000;
  int64_t count = 0;
  auto add = [&](Operation *) { ++count; };
  entry.walk(add);
  for (KernelCall &call : kernels) {
    call.function.walk(add);
    if (hasTasks || count > kMost) return 0;
  }
  for (ir::KernelOp kernel : main.getOps<ir::KernelOp>())
    for (FlatSymbolRefAttr name : ir::bodiesOf(&kernel.getBody().front().front())) {
      int64_t inner = bodies[name.getValue()].inlined;
      if (!inner) return 0;
      count += inner;
    }
  return count > kMost ? 0 : count;
}

/// LLVM puts a function into those that call it.
static void inlineCalls(func::FuncOp fn) { addAttributes(fn, StringAttr::get(fn.getContext(), "alwaysinline")); }

/// What callers of a body have to know.
void ProgramEmitter::finishBody(func::FuncOp entry) {
  EmittedBody &body = bodies[main.getName()];
  body.function = entry;
  body.workspace = places.planned + scratch;
  body.symbols = places.symbols;
  body.given = ir::givenOf(main);
  if (places.isOpen) {
    body.workspaceOf = emitWorkspace(main, (main.getName() + ".workspace").str(), places, scratch, openScratch);
    body.workspaceOf->setAttr("llvm.linkage", LLVM::LinkageAttr::get(b.getContext(), LLVM::Linkage::Internal));
  }
  body.inlined = inlinedOps(entry);
  if (body.inlined) {
    inlineCalls(entry);
    for (Emitted &kernel : emitted) inlineCalls(kernel.function);
  }
  for (ir::KernelOp kernel : main.getOps<ir::KernelOp>()) body.work = std::min(kWorkBetweenPolls, body.work + workOf(kernel, bodies));
  for (unsigned i = 0; i < main.getNumResults(); ++i) {
    auto argument = main.getResultAttrOfType<IntegerAttr>(i, kInPlace);
    body.replaced.push_back(argument ? argument.getInt() : -1);
  }
}

} // namespace kiln::cpu
