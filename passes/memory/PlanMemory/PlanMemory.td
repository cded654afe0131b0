#ifndef KILN_PASSES_PLAN_MEMORY
#define KILN_PASSES_PLAN_MEMORY
include "mlir/Pass/PassBase.td"

def PlanMemory : Pass<"kiln-plan-memory", "::mlir::func::FuncOp"> {
  let summary = "Place the intermediate arrays of a program in one workspace";
  let description = [{
    Each result of a kernel that is not an output of the program gets a byte offset, 64-byte aligned; arrays whose lifetimes
    do not overlap share memory. An update or scatter takes over the memory of the array that it changes, where nobody reads
    that array afterwards. The size is the attribute `kiln.workspace_bytes` of the function.

    Counters: `plan-memory.arrays`, `plan-memory.in-place`, `plan-memory.bytes`.
  }];
  let dependentDialects = ["::kiln::ir::KilnDialect"];
}
#endif
