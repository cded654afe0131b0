// Ops whose result at one position depends on an order: scans, sorts, selections, convolutions.
#ifndef KILN_SEQUENCE
#define KILN_SEQUENCE
include "dialects/kiln/KilnBase.td"

class Kiln_Scan<string mnemonic> : Kiln_Op<mnemonic> {
  let arguments = (ins Kiln_Tensor:$x, I64Attr:$axis);
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let infer = "inferScan"; let kind = "scan"; let along = "{int64_t(getAxis())}"; let dtypes = "wide";
  let batching = Shifted<["axis"]>;
  let samples = ["x=(3, 4), axis=1", "x=(5, 2), axis=0", "x=(2, 0), axis=1", "x=(1,), axis=0"];
  let example = "kn." # mnemonic # "(kn.asarray([3.0, 1.0, 2.0]))";
}
def Kiln_CumulativeSumOp : Kiln_Scan<"cumulative_sum"> {
  let summary = "Sums of all elements up to each along an axis, added in order.";
  let scalar = "a + b"; let blocked = 1;
  let gradient = Linear<"cumulativeSum", "the cumulative sum of the cotangent from the end">;
}
def Kiln_CumulativeProdOp : Kiln_Scan<"cumulative_prod"> {
  let summary = "Products of all elements up to each along an axis, in order.";
  let scalar = "a * b"; let blocked = 1;
  let gradient = InCpp<"cumulativeProd", "products of all other elements up to each, times the cotangent">;
  let edges = ["x=[2., 0., 3.], axis=0, dx=[1, 8, 0]", "x=[0., 0., 3.], axis=0, dx=[1, 0, 0]"];
}
def Kiln_CumulativeMaxOp : Kiln_Scan<"cumulative_max"> {
  let summary = "Largest of all elements up to each along an axis; nan from the first nan on.";
  let scalar = "max(a, b)";
  let gradient = InCpp<"cumulativeExtreme", "the cotangents summed over the positions that show one element">;
  let edges = ["x=[1., 3., 3., 2.], axis=0, dx=[1, 3, 0, 0]", "x=[1., nan, 2.], axis=0, dx=[1, 2, 0]"];
}
def Kiln_CumulativeMinOp : Kiln_Scan<"cumulative_min"> {
  let summary = "Smallest of all elements up to each along an axis; nan from the first nan on.";
  let scalar = "min(a, b)";
  let gradient = InCpp<"cumulativeExtreme", "the cotangents summed over the positions that show one element">;
  let edges = ["x=[1., 1., 0., 2.], axis=0, dx=[2, 0, 2, 0]"];
}

class Kiln_Ordering<string mnemonic> : Kiln_Op<mnemonic> {
  let arguments = (ins Kiln_Tensor:$x, I64Attr:$axis, I64Attr:$descending);
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let kind = "sort"; let along = "{int64_t(getAxis())}"; let dtypes = "wide";
  let batching = Shifted<["axis"]>;
  let samples = ["x=(3, 4), axis=1, descending=0", "x=(4, 3), axis=0, descending=1", "x=(2, 0), axis=1, descending=0"];
  let example = "kn." # mnemonic # "(kn.asarray([3.0, 1.0, 2.0]))";
}
def Kiln_SortOp : Kiln_Ordering<"sort"> {
  let summary = "Elements along an axis in ascending order, or descending; nan last.";
  let infer = "inferSort";
  let gradient = InCpp<"sort", "the cotangent scattered to where the elements came from">;
  let edges = ["x=[2., 1., 2.], axis=0, descending=0, dx=[1, 1, 1]"];
}
def Kiln_ArgsortOp : Kiln_Ordering<"argsort"> {
  let summary = "Positions that sort an axis, equal elements in their order; nan last.";
  let infer = "inferArgsort";
  let gradient = NonDifferentiable<"a position is piecewise constant">;
}

def Kiln_NonzeroOp : Kiln_Op<"nonzero"> {
  let summary = "Positions of the first `count` true elements of a mask, in order; -1 behind the last.";
  let arguments = (ins Kiln_Tensor:$mask, Kiln_Size:$count);
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let infer = "inferNonzero"; let kind = "compact"; let dtypes = "boolean"; let batching = BatchInCpp<"nonzero">;
  let samples = ["mask=[True, False, True, True], count=3", "mask=[False, True], count=3", "mask=[True, True], count=1"];
  let gradient = NonDifferentiable<"a position is piecewise constant">;
  let example = "kn.nonzero(kn.asarray([True, False, True]))[0]";
}

def Kiln_ConvolutionOp : Kiln_Op<"convolution"> {
  let summary = "Sums of products of the weights with the window around each position, channels last.";
  let description = [{
    `x` is (batch, spatial..., channels), `w` is (window..., channels / groups, filters). Each result is one chain of fused
    multiply-adds from 0 over the window and the channels in row-major order; padding counts as 0.
  }];
  let arguments = (ins Kiln_Tensor:$x, Kiln_Tensor:$w, DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$high,
                   DenseI64ArrayAttr:$dilation, I64Attr:$groups);
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let infer = "inferConvolution"; let kind = "convolve"; let dtypes = "wide"; let scalar = "accumulate(a, b, c)"; let cost = 40;
  let gradient = Multilinear<"convolution", "convolutions of the cotangent with the weights and the operand", ["x", "w"]>;
  let batching = BatchInCpp<"convolution">;
  let samples = ["x=(2, 6, 2), w=(3, 2, 3), strides=[1], low=[1], high=[1], dilation=[1], groups=1",
                 "x=(2, 7, 4), w=(3, 2, 6), strides=[2], low=[2], high=[0], dilation=[2], groups=2",
                 "x=(1, 5, 4, 2), w=(2, 3, 2, 2), strides=[3, 1], low=[0, 3], high=[1, 0], dilation=[1, 1], groups=1"];
  let example = "kn.convolution(kn.ones((1, 4, 1)), kn.ones((2, 1, 1)))";
}

def Kiln_RandomBitsOp : Kiln_Op<"random_bits"> {
  let summary = "64 random bits for each counter under a key: Threefry-2x32 of 20 rounds.";
  let description = [{
    J. Salmon and others, "Parallel random numbers: as easy as 1, 2, 3", 2011. The low word of counter, key and result is
    the first word of the published function.
  }];
  let arguments = (ins Kiln_Tensor:$counter, Kiln_Tensor:$key);
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let infer = "inferElementwise"; let kind = "elementwise"; let dtypes = "uint64"; let ufunc = 1; let cost = 60;
  let scalar = "math::threefry(a, b)";
  let gradient = NonDifferentiable<"bits have no derivative">;
  let example = "kn.random_bits(kn.arange(2, dtype=kn.uint64), kn.asarray(0, dtype=kn.uint64))";
}

#endif
