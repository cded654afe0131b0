// Loops and branches of a program for a device: what the host does between launches. Bodies are functions of launches as programs are, and
// steps are operations of upstream's dialects around calls of them, which the launch plan is read from (ControlPlan.cpp):
//
//   copies     llvm.intr.memcpy
//   libraries  func.call of a declaration whose name is the routine's; words and bytes behind pointers are attributes
//   branches   scf.index_switch on a number that is loaded, with a call of a body in each case
//   loops      scf.while, whose first region calls the condition and loads its flag, or scf.for where a counter says how often; the
//   pointers
//              of values that change places are carried
#pragma once

#include "codegen/cpu/Emit.h"
#include "lib/Core/LaunchPlan.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringMap.h"

namespace kiln::nvptx {

/// What those who run a body have to know of it: void body(ptr input..., ptr output..., ptr workspace, ptr status).
struct EmittedBody {
  mlir::func::FuncOp function, copying = {}; // the second leaves its inputs alone, and is made where one is asked for
  int64_t workspace = 0;
  bool canFail = false;
  llvm::SmallVector<int64_t> replaced; // by result, the input that it takes the place of, where its own pointer is not used; -1: none
  llvm::SmallVector<bool> isKept;      // by result, whether it is the input of its number
  llvm::SmallVector<int64_t> counts;   // by result, what it adds to the int64 that is the input of its number; 0: it does not

  /// Of a condition: that one number is less than another, each an input or, where that is -1, a constant.
  struct Side {
    int64_t input = -1, constant = 0;
  };
  std::optional<std::pair<Side, Side>> less = {};
};
using EmittedBodies = llvm::StringMap<EmittedBody>;

/// Of a function of launches: for each array and the workspace the bytes that it has. Of a loop that counts: the number of the counter
/// among the values that it hands on, and 1 or -1. Of a call of a library: the numbers that its routine gets.
inline constexpr llvm::StringLiteral kBytes = "kiln.bytes", kCounts = "kiln.counts", kWords = "kiln.words";

/// What is seen of a body before it is emitted.
EmittedBody describeBody(mlir::func::FuncOp fn);

/// A kernel of control in a program under emission: pointers of its operands, results, the program's workspace and the status. `free`:
/// where the workspace is not taken.
struct ControlKernel {
  cpu::Emitter &e;
  ir::KernelOp kernel;
  llvm::SmallVector<mlir::Value> operands, results;
  mlir::Value workspace, status;
  int64_t free;
};
/// Emits the steps; where the workspace ends that they take.
int64_t emitControl(ControlKernel &k, EmittedBodies &bodies);

/// Calls a routine of a library (LibraryCalls.h); `bytes`: behind each pointer.
void emitLibraryCall(cpu::Emitter &e, llvm::StringRef routine, llvm::ArrayRef<int64_t> words, mlir::ValueRange pointers,
                     llvm::ArrayRef<int64_t> bytes);

/// The argument of a step that a pointer is, and the bytes behind it.
using ArgumentOf = llvm::function_ref<LaunchPlan::Argument(mlir::Value pointer, int64_t bytes)>;
/// The step that an emitted operation is; none where it belongs to a later one. `bodies`: numbers by name.
std::optional<LaunchPlan::Step> stepOf(mlir::Operation &op, ArgumentOf argumentOf, const llvm::StringMap<int64_t> &bodies);

} // namespace kiln::nvptx
