// The pipelines: where each stage of a program ends, for a target.
#pragma once

#include "codegen/Target.h"

namespace kiln::codegen {

/// Simplified and fused.
void buildFusePipeline(mlir::OpPassManager &pm, const Target &target);
/// The same, with memory planned: `kiln-fuse-pipeline`.
void buildKernelPipeline(mlir::OpPassManager &pm, const Target &target);
/// Schedules kernels, of a module that asks for nothing that the target cannot do; with a seed, in any legal way.
void buildSchedulePipeline(mlir::OpPassManager &pm, const Target &target, uint64_t seed = 0);
/// From kernels through their schedules to what the target serializes: `kiln-cpu-pipeline`.
void buildTargetPipeline(mlir::OpPassManager &pm, const Target &target);
void registerPipelines();

} // namespace kiln::codegen
