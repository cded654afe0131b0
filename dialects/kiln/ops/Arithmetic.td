// Arithmetic of two arrays and of one.
#ifndef KILN_ARITHMETIC
#define KILN_ARITHMETIC
include "dialects/kiln/KilnBase.td"

def Kiln_AddOp : Kiln_Binary<"add"> {
  let summary = "Sum of two arrays, element by element; integers wrap.";
  let scalar = "a + b"; let floatElement = "x + y"; let integerElement = "u + v";
  let gradient = Gradient<[(same $ct), (same $ct)]>;
  let example = "kn.add(kn.asarray([1.0, 2.0]), kn.asarray([10.0, 20.0]))";
}
def Kiln_SubtractOp : Kiln_Binary<"subtract"> {
  let summary = "Difference of two arrays, element by element; integers wrap.";
  let scalar = "a - b"; let floatElement = "x - y"; let integerElement = "u - v";
  let gradient = Gradient<[(same $ct), (op "negative", $ct)]>;
  let example = "kn.subtract(kn.asarray([1.0, 2.0]), 0.5)";
}
def Kiln_MultiplyOp : Kiln_Binary<"multiply"> {
  let summary = "Product of two arrays, element by element; integers wrap.";
  let scalar = "a * b"; let floatElement = "x * y"; let integerElement = "u * v";
  let gradient = Gradient<[(op "multiply", $ct, $y), (op "multiply", $ct, $x)]>;
  let example = "kn.multiply(kn.asarray([1, 2, 3]), 2)";
}
def Kiln_DivideOp : Kiln_Binary<"divide"> {
  let summary = "True quotient of two arrays, element by element; integers are converted to the default floating dtype.";
  let dtypes = "floating"; let floatResult = 1; let cost = 4; let ulp = 4;
  let scalar = "a / b"; let floatElement = "x / y";
  let gradient = Gradient<[(op "divide", $ct, $y), (op "negative", (op "divide", (op "multiply", $ct, $result), $y))], 1>;
  let example = "kn.divide(kn.asarray([1, 2]), 4)";
}
def Kiln_MaximumOp : Kiln_Binary<"maximum"> {
  let summary = "Larger of two elements; nan if either is nan.";
  let dtypes = "real";
  let scalar = "max(a, b)";
  let gradient = Gradient<[(op "select", (op "equal", $x, $y), (op "multiply", $ct, (number "0.5")), (op "select", (op "greater", $x, $y), $ct, (number "0"))),
                           (op "select", (op "equal", $x, $y), (op "multiply", $ct, (number "0.5")), (op "select", (op "less", $x, $y), $ct, (number "0")))]>;
  let edges = ["x=1, y=1, dx=0.5, dy=0.5", "x=inf, y=inf, dx=0.5, dy=0.5", "x=nan, y=1, dx=0, dy=0"];
  let example = "kn.maximum(kn.asarray([-1.0, 2.0]), 0.0)";
}
def Kiln_MinimumOp : Kiln_Binary<"minimum"> {
  let summary = "Smaller of two elements; nan if either is nan.";
  let dtypes = "real";
  let scalar = "min(a, b)";
  let gradient = Gradient<[(op "select", (op "equal", $x, $y), (op "multiply", $ct, (number "0.5")), (op "select", (op "less", $x, $y), $ct, (number "0"))),
                           (op "select", (op "equal", $x, $y), (op "multiply", $ct, (number "0.5")), (op "select", (op "greater", $x, $y), $ct, (number "0")))]>;
  let edges = ["x=1, y=1, dx=0.5, dy=0.5", "x=inf, y=inf, dx=0.5, dy=0.5", "x=nan, y=1, dx=0, dy=0"];
  let example = "kn.minimum(kn.asarray([-1.0, 2.0]), 0.0)";
}
def Kiln_NegativeOp : Kiln_Unary<"negative"> {
  let summary = "Negated elements; the smallest integer wraps to itself.";
  let scalar = "-a"; let floatElement = "-x";
  let gradient = Gradient<[(op "negative", $ct)]>;
  let example = "kn.negative(kn.asarray([1.0, -2.0]))";
}
def Kiln_AbsOp : Kiln_Unary<"abs"> {
  let summary = "Absolute value, the modulus of complex numbers; the smallest integer wraps to itself."; let infer = "inferReal"; let ulp = 2;
  let scalar = "abs(a)"; let floatElement = "std::abs(x)";
  let gradient = InCpp<"abs", "the cotangent times the sign">;
  let edges = ["x=0, dx=0", "x=-0.0, dx=0", "x=0j, dx=0", "x=3+4j, dx=0.6+0.8j", "x=-inf, dx=-1"];
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
  let scalar = "constant(a, 1) / a"; let ulp = 4;
  let gradient = Gradient<[(op "negative", (op "multiply", (op "multiply", $ct, $result), $result))], 1>;
  let edges = ["x=0, dx=-inf", "x=inf, dx=0"];
  let example = "kn.reciprocal(kn.asarray([4.0, 0.5]))";
}
def Kiln_SignOp : Kiln_Unary<"sign"> {
  let summary = "-1, 0 or 1 by the sign of each element, the number over its modulus if complex; nan stays nan."; let ulp = 2;
  let scalar = "sign(a)";
  let gradient = InCpp<"sign", "0 for real numbers, for complex ones what turns the cotangent">;
  let edges = ["x=0, dx=0", "x=0j, dx=0", "x=2j, dx=0.5"];
  let example = "kn.sign(kn.asarray([-3.0, 0.0, 2.0]))";
}

