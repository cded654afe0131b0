#include "codegen/Pipelines.h"

#include "passes/Passes.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace kiln::codegen {
namespace {

/// Refuses what the target cannot do before it is asked to.
struct CheckTarget : PassWrapper<CheckTarget, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(CheckTarget)
  const Target &target;
  explicit CheckTarget(const Target &target) : target(target) {}

  void runOnOperation() override {
    if (failed(checkCapabilities(getOperation(), target))) signalPassFailure();
  }
};

} // namespace

void buildFusePipeline(OpPassManager &pm, const Target &target) {
  pm.addPass(createInlineBodies());
  pm.addPass(createSymbolDCEPass());
  auto &fn = pm.nest<func::FuncOp>();
  fn.addPass(createSimplify());
  fn.addPass(createCSEPass());
  fn.addPass(createFuseFor(target.fusion()));
}

void buildKernelPipeline(OpPassManager &pm, const Target &target) {
  buildFusePipeline(pm, target);
  pm.addPass(createPlanMemory());
}

void buildSchedulePipeline(OpPassManager &pm, const Target &target, uint64_t seed) {
  pm.addPass(std::make_unique<CheckTarget>(target));
  target.addSchedule(pm, seed);
}

void buildTargetPipeline(OpPassManager &pm, const Target &target) {
  buildSchedulePipeline(pm, target);
  target.addEmission(pm);
  target.addLowering(pm);
}

void registerPipelines(const Target &target) {
  registerPass([&target] { return createFuseFor(target.fusion()); }); // the first of a name stays
  registerKilnPasses();
  PassPipelineRegistration<>("kiln-fuse-pipeline", "Simplify, fuse into kernels and plan memory",
                             [&target](OpPassManager &pm) { buildKernelPipeline(pm, target); });
  for (const Target *each : allTargets()) {
    each->addPasses();
    PassPipelineRegistration<>(("kiln-" + each->name() + "-pipeline").str(),
                               ("Schedule, emit and lower kernels for the target '" + each->name() + "'").str(),
                               [each](OpPassManager &pm) { buildTargetPipeline(pm, *each); });
  }
}

} // namespace kiln::codegen
