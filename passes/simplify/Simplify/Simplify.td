#ifndef KILN_PASSES_SIMPLIFY
#define KILN_PASSES_SIMPLIFY
include "mlir/Pass/PassBase.td"

def Simplify : Pass<"kiln-simplify", "::mlir::func::FuncOp"> {
  let summary = "Bring operations to the forms that later passes expect, and drop those that do nothing";
  let description = [{
    Reductions over several axes become reductions over one: neighbouring axes are merged by a reshape, groups of axes are
    reduced from the last to the first, which is the order that eager uses. Contractions get leading batch axes and one free
    axis a side; a transpose of a matrix operand becomes another contracted axis. Moves that move nothing are dropped and
    moves of moves are joined. Of two writes at one place the second stays, where nothing reads another place between them. No rewrite changes a bit of a result, but in a program with `kiln.fast_math`: there a quotient by a
    number that is spread over an axis becomes a product with its reciprocal.

    Counters: `simplify.rewrites`.
  }];
  let dependentDialects = ["::kiln::ir::KilnDialect"];
}
#endif
