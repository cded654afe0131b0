// The pipelines: where each stage of a program ends, for a target.
#pragma once

#include "codegen/Target.h"

namespace kiln::codegen {

/// Simplified and fused.
void buildFusePipeline(mlir::OpPassManager &pm, const Target &target);
/// The same, with memory planned.
void buildKernelPipeline(mlir::OpPassManager &pm, const Target &target);
/// Schedules kernels, of a module that asks for nothing that the target cannot do; with a seed, in any legal way.
void buildSchedulePipeline(mlir::OpPassManager &pm, const Target &target, uint64_t seed = 0);
/// From kernels through their schedules to what the target serializes.
void buildTargetPipeline(mlir::OpPassManager &pm, const Target &target);
/// Registers all passes, and the pipelines, under the names that tools take: `kiln-fuse-pipeline` ends with planned memory, and
/// `kiln-NAME-pipeline` leads from there to the code of a registered target. `target` says what `kiln-fuse` makes one kernel.
void registerPipelines(const Target &target);

} // namespace kiln::codegen
