#ifndef KILN_PASSES_PLAN_MEMORY
#define KILN_PASSES_PLAN_MEMORY
include "mlir/Pass/PassBase.td"

def PlanMemory : Pass<"kiln-plan-memory", "::mlir::func::FuncOp"> {
  let summary = "Place the intermediate arrays of a program in one workspace";
  let description = [{
    Each result of a kernel that is not an output of the program gets a byte offset, 64-byte aligned; arrays whose lifetimes
    do not overlap share memory. An update, a scatter or a loop takes over the memory of the array that it changes, where nobody reads
    that array afterwards. The size is the attribute `kiln.workspace_bytes` of the function. Arrays of open size lie behind, in
    the blocks that `kiln.workspace_blocks` lists by type; a kernel names block i by -2 - i. Two of them share a block where their
    lifetimes do not overlap and their sizes are the same for every call.

    In a body of a loop or branch, a result that is an argument of the same place, or what kernels one after the other make of it in some
    places, takes over its memory: `kiln.in_place` of the result, and of each of these kernels, by result, with -1 for none.

    Counters: `plan-memory.arrays`, `plan-memory.in-place`, `plan-memory.bytes`, `plan-memory.open-blocks`, `plan-memory.replaced`.
  }];
  let dependentDialects = ["::kiln::ir::KilnDialect"];
}
#endif
