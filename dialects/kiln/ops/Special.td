// Special functions and parts of complex numbers.
#ifndef KILN_SPECIAL
#define KILN_SPECIAL
include "dialects/kiln/KilnBase.td"

class Kiln_UnarySpecial<string mnemonic> : Kiln_UnaryMath<mnemonic> { let dtypes = "realFloating"; let cost = 40; }
def Kiln_ErfOp : Kiln_UnarySpecial<"erf"> { let numpy = "special.erf";
  let summary = "Error function.";
  let gradient = Gradient<[(op "multiply", $ct, (op "multiply", (op "exp", (op "negative", (op "square", $x))), (number "1.1283791670955126")))]>;
  let example = "kn.erf(kn.asarray([0.0, 0.5, 3.0]))";
}
def Kiln_ErfcOp : Kiln_UnarySpecial<"erfc"> { let numpy = "special.erfc";
  let summary = "One less the error function, exact in the upper tail.";
  let gradient = Gradient<[(op "multiply", $ct, (op "multiply", (op "exp", (op "negative", (op "square", $x))), (number "-1.1283791670955126")))]>;
  let example = "kn.erfc(kn.asarray([0.0, 5.0]))";
}
def Kiln_ErfinvOp : Kiln_UnarySpecial<"erfinv"> { let numpy = "special.erfinv";
  let summary = "Inverse of the error function; infinite at -1 and 1, nan beyond."; let domain = [-1, 1]; let cost = 120;
  let gradient = Gradient<[(op "multiply", $ct, (op "multiply", (op "exp", (op "square", $result)), (number "0.886226925452758")))], 1>;
  let edges = ["x=1, dx=inf"];
  let example = "kn.erfinv(kn.asarray([0.0, 0.5]))";
}
def Kiln_LgammaOp : Kiln_UnarySpecial<"lgamma"> { let numpy = "special.gammaln";
  let summary = "Logarithm of the size of the gamma function; inf at 0 and the negative integers."; let cost = 120;
  let gradient = Gradient<[(op "multiply", $ct, (op "digamma", $x))], 1>;
  let example = "kn.lgamma(kn.asarray([1.0, 5.0, 0.5]))";
}
def Kiln_DigammaOp : Kiln_UnarySpecial<"digamma"> { let numpy = "special.digamma";
  let summary = "Derivative of lgamma; nan at 0 and the negative integers."; let cost = 120; let ulp = 16;
  let gradient = InCpp<"digamma", "the cotangent times the trigamma function">;
  let edges = ["x=1, dx=1.6449340668482264", "x=0.5, dx=4.934802200544679"];
  let example = "kn.digamma(kn.asarray([1.0, 5.0]))";
}

class Kiln_Part<string mnemonic> : Kiln_Unary<mnemonic> { let infer = "inferReal"; let scalar = mnemonic # "(a)"; let native = 1; }
def Kiln_RealOp : Kiln_Part<"real"> {
  let summary = "Real part; real numbers as they are.";
  let gradient = Linear<"real", "the cotangent as the real part, 0 as the imaginary one">;
  let example = "kn.real(kn.asarray([1 + 2j]))";
}
def Kiln_ImagOp : Kiln_Part<"imag"> {
  let summary = "Imaginary part; 0 for real numbers.";
  let gradient = Linear<"imag", "the cotangent as the imaginary part, 0 as the real one">;
  let example = "kn.imag(kn.asarray([1 + 2j]))";
}
def Kiln_ConjOp : Kiln_Unary<"conj"> {
  let summary = "Complex conjugate; real numbers as they are.";
  let scalar = "conj(a)"; let native = 1;
  let gradient = Gradient<[(op "conj", $ct)]>;
  let example = "kn.conj(kn.asarray([1 + 2j]))";
}
def Kiln_ComplexOp : Kiln_Binary<"complex"> {
  let summary = "Complex numbers of their real and imaginary parts.";
  let dtypes = "realFloating"; let floatResult = 1; let infer = "inferComplex"; let scalar = "complex(a, b)"; let numpy = "";
  let gradient = Linear<"complex", "the parts of the cotangent", ["x", "y"]>;
  let example = "kn.complex(kn.asarray([1.0]), 2.0)";
}

#endif
