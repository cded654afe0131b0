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
  let infer = "inferIota"; let kind = "source"; let resultWords = ["dtype", "shape"]; let dtypes = "real";
  let gradient = NonDifferentiable<"it has no operand">;
  let example = "kn.arange(5)";
}
def Kiln_CastOp : Kiln_Op<"cast"> {
  let summary = "Conversion to another dtype; floats to integers saturate, nan becomes 0; to bool: not equal to 0.";
  let arguments = (ins Kiln_Tensor:$x);
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let infer = "inferCast"; let kind = "elementwise"; let resultWords = ["dtype"];
  let scalar = "cast(a, t)"; let native = 1;
  let gradient = Linear<"cast", "the cotangent in the dtype of the operand, of complex numbers for real ones the real part">;
  let samples = ["x=(3, 4), dtype='float32'", "x=(5,), dtype='complex128'", "x=(2,), dtype='float64'"];
  let example = "kn.astype(kn.asarray([1.5, -2.5]), kn.int32)";
}
def Kiln_BitcastOp : Kiln_Op<"bitcast"> {
  let summary = "The same bits under another dtype of the same size.";
  let arguments = (ins Kiln_Tensor:$x);
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let infer = "inferBitcast"; let kind = "elementwise"; let resultWords = ["dtype"]; let native = 1; let eager = 0; let cost = 0;
  let scalar = "bitcast(a, t)";
  let samples = ["x=[1, -2], dtype='float64'"];
  let gradient = NonDifferentiable<"bits have no derivative">;
  let example = "kn.bitcast(kn.asarray([1.0]), kn.int32)";
}
def Kiln_BroadcastOp : Kiln_Move<"broadcast"> {
  let summary = "Repeats elements: axis `axes[i]` of the result is axis i of the operand, or repeats it where its size is 1.";
  let arguments = (ins Kiln_Tensor:$x, DenseI64ArrayAttr:$axes);
  let infer = "inferBroadcast"; let resultWords = ["shape"];
  let gradient = Linear<"broadcast", "the sum over the repeated axes">;
  let batching = BatchInCpp<"broadcast">;
  let samples = ["x=(3,), axes=[1], shape=[2, 3]",
                 "x=(3, 1), axes=[0, 2], shape=[3, 2, 4]",
                 "x=(), axes=[], shape=[2]"];
  let example = "kn.broadcast_to(kn.asarray([1.0, 2.0]), (2, 2))";
}
def Kiln_ReshapeOp : Kiln_Move<"reshape"> {
  let summary = "The same elements in row-major order under another shape.";
  let arguments = (ins Kiln_Tensor:$x);
  let infer = "inferReshape"; let resultWords = ["shape"];
  let gradient = Linear<"reshape", "the cotangent in the shape of the operand">;
  let batching = BatchInCpp<"reshape">;
  let samples = ["x=(3, 4), shape=[2, 6]",
                 "x=(), shape=[1]"];
  let example = "kn.reshape(kn.arange(4), (2, 2))";
}
def Kiln_TransposeOp : Kiln_Move<"transpose"> {
  let summary = "Permuted axes: axis i of the result is axis `permutation[i]` of the operand.";
  let arguments = (ins Kiln_Tensor:$x, DenseI64ArrayAttr:$permutation);
  let infer = "inferTranspose";
  let gradient = Linear<"transpose", "the transpose by the inverse permutation">;
  let batching = BatchInCpp<"transpose">;
  let samples = ["x=(2, 3, 4), permutation=[2, 0, 1]"];
  let example = "kn.permute_dims(kn.reshape(kn.arange(4), (2, 2)), (1, 0))";
}
def Kiln_SliceOp : Kiln_Move<"slice"> {
  let summary = "Element `starts + i * steps` of each axis, `sizes` of them; steps may be negative.";
  let arguments = (ins Kiln_Tensor:$x, Kiln_Sizes:$starts, Kiln_Sizes:$sizes, DenseI64ArrayAttr:$steps);
  let infer = "inferSlice";
  let gradient = Linear<"slice", "the cotangent put into zeros">;
  let batching = BatchInCpp<"slice">;
  let samples = ["x=(5, 4), starts=[1, 3], sizes=[2, 4], steps=[2, -1]",
                 "x=(3,), starts=[0], sizes=[0], steps=[1]"];
  let example = "kn.arange(10)[2:8:2]";
}
def Kiln_DynamicSliceOp : Kiln_Move<"dynamic_slice"> {
  let summary = "`sizes` elements of each axis from `starts` on, which are moved so that all lie inside.";
  let arguments = (ins Kiln_Tensor:$x, Kiln_Tensor:$starts, Kiln_Sizes:$sizes);
  let infer = "inferDynamicSlice"; let access = ["Moved", "Any"];
  let gradient = Linear<"dynamicSlice", "the cotangent put into zeros at the same place">;
  let batching = BatchInCpp<"dynamicSlice">;
  let samples = ["x=(5, 4), starts=[2, 1], sizes=[2, 3]",
                 "x=(5, 4), starts=[9, -3], sizes=[2, 3]"];
  let example = "kn.dynamic_slice(kn.arange(10), [3], [4])";
}

