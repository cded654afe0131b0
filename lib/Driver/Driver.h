// From a trace to machine code: import, the pipelines, LLVM, lld.
#pragma once

#include "lib/Core/Trace.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

namespace kiln {

namespace ir {
class TreeOp;
class SegmentOp;
} // namespace ir

void registerDialects(mlir::DialectRegistry &registry);

/// A function `name` of kiln ops in `module` that says what the trace says. Throws Error (compile) for one with bodies.
void importTrace(mlir::ModuleOp module, const Trace &trace, llvm::StringRef name);
/// The same as a tree of one segment.
void importTree(mlir::ModuleOp module, const Trace &trace, llvm::StringRef name);
/// The trace of a function of kiln ops; throws Error (compile) for any other op.
Trace exportTrace(mlir::func::FuncOp fn);
/// The trace of a tree that is straight: segments one behind the other. Throws Error (compile) for one with guards.
Trace exportTree(ir::TreeOp tree);
/// The trace of one segment by itself.
Trace exportSegment(ir::SegmentOp segment);
/// The trace of the first function or tree of a module; throws Error (compile) for a module without one.
Trace exportProgram(mlir::ModuleOp module);
/// The kernels of a scheduled module as JSON: kind, schedule, types of the results, operations with their slots, and what keeps it from others.
std::string explainKernels(mlir::ModuleOp module);

/// The target machine of this host, or of a CPU by its LLVM name.
std::unique_ptr<llvm::TargetMachine> makeTargetMachine(const char *cpu);
/// Tells the emitters of the machine that a module is compiled for.
void describeTarget(mlir::ModuleOp module, const llvm::TargetMachine &machine);
/// The functions of a module of the LLVM dialect in several modules of `functions` each, which are linked together; none where that is one.
llvm::SmallVector<mlir::OwningOpRef<mlir::ModuleOp>> splitModule(mlir::ModuleOp module, size_t functions);
/// LLVM dialect to optimized LLVM IR.
std::unique_ptr<llvm::Module> toLlvm(mlir::ModuleOp module, llvm::LLVMContext &context, llvm::TargetMachine &machine);
llvm::SmallVector<char, 0> emitObject(llvm::Module &module, llvm::TargetMachine &machine, bool asText = false);
/// Links objects into a shared object at `path`, in this process.
void linkShared(llvm::ArrayRef<llvm::ArrayRef<char>> objects, const std::string &path);

/// Defines `kiln_info` (include/kiln/executable.h) in a module of emitted kernels.
void addInfo(mlir::ModuleOp module, int64_t kernels);

/// Runs the passes of a stage; throws Error (compile) with the diagnostics of what failed.
void runPipeline(mlir::ModuleOp module, void (*build)(mlir::OpPassManager &));

} // namespace kiln
