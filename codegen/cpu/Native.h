// From the LLVM dialect to machine code: LLVM and lld.
#pragma once

#include "codegen/Target.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

namespace kiln::cpu {

/// Throws Error (compile) for a triple that is not known.
std::unique_ptr<llvm::TargetMachine> makeTargetMachine(const codegen::MachineName &name);
/// Tells the emitters of the machine that a module is compiled for.
void describeMachine(mlir::ModuleOp module, const llvm::TargetMachine &machine);
/// The functions of a module of the LLVM dialect in several modules of `functions` each, which are linked together; none where that is one.
llvm::SmallVector<mlir::OwningOpRef<mlir::ModuleOp>> splitModule(mlir::ModuleOp module, size_t functions);
/// LLVM dialect to optimized LLVM IR.
std::unique_ptr<llvm::Module> toLlvm(mlir::ModuleOp module, llvm::LLVMContext &context, llvm::TargetMachine &machine);
/// LLVM's code generation for a machine. It is put together once for any number of modules: that takes as long as it then takes for a
/// small one.
class CodeGeneration {
public:
  explicit CodeGeneration(llvm::TargetMachine &machine, bool asText = false);
  /// An object, or assembly.
  llvm::SmallVector<char, 0> run(llvm::Module &module);

private:
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream out{bytes};
  llvm::legacy::PassManager passes;
};
/// Links objects for a machine into a shared object at `path`, in this process.
void linkShared(llvm::ArrayRef<llvm::ArrayRef<char>> objects, const llvm::TargetMachine &machine, const std::string &path);
/// Defines `kiln_info` and `kiln_in_place` (include/kiln/executable.h) in a module of emitted kernels.
void addInfo(mlir::ModuleOp module, int64_t kernels);

} // namespace kiln::cpu
