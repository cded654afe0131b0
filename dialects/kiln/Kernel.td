// How fused programs are said: not recorded, made by passes.
#ifndef KILN_KERNEL
#define KILN_KERNEL
include "dialects/kiln/Schedule.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

// How the operations of a kernel become loops: each kind has an emitter.
def Kiln_KernelKind : I32EnumAttr<"KernelKind", "kind of a kernel", [
    I32EnumAttrCase<"Elementwise", 0, "elementwise">, I32EnumAttrCase<"Reduction", 1, "reduction">,
    I32EnumAttrCase<"Contraction", 2, "contraction">, I32EnumAttrCase<"Assemble", 3, "assemble">,
    I32EnumAttrCase<"Scatter", 4, "scatter">, I32EnumAttrCase<"Scan", 5, "scan">, I32EnumAttrCase<"Compact", 6, "compact">,
    I32EnumAttrCase<"Sort", 7, "sort">, I32EnumAttrCase<"Convolution", 8, "convolution">, I32EnumAttrCase<"Library", 9, "library">,
    I32EnumAttrCase<"Control", 10, "control">]> {
  let cppNamespace = "::kiln::ir";
  let genSpecializedAttr = 0;
}
def Kiln_KernelKindAttr : EnumAttr<Kiln_Dialect, Kiln_KernelKind, "kind">;

def Kiln_KernelOp : Op<Kiln_Dialect, "kernel", [Pure, IsolatedFromAbove, SingleBlock]> {
  let summary = "Operations that become one loop nest.";
  let description = [{
    `kind` names the emitter, and says what the body may hold: elementwise and index operations,
    and those that are of this kind (`kernelKindOf`): one, or of a reduction several over one axis of one shape. The block arguments are the operands; the
    yielded values are the results. The memory planner adds `workspace`, a byte offset (or -2 - i for open block i) for each result, or -1 where the
    result is an output of the program or, by `in_place`, lies elsewhere: in a body of a loop or branch that is for each result the input in whose
    memory it lies, or -1. `kiln-schedule` adds `schedule`, how its loops run. For people, fusion says in `apart` why the kernel is not one with those
    that it reads: names and lines (slots of the trace) of its first operation and of the last of the other kernel, and a text.
    What holds for a program, as that its results need not be those of the operations one by one, is said on the function around.
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs, Kiln_KernelKindAttr:$kind, OptionalAttr<DenseI64ArrayAttr>:$workspace,
                       OptionalAttr<DenseI64ArrayAttr>:$in_place, OptionalAttr<Kiln_ScheduleInterface>:$schedule, OptionalAttr<ArrayAttr>:$apart);
  let results = (outs Variadic<AnyRankedTensor>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Kiln_CopyOp : Op<Kiln_Dialect, "copy", [Pure, AllTypesMatch<["x", "result"]>, Kiln_ArrayOpInterface]> {
  let summary = "The same elements in memory of their own.";
  let description = [{
    Fusion makes it where two outputs of a program, or an output and an argument, would be one memory. It computes as a cast to the type
    that its operand has.
  }];
  let arguments = (ins Kiln_Tensor:$x);
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "$x attr-dict `:` type($x)";
  let extraClassDeclaration = [{
    static ::kiln::Op getId() { return ::kiln::Op::Cast; }
    ::llvm::SmallVector<int64_t, 2> getAlong() { return {}; }
    unsigned getMainIndex() { return 0; }
    ::kiln::ir::Access getAccess(unsigned) { return ::kiln::ir::Access::Same; }
  }];
}

def Kiln_YieldOp : Op<Kiln_Dialect, "yield", [Pure, Terminator, ReturnLike, HasParent<"KernelOp">]> {
  let summary = "Ends a kernel and names its results.";
  let arguments = (ins Variadic<AnyRankedTensor>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

#endif
