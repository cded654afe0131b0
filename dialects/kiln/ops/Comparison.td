// Comparison, logic and choice.
#ifndef KILN_COMPARISON
#define KILN_COMPARISON
include "dialects/kiln/KilnBase.td"

def Kiln_EqualOp : Kiln_Comparison<"equal", "x == y"> { let summary = "True where two elements are equal; nan equals nothing."; }
def Kiln_NotEqualOp : Kiln_Comparison<"not_equal", "x != y"> { let summary = "True where two elements differ; nan differs from all."; }
def Kiln_LessOp : Kiln_Comparison<"less", "x < y"> { let dtypes = "ordered"; let summary = "True where the first element is smaller."; }
def Kiln_LessEqualOp : Kiln_Comparison<"less_equal", "x <= y"> { let dtypes = "ordered"; let summary = "True where the first element is smaller or equal."; }
def Kiln_GreaterOp : Kiln_Comparison<"greater", "x > y"> { let dtypes = "ordered"; let summary = "True where the first element is larger."; }
def Kiln_GreaterEqualOp : Kiln_Comparison<"greater_equal", "x >= y"> { let dtypes = "ordered"; let summary = "True where the first element is larger or equal."; }

class Kiln_Bitwise<string mnemonic> : Kiln_Binary<mnemonic> {
  let dtypes = "integral"; let gradient = NonDifferentiable<"bits have no derivative">;
  let scalar = mnemonic # "(a, b)";
}
def Kiln_BitwiseAndOp : Kiln_Bitwise<"bitwise_and"> {
  let integerElement = "u & v";
  let summary = "Bitwise and of integers, logical and of bools.";
  let example = "kn.bitwise_and(kn.asarray([6, 5]), 3)";
}
def Kiln_BitwiseOrOp : Kiln_Bitwise<"bitwise_or"> {
  let integerElement = "u | v";
  let summary = "Bitwise or of integers, logical or of bools.";
  let example = "kn.bitwise_or(kn.asarray([6, 5]), 3)";
}
def Kiln_BitwiseXorOp : Kiln_Bitwise<"bitwise_xor"> {
  let integerElement = "u ^ v";
  let summary = "Bitwise exclusive or of integers, inequality of bools.";
  let example = "kn.bitwise_xor(kn.asarray([True, False]), True)";
}
def Kiln_BitwiseInvertOp : Kiln_Unary<"bitwise_invert"> {
  let summary = "Flipped bits of integers, logical not of bools.";
  let dtypes = "integral"; let gradient = NonDifferentiable<"bits have no derivative">;
  let scalar = "bitwise_invert(a)";
  let example = "kn.bitwise_invert(kn.asarray([True, False]))";
}
class Kiln_Shift<string mnemonic> : Kiln_Bitwise<mnemonic> {
  let dtypes = "integer"; let domain = [0, 7];
  let example = "kn." # mnemonic # "(kn.asarray([6, 5]), 1)";
}
def Kiln_BitwiseLeftShiftOp : Kiln_Shift<"bitwise_left_shift"> {
  let summary = "Bits moved up by the second element; 0 from the width on, and for negative shifts.";
  let scalar = "leftShift(a, b)";
  let integerElement = "u << y"; let integerElementIf = "y >= 0 && v < 8 * sizeof(T)";
}
def Kiln_BitwiseRightShiftOp : Kiln_Shift<"bitwise_right_shift"> {
  let summary = "Bits moved down by the second element, signed integers filled with their sign; 0 or -1 from the width on.";
  let scalar = "rightShift(a, b)";
  let integerElement = "x >> y"; let integerElementIf = "y >= 0 && v < 8 * sizeof(T)";
}
def Kiln_BitwiseCountOp : Kiln_Unary<"bitwise_count"> {
  let summary = "Number of bits set in the size of each integer.";
  let dtypes = "integer"; let gradient = NonDifferentiable<"bits have no derivative">; let numpy = ""; // uint8 there
  let scalar = "popcount(abs(a))";
  let example = "kn.bitwise_count(kn.asarray([7, 8]))";
}
def Kiln_SelectOp : Kiln_Op<"select"> {
  let summary = "Elements of `x` where `condition` is true, of `y` elsewhere.";
  let arguments = (ins Kiln_Tensor:$condition, Kiln_Tensor:$x, Kiln_Tensor:$y);
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let infer = "inferSelect"; let kind = "elementwise";
  let scalar = "select(a, b, c)"; let native = 1;
  let gradient = Gradient<[(nothing), (op "select", $condition, $ct, (number "0")), (op "select", $condition, (number "0"), $ct)]>;
  let example = "kn.where(kn.asarray([True, False]), kn.asarray([1.0, 2.0]), 0.0)";
}

class Kiln_Test<string mnemonic> : Kiln_Unary<mnemonic> {
  let infer = "inferComparison"; let dtypes = "all"; let scalar = mnemonic # "(a)";
  let gradient = NonDifferentiable<"a test is piecewise constant">;
  let example = "kn." # mnemonic # "(kn.asarray([1.0, float('nan'), float('inf')]))";
}
def Kiln_IsnanOp : Kiln_Test<"isnan"> { let summary = "True where an element is nan."; }
def Kiln_IsinfOp : Kiln_Test<"isinf"> { let summary = "True where an element is an infinity."; }
def Kiln_IsfiniteOp : Kiln_Test<"isfinite"> { let summary = "True where an element is neither nan nor an infinity."; }
def Kiln_SignbitOp : Kiln_Test<"signbit"> {
  let summary = "True where the sign bit is set: negative numbers, -0.0, negative nan.";
  let dtypes = "realFloating"; let floatResult = 1; let scalar = "signbit(a)";
}
def Kiln_LogicalNotOp : Kiln_Test<"logical_not"> {
  let summary = "True where an element is false (0).";
  let scalar = "equal(a, constant(a, 0))";
}

class Kiln_Logical<string mnemonic, string bitwise> : Kiln_Comparison<mnemonic> {
  let scalar = bitwise # "(cast(a, DType::Bool), cast(b, DType::Bool))";
  let gradient = NonDifferentiable<"truth values have no derivative">;
  let example = "kn." # mnemonic # "(kn.asarray([True, False]), True)";
}
def Kiln_LogicalAndOp : Kiln_Logical<"logical_and", "bitwise_and"> { let summary = "True where both elements are true (not 0)."; }
def Kiln_LogicalOrOp : Kiln_Logical<"logical_or", "bitwise_or"> { let summary = "True where one of the elements is true (not 0)."; }
def Kiln_LogicalXorOp : Kiln_Logical<"logical_xor", "bitwise_xor"> { let summary = "True where just one element is true (not 0)."; }

#endif
