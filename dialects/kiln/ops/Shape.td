// Sources of values, and operations that move elements without computing on them.
#ifndef KILN_SHAPE
#define KILN_SHAPE
include "dialects/kiln/KilnBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"

class Kiln_Move<string mnemonic> : Kiln_Op<mnemonic> {
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let kind = "index"; let cost = 0;
}

def Kiln_ConstantOp : Kiln_Op<"constant"> {
  let summary = "A scalar known while recording.";
  let arguments = (ins TypedAttrInterface:$value);
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "$value attr-dict `:` type($result)";
  let infer = "inferConstant"; let kind = "source"; let cost = 0;
  let gradient = NonDifferentiable<"it has no operand">;
  let example = "kn.full((2,), 1.5)";
}
def Kiln_IotaOp : Kiln_Op<"iota"> {
  let summary = "Position along one axis, counted from 0.";
  let arguments = (ins I64Attr:$axis);
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
  let infer = "inferIota"; let kind = "source"; let resultWords = ["dtype", "shape"]; let dtypes = "numeric";
  let gradient = NonDifferentiable<"it has no operand">;
  let example = "kn.arange(5)";
}
def Kiln_CastOp : Kiln_Op<"cast"> {
  let summary = "Conversion to another dtype; floats to integers saturate, nan becomes 0; to bool: not equal to 0.";
  let arguments = (ins Kiln_Tensor:$x);
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let infer = "inferCast"; let kind = "elementwise"; let resultWords = ["dtype"];
  let scalar = "cast(a, t)";
  let gradient = Gradient<[(op "cast_like", $ct, $x)]>;
  let example = "kn.astype(kn.asarray([1.5, -2.5]), kn.int32)";
}
def Kiln_BroadcastOp : Kiln_Move<"broadcast"> {
  let summary = "Repeats elements: axis `axes[i]` of the result is axis i of the operand, or repeats it where its size is 1.";
  let arguments = (ins Kiln_Tensor:$x, DenseI64ArrayAttr:$axes);
  let infer = "inferBroadcast"; let resultWords = ["shape"];
  let gradient = GradientInCpp<"the sum over the repeated axes">;
  let example = "kn.broadcast_to(kn.asarray([1.0, 2.0]), (2, 2))";
}
def Kiln_ReshapeOp : Kiln_Move<"reshape"> {
  let summary = "The same elements in row-major order under another shape.";
  let arguments = (ins Kiln_Tensor:$x);
  let infer = "inferReshape"; let resultWords = ["shape"];
  let gradient = Gradient<[(op "reshape_like", $ct, $x)]>;
  let example = "kn.reshape(kn.arange(4), (2, 2))";
}
def Kiln_TransposeOp : Kiln_Move<"transpose"> {
  let summary = "Permuted axes: axis i of the result is axis `permutation[i]` of the operand.";
  let arguments = (ins Kiln_Tensor:$x, DenseI64ArrayAttr:$permutation);
  let infer = "inferTranspose";
  let gradient = GradientInCpp<"the transpose by the inverse permutation">;
  let example = "kn.permute_dims(kn.reshape(kn.arange(4), (2, 2)), (1, 0))";
}
def Kiln_SliceOp : Kiln_Move<"slice"> {
  let summary = "Element `starts + i * steps` of each axis, `sizes` of them; steps may be negative.";
  let arguments = (ins Kiln_Tensor:$x, DenseI64ArrayAttr:$starts, DenseI64ArrayAttr:$sizes, DenseI64ArrayAttr:$steps);
  let infer = "inferSlice";
  let gradient = GradientInCpp<"the cotangent scattered into zeros">;
  let example = "kn.arange(10)[2:8:2]";
}
def Kiln_ConcatOp : Kiln_Op<"concat"> {
  let summary = "Arrays joined along an existing axis.";
  let arguments = (ins Variadic<Kiln_Tensor>:$arrays, I64Attr:$axis);
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let infer = "inferConcat"; let kind = "concat";
  let gradient = GradientInCpp<"a slice of the cotangent for each array">;
  let example = "kn.concat([kn.asarray([1, 2]), kn.asarray([3])])";
}
def Kiln_GatherOp : Kiln_Op<"gather"> {
  let summary = "Elements of `x` at `indices` along one axis; negative indices count from the end.";
  let description = [{
    The result has the axes of `indices` in place of `axis`. An index outside [-n, n) gives the executable's status
    "index out of range" and nothing is read there.
  }];
  let arguments = (ins Kiln_Tensor:$x, Kiln_Tensor:$indices, I64Attr:$axis);
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let infer = "inferGather"; let kind = "gather"; let cost = 4;
  let gradient = GradientInCpp<"a scatter-add into zeros">;
  let example = "kn.take(kn.asarray([10.0, 20.0, 30.0]), kn.asarray([2, 0]))";
}

#endif
