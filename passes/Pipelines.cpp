#include "passes/Pipelines.h"

#include "passes/Passes.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace kiln {

void buildKernelPipeline(OpPassManager &pm) {
  auto &fn = pm.nest<func::FuncOp>();
  fn.addPass(createSimplify());
  fn.addPass(createCSEPass());
  fn.addPass(createFuse());
  fn.addPass(createPlanMemory());
}

void buildCpuPipeline(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(createSchedule());
  pm.addPass(createEmitCpu());
  pm.addPass(createLowerToLlvm());
}

void registerPipelines() {
  PassPipelineRegistration<>("kiln-fuse-pipeline", "Simplify, fuse into kernels and plan memory", buildKernelPipeline);
  PassPipelineRegistration<>("kiln-cpu-pipeline", "Schedule and emit kernels for the CPU, and lower them to the LLVM dialect",
                             buildCpuPipeline);
}

} // namespace kiln
