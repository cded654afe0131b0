// Ops that call a library through the runtime's table: decompositions by LAPACK, transforms by pocketfft, searches; on a GPU by cuSOLVER and
// cuFFT (codegen/nvptx/LibraryCalls.h). An op has one result: several are laid one behind the other along its last axis.
#ifndef KILN_LIBRARY
#define KILN_LIBRARY
include "dialects/kiln/KilnBase.td"

class Kiln_Library<string mnemonic> : Kiln_Op<mnemonic> {
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let kind = "library"; let dtypes = "inexact"; let eager = 0; let cost = 1000; let batching = Shifted<>;
  let routine = "library::" # mnemonic;
}

// Of the last two axes, for each position of those before.
class Kiln_Decomposition<string mnemonic> : Kiln_Library<mnemonic> {
  let arguments = (ins Kiln_Tensor:$x); let linked = "Decompositions"; let device = "library::" # mnemonic;
}
def Kiln_CholeskyOp : Kiln_Decomposition<"cholesky"> {
  let summary = "The triangle whose product with its adjoint is a positive definite matrix.";
  let description = [{LAPACK's potrf. It reads the triangle that it replaces; the other one becomes 0.}];
  let arguments = (ins Kiln_Tensor:$x, I64Attr:$upper);
  let infer = "inferCholesky"; let samples = ["x=PositiveDefinite(3, 3), upper=0", "x=PositiveDefinite(2, 2, 2), upper=1"];
  let gradient = InCpp<"cholesky", "two triangular solves around half of the product of the factor and the cotangent">;
  let example = "kn.linalg.cholesky(kn.asarray([[4.0, 2.0], [2.0, 3.0]]))";
}
def Kiln_LuOp : Kiln_Decomposition<"lu"> {
  let summary = "The factors of a square matrix with rows exchanged, flat, then the row exchanged with each, counted from 0.";
  let description = [{LAPACK's getrf: the unit lower triangle below the diagonal, the upper one on and above it.}];
  let infer = "inferLu"; let samples = ["x=(3, 3)", "x=(2, 2, 2)"];
  let gradient = InCpp<"lu", "triangular solves around the triangles of the products of factors and cotangents">;
  let example = "kn.linalg.slogdet(kn.asarray([[1.0, 2.0], [3.0, 4.0]])).logabsdet";
}
def Kiln_SolveOp : Kiln_Decomposition<"solve"> {
  let summary = "The x of a x = b for a square matrix a and the columns of b.";
  let description = [{LAPACK's gesv.}];
  let arguments = (ins Kiln_Tensor:$a, Kiln_Tensor:$b);
  let infer = "inferSolve"; let samples = ["a=(3, 3), b=(3, 2)", "a=(2, 2, 2), b=(2, 2, 1)"];
  let gradient = InCpp<"solve", "a solve with the adjoint, and its product with the solution">;
  let example = "kn.linalg.solve(kn.asarray([[1.0, 2.0], [3.0, 4.0]]), kn.asarray([5.0, 6.0]))";
}
def Kiln_QrOp : Kiln_Decomposition<"qr"> {
  let summary = "A matrix with orthonormal columns, flat, then the upper triangle that it is multiplied with.";
  let description = [{LAPACK's geqrf and orgqr. `complete` makes the first one square.}];
  let arguments = (ins Kiln_Tensor:$x, I64Attr:$complete);
  let infer = "inferQr"; let samples = ["x=(4, 3), complete=0", "x=(3, 3), complete=1", "x=(2, 2, 4), complete=0"];
  let gradient = InCpp<"qr", "a triangular solve of the triangles of the products of factors and cotangents">;
  let example = "kn.linalg.qr(kn.asarray([[1.0, 2.0], [3.0, 4.0]])).R";
}
def Kiln_EighOp : Kiln_Decomposition<"eigh"> {
  let summary = "Eigenvalues of a Hermitian matrix in ascending order, then its eigenvectors, flat, as columns.";
  let description = [{LAPACK's syevd and heevd, from one triangle. `vectors` 0 gives the eigenvalues alone.}];
  let arguments = (ins Kiln_Tensor:$x, I64Attr:$upper, I64Attr:$vectors);
  let infer = "inferEigh"; let samples = ["x=Hermitian(3, 3), upper=0, vectors=1", "x=Hermitian(2, 3, 3), upper=1, vectors=0"];
  let gradient = InCpp<"eigh", "products with the eigenvectors, divided by the differences of the eigenvalues">;
  let example = "kn.linalg.eigvalsh(kn.asarray([[2.0, 1.0], [1.0, 2.0]]))";
}
def Kiln_EigOp : Kiln_Decomposition<"eig"> {
  let summary = "Complex eigenvalues of a square matrix, then its eigenvectors, flat, as columns.";
  let description = [{LAPACK's geev. `vectors` 0 gives the eigenvalues alone.}];
  let arguments = (ins Kiln_Tensor:$x, I64Attr:$vectors);
  let infer = "inferEig"; let samples = ["x=(3, 3), vectors=1", "x=(2, 3, 3), vectors=0"];
  let gradient = InCpp<"eig", "solves with the eigenvectors, divided by the differences of the eigenvalues">;
  let example = "kn.linalg.eigvals(kn.asarray([[0.0, 1.0], [-1.0, 0.0]]))";
}
def Kiln_SvdOp : Kiln_Decomposition<"svd"> {
  let summary = "Singular values in descending order, then the left singular vectors as columns and the right ones as rows, flat.";
  let description = [{LAPACK's gesdd. `vectors` 0 gives the values alone, 1 as many vectors as values, 2 square matrices of them.}];
  let arguments = (ins Kiln_Tensor:$x, I64Attr:$vectors);
  let infer = "inferSvd"; let samples = ["x=(4, 3), vectors=1", "x=(2, 2, 3), vectors=0", "x=(3, 3), vectors=2"];
  let gradient = InCpp<"svd", "products with the singular vectors, divided by the differences of the squared values">;
  let example = "kn.linalg.svdvals(kn.asarray([[3.0, 0.0], [0.0, 4.0]]))";
}

// norm: what the sums are divided by: 0 nothing, 1 the root of the number of points, 2 that number.
def Kiln_FftOp : Kiln_Library<"fft"> {
  let summary = "Discrete Fourier transform of complex numbers over axes; `inverse` with the sign of the exponent changed.";
  let description = [{`norm` is what the sums are divided by: 0 nothing, 1 the root of the number of points, 2 that number.}];
  let arguments = (ins Kiln_Tensor:$x, DenseI64ArrayAttr:$axes, I64Attr:$inverse, I64Attr:$norm);
  let infer = "inferFft"; let linked = "Fourier"; let device = "library::fft"; let dtypes = "complex"; let batching = Shifted<["axes"]>;
  let samples = ["x=(4, 3), axes=[1], inverse=0, norm=0", "x=(4, 3), axes=[0, 1], inverse=1, norm=2", "x=(5,), axes=[0], inverse=0, norm=1"];
  let gradient = Linear<"fft", "the transform of the cotangent in the other direction">;
  let example = "kn.fft.fft(kn.asarray([1.0, 2.0, 3.0]))";
}
def Kiln_RfftOp : Kiln_Library<"rfft"> {
  let summary = "Discrete Fourier transform of real numbers along an axis: the frequencies from 0 to one half.";
  let description = [{`norm` as for `fft`.}];
  let arguments = (ins Kiln_Tensor:$x, I64Attr:$axis, I64Attr:$norm);
  let infer = "inferRfft"; let linked = "Fourier"; let device = "library::rfft"; let dtypes = "realInexact"; let batching = Shifted<["axis"]>;
  let samples = ["x=(4, 3), axis=0, norm=0", "x=(2, 5), axis=1, norm=1", "x=(1,), axis=0, norm=2"];
  let gradient = Linear<"rfft", "the inverse transform of the cotangent, the frequencies between halved">;
  let example = "kn.fft.rfft(kn.asarray([1.0, 2.0, 3.0]))";
}
def Kiln_IrfftOp : Kiln_Library<"irfft"> {
  let summary = "`size` real numbers along an axis from the frequencies that `rfft` gives.";
  let description = [{`norm` as for `fft`. The imaginary parts of frequency 0, and of one half for an even size, are not read.}];
  let arguments = (ins Kiln_Tensor:$x, I64Attr:$axis, I64Attr:$size, I64Attr:$norm);
  let infer = "inferIrfft"; let linked = "Fourier"; let device = "library::irfft"; let dtypes = "complex"; let batching = Shifted<["axis"]>;
  let samples = ["x=(3, 2), axis=0, size=4, norm=2", "x=(2, 3), axis=1, size=5, norm=1", "x=(1,), axis=0, size=1, norm=0"];
  let gradient = Linear<"irfft", "the transform of the cotangent, the frequencies between counted twice">;
  let example = "kn.fft.irfft(kn.asarray([6.0, -1.5 + 0.9j]), n=3)";
}

def Kiln_SearchsortedOp : Kiln_Library<"searchsorted"> {
  let summary = "How many elements of a sorted vector are smaller than each value, or with `right` not larger.";
  let description = [{nan is behind all numbers. The axes of `line` but the last are batches, which are the first axes of `values`.}];
  let arguments = (ins Kiln_Tensor:$line, Kiln_Tensor:$values, I64Attr:$right);
  let device = "library::searchsorted"; let infer = "inferSearchsorted"; let dtypes = "wide";
  let samples = ["line=[0.5, 1.0, 2.0], values=(2, 3), right=0", "line=[1, 2, 2, 5], values=[2, 0, 9], right=1"];
  let gradient = NonDifferentiable<"positions are piecewise constant">;
  let example = "kn.searchsorted(kn.asarray([1.0, 2.0, 4.0]), kn.asarray([0.5, 2.0]))";
}
def Kiln_IsinOp : Kiln_Library<"isin"> {
  let summary = "Whether each element is one of the values; nan is none.";
  let description = [{The axes of `values` but the last are batches, which are the first axes of `x`.}];
  let arguments = (ins Kiln_Tensor:$x, Kiln_Tensor:$values);
  let device = "library::isin"; let infer = "inferIsin"; let dtypes = "wide";
  let samples = ["x=[[1.0, 2.0], [3.0, 4.0]], values=[2.0, 4.0, 5.0]", "x=[1, 2, 3], values=[3, 1]"];
  let gradient = NonDifferentiable<"a comparison is piecewise constant">;
  let example = "kn.isin(kn.asarray([1, 2, 3]), kn.asarray([3, 5, 7, 9, 11]))";
}
def Kiln_GcdOp : Kiln_Library<"gcd"> {
  let summary = "Greatest common divisor of two integers, not negative; 0 of two zeros.";
  let arguments = (ins Kiln_Tensor:$x, Kiln_Tensor:$y);
  let device = "library::gcd"; let infer = "inferGcd"; let dtypes = "integer"; let samples = ["x=[12, 18, 0], y=[8, 27, 5]"];
  let gradient = NonDifferentiable<"integers have no derivative">;
  let example = "kn.gcd(kn.asarray([12, 18]), 8)";
}

#endif
