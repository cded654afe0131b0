#ifndef KILN_PASSES_INLINE_BODIES
#define KILN_PASSES_INLINE_BODIES
include "mlir/Pass/PassBase.td"

def InlineBodies : Pass<"kiln-inline-bodies", "::mlir::ModuleOp"> {
  let summary = "Decide branches and loops whose number or condition is known";
  let description = [{
    A branch by a constant becomes the operations of the body that it chooses, where nothing else names that body and nothing in it fails on
    some values (that would be lost where nobody needs it any more); a loop whose condition
    never holds becomes its operands. Bodies that nobody names any more are left to the removal of unused symbols.

    Counters: `inline-bodies.branches`, `inline-bodies.loops`.
  }];
  let dependentDialects = ["::kiln::ir::KilnDialect"];
}
#endif
