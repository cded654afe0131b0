// From the LLVM dialect to PTX, by LLVM's own backend.
#pragma once

#include "codegen/Target.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

namespace kiln::nvptx {

/// A machine by the name of its CPU, like sm_90a; none: sm_80. Throws Error (compile) for one that LLVM does not know.
std::unique_ptr<llvm::TargetMachine> makeTargetMachine(const codegen::MachineName &name);
/// LLVM dialect to optimized LLVM IR.
std::unique_ptr<llvm::Module> toLlvm(mlir::gpu::GPUModuleOp kernels, llvm::LLVMContext &context, llvm::TargetMachine &machine);
/// Throws Error (compile) where it calls what it does not define: the driver could not load it.
std::string toPtx(llvm::Module &module, llvm::TargetMachine &machine);

} // namespace kiln::nvptx
