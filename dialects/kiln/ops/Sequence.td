// Ops whose result at one position depends on an order: scans, sorts, selections, convolutions.
#ifndef KILN_SEQUENCE
#define KILN_SEQUENCE
include "dialects/kiln/KilnBase.td"

class Kiln_Scan<string mnemonic> : Kiln_Op<mnemonic> {
  let arguments = (ins Kiln_Tensor:$x, I64Attr:$axis);
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let infer = "inferScan"; let kind = "scan"; let along = "{int64_t(getAxis())}"; let dtypes = "wide";
  let example = "kn." # mnemonic # "(kn.asarray([3.0, 1.0, 2.0]))";
}
def Kiln_CumulativeSumOp : Kiln_Scan<"cumulative_sum"> {
  let summary = "Sums of all elements up to each along an axis, added in order.";
  let scalar = "a + b";
  let gradient = GradientInCpp<"the cumulative sum of the cotangent from the end">;
}
def Kiln_CumulativeProdOp : Kiln_Scan<"cumulative_prod"> {
  let summary = "Products of all elements up to each along an axis, in order.";
  let scalar = "a * b";
  let gradient = GradientInCpp<"products of all other elements up to each, times the cotangent">;
}
def Kiln_CumulativeMaxOp : Kiln_Scan<"cumulative_max"> {
  let summary = "Largest of all elements up to each along an axis; nan from the first nan on.";
  let scalar = "max(a, b)";
  let gradient = GradientInCpp<"the cotangents summed over the positions that show one element">;
}
def Kiln_CumulativeMinOp : Kiln_Scan<"cumulative_min"> {
  let summary = "Smallest of all elements up to each along an axis; nan from the first nan on.";
  let scalar = "min(a, b)";
  let gradient = GradientInCpp<"the cotangents summed over the positions that show one element">;
}

class Kiln_Ordering<string mnemonic> : Kiln_Op<mnemonic> {
  let arguments = (ins Kiln_Tensor:$x, I64Attr:$axis, I64Attr:$descending);
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let kind = "sort"; let along = "{int64_t(getAxis())}"; let dtypes = "wide";
  let example = "kn." # mnemonic # "(kn.asarray([3.0, 1.0, 2.0]))";
}
def Kiln_SortOp : Kiln_Ordering<"sort"> {
  let summary = "Elements along an axis in ascending order, or descending; nan last.";
  let infer = "inferSort";
  let gradient = GradientInCpp<"the cotangent scattered to where the elements came from">;
}
def Kiln_ArgsortOp : Kiln_Ordering<"argsort"> {
  let summary = "Positions that sort an axis, equal elements in their order; nan last.";
  let infer = "inferArgsort";
  let gradient = NonDifferentiable<"a position is piecewise constant">;
}

def Kiln_NonzeroOp : Kiln_Op<"nonzero"> {
  let summary = "Positions of the first `count` true elements of a mask, in order; -1 behind the last.";
  let arguments = (ins Kiln_Tensor:$mask, I64Attr:$count);
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let infer = "inferNonzero"; let kind = "compact"; let dtypes = "boolean";
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
  let infer = "inferConvolution"; let kind = "convolve"; let dtypes = "wide"; let scalar = "fma(a, b, c)"; let cost = 40;
  let gradient = GradientInCpp<"convolutions of the cotangent with the weights and the operand">;
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
