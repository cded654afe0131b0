// Mathematical functions; the implementations are in dialects/kiln/math.
#ifndef KILN_MATH
#define KILN_MATH
include "dialects/kiln/KilnBase.td"

def Kiln_SqrtOp : Kiln_UnaryMath<"sqrt"> {
  let summary = "Square root, correctly rounded; nan below zero.";
  let scalar = "math::sqrt(a)"; let cost = 4; let domain = [0, 100];
  let gradient = Gradient<[(op "divide", $ct, (op "add", $result, $result))], 1>;
  let edges = ["x=0, dx=inf", "x=inf, dx=0"];
  let example = "kn.sqrt(kn.asarray([4.0, 2.0]))";
}
def Kiln_ExpOp : Kiln_UnaryMath<"exp"> {
  let summary = "Exponential, e raised to each element.";
  let gradient = Gradient<[(op "multiply", $ct, $result)]>;
  let example = "kn.exp(kn.asarray([0.0, 1.0]))";
}
def Kiln_LogOp : Kiln_UnaryMath<"log"> {
  let summary = "Natural logarithm; -inf at zero, nan below it.";
  let domain = [0, 100];
  let gradient = Gradient<[(op "divide", $ct, $x)], 1>;
  let edges = ["x=0, dx=inf", "x=inf, dx=0"];
  let example = "kn.log(kn.asarray([1.0, 10.0]))";
}
def Kiln_TanhOp : Kiln_UnaryMath<"tanh"> {
  let summary = "Hyperbolic tangent.";
  let gradient = Gradient<[(op "multiply", (op "multiply", $ct, (op "add", (number "1"), $result)), (op "subtract", (number "1"), $result))]>;
  let edges = ["x=inf, dx=0"];
  let example = "kn.tanh(kn.asarray([0.0, 0.5]))";
}
def Kiln_SinOp : Kiln_UnaryMath<"sin"> {
  let summary = "Sine of an angle in radians; nan for infinities.";
  let gradient = Gradient<[(op "multiply", $ct, (op "cos", $x))]>;
  let example = "kn.sin(kn.asarray([0.0, 1.5707963]))";
}
def Kiln_CosOp : Kiln_UnaryMath<"cos"> {
  let summary = "Cosine of an angle in radians; nan for infinities.";
  let gradient = Gradient<[(op "negative", (op "multiply", $ct, (op "sin", $x)))]>;
  let example = "kn.cos(kn.asarray([0.0, 3.1415927]))";
}

