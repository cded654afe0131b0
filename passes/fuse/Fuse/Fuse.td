#ifndef KILN_PASSES_FUSE
#define KILN_PASSES_FUSE
include "mlir/Pass/PassBase.td"

def Fuse : Pass<"kiln-fuse", "::mlir::func::FuncOp"> {
  let summary = "Gather operations into kernels, each of which becomes one loop nest";
  let description = [{
    An elementwise operation joins the kernels of its producers when all run over the same positions; a reduction joins the
    kernel that computes what it reduces, and what uses its result row by row joins too. Moves (broadcasts, slices,
    transposes), sources and scalars are copied into every kernel that needs them, since they cost nothing there; scalars that take
    more than a little arithmetic are computed once, in kernels of their own (`fuse.settled`). A kernel has at most 256 operations
    and 16 stages of reductions. Elementwise
    operations over the result of a matrix product or a convolution run in its kernel, tile by tile, and cheap ones that only
    make an operand of a product run where it is read. What a kernel would compute for one other kernel alone, of what it writes anyway,
    is computed there (`fuse.sunk`). Concatenations, scans,
    sorts and the like are kernels of their own, reading memory. A reshape between kernels is an alias.

    `apart` of a kernel says why it is not one with those that it reads from.
    Counters: `fuse.kernels`, `fuse.fused-ops`, `fuse.prologues`, `fuse.copies`, `fuse.settled`,
    `fuse.sunk`.
  }];
  let dependentDialects = ["::kiln::ir::KilnDialect"];
}
#endif
