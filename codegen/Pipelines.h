// The pipelines: where each stage of a program ends, for a target.
#pragma once

#include "codegen/Target.h"

namespace kiln::codegen {

/// Simplified and fused.
void buildFusePipeline(mlir::OpPassManager &pm, const Target &target);
/// The same, with memory planned and each kernel scheduled: `kiln-fuse-pipeline`.
void buildKernelPipeline(mlir::OpPassManager &pm, const Target &target);
/// From kernels to the code of the target, for a module that asks for nothing that the target cannot do.
void buildEmissionPipeline(mlir::OpPassManager &pm, const Target &target);
/// The same, down to what the target serializes: `kiln-cpu-pipeline`.
void buildTargetPipeline(mlir::OpPassManager &pm, const Target &target);
void registerPipelines();

} // namespace kiln::codegen
