// Loops whose iterations may run at once: their body becomes a function of its own, which the runtime's parallel-for calls with
// ranges of iterations. What an iteration computes does not depend on how they are shared out.
#include "codegen/cpu/Kernels.h"

#include "include/kiln/executable.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"

#include <cstddef>

using namespace mlir;

namespace kiln::cpu {
namespace {

Type pointer(Emitter &e) { return LLVM::LLVMPointerType::get(e.b.getContext()); }

/// Turns a loop into a task function and a call of the parallel-for.
class Outliner {
public:
  Outliner(KernelContext &k, scf::ForOp loop) : k(k), e(k.e), loop(loop) {}

  void run(Index grain) {
    getUsedValuesDefinedAbove(loop.getRegion(), captured);
    for (Value bound : {loop.getLowerBound(), loop.getStep()}) captured.insert(bound);
    llvm::SetVector<Value> roots;
    for (Value v : captured) findRoots(v, roots);
    SmallVector<Type> types;
    for (Value v : roots) types.push_back(v.getType());
    auto context = LLVM::LLVMStructType::getLiteral(e.b.getContext(), types);
    Index step(loop.getStep()), size = e.sub(Index(loop.getUpperBound()), Index(loop.getLowerBound()));
    Value count = arith::DivUIOp::create(e.b, e.loc, e.use(e.add(size, e.sub(step, 1))), e.use(step));
    LLVM::LLVMFuncOp task = makeTask(context, roots.getArrayRef());
    call(task, context, roots.getArrayRef(), count, grain);
    loop.erase();
  }

private:
  KernelContext &k;
  Emitter &e;
  scf::ForOp loop;
  llvm::SetVector<Value> captured;
  DenseSet<Value> seen; // on the way to the roots of what is captured

  /// Whether a task makes a value again rather than gets it: arithmetic, addresses, and memory of its own on the stack.
  bool isRemade(Value v) {
    Operation *op = v.getDefiningOp();
    if (!op || v == k.ev.statusFlag) return false;
    return isa<LLVM::GEPOp, LLVM::AllocaOp, LLVM::AddressOfOp>(op) || (isPure(op) && op->getNumRegions() == 0);
  }
  void findRoots(Value v, llvm::SetVector<Value> &roots) {
    if (v == k.scratchBase || !seen.insert(v).second) return;
    if (!isRemade(v)) return void(roots.insert(v));
    for (Value operand : v.getDefiningOp()->getOperands()) findRoots(operand, roots);
  }
  Value remake(Value v, IRMapping &map) {
    if (Value known = map.lookupOrNull(v)) return known;
    for (Value operand : v.getDefiningOp()->getOperands()) remake(operand, map);
    e.b.clone(*v.getDefiningOp(), map);
    return map.lookup(v);
  }

  /// void task(ptr context, ptr scratch, i64 from, i64 to)
  LLVM::LLVMFuncOp makeTask(LLVM::LLVMStructType context, ArrayRef<Value> roots) {
    auto kernel = loop->getParentOfType<func::FuncOp>();
    OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPoint(kernel);
    auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(e.b.getContext()),
                                            {pointer(e), pointer(e), e.b.getI64Type(), e.b.getI64Type()});
    std::string name = (kernel.getName() + ".task_" + Twine(k.tasks++)).str();
    auto task = LLVM::LLVMFuncOp::create(e.b, e.loc, name, type, LLVM::Linkage::Internal);
    if (Attribute passthrough = kernel->getAttr("passthrough")) task->setAttr("passthrough", passthrough);
    Block *entry = task.addEntryBlock(e.b);
    e.b.setInsertionPointToStart(entry);
    IRMapping map;
    if (k.scratchBase) map.map(k.scratchBase, entry->getArgument(1));
    for (auto [i, root] : llvm::enumerate(roots)) {
      Value from = LLVM::GEPOp::create(e.b, e.loc, pointer(e), context, entry->getArgument(0), ArrayRef<LLVM::GEPArg>{0, int32_t(i)});
      map.map(root, LLVM::LoadOp::create(e.b, e.loc, root.getType(), from).getResult());
    }
    for (Value v : captured) remake(v, map);
    Value one = arith::ConstantIntOp::create(e.b, e.loc, e.b.getI64Type(), 1);
    auto inner = scf::ForOp::create(e.b, e.loc, entry->getArgument(2), entry->getArgument(3), one);
    LLVM::ReturnOp::create(e.b, e.loc, ValueRange());
    e.b.setInsertionPointToStart(inner.getBody());
    Value offset = arith::MulIOp::create(e.b, e.loc, inner.getInductionVar(), map.lookup(loop.getStep()));
    map.map(loop.getInductionVar(), arith::AddIOp::create(e.b, e.loc, map.lookup(loop.getLowerBound()), offset).getResult());
    for (Operation &op : loop.getBody()->without_terminator()) e.b.clone(op, map);
    return task;
  }

