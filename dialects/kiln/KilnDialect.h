// The kiln dialect in C++.
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "lib/Core/Ops.h"
#include "lib/Core/Size.h"

namespace kiln::ir {

/// What an op reads of an operand for one position of its result.
enum class Access {
  Same,   // the element at the same position
  Moved,  // one element, at a position that follows from that one
  Line,   // the elements along an axis
  Any,    // any elements
  Memory, // any elements, as they lie in memory
};
/// What the record of an op says of an operand, or else its kind.
Access accessOf(Op op, llvm::ArrayRef<Access> record, unsigned operand);

mlir::LogicalResult verifyInferred(mlir::Operation *op);

/// The result has the type that the record's inference rule gives.
template <typename ConcreteType> class InferredByCore : public mlir::OpTrait::TraitBase<ConcreteType, InferredByCore> {
public:
  static mlir::LogicalResult verifyTrait(mlir::Operation *op) { return verifyInferred(op); }
};

/// Of a program for any size: how many symbols it has; the sizes that each further symbol is the product of; the types of the
/// blocks of its workspace whose size is open.
inline constexpr llvm::StringLiteral kSymbols = "kiln.symbols", kProducts = "kiln.products", kBlocks = "kiln.workspace_blocks";
/// Of a body: how many of its symbols, the first, the operation that runs it is given as operands.
inline constexpr llvm::StringLiteral kGiven = "kiln.given";
/// Of an argument: its strides where they are not row-major, and the device that it is on where it is not the host.
inline constexpr llvm::StringLiteral kStrides = "kiln.strides", kDevice = "kiln.device";
/// Of a program and its bodies: results need not be those of the operations one by one (docs/numerics.md).
inline constexpr llvm::StringLiteral kFastMath = "kiln.fast_math";
/// Of an argument: its elements in a test, for kiln-run. Of an argument or result: its name in a library.
inline constexpr llvm::StringLiteral kInput = "kiln.input", kName = "kiln.name";
/// Of a program, and of all of a module that is emitted: the bytes of its workspace; -1 where they follow from symbols.
inline constexpr llvm::StringLiteral kWorkspaceBytes = "kiln.workspace_bytes";
/// Of a result: the argument in the place of whose content it is, which nobody reads any more; and where that argument's memory is
/// what it lies in; of a module that is emitted the same as a list, by result, with -1.
inline constexpr llvm::StringLiteral kReplaces = "kiln.replaces", kInPlace = "kiln.in_place";
/// The product of sizes in the program around `op`, as a size: a number, a symbol, or a further symbol.
Size productOf(mlir::Operation *op, llvm::ArrayRef<Size> sizes);
/// Sizes as attributes keep them, in the words of a trace, and back; whether words are such.
bool areSizes(llvm::ArrayRef<int64_t> words);
llvm::SmallVector<Size> sizesOf(llvm::ArrayRef<int64_t> words);
llvm::SmallVector<int64_t> wordsOfSizes(llvm::ArrayRef<Size> sizes);
/// The symbols of a program that its caller gives.
int64_t symbolsOf(mlir::Operation *function);
/// Those of a body that operands give.
int64_t givenOf(mlir::Operation *function);

/// The functions that an op names as its bodies.
llvm::SmallVector<mlir::FlatSymbolRefAttr> bodiesOf(mlir::Operation *op);
/// A number of the dtype with these bits, and back.
mlir::TypedAttr scalarAttr(mlir::MLIRContext *context, DType dtype, int64_t bits);
int64_t scalarBits(mlir::Attribute value);

mlir::Type elementType(mlir::MLIRContext *context, DType dtype);
DType dtypeOf(mlir::Type element);
/// Whether a type is that of an element, or of an array, that a trace can name.
bool isElement(mlir::Type type);
bool isArray(mlir::Type type);
/// The type of an array: what the dialect says with a tensor type.
mlir::RankedTensorType tensorType(mlir::MLIRContext *context, const TensorType &type);
TensorType typeOf(mlir::Type type);
inline TensorType typeOf(mlir::Value value) { return typeOf(value.getType()); }
/// What stands at each axis of the operand of a reshape by unit axes, given what stands at those of its result.
template <typename T> llvm::SmallVector<T, 4> throughUnitAxes(const Shape &from, const Shape &to, llvm::ArrayRef<T> at, T unit) {
  llvm::SmallVector<T, 4> result;
  int j = 0;
  for (int i = 0; i < from.rank; ++i) {
    while (!from[i].is(1) && to[j].is(1)) ++j;
    result.push_back(from[i].is(1) ? unit : at[size_t(j++)]);
  }
  return result;
}

} // namespace kiln::ir

#include "kiln/KilnDialect.h.inc"
#include "kiln/KilnEnums.h.inc"
#include "kiln/KilnAttrInterfaces.h.inc"
#define GET_ATTRDEF_CLASSES
#include "kiln/KilnAttrs.h.inc"
#include "kiln/ArrayOp.h.inc"
#define GET_OP_CLASSES
#include "kiln/KilnOps.h.inc"

namespace kiln::ir {

inline bool isKind(mlir::Operation *op, Kind kind) {
  auto array = llvm::dyn_cast_or_null<ArrayOp>(op);
  return array && array.getKind() == kind;
}
/// Loops over the elements of arrays, along an axis of which they may reduce: they take in what stands before and behind it.
inline bool isNest(KernelKind kind) { return kind == KernelKind::Elementwise || kind == KernelKind::Reduction; }
/// Products and convolutions, which go on elementwise from their result, part by part.
inline bool takesEpilogue(KernelKind kind) { return kind == KernelKind::Contraction || kind == KernelKind::Convolution; }
/// Calls, of routines or of bodies, which read whole arrays from memory.
inline bool isCall(KernelKind kind) { return kind == KernelKind::Library || kind == KernelKind::Control; }
/// The kind of the kernels that an op runs in; none for what runs in any.
std::optional<KernelKind> kernelKindOf(mlir::Operation *op);
/// What a reduction, or a contraction with a vector, runs over: a shape and the axis that it loses.
std::pair<Shape, int> reducedSpace(mlir::Operation *op);
/// Whether a reshape only adds or drops axes of size 1.
bool addsOnlyUnitAxes(mlir::Operation *op);
/// A contraction with a vector runs as a reduction of the matrix.
bool isVectorProduct(mlir::Operation *op);
/// The value whose memory a value names, through reshapes.
mlir::Value memoryOf(mlir::Value value);
/// Whether an operation changes one element of its first operand, which it may read as well: that is over before it writes.
bool changesOneElement(mlir::Operation *op);
/// Whether a gather takes the elements of an array where a mask, as long as it, is true: in order, which a kernel of kind "compact" does at
/// once; then the last element, to which the position -1 leads.
bool isCompress(GatherOp gather);
/// Whether a reduction adds integers that are 1 where an element is true, else 0; its operand is then a cast of the elements.
bool isCount(mlir::Operation *op);

} // namespace kiln::ir
