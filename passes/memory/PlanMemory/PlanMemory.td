#ifndef KILN_PASSES_PLAN_MEMORY
#define KILN_PASSES_PLAN_MEMORY
include "mlir/Pass/PassBase.td"

def PlanMemory : Pass<"kiln-plan-memory", "::mlir::ModuleOp"> {
  let summary = "Place the intermediate arrays of a program in one workspace";
  let description = [{
    Each result of a kernel that is not an output of the program gets a byte offset, 64-byte aligned; arrays whose lifetimes
    do not overlap share memory. A result takes over the memory of an array that nobody reads afterwards where it changes that
    in some places (an update, a scatter, a loop, a branch of which a way does so), or is computed from its elements at the same positions. The size is the attribute
    `kiln.workspace_bytes` of the function. Arrays of open size lie behind, in the blocks that `kiln.workspace_blocks` lists by type; a
    kernel names block i by -2 - i. Two of them share a block where their lifetimes do not overlap and their sizes are the same for
    every call.

    In the same way results take over the memory of arguments: `kiln.in_place` of the result. In a body of a loop or branch that is the
    argument with the number of the result, or what kernels one after the other make of it in some places: each of these says
    the input that it changes so, `in_place`, by result, with -1 for none. A kernel of a body that changes parts of an array goes behind the others that read it, where it can. In a program it is the one that the result replaces (`kiln.replaces`, of what is written into an argument),
    unless an operation from there on could still fail: the program then has to end without effect. A scatter that lies where the array
    that it changes does must look at all its positions before it writes.

    A plan may be written or changed by hand. Every target checks it before it schedules and before it emits code: symbols that nobody gives,
    arrays outside the workspace, and arrays that lie over another that is still read are errors.

    Counters: `plan-memory.arrays`, `plan-memory.in-place`, `plan-memory.bytes`, `plan-memory.open-blocks`, `plan-memory.replaced`.
  }];
  let dependentDialects = ["::kiln::ir::KilnDialect"];
}
#endif
