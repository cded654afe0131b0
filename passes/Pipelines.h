// The named pipelines: where each stage of a program ends.
#pragma once

#include "mlir/Pass/PassManager.h"

namespace kiln {

/// Simplified, fused and planned: `kiln-fuse-pipeline`.
void buildKernelPipeline(mlir::OpPassManager &pm);
/// From kernels through their schedules to the LLVM dialect: `kiln-cpu-pipeline`.
void buildCpuPipeline(mlir::OpPassManager &pm);
void registerPipelines();

} // namespace kiln
