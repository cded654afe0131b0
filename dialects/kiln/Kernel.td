// How fused programs are said: not recorded, made by passes.
#ifndef KILN_KERNEL
#define KILN_KERNEL
include "dialects/kiln/Schedule.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

def Kiln_KernelOp : Op<Kiln_Dialect, "kernel", [Pure, IsolatedFromAbove, SingleBlock]> {
  let summary = "Operations that become one loop nest.";
  let description = [{
    `kind` names the emitter (one of `kKernelKinds` in KilnDialect.h), and says what the body may hold: elementwise and index operations,
    and those that are of this kind (`kernelKindOf`): one, or of a reduction several over one axis of one shape. The block arguments are the operands; the
    yielded values are the results. The memory planner adds `workspace`, a byte offset (or -2 - i for open block i) for each result, or -1 where the
    result is an output of the program. `kiln-schedule` adds `schedule`, how its loops run.
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs, StrAttr:$kind, OptionalAttr<DenseI64ArrayAttr>:$workspace,
                       OptionalAttr<Kiln_ScheduleInterface>:$schedule);
  let results = (outs Variadic<AnyRankedTensor>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Kiln_YieldOp : Op<Kiln_Dialect, "yield", [Pure, Terminator, ReturnLike, HasParent<"KernelOp">]> {
  let summary = "Ends a kernel and names its results.";
  let arguments = (ins Variadic<AnyRankedTensor>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

#endif