def Kiln_Exp2Op : Kiln_UnaryMath<"exp2"> {
  let summary = "2 raised to each element."; let dtypes = "realFloating";
  let gradient = Gradient<[(op "multiply", (op "multiply", $ct, $result), (number "0.6931471805599453"))]>;
  let example = "kn.exp2(kn.asarray([3.0, 0.5]))";
}
def Kiln_Expm1Op : Kiln_UnaryMath<"expm1"> {
  let summary = "Exponential less one, exact near 0.";
  let gradient = Gradient<[(op "multiply", $ct, (op "exp", $x))]>;
  let example = "kn.expm1(kn.asarray([1e-10, 1.0]))";
}
def Kiln_Log1pOp : Kiln_UnaryMath<"log1p"> {
  let summary = "Logarithm of one more, exact near 0; -inf at -1, nan below it.";
  let domain = [0, 100];
  let gradient = Gradient<[(op "divide", $ct, (op "add", $x, (number "1")))], 1>;
  let edges = ["x=-1, dx=inf"];
  let example = "kn.log1p(kn.asarray([1e-10, 1.0]))";
}
def Kiln_Log2Op : Kiln_UnaryMath<"log2"> {
  let summary = "Logarithm to base 2, exact for powers of 2; -inf at zero, nan below it.";
  let domain = [0, 100];
  let gradient = Gradient<[(op "divide", $ct, (op "multiply", $x, (number "0.6931471805599453")))], 1>;
  let edges = ["x=0, dx=inf"];
  let example = "kn.log2(kn.asarray([8.0, 10.0]))";
}
def Kiln_Log10Op : Kiln_UnaryMath<"log10"> {
  let summary = "Logarithm to base 10; -inf at zero, nan below it.";
  let domain = [0, 100];
  let gradient = Gradient<[(op "divide", $ct, (op "multiply", $x, (number "2.302585092994046")))], 1>;
  let edges = ["x=0, dx=inf"];
  let example = "kn.log10(kn.asarray([1000.0, 2.0]))";
}
def Kiln_TanOp : Kiln_UnaryMath<"tan"> {
  let summary = "Tangent of an angle in radians; nan for infinities.";
  let gradient = Gradient<[(op "multiply", $ct, (op "add", (number "1"), (op "square", $result)))]>;
  let example = "kn.tan(kn.asarray([0.0, 0.7853982]))";
}
def Kiln_AsinOp : Kiln_UnaryMath<"asin"> {
  let summary = "Angle whose sine an element is; nan outside [-1, 1]."; let numpy = "arcsin"; let domain = [-1, 1];
  let gradient = Gradient<[(op "divide", $ct, (op "sqrt", (op "multiply", (op "subtract", (number "1"), $x), (op "add", (number "1"), $x))))], 1>;
  let edges = ["x=1, dx=inf", "x=-1, dx=inf", "x=0, dx=1"];
  let example = "kn.asin(kn.asarray([0.5, 1.0]))";
}
def Kiln_AcosOp : Kiln_UnaryMath<"acos"> {
  let summary = "Angle whose cosine an element is; nan outside [-1, 1]."; let numpy = "arccos"; let domain = [-1, 1];
  let gradient = Gradient<[(op "negative", (op "divide", $ct, (op "sqrt", (op "multiply", (op "subtract", (number "1"), $x), (op "add", (number "1"), $x)))))], 1>;
  let edges = ["x=1, dx=-inf", "x=-1, dx=-inf"];
  let example = "kn.acos(kn.asarray([0.5, -1.0]))";
}
def Kiln_AtanOp : Kiln_UnaryMath<"atan"> {
  let summary = "Angle in (-pi/2, pi/2) whose tangent an element is."; let numpy = "arctan";
  let gradient = Gradient<[(op "divide", $ct, (op "add", (op "square", $x), (number "1")))]>;
  let edges = ["x=inf, dx=0"];
  let example = "kn.atan(kn.asarray([1.0, float('inf')]))";
}
def Kiln_Atan2Op : Kiln_Binary<"atan2"> {
  let summary = "Angle of the point (y, x), in [-pi, pi]."; let numpy = "arctan2";
  let dtypes = "realFloating"; let floatResult = 1; let cost = 30; let ulp = 4; let scalar = "math::atan2(a, b)";
  defvar isOrigin = (op "equal", (op "hypot", $x, $y), (number "0"));
  defvar length = (op "select", isOrigin, (number "1"), (op "hypot", $x, $y));
  let gradient = Gradient<[(op "divide", (op "multiply", $ct, (op "divide", $y, length)), length),
                           (op "negative", (op "divide", (op "multiply", $ct, (op "divide", $x, length)), length))]>;
  let edges = ["x=0, y=0, dx=0, dy=0", "x=1, y=0, dx=0, dy=-1", "x=0, y=-1, dx=-1, dy=0"];
  let example = "kn.atan2(kn.asarray([1.0, -1.0]), kn.asarray([1.0, -1.0]))";
}
def Kiln_SinhOp : Kiln_UnaryMath<"sinh"> {
  let summary = "Hyperbolic sine.";
  let gradient = Gradient<[(op "multiply", $ct, (op "cosh", $x))]>;
  let example = "kn.sinh(kn.asarray([0.0, 1.0]))";
}
def Kiln_CoshOp : Kiln_UnaryMath<"cosh"> {
  let summary = "Hyperbolic cosine.";
  let gradient = Gradient<[(op "multiply", $ct, (op "sinh", $x))]>;
  let example = "kn.cosh(kn.asarray([0.0, 1.0]))";
}
def Kiln_AsinhOp : Kiln_UnaryMath<"asinh"> {
  let summary = "Inverse of the hyperbolic sine."; let numpy = "arcsinh";
  let gradient = Gradient<[(op "divide", $ct, (op "sqrt", (op "add", (op "square", $x), (number "1"))))]>;
  let example = "kn.asinh(kn.asarray([0.0, 1.0]))";
}
def Kiln_AcoshOp : Kiln_UnaryMath<"acosh"> {
  let summary = "Inverse of the hyperbolic cosine; nan below 1."; let numpy = "arccosh"; let domain = [1, 100];
  let gradient = Gradient<[(op "divide", $ct, (op "multiply", (op "sqrt", (op "subtract", $x, (number "1"))), (op "sqrt", (op "add", $x, (number "1")))))], 1>;
  let edges = ["x=1, dx=inf"];
  let example = "kn.acosh(kn.asarray([1.0, 2.0]))";
}
def Kiln_AtanhOp : Kiln_UnaryMath<"atanh"> {
  let summary = "Inverse of the hyperbolic tangent; infinite at -1 and 1, nan beyond."; let numpy = "arctanh"; let domain = [-1, 1];
  let gradient = Gradient<[(op "divide", $ct, (op "multiply", (op "subtract", (number "1"), $x), (op "add", (number "1"), $x)))], 1>;
  let edges = ["x=1, dx=inf", "x=-1, dx=inf"];
  let example = "kn.atanh(kn.asarray([0.0, 0.5]))";
}

#endif
