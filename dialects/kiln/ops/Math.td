// Mathematical functions; the implementations are in dialects/kiln/math.
#ifndef KILN_MATH
#define KILN_MATH
include "dialects/kiln/KilnBase.td"

def Kiln_SqrtOp : Kiln_UnaryMath<"sqrt"> {
  let summary = "Square root, correctly rounded; nan below zero.";
  let scalar = "sqrt(a)"; let cost = 4; let ulp = 0; let domain = [0, 100];
  let gradient = Gradient<[(op "divide", (op "divide", $ct, (op "sqrt", $x)), (op "constant_like", $x, 2))]>;
  let example = "kn.sqrt(kn.asarray([4.0, 2.0]))";
}
def Kiln_ExpOp : Kiln_UnaryMath<"exp"> {
  let summary = "Exponential, e raised to each element.";
  let gradient = Gradient<[(op "multiply", $ct, (op "exp", $x))]>;
  let example = "kn.exp(kn.asarray([0.0, 1.0]))";
}
def Kiln_LogOp : Kiln_UnaryMath<"log"> {
  let summary = "Natural logarithm; -inf at zero, nan below it.";
  let domain = [0, 100];
  let gradient = Gradient<[(op "divide", $ct, $x)]>;
  let example = "kn.log(kn.asarray([1.0, 10.0]))";
}
def Kiln_TanhOp : Kiln_UnaryMath<"tanh"> {
  let summary = "Hyperbolic tangent.";
  let gradient = Gradient<[(op "subtract", $ct, (op "multiply", $ct, (op "multiply", (op "tanh", $x), (op "tanh", $x))))]>;
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

#endif
