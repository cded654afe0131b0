// The kiln dialect: array operations on builtin tensors. One record an op; everything that knows the op by name is
// generated from its record by tools/kiln-opgen.
#ifndef KILN_BASE
#define KILN_BASE

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Kiln_Dialect : Dialect {
  let name = "kiln";
  let cppNamespace = "::kiln::ir";
  let summary = "Array programs: what a traced Python function says.";
  let description = [{
    Operations on builtin tensors with value semantics. `i1` is bool, signless integers are signed, `ui8`...`ui64`
    unsigned. A dynamic dimension carries the number of its symbol in the tensor's encoding, `#kiln.symbols`.
  }];
  let useDefaultAttributePrinterParser = 1;
}

def Kiln_SymbolsAttr : AttrDef<Kiln_Dialect, "Symbols"> {
  let mnemonic = "symbols";
  let summary = "The symbol of each dimension of a tensor, -1 where the dimension is static.";
  let parameters = (ins ArrayRefParameter<"int64_t">:$numbers);
  let assemblyFormat = "`<` $numbers `>`";
}

// Verified by the inference rule of the op's record: lib/Core/Infer.h holds each rule once, for every user of it.
def InferredByCore : NativeOpTrait<"InferredByCore"> { let cppNamespace = "::kiln::ir"; }

def Kiln_Tensor : RankedTensorOf<[I1, I8, I16, I32, I64, UI8, UI16, UI32, UI64, F16, BF16, F32, F64, Complex<F32>, Complex<F64>,
                                  F8E4M3FN, F8E5M2]>;

// Gradient decisions. A rule is a DAG of ops by mnemonic with $ct the cotangent of the result; see docs/recipes.
class GradientDecision;
class Gradient<list<dag> rules> : GradientDecision { list<dag> vjp = rules; }
class NonDifferentiable<string reason> : GradientDecision { string why = reason; }
class GradientInCpp<string reason> : GradientDecision { string why = reason; }
def op;   // the operator of gradient DAGs: (op "multiply", $ct, $y)

class Kiln_Op<string mnemonic, list<Trait> traits = [Pure, InferredByCore]> : Op<Kiln_Dialect, mnemonic, traits> {
  // The inference rule: a function of lib/Core/Infer.h; of the kind control one of lib/Core/Control.h, for any number of results.
  string infer = ?;
  // How codegen treats it: the names of enum Kind in lib/Core/Ops.h.
  string kind = ?;
  // Scalar lowering, a C++ expression over operands a, b, c and the result type `t` (dialects/kiln/math/Scalar.h): emitted
  // by codegen, computed by the reference interpreter. Narrow floats arrive as float32.
  string scalar = "";
  // The element that `scalar` leaves as it is (with `a` for its dtype), and the result over no elements, where it differs.
  string identity = ""; string empty = identity;
  // Of the kind library: the function of lib/Library that the runtime calls.
  string routine = "";
  // The op moves or inspects bits: narrow floats are not widened.
  bit native = 0;
  // The order of accumulation shows in the bits.
  bit blocked = 0;
  // A reduction that has no value over an empty axis.
  bit needsElement = 0;
  // Has kernels in the eager pack.
  bit eager = 1;
  // Raised when the meaning of the op in a serialized trace changes; `upgrade` then names the C++ function (lib/Core/Upgrade.h)
  // that rewrites an older entry.
  int version = 1; string upgrade = "";
  // Words that a trace adds after the attributes because MLIR keeps them in the result type: dtype, shape.
  list<string> resultWords = [];
  // Attributes that count elements of an axis, and so follow its size: in a program for any size they may be symbols.
  list<string> sized = [];
  // Accepted dtypes of the operands: a name of enum Accepts in lib/Core/Ops.h.
  string dtypes = "any";
  // True when operands of mixed dtypes are promoted and broadcast before the op is recorded, as NumPy's ufuncs do.
  bit ufunc = 0;
  // Integer operands become the default floating dtype before the op (sqrt(4) is 2.0).
  bit floatResult = 0;
  // Relative cost of one element; from 10 on a value is kept rather than computed twice.
  int cost = 1;
  GradientDecision gradient = ?;
  // The NumPy function that the generated parity tests compare with; "" where Python code of the package stands between.
  string numpy = "";
  // What the parity tests draw operands from (low, high), and the tolerance in units of the last place.
  list<int> domain = [-8, 8];
  int ulp = 0;
  // Executed in the reference page; `kn` and `np` are imported.
  string example = ?;
}

// Elementwise: operands and result have one shape.
class Kiln_Unary<string mnemonic> : Kiln_Op<mnemonic> {
  let arguments = (ins Kiln_Tensor:$x);
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let infer = "inferElementwise"; let kind = "elementwise"; let ufunc = 1; let dtypes = "numeric"; let numpy = mnemonic;
}
class Kiln_UnaryReal<string mnemonic> : Kiln_Unary<mnemonic> {
  let dtypes = "real";
}
class Kiln_UnaryMath<string mnemonic> : Kiln_Unary<mnemonic> {
  let dtypes = "floating"; let floatResult = 1; let cost = 20; let ulp = 4; let scalar = "math::" # mnemonic # "(a)";
}
class Kiln_Binary<string mnemonic> : Kiln_Op<mnemonic> {
  let arguments = (ins Kiln_Tensor:$x, Kiln_Tensor:$y);
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let infer = "inferElementwise"; let kind = "elementwise"; let ufunc = 1; let dtypes = "numeric"; let numpy = mnemonic;
}
class Kiln_Ternary<string mnemonic> : Kiln_Op<mnemonic> {
  let arguments = (ins Kiln_Tensor:$x, Kiln_Tensor:$y, Kiln_Tensor:$z);
  let results = (outs Kiln_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let infer = "inferElementwise"; let kind = "elementwise";
}
class Kiln_Comparison<string mnemonic> : Kiln_Binary<mnemonic> {
  let infer = "inferComparison"; let dtypes = "all"; let scalar = mnemonic # "(a, b)";
  let gradient = NonDifferentiable<"a comparison is piecewise constant">;
  let example = "kn." # mnemonic # "(kn.asarray([1.0, 2.0, 3.0]), 2.0)";
}

#endif