def Kiln_PositiveOp : Kiln_Unary<"positive"> {
  let summary = "The elements as they are.";
  let scalar = "a"; let cost = 0;
  let gradient = Gradient<[(same $ct)]>;
  let example = "kn.positive(kn.asarray([1.0, -2.0]))";
}
def Kiln_FloorDivideOp : Kiln_Binary<"floor_divide"> {
  let summary = "Largest integer that is not above the quotient; integers wrap, and give 0 for a divisor of 0.";
  let dtypes = "real"; let cost = 12;
  let scalar = "floorDivide(a, b)"; let domain = [1, 40];
  let integerElement = "x / y - (x % y < 0)"; let integerElementIf = "y > 0";
  let gradient = NonDifferentiable<"it is piecewise constant">;
  let example = "kn.floor_divide(kn.asarray([7, -7]), 2)";
}
def Kiln_RemainderOp : Kiln_Binary<"remainder"> {
  let summary = "What floor_divide leaves, with the sign of the divisor; integers give 0 for a divisor of 0.";
  let dtypes = "real"; let cost = 12;
  let scalar = "remainder(a, b)"; let domain = [1, 40];
  let integerElement = "x % y + (x % y < 0 ? y : 0)"; let integerElementIf = "y > 0";
  let gradient = Gradient<[(same $ct), (op "negative", (op "multiply", $ct, (op "floor_divide", $x, $y)))]>;
  let edges = ["x=6, y=3, dx=1, dy=-2", "x=-1, y=inf, dx=1, dy=1"];
  let example = "kn.remainder(kn.asarray([7, -7]), 3)";
}
def Kiln_FmodOp : Kiln_Binary<"fmod"> {
  let summary = "What the truncated quotient leaves, with the sign of the dividend; integers give 0 for a divisor of 0.";
  let dtypes = "real"; let cost = 12;
  let scalar = "fmod(a, b)"; let domain = [1, 40];
  let gradient = Gradient<[(same $ct), (op "multiply", $ct, (op "round", (op "divide", (op "subtract", $result, $x), $y)))]>;
  let edges = ["x=6, y=3, dx=1, dy=-2", "x=-7, y=3, dx=1, dy=2", "x=1, y=inf, dx=1, dy=0"];
  let example = "kn.fmod(kn.asarray([7, -7]), 3)";
}
def Kiln_PowOp : Kiln_Binary<"pow"> {
  let summary = "First element raised to the power of the second; an integer to a negative power is 0, but for -1, 0 and 1.";
  let dtypes = "numeric"; let cost = 60; let ulp = 8; let domain = [1, 6]; let numpy = "power";
  let scalar = "math::pow(a, b)"; let byNumber = 1; let floatElement = "x * x"; let floatElementIf = "y == 2";
  defvar isConstant = (op "equal", $y, (number "0"));
  defvar isZero = (op "logical_and", (op "equal", $x, (number "0")), (op "greater_equal", (op "real", $y), (number "0")));
  let gradient = Gradient<[(op "select", isConstant, (number "0"),
                            (op "multiply", (op "multiply", $ct, $y), (op "pow", $x, (op "select", isConstant, (number "1"), (op "subtract", $y, (number "1")))))),
                           (op "select", isZero, (number "0"),
                            (op "multiply", (op "multiply", $ct, $result), (op "log", (op "select", isZero, (number "1"), $x))))], 1>;
  let edges = ["x=0, y=0, dx=0, dy=0", "x=0, y=1, dx=1, dy=0", "x=0, y=2, dx=0, dy=0", "x=0, y=0.5, dx=inf, dy=0", "x=2, y=0, dx=0, dy=0.6931471805599453", "x=-2, y=3, dx=12, dy=nan", "x=0, y=-1, dx=-inf, dy=-inf", "x=0j, y=2+0j, dx=0, dy=0"];
  let example = "kn.pow(kn.asarray([2.0, 9.0]), kn.asarray([10.0, 0.5]))";
}
def Kiln_CopysignOp : Kiln_Binary<"copysign"> {
  let summary = "Size of the first element with the sign of the second.";
  let dtypes = "realFloating"; let floatResult = 1; let scalar = "copysign(a, b)";
  let gradient = Gradient<[(op "multiply", (op "multiply", $ct, (op "sign", $x)), (op "copysign", (number "1"), $y)), (nothing)]>;
  let edges = ["x=0, y=-1, dx=0", "x=-2, y=-1, dx=1"];
  let example = "kn.copysign(kn.asarray([1.0, -2.0]), -0.0)";
}
def Kiln_NextafterOp : Kiln_Binary<"nextafter"> {
  let summary = "The number next to the first element in the direction of the second.";
  let dtypes = "realFloating"; let floatResult = 1; let native = 1; let cost = 4; let scalar = "nextafter(a, b)";
  let numpy = ""; // no bfloat16 there
  let gradient = Gradient<[(same $ct), (nothing)]>;
  let example = "kn.nextafter(kn.asarray([1.0]), 2.0)";
}
def Kiln_HypotOp : Kiln_Binary<"hypot"> {
  let summary = "Length of the hypotenuse, the square root of x*x + y*y without overflow.";
  let dtypes = "realFloating"; let floatResult = 1; let cost = 12; let ulp = 2; let scalar = "math::hypot(a, b)";
  defvar length = (op "select", (op "equal", $result, (number "0")), (number "1"), $result);
  let gradient = Gradient<[(op "multiply", $ct, (op "divide", $x, length)), (op "multiply", $ct, (op "divide", $y, length))]>;
  let edges = ["x=0, y=0, dx=0, dy=0", "x=0, y=-2, dx=0, dy=-1", "x=3, y=4, dx=0.6, dy=0.8"];
  let example = "kn.hypot(kn.asarray([3.0]), 4.0)";
}
def Kiln_LogaddexpOp : Kiln_Binary<"logaddexp"> {
  let summary = "Logarithm of the sum of the exponentials of two elements.";
  let dtypes = "realFloating"; let floatResult = 1; let cost = 40; let ulp = 8; let scalar = "math::logaddexp(a, b)";
  // Infinities, and what is lost in rounding, have constant shares.
  defvar isX = (op "equal", $x, $result);
  defvar isY = (op "equal", $y, $result);
  defvar isBoth = (op "logical_and", isX, isY);
  defvar behindX = (op "select", isX, (number "0"), (op "subtract", $x, $result));
  defvar behindY = (op "select", isY, (number "0"), (op "subtract", $y, $result));
  let gradient = Gradient<[(op "multiply", $ct, (op "exp", (op "select", isBoth, (number "-0.6931471805599453"), behindX))),
                           (op "multiply", $ct, (op "exp", (op "select", isBoth, (number "-0.6931471805599453"), behindY)))]>;
  let edges = ["x=-inf, y=-inf, dx=0.5, dy=0.5", "x=inf, y=1, dx=1, dy=0", "x=-inf, y=1, dx=0, dy=1", "x=inf, y=inf, dx=0.5, dy=0.5"];
  let example = "kn.logaddexp(kn.asarray([0.0]), 0.0)";
}

