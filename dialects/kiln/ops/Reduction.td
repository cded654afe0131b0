// Reductions and contractions. The order of accumulation is part of each op: docs/numerics.md.
#ifndef KILN_REDUCTION
#define KILN_REDUCTION
include "dialects/kiln/KilnBase.td"

class Kiln_Reduction<string mnemonic> : Kiln_Op<mnemonic> {
  let arguments = (ins Kiln_Tensor:$x, DenseI64ArrayAttr:$axes);
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let infer = "inferReduction"; let kind = "reduce"; let along = "llvm::to_vector<2>(getAxes())"; let dtypes = "wide";
  let batching = Shifted<["axes"]>;
  let samples = ["x=(3, 4), axes=[1]", "x=(3, 4, 2), axes=[0, 2]", "x=(5,), axes=[0]", "x=(2, 3), axes=[]"];
}
def Kiln_SumOp : Kiln_Reduction<"sum"> {
  let summary = "Sum over axes.";
  let description = [{
    Where the last axis is reduced, element k goes to lane k mod 32 within blocks of 8,192, lanes are joined by a
    halving tree and blocks pairwise; other axes are swept in order within blocks of 1,024, blocks pairwise.
  }];
  let scalar = "a + b"; let identity = "constant(a, -0.0)"; let empty = "constant(a, 0)"; let blocked = 1;
  let gradient = Linear<"sum", "the cotangent broadcast over the reduced axes">;
  let example = "kn.sum(kn.reshape(kn.arange(6), (2, 3)), axis=1)";
}
def Kiln_ProdOp : Kiln_Reduction<"prod"> {
  let summary = "Product over axes, in the order of `sum`.";
  let scalar = "a * b"; let identity = "constant(a, 1)"; let blocked = 1;
  let gradient = InCpp<"prod", "the products of all other elements times the cotangent">;
  let edges = ["x=[2., 0., 3.], axes=[0], dx=[0, 6, 0]", "x=[2., 0., 0.], axes=[0], dx=[0, 0, 0]", "x=[[2., 0.], [3., 4.]], axes=[0, 1], dx=[[0, 24], [0, 0]]"];
  let example = "kn.prod(kn.asarray([1.0, 3.0, 2.0]))";
}
class Kiln_Logic<string mnemonic> : Kiln_Reduction<mnemonic> {
  let dtypes = "boolean"; let gradient = NonDifferentiable<"truth values have no derivative">;
  let example = "kn." # mnemonic # "(kn.asarray([True, False]))";
}
def Kiln_AnyOp : Kiln_Logic<"any"> {
  let summary = "Whether any element over axes is true.";
  let scalar = "bitwise_or(a, b)"; let identity = "constant(a, 0)";
}
def Kiln_AllOp : Kiln_Logic<"all"> {
  let summary = "Whether all elements over axes are true.";
  let scalar = "bitwise_and(a, b)"; let identity = "constant(a, 1)";
}
def Kiln_MaxOp : Kiln_Reduction<"max"> {
  let summary = "Largest element over axes; nan if any is nan.";
  let scalar = "max(a, b)"; let identity = "lowest(a)"; let needsElement = 1;
  let gradient = InCpp<"extreme", "the cotangent shared by the elements equal to the maximum">;
  let edges = ["x=[1., 3., 3., 2.], axes=[0], dx=[0, 0.5, 0.5, 0]", "x=[[5., 5.], [5., 5.]], axes=[0, 1], dx=[[0.25] * 2] * 2", "x=[nan, 1.], axes=[0], dx=[0, 0]"];
  let example = "kn.max(kn.asarray([1.0, 3.0, 2.0]))";
}
def Kiln_MinOp : Kiln_Reduction<"min"> {
  let summary = "Smallest element over axes; nan if any is nan.";
  let scalar = "min(a, b)"; let identity = "highest(a)"; let needsElement = 1;
  let gradient = InCpp<"extreme", "the cotangent shared by the elements equal to the minimum">;
  let edges = ["x=[1., 3., 1., 2.], axes=[0], dx=[0.5, 0, 0.5, 0]"];
  let example = "kn.min(kn.asarray([1.0, 3.0, 2.0]))";
}

