// The kiln dialect: array operations on builtin tensors. One record an op; everything that knows the op by name is
// generated from its record by tools/kiln-opgen.
#ifndef KILN_BASE
#define KILN_BASE

include "mlir/IR/TensorEncoding.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/kiln/ArrayOp.td"

def Kiln_Dialect : Dialect {
  let name = "kiln";
  let cppNamespace = "::kiln::ir";
  let summary = "Array programs: what a traced Python function says.";
  let description = [{
    Operations on builtin tensors with value semantics. `i1` is bool, signless integers are signed, `ui8`...`ui64`
    unsigned. A dynamic dimension carries the number of its symbol in the tensor's encoding, `#kiln.symbols`.
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
}

def Kiln_SymbolsAttr : AttrDef<Kiln_Dialect, "Symbols", [DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let mnemonic = "symbols";
  let summary = "The symbol of each dimension of a tensor, -1 where the dimension is static.";
  let parameters = (ins ArrayRefParameter<"int64_t">:$numbers);
  let assemblyFormat = "`<` $numbers `>`";
}

// Verified by the inference rule of the op's record: lib/Core/Infer.h holds each rule once, for every user of it.
def InferredByCore : NativeOpTrait<"InferredByCore"> { let cppNamespace = "::kiln::ir"; }

// A list that counts elements of axes, and so follows sizes: in a program for any size they may be symbols.
def Kiln_Sizes : Attr<And<[DenseI64ArrayAttr.predicate,
                           CPred<"::kiln::ir::areSizes(::llvm::cast<::mlir::DenseI64ArrayAttr>($_self).asArrayRef())">]>,
                      "sizes, or positions that follow from sizes"> {
  let storageType = "::mlir::DenseI64ArrayAttr";
  let returnType = "::llvm::SmallVector<::kiln::Size>";
  let convertFromStorage = "::kiln::ir::sizesOf($_self.asArrayRef())";
}

// One of them.
def Kiln_Size : Attr<And<[I64Attr.predicate, CPred<"::kiln::ir::areSizes({::llvm::cast<::mlir::IntegerAttr>($_self).getInt()})">]>, "a size"> {
  let storageType = "::mlir::IntegerAttr";
  let returnType = "::kiln::Size";
  let convertFromStorage = "::kiln::ir::sizesOf({$_self.getInt()})[0]";
}

def Kiln_Tensor : RankedTensorOf<[I1, I8, I16, I32, I64, UI8, UI16, UI32, UI64, F16, BF16, F32, F64, Complex<F32>, Complex<F64>,
                                  F8E4M3FN, F8E5M2]>;

// How an op is differentiated (docs/gradients.md). tools/kiln-opgen makes the rules of frontend/rules of this.
class GradientDecision;
// One DAG an operand: what the derivative by it makes of $ct, in which it is linear. It may read the operands and $result. A JVP is the
// sum over the operands with their tangents as $ct; a VJP has the cotangent as $ct, conjugated before and after. Ops in a DAG are elementwise:
// (op "multiply", $ct, $y). A number takes the dtype of what is beside it.
// A singular derivative can be infinite or nan: there 0 stays 0.
class Gradient<list<dag> dags, bit isSingular = 0> : GradientDecision { list<dag> derivatives = dags; bit singular = isSingular; }
def op;
def number;  // (number "0.5")
def same;    // (same $ct)
def nothing; // (nothing): the result does not change with the operand
// vjp::symbol and jvp::symbol in frontend/rules; `how` is said in the reference page.
class InCpp<string name, string text> : GradientDecision { string symbol = name; string how = text; list<string> linear = []; bit jointly = 1; }
// The same of an op that is linear in all of `operands` at once: its JVP is the op over their tangents.
class Linear<string name, string text, list<string> operands = ["x"]> : InCpp<name, text> { let linear = operands; }
// The same of an op that is linear in each of `operands`: its JVP is the sum over them of the op with one tangent.
class Multilinear<string name, string text, list<string> operands> : Linear<name, text, operands> { let jointly = 0; }
// No gradient flows: by every operand it is 0, or there is none.
class NonDifferentiable<string reason> : GradientDecision { string why = reason; }

// How an op runs for a batch: the same op over operands with one more axis, which is the first. Elementwise ops need no decision.
class BatchDecision;
// All operands have that axis, or repeat along it; attributes named in `axes` count from one more.
class Shifted<list<string> attributes = []> : BatchDecision { list<string> axes = attributes; }
// batch::symbol in frontend/rules.
class BatchInCpp<string name> : BatchDecision { string symbol = name; }

class Kiln_Op<string mnemonic, list<Trait> traits = [Pure, InferredByCore]>
    : Op<Kiln_Dialect, mnemonic, traits # [Kiln_ArrayOpInterface]> {
  // The entry of the op in enum Op.
  string id = !subst("_Kiln_", "", !subst("Op_", "", "_" # NAME # "_"));
  // The inference rule: a function of lib/Core/Infer.h; of the kind control one of lib/Core/Control.h, for any number of results.
  string infer = ?;
  // How codegen treats it: the names of enum Kind in lib/Core/Ops.h.
  string kind = ?;
  // Scalar lowering, a C++ expression over operands a, b, c and the result type `t` (dialects/kiln/math/Scalar.h): emitted
  // by codegen, computed by the reference interpreter. Narrow floats arrive as float32.
  string scalar = "";
  // Of one element in C++ over x and y of a type T, to the bit what kernels give; "" where that is not as plain. Of floats, and of integers,
  // where u and v are x and y as uint64_t, which wrap. `...If`: of which operands.
  string floatElement = ""; string floatElementIf = "true";
  string integerElement = ""; string integerElementIf = "true";
  // A number beside an array decides in which way the op is computed.
  bit byNumber = 0;
  // The element that `scalar` leaves as it is (with `a` for its dtype; of an arg-reduction one that beats no other), and the result over no
  // elements, where it differs.
  string identity = ""; string empty = identity;
  // Of the kind library: the function of lib/Library that the runtime calls.
  string routine = "";
  // Of the kind library: the function of codegen/nvptx/LibraryCalls.h that says which routines of a device's libraries do it. Empty: none.
  string device = "";
  // Of the kind library: the routines that native libraries can have, of which it is one, as kiln_<op> of codegen/library/support:
  // Fourier, or Decompositions. Empty: they have none for it.
  string linked = "";
  // The op moves or inspects bits: narrow floats are not widened.
  bit native = 0;
  // The order of accumulation shows in the bits.
  bit blocked = 0;
  // A reduction that has no value over an empty axis.
  bit needsElement = 0;
  // Has kernels in the eager pack.
  bit eager = 1;
  // How one position of the result reads an operand: a name of enum Access in KilnDialect.h, for all operands or for each, the last one
  // for those that follow. Left out: by the kind.
  list<string> access = [];
  // The axes of the main operand that the op reduces, scans, sorts, in C++ over its accessors, and which operand that is.
  string along = "{}"; string mainIndex = "0";
  // Raised when the meaning of the op in a serialized trace changes; `upgrade` then names the C++ function (lib/Core/Upgrade.h)
  // that rewrites an older entry.
  int version = 1; string upgrade = "";
  // Words that a trace adds after the attributes because MLIR keeps them in the result type: dtype, shape.
  list<string> resultWords = [];
  // Accepted dtypes of the operands: a name of enum Accepts in lib/Core/Ops.h.
  string dtypes = "any";
  // True when operands of mixed dtypes are promoted and broadcast before the op is recorded, as NumPy's ufuncs do.
  bit ufunc = 0;
  // Integer operands become the default floating dtype before the op (sqrt(4) is 2.0).
  bit floatResult = 0;
  // Relative cost of one element; from 10 on a value is kept rather than computed twice.
  int cost = 1;
  GradientDecision gradient = ?;
  BatchDecision batching = ?;
  // The NumPy function that the generated parity tests compare with; "" where Python code of the package stands between.
  string numpy = "";
  // What the parity tests draw operands from (low, high), and the tolerance in units of the last place.
  list<int> domain = [-8, 8];
  int ulp = 0;
  // Calls that the tests of rules make, as keywords of Python: of an operand the shape, as a tuple, or what it holds, as a list; attributes;
  // dtype and shape of the result. Elementwise ops have theirs.
  list<string> samples = [];
  // Derivatives where they are a convention or a limit: operands, and d<operand> of each.
  list<string> edges = [];
  // Executed in the reference page; `kn` and `np` are imported.
  string example = ?;
  let extraClassDeclaration = "static ::kiln::Op getId() { return ::kiln::Op::" # id # "; }\n"
      # "::llvm::SmallVector<int64_t, 2> getAlong() { return " # along # "; }\n"
      # "unsigned getMainIndex() { return " # mainIndex # "; }\n"
      # "::kiln::ir::Access getAccess(unsigned operand) { return accessOf(getId(), {"
      # !interleave(!foreach(a, access, "::kiln::ir::Access::" # a), ", ") # "}, operand); }\n";
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
class Kiln_Comparison<string mnemonic, string element = ""> : Kiln_Binary<mnemonic> {
  let floatElement = element; let integerElement = element;
  let infer = "inferComparison"; let dtypes = "all"; let scalar = mnemonic # "(a, b)";
  let gradient = NonDifferentiable<"a comparison is piecewise constant">;
  let example = "kn." # mnemonic # "(kn.asarray([1.0, 2.0, 3.0]), 2.0)";
}

#endif