def Kiln_FmaxOp : Kiln_Binary<"fmax"> {
  let summary = "Larger of two elements, the other one where one is nan.";
  let dtypes = "real"; let scalar = "fmax(a, b)";
  let gradient = Gradient<[(op "select", (op "equal", $x, $y), (op "multiply", $ct, (number "0.5")),
                               (op "select", (op "logical_or", (op "less", $y, $x), (op "isnan", $y)), $ct, (number "0"))),
                           (op "select", (op "equal", $x, $y), (op "multiply", $ct, (number "0.5")),
                               (op "select", (op "logical_or", (op "less", $x, $y), (op "isnan", $x)), $ct, (number "0")))]>;
  let edges = ["x=1, y=1, dx=0.5, dy=0.5", "x=nan, y=1, dx=0, dy=1", "x=2, y=nan, dx=1, dy=0"];
  let example = "kn.fmax(kn.asarray([1.0, float('nan')]), 0.5)";
}
def Kiln_FminOp : Kiln_Binary<"fmin"> {
  let summary = "Smaller of two elements, the other one where one is nan.";
  let dtypes = "real"; let scalar = "fmin(a, b)";
  let gradient = Gradient<[(op "select", (op "equal", $x, $y), (op "multiply", $ct, (number "0.5")),
                               (op "select", (op "logical_or", (op "greater", $y, $x), (op "isnan", $y)), $ct, (number "0"))),
                           (op "select", (op "equal", $x, $y), (op "multiply", $ct, (number "0.5")),
                               (op "select", (op "logical_or", (op "greater", $x, $y), (op "isnan", $x)), $ct, (number "0")))]>;
  let edges = ["x=1, y=1, dx=0.5, dy=0.5", "x=nan, y=1, dx=0, dy=1", "x=2, y=nan, dx=1, dy=0"];
  let example = "kn.fmin(kn.asarray([1.0, float('nan')]), 0.5)";
}
def Kiln_HeavisideOp : Kiln_Binary<"heaviside"> {
  let summary = "0 where the first element is negative, 1 where it is positive, the second one where it is 0; nan stays nan.";
  let dtypes = "realFloating"; let floatResult = 1; let scalar = "heaviside(a, b)";
  let gradient = Gradient<[(nothing), (op "select", (op "equal", $x, (number "0")), $ct, (number "0"))]>;
  let edges = ["x=0, y=2, dx=0, dy=1", "x=1, y=2, dx=0, dy=0"];
  let example = "kn.heaviside(kn.asarray([-1.0, 0.0, 2.0]), 0.5)";
}
def Kiln_CbrtOp : Kiln_Unary<"cbrt"> {
  let summary = "Cube root, with the sign of each element.";
  let dtypes = "realFloating"; let floatResult = 1; let cost = 15; let ulp = 2; let scalar = "math::cbrt(a)";
  let gradient = Gradient<[(op "divide", $ct, (op "multiply", (op "square", $result), (number "3")))], 1>;
  let edges = ["x=0, dx=inf", "x=inf, dx=0"];
  let example = "kn.cbrt(kn.asarray([27.0, -8.0]))";
}
def Kiln_Logaddexp2Op : Kiln_Binary<"logaddexp2"> {
  let summary = "Logarithm to base 2 of the sum of 2 to the power of each of two elements.";
  let dtypes = "realFloating"; let floatResult = 1; let cost = 40; let ulp = 8; let scalar = "math::logaddexp2(a, b)";
  // Infinities, and what is lost in rounding, have constant shares.
  defvar isX = (op "equal", $x, $result);
  defvar isY = (op "equal", $y, $result);
  defvar isBoth = (op "logical_and", isX, isY);
  defvar behindX = (op "select", isX, (number "0"), (op "subtract", $x, $result));
  defvar behindY = (op "select", isY, (number "0"), (op "subtract", $y, $result));
  let gradient = Gradient<[(op "multiply", $ct, (op "exp2", (op "select", isBoth, (number "-1"), behindX))),
                           (op "multiply", $ct, (op "exp2", (op "select", isBoth, (number "-1"), behindY)))]>;
  let edges = ["x=-inf, y=-inf, dx=0.5, dy=0.5", "x=inf, y=1, dx=1, dy=0", "x=-inf, y=1, dx=0, dy=1", "x=inf, y=inf, dx=0.5, dy=0.5"];
  let example = "kn.logaddexp2(kn.asarray([0.0]), 0.0)";
}

class Kiln_Rounding<string mnemonic> : Kiln_UnaryReal<mnemonic> {
  let scalar = mnemonic # "(a)";
  let gradient = NonDifferentiable<"it is piecewise constant">;
  let example = "kn." # mnemonic # "(kn.asarray([-1.5, 0.5, 2.7]))";
}
def Kiln_FloorOp : Kiln_Rounding<"floor"> { let summary = "Largest integer that is not above; integers as they are."; }
def Kiln_CeilOp : Kiln_Rounding<"ceil"> { let summary = "Smallest integer that is not below; integers as they are."; }
def Kiln_TruncOp : Kiln_Rounding<"trunc"> { let summary = "The integer towards zero; integers as they are."; }
def Kiln_RoundOp : Kiln_Rounding<"round"> { let summary = "Nearest integer, halves to the even one; integers as they are; both parts of complex numbers."; let dtypes = "numeric"; }

#endif
