// The trace dialect: how a jitted function goes on from one straight piece to the next. A function is a tree: its nodes are blocks,
// each of segments and a terminator.
#ifndef KILN_TRACE_OPS
#define KILN_TRACE_OPS

include "dialects/kiln/KilnBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"

def Trace_Dialect : Dialect {
  let name = "trace";
  let cppNamespace = "::kiln::ir";
  let dependentDialects = ["::kiln::ir::KilnDialect"];
  let summary = "Trees of recorded segments.";
  let description = [{
    A recorded function runs segment after segment and chooses by the values that Python asked for. Segments hold operations of the
    `kiln` dialect and nothing else; a segment alone is what a program file or an executable holds.
  }];
}

def Trace_TreeOp : Op<Trace_Dialect, "tree", [IsolatedFromAbove, FunctionOpInterface]> {
  let summary = "A recorded function.";
  let description = [{
    Its blocks are the nodes of the tree: segments, and then `trace.guard` or `trace.return`. A block that several guards name is where
    paths join; one that comes before its guard is a loop. Arguments have the attributes that arguments of functions have: `kiln.strides`,
    `kiln.device`.

    ```mlir
    trace.tree @clip(%x: tensor<4xf32>) -> tensor<4xf32> {
      %isLarge = trace.segment(%a = %x : tensor<4xf32>) -> tensor<i1> {
        %sum = kiln.sum %a {axes = array<i64: 0>} : (tensor<4xf32>) -> tensor<f32>
        %one = kiln.constant 1.0 : f32 : tensor<f32>
        %test = kiln.greater %sum, %one : (tensor<f32>, tensor<f32>) -> tensor<i1>
        trace.return %test : tensor<i1>
      }
      trace.guard %isLarge is true : tensor<i1> -> ^large, otherwise ^small
    ^large:
      %y = trace.segment(%a = %x : tensor<4xf32>) -> tensor<4xf32> {
        %t = kiln.tanh %a : (tensor<4xf32>) -> tensor<4xf32>
        trace.return %t : tensor<4xf32>
      }
      trace.return %y : tensor<4xf32>
    ^small:
      trace.return %x : tensor<4xf32>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type, OptionalAttr<DictArrayAttr>:$arg_attrs,
                       OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region AnyRegion:$body);
  let extraClassDeclaration = [{
    ::mlir::Region *getCallableRegion() { return &getBody(); }
    ::mlir::ArrayRef<::mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    ::mlir::ArrayRef<::mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
  }];
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
}

def Trace_SegmentOp : Op<Trace_Dialect, "segment", [Pure, IsolatedFromAbove, SingleBlock, HasParent<"TreeOp">]> {
  let summary = "A straight piece of a recording.";
  let description = [{
    What was recorded between two questions of Python. It sees its inputs alone; its results are the values that may be used later. Equal
    segments share one executable.
  }];
  let arguments = (ins Variadic<Kiln_Tensor>:$inputs);
  let results = (outs Variadic<Kiln_Tensor>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
}

def Trace_GuardOp : Op<Trace_Dialect, "guard", [Terminator, HasParent<"TreeOp">, AttrSizedOperandSegments,
                                               DeclareOpInterfaceMethods<BranchOpInterface>]> {
  let summary = "Goes on by a value.";
  let description = [{
    Python asked for a value of rank 0, and the recording went on with what it was told. Where the value is the expected one, to the bit,
    the path goes to the first block, else to the other one. Several expected values are a chain of guards.
  }];
  let arguments = (ins Kiln_Tensor:$value, TypedAttrInterface:$expected, Variadic<Kiln_Tensor>:$hitOperands,
                       Variadic<Kiln_Tensor>:$otherwiseOperands);
  let successors = (successor AnySuccessor:$hit, AnySuccessor:$otherwise);
  let assemblyFormat = [{
    $value `is` $expected `:` type($value) `->` $hit (`(` $hitOperands^ `:` type($hitOperands) `)`)? `,` `otherwise` $otherwise
    (`(` $otherwiseOperands^ `:` type($otherwiseOperands) `)`)? attr-dict
  }];
  let hasVerifier = 1;
}

def Trace_ReturnOp : Op<Trace_Dialect, "return", [Pure, Terminator, ReturnLike, ParentOneOf<["TreeOp", "SegmentOp"]>]> {
  let summary = "Gives the results of a tree, or of a segment.";
  let arguments = (ins Variadic<Kiln_Tensor>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
  let hasVerifier = 1;
}

#endif
