// Arithmetic of two arrays and of one.
#ifndef KILN_ARITHMETIC
#define KILN_ARITHMETIC
include "dialects/kiln/KilnBase.td"

def Kiln_AddOp : Kiln_Binary<"add"> {
  let summary = "Sum of two arrays, element by element; integers wrap.";
  let scalar = "a + b";
  let gradient = Gradient<[(op "identity", $ct), (op "identity", $ct)]>;
  let example = "kn.add(kn.asarray([1.0, 2.0]), kn.asarray([10.0, 20.0]))";
}
def Kiln_SubtractOp : Kiln_Binary<"subtract"> {
  let summary = "Difference of two arrays, element by element; integers wrap.";
  let scalar = "a - b";
  let gradient = Gradient<[(op "identity", $ct), (op "negative", $ct)]>;
  let example = "kn.subtract(kn.asarray([1.0, 2.0]), 0.5)";
}
def Kiln_MultiplyOp : Kiln_Binary<"multiply"> {
  let summary = "Product of two arrays, element by element; integers wrap.";
  let scalar = "a * b";
  let gradient = Gradient<[(op "multiply", $ct, $y), (op "multiply", $ct, $x)]>;
  let example = "kn.multiply(kn.asarray([1, 2, 3]), 2)";
}
def Kiln_DivideOp : Kiln_Binary<"divide"> {
  let summary = "True quotient of two arrays, element by element; integers are converted to the default floating dtype.";
  let dtypes = "floating"; let floatResult = 1; let cost = 4;
  let scalar = "a / b";
  let gradient = Gradient<[(op "divide", $ct, $y),
                           (op "negative", (op "multiply", $ct, (op "divide", (op "divide", $x, $y), $y)))]>;
  let example = "kn.divide(kn.asarray([1, 2]), 4)";
}
def Kiln_MaximumOp : Kiln_Binary<"maximum"> {
  let summary = "Larger of two elements; nan if either is nan.";
  let scalar = "max(a, b)";
  let gradient = Gradient<[(op "select", (op "greater_equal", $x, $y), $ct, (op "zeros_like", $ct)),
                           (op "select", (op "greater_equal", $x, $y), (op "zeros_like", $ct), $ct)]>;
  let example = "kn.maximum(kn.asarray([-1.0, 2.0]), 0.0)";
}
def Kiln_MinimumOp : Kiln_Binary<"minimum"> {
  let summary = "Smaller of two elements; nan if either is nan.";
  let scalar = "min(a, b)";
  let gradient = Gradient<[(op "select", (op "less_equal", $x, $y), $ct, (op "zeros_like", $ct)),
                           (op "select", (op "less_equal", $x, $y), (op "zeros_like", $ct), $ct)]>;
  let example = "kn.minimum(kn.asarray([-1.0, 2.0]), 0.0)";
}
def Kiln_NegativeOp : Kiln_Unary<"negative"> {
  let summary = "Negated elements; the smallest integer wraps to itself.";
  let scalar = "-a";
  let gradient = Gradient<[(op "negative", $ct)]>;
  let example = "kn.negative(kn.asarray([1.0, -2.0]))";
}
def Kiln_AbsOp : Kiln_Unary<"abs"> {
  let summary = "Absolute value; the smallest integer wraps to itself.";
  let scalar = "abs(a)";
  let gradient = Gradient<[(op "select", (op "less", $x, (op "zeros_like", $x)), (op "negative", $ct), $ct)]>;
  let example = "kn.abs(kn.asarray([1.0, -2.0]))";
}
def Kiln_SquareOp : Kiln_Unary<"square"> {
  let summary = "Product of each element with itself; integers wrap.";
  let scalar = "a * a";
  let gradient = Gradient<[(op "multiply", $ct, (op "add", $x, $x))]>;
  let example = "kn.square(kn.asarray([1.0, -2.0]))";
}
def Kiln_ReciprocalOp : Kiln_Unary<"reciprocal"> {
  let summary = "One over each element.";
  let dtypes = "floating"; let floatResult = 1; let cost = 4;
  let scalar = "constant(a, 1) / a";
  let gradient = Gradient<[(op "negative", (op "multiply", $ct, (op "square", (op "reciprocal", $x))))]>;
  let example = "kn.reciprocal(kn.asarray([4.0, 0.5]))";
}
def Kiln_SignOp : Kiln_Unary<"sign"> {
  let summary = "-1, 0 or 1 by the sign of each element; nan stays nan.";
  let scalar = "sign(a)";
  let gradient = NonDifferentiable<"it is piecewise constant">;
  let example = "kn.sign(kn.asarray([-3.0, 0.0, 2.0]))";
}

class Kiln_Rounding<string mnemonic> : Kiln_Unary<mnemonic> {
  let scalar = mnemonic # "(a)";
  let gradient = NonDifferentiable<"it is piecewise constant">;
  let example = "kn." # mnemonic # "(kn.asarray([-1.5, 0.5, 2.7]))";
}
def Kiln_FloorOp : Kiln_Rounding<"floor"> { let summary = "Largest integer that is not above; integers as they are."; }
def Kiln_CeilOp : Kiln_Rounding<"ceil"> { let summary = "Smallest integer that is not below; integers as they are."; }
def Kiln_TruncOp : Kiln_Rounding<"trunc"> { let summary = "The integer towards zero; integers as they are."; }
def Kiln_RoundOp : Kiln_Rounding<"round"> { let summary = "Nearest integer, halves to the even one; integers as they are."; }

#endif