// Results put together from parts.
class Kiln_Assemble<string mnemonic> : Kiln_Op<mnemonic> {
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let kind = "assemble"; let eager = 0;
}
def Kiln_ConcatOp : Kiln_Assemble<"concat"> {
  let summary = "Arrays joined along an existing axis.";
  let arguments = (ins Variadic<Kiln_Tensor>:$arrays, I64Attr:$axis);
  let infer = "inferConcat";
  let gradient = Linear<"concat", "a slice of the cotangent for each array", ["arrays"]>;
  let batching = BatchInCpp<"concat">;
  let samples = ["arrays=[(2, 3), (1, 3), (0, 3)], axis=0",
                 "arrays=[(2, 3), (2, 2)], axis=1"];
  let example = "kn.concat([kn.asarray([1, 2]), kn.asarray([3])])";
}
def Kiln_UpdateOp : Kiln_Assemble<"update"> {
  let summary = "`x` with `value` at `starts + i * steps` of each axis: what a write into a view makes of an array.";
  let arguments = (ins Kiln_Tensor:$x, Kiln_Tensor:$value, Kiln_Sizes:$starts, DenseI64ArrayAttr:$steps);
  let infer = "inferUpdate"; let access = ["Same", "Moved"];
  let gradient = Linear<"update", "the cotangent with zeros in the region, and the region of the cotangent", ["x", "value"]>;
  let batching = BatchInCpp<"update">;
  let samples = ["x=(5, 4), value=(2, 3), starts=[1, 3], steps=[2, -1]"];
  let example = "kn.arange(5).at[1:3].set(0)";
}
def Kiln_DynamicUpdateOp : Kiln_Assemble<"dynamic_update"> {
  let summary = "`x` with `value` from `starts` on, which are moved so that all of it lies inside.";
  let arguments = (ins Kiln_Tensor:$x, Kiln_Tensor:$value, Kiln_Tensor:$starts);
  let infer = "inferDynamicUpdate"; let access = ["Same", "Moved", "Any"];
  let gradient = Linear<"dynamicUpdate", "the cotangent with zeros in the region, and the region of the cotangent", ["x", "value"]>;
  let batching = BatchInCpp<"dynamicUpdate">;
  let samples = ["x=(5, 4), value=(2, 3), starts=[2, 1]",
                 "x=(5, 4), value=(2, 3), starts=[9, -3]"];
  let example = "kn.dynamic_update(kn.arange(5), kn.asarray([7, 7]), [3])";
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
  let infer = "inferGather"; let kind = "gather"; let cost = 4; let access = ["Memory", "Moved"];
  let gradient = Linear<"gather", "a scatter-add into zeros">;
  let batching = BatchInCpp<"gather">;
  let samples = ["x=(5, 3), indices=[[0, 2], [-1, 2]], axis=0",
                 "x=(2, 4), indices=[3, 3, 1], axis=1",
                 "x=(2, 4, 2), indices=1, axis=1"];
  let example = "kn.take(kn.asarray([10.0, 20.0, 30.0]), kn.asarray([2, 0]))";
}
def Kiln_RavelIndexOp : Kiln_Ternary<"ravel_index"> {
  let summary = "Position x * z + y in an array with one more axis, of size z; a negative y counts from the end; the least int64 where x or y is outside.";
  let dtypes = "int64"; let scalar = "ravelIndex(a, b, c)"; let cost = 3;
  let gradient = NonDifferentiable<"a position is piecewise constant">;
  let example = "kn.ravel_multi_index((kn.asarray([1]), kn.asarray([-1])), (3, 4))";
}