  void call(LLVM::LLVMFuncOp task, LLVM::LLVMStructType context, ArrayRef<Value> roots, Value count, Index grain) {
    Value memory;
    {
      OpBuilder::InsertionGuard guard(e.b);
      e.b.setInsertionPointToStart(&loop->getParentOfType<func::FuncOp>().getBody().front());
      memory = LLVM::AllocaOp::create(e.b, e.loc, pointer(e), context, e.use(1));
    }
    for (auto [i, root] : llvm::enumerate(roots)) {
      Value to = LLVM::GEPOp::create(e.b, e.loc, pointer(e), context, memory, ArrayRef<LLVM::GEPArg>{0, int32_t(i)});
      LLVM::StoreOp::create(e.b, e.loc, root, to);
    }
    Value scratch = k.scratchBase ? k.scratchBase : k.scratchPointer;
    Value none = LLVM::ZeroOp::create(e.b, e.loc, pointer(e));
    Value hasRuntime = LLVM::ICmpOp::create(e.b, e.loc, LLVM::ICmpPredicate::ne, k.runtime, none);
    auto shared = [&] {
      Value slot = e.address(k.runtime, DType::U8, int64_t(offsetof(kiln_rt, parallel_for)));
      Value entry = LLVM::LoadOp::create(e.b, e.loc, pointer(e), slot);
      Value address = LLVM::AddressOfOp::create(e.b, e.loc, pointer(e), task.getName());
      SmallVector<Value> operands = {entry, address, memory, scratch, e.use(k.scratchUsed), count, e.use(grain)};
      Type i64 = e.b.getI64Type();
      auto type =
          LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(e.b.getContext()), {pointer(e), pointer(e), pointer(e), i64, i64, i64});
      LLVM::CallOp::create(e.b, e.loc, type, operands);
    };
    // All iterations as one task, in this thread.
    auto alone = [&] { LLVM::CallOp::create(e.b, e.loc, task, ValueRange{memory, scratch, e.use(0), count}); };
    e.when(hasRuntime, shared, alone);
  }
};

} // namespace

void KernelContext::parallelLoop(std::optional<int64_t> grain, Index from, Index to, Index step, Index work,
                                 llvm::function_ref<void(Index)> body) {
  if (!grain || isParallel) return e.loop(from, to, step, body);
  auto loop = scf::ForOp::create(e.b, e.loc, e.use(from), e.use(to), e.use(step));
  {
    OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPointToStart(loop.getBody());
    isParallel = true;
    body(Index(loop.getInductionVar()));
    isParallel = false;
  }
  Index least = *grain;
  if (*grain == ir::kOpenGrain)
    least = work.isStatic() ? Index(std::max<int64_t>(1, kTaskWork / std::max<int64_t>(work.number(), 1)))
                            : Index(arith::DivUIOp::create(e.b, e.loc, e.use(kTaskWork), e.use(e.add(work, 1))));
  Outliner(*this, loop).run(least);
}

} // namespace kiln::cpu