class Kiln_NanExtreme<string mnemonic, string size> : Kiln_Reduction<mnemonic> {
  let summary = size # " element over axes that is no nan; nan where all are.";
  let dtypes = "realInexact"; let identity = "constant(a, kNan)"; let needsElement = 1;
  let gradient = InCpp<"extreme", "the cotangent shared by the elements equal to the result">;
  let example = "kn." # mnemonic # "(kn.asarray([1.0, float('nan'), 2.0]))";
}
def Kiln_NanmaxOp : Kiln_NanExtreme<"nanmax", "Largest"> {
  let scalar = "fmax(a, b)"; let edges = ["x=[1., nan, 3., 3.], axes=[0], dx=[0, 0, 0.5, 0.5]", "x=[nan, nan], axes=[0], dx=[0, 0]"];
}
def Kiln_NanminOp : Kiln_NanExtreme<"nanmin", "Smallest"> {
  let scalar = "fmin(a, b)"; let edges = ["x=[1., nan, 3., 1.], axes=[0], dx=[0.5, 0, 0, 0.5]", "x=[nan, nan], axes=[0], dx=[0, 0]"];
}

class Kiln_ArgReduction<string mnemonic> : Kiln_Op<mnemonic> {
  let arguments = (ins Kiln_Tensor:$x, I64Attr:$axis);
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let infer = "inferArgReduction"; let kind = "argreduce"; let along = "{int64_t(getAxis())}"; let dtypes = "wide"; let needsElement = 1;
  let batching = Shifted<["axis"]>;
  let samples = ["x=(3, 4), axis=1", "x=(3, 4), axis=0"];
  let gradient = NonDifferentiable<"a position is piecewise constant">;
}
def Kiln_ArgmaxOp : Kiln_ArgReduction<"argmax"> {
  let summary = "Position of the first largest element along an axis; of the first nan if there is one.";
  let scalar = "greater(a, b)"; let identity = "lowest(a)";
  let example = "kn.argmax(kn.asarray([1.0, 3.0, 2.0]))";
}
def Kiln_ArgminOp : Kiln_ArgReduction<"argmin"> {
  let summary = "Position of the first smallest element along an axis; of the first nan if there is one.";
  let scalar = "less(a, b)"; let identity = "highest(a)";
  let example = "kn.argmin(kn.asarray([2.0, 1.0, 3.0]))";
}

def Kiln_DotGeneralOp : Kiln_Op<"dot_general"> {
  let summary = "Products of two arrays summed over one axis of each, for every position of the batch axes.";
  let description = [{
    The result has the batch axes, the other axes of `x`, then those of `y`. Two matrices accumulate in order over the
    contracted axis in one chain of fused multiply-adds. Where one side is a vector and the contracted axis is the last
    of the other, the order is that of `sum`, with a fused multiply-add a lane.
  }];
  let arguments = (ins Kiln_Tensor:$x, Kiln_Tensor:$y, DenseI64ArrayAttr:$x_batch, DenseI64ArrayAttr:$y_batch,
                   I64Attr:$x_axis, I64Attr:$y_axis);
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let infer = "inferDotGeneral"; let kind = "contract"; let dtypes = "wide"; let identity = "constant(a, -0.0)"; let empty = "constant(a, 0)"; let blocked = 1;
  let scalar = "accumulate(a, b, c)"; let cost = 40;
  let mainIndex = "getY().getType().getRank() > getX().getType().getRank()"; // a matrix rather than a vector
  let along = "{int64_t(getMainIndex() ? getYAxis() : getXAxis())}";
  let gradient = Multilinear<"dotGeneral", "two contractions of the cotangent with the other operand", ["x", "y"]>;
  let batching = BatchInCpp<"dotGeneral">;
  let samples = ["x=(3, 4), y=(4, 2), x_batch=[], y_batch=[], x_axis=1, y_axis=0",
                 "x=(4,), y=(3, 4), x_batch=[], y_batch=[], x_axis=0, y_axis=1",
                 "x=(3, 4), y=(4,), x_batch=[], y_batch=[], x_axis=1, y_axis=0",
                 "x=(4,), y=(4,), x_batch=[], y_batch=[], x_axis=0, y_axis=0",
                 "x=(3, 2, 4), y=(2, 4, 5), x_batch=[1], y_batch=[0], x_axis=2, y_axis=1",
                 "x=(2, 4, 3, 2), y=(2, 3, 2, 4), x_batch=[0], y_batch=[2], x_axis=1, y_axis=3"];
  let example = "kn.matmul(kn.ones((2, 3)), kn.ones((3, 2)))";
}

#endif