class Kiln_Scatter<string mnemonic> : Kiln_Op<mnemonic> {
  let arguments = (ins Kiln_Tensor:$x, Kiln_Tensor:$indices, Kiln_Tensor:$updates, I64Attr:$axis);
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let description = [{
    The updates have the axes of `x`, with one for each index in place of `axis`; they are applied in order, so of several
    to one place the last is seen by all that follow. Negative indices count from the end; one outside [-n, n) gives the
    executable's status "index out of range" and writes nothing.
  }];
  let infer = "inferScatter"; let kind = "scatter"; let along = "{int64_t(getAxis())}"; let access = ["Same", "Any"]; let dtypes = "wide"; let cost = 4;
  let batching = BatchInCpp<"scatter">;
  let samples = ["x=(4, 3), indices=[0, -1, 2], updates=(3, 3), axis=0", "x=(2, 3), indices=[1, 1, 0, -2, 1], updates=(2, 5), axis=1"];
}
def Kiln_ScatterOp : Kiln_Scatter<"scatter"> {
  let summary = "`x` with elements along an axis replaced at indices."; let dtypes = "any";
  let scalar = "b"; let native = 1;
  let gradient = Linear<"scatter", "the cotangent with zeros at the indices, and the cotangent there for the last update of each", ["x", "updates"]>;
  let edges = ["x=[1., 2.], indices=[0, 0, -1], updates=[5., 6., 7.], axis=0, dx=[0, 0], dupdates=[0, 1, 1]"];
  let example = "kn.zeros(4).at[kn.asarray([0, 2])].set(1)";
}
def Kiln_ScatterAddOp : Kiln_Scatter<"scatter_add"> {
  let summary = "`x` with updates added along an axis at indices.";
  let scalar = "a + b";
  let gradient = Linear<"scatterAdd", "the cotangent, and the cotangent at the indices", ["x", "updates"]>;
  let example = "kn.zeros(4).at[kn.asarray([0, 2, 0])].add(1)";
}
def Kiln_ScatterMultiplyOp : Kiln_Scatter<"scatter_multiply"> {
  let summary = "`x` multiplied by updates along an axis at indices.";
  let scalar = "a * b";
  let gradient = InCpp<"scatterMultiply", "as products: each factor by the others">;
  let edges = ["x=[2., 5.], indices=[0, 0, 0], updates=[3., 0., 4.], axis=0, dx=[0, 1], dupdates=[0, 24, 0]"];
  let example = "kn.ones(4).at[kn.asarray([0, 2])].multiply(3)";
}
def Kiln_ScatterMinOp : Kiln_Scatter<"scatter_min"> {
  let summary = "The smaller of `x` and updates along an axis at indices.";
  let scalar = "min(a, b)";
  let gradient = InCpp<"scatterExtreme", "the cotangent shared by those that are the smallest">;
  let edges = ["x=[1., 5.], indices=[0, 0, 1], updates=[1., 2., 3.], axis=0, dx=[0.5, 0], dupdates=[0.5, 0, 1]"];
  let example = "kn.ones(4).at[kn.asarray([0, 2])].min(0)";
}
def Kiln_ScatterMaxOp : Kiln_Scatter<"scatter_max"> {
  let summary = "The larger of `x` and updates along an axis at indices.";
  let scalar = "max(a, b)";
  let gradient = InCpp<"scatterExtreme", "the cotangent shared by those that are the largest">;
  let edges = ["x=[1., 5.], indices=[0, 0, 1], updates=[2., 2., 3.], axis=0, dx=[0, 1], dupdates=[0.5, 0.5, 0]"];
  let example = "kn.ones(4).at[kn.asarray([0, 2])].max(3)";
}

#endif
