// What every user of the compiler needs before and between its stages.
#pragma once

#include "codegen/Target.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

namespace kiln::codegen {

void registerDialects(mlir::DialectRegistry &registry);
/// Runs passes; throws Error (compile) with the diagnostics of what failed.
void runPasses(mlir::PassManager &passes, mlir::ModuleOp module);
/// What a fused module asks for and the target cannot do; empty: nothing.
std::string refusal(mlir::ModuleOp module, const Target &target);
/// The same for passes that are put together for this run.
void runPipeline(mlir::ModuleOp module, llvm::function_ref<void(mlir::OpPassManager &)> build);
/// The kernels of a module as JSON: kind, schedule, types of the results, operations with their slots, and what keeps it from others.
std::string explainKernels(mlir::ModuleOp module);

} // namespace kiln::codegen
