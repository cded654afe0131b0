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

#endif
