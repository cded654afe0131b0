// A program under emission: its kernels (EmitCpu.cpp), the entry that calls them (EmitEntry.cpp), and what a body is to kernels that call
// it (EmitBodies.cpp).
#pragma once

#include "codegen/cpu/Bodies.h"
#include "codegen/cpu/Kernels.h"
#include "codegen/cpu/Workspace.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#include <limits>

namespace kiln::cpu {

inline constexpr llvm::StringLiteral kInPlace = ir::kInPlace, kNoAlias = "llvm.noalias";

class ProgramEmitter {
public:
  /// `firstNumber`: of its kernels, where the runtime is told of each that has run.
  ProgramEmitter(mlir::func::FuncOp main, mlir::ModuleOp module, EmittedBodies &bodies, std::optional<int64_t> firstNumber)
      : main(main), module(module), b(module.getContext()), bodies(bodies), places(main), isBody(places.isBody), firstNumber(firstNumber) {}
  mlir::LogicalResult run();

private:
  mlir::func::FuncOp main;
  mlir::ModuleOp module;
  mlir::OpBuilder b;
  EmittedBodies &bodies;
  Places places;
  bool isBody; // called by a kernel
  std::optional<int64_t> firstNumber;
  int64_t scratch = 0;
  bool hasStreams = false, isRefused = false, hasTasks = false;
  struct KernelCall {
    mlir::func::FuncOp function;
    llvm::SmallVector<Place> slots;
    size_t number;
  };
  llvm::SmallVector<KernelCall> kernels;
  llvm::DenseSet<Value>
      replacing; // results that lie in an input because they replace it; one that was placed there by hand is the caller's
  size_t committing = std::numeric_limits<size_t>::max(); // the first of them that writes into an input of the program

  /// A function that was emitted, for kernels that are equal to its own.
  struct Emitted {
    ir::KernelOp kernel;
    llvm::SmallVector<size_t> slots; // of inputs and outputs
    llvm::SmallVector<std::pair<mlir::Attribute, int64_t>> strides;
    mlir::func::FuncOp function;
  };
  std::vector<Emitted> emitted;
  llvm::DenseMap<uint64_t, llvm::SmallVector<size_t, 1>> emittedByHash;
  std::vector<OpenScratch> openScratch;

  Index sizeOf(Emitter &e, Value dims, Size d);
  Index openBlock(Emitter &e, Value dims, size_t number, llvm::SmallVectorImpl<Index> &starts);
  Index planEnd(Emitter &e, Value dims, llvm::SmallVectorImpl<Index> &starts);
  mlir::func::FuncOp findEqual(const Emitted &wanted, llvm::ArrayRef<size_t> candidates);
  mlir::func::FuncOp emitFunction(ir::KernelOp kernel, size_t pointers, llvm::ArrayRef<size_t> slots);

  mlir::Type pointer() { return mlir::LLVM::LLVMPointerType::get(b.getContext()); }
  void emitKernel(ir::KernelOp kernel);
  Buffer bufferOf(Emitter &e, Value array, const Place &place, Value memory, Value dims);
  mlir::func::FuncOp entryFunction(llvm::StringRef name, llvm::function_ref<Value(Emitter &, mlir::Block *)> emit);
  void emitTick(Emitter &e, Value runtime, size_t kernel);
  Value callKernels(Emitter &e, mlir::Block *body, llvm::ArrayRef<KernelCall> calls);
  Value callInParts(Emitter &e, mlir::Block *body, llvm::ArrayRef<KernelCall> calls, int &parts);
  Value statusToCommit(Emitter &e, Value status, Value runtime);
  mlir::func::FuncOp emitEntry();
  void emitStoreFence();
  int64_t inlinedOps(mlir::func::FuncOp entry);
  void finishBody(mlir::func::FuncOp entry);
};

} // namespace kiln::cpu
