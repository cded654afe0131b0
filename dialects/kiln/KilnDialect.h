// The kiln dialect in C++, and the bridge between its ops and the op table of lib/Core.
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "lib/Core/Ops.h"

namespace kiln::ir {

class CustomOp;
/// Attributes of a custom op as the words of a trace. Throws Error (value) where they are not those of the registered op.
llvm::SmallVector<int64_t> customWords(CustomOp op);
/// Adds them.
void addCustomAttributes(mlir::OperationState &state, mlir::OpBuilder &builder, llvm::ArrayRef<int64_t> words);

mlir::LogicalResult verifyInferred(mlir::Operation *op);

/// The result has the type that the record's inference rule gives.
template <typename ConcreteType> class InferredByCore : public mlir::OpTrait::TraitBase<ConcreteType, InferredByCore> {
public:
  static mlir::LogicalResult verifyTrait(mlir::Operation *op) { return verifyInferred(op); }
};

/// The kinds of kernels, and their names in `kiln.kernel`: each has an emitter.
enum class KernelKind { Elementwise, Reduction, Contraction, Assemble, Scatter, Scan, Compact, Sort, Convolution, Library };
inline constexpr llvm::StringRef kKernelKinds[] = {"elementwise", "reduction", "contraction", "assemble",    "scatter",
                                                   "scan",        "compact",   "sort",        "convolution", "library"};

/// The kind of the kernels that an op runs in; none for what runs in any.
std::optional<KernelKind> kernelKindOf(mlir::Operation *op);
/// What a reduction, or a contraction with a vector, runs over: a shape and the axis that it loses.
std::pair<Dims, int> reducedSpace(mlir::Operation *op);
/// Whether a reshape only adds or drops axes of size 1.
bool addsOnlyUnitAxes(mlir::Operation *op);
/// A contraction with a vector runs as a reduction of the matrix.
bool isVectorProduct(mlir::Operation *op);

/// Of a program for any size: how many symbols it has; the sizes that each further symbol is the product of; the types of the
/// blocks of its workspace whose size is open.
inline constexpr llvm::StringLiteral kSymbols = "kiln.symbols", kProducts = "kiln.products", kBlocks = "kiln.workspace_blocks";
/// Of an argument: its strides where they are not row-major, and the device that it is on where it is not the host.
inline constexpr llvm::StringLiteral kStrides = "kiln.strides", kDevice = "kiln.device";
/// Of a kernel: why it is apart from those that it reads, for people: names and lines (slots of the trace) of its first operation and of
/// the last of the other kernel, and a text.
inline constexpr llvm::StringLiteral kApart = "kiln.apart";
/// The product of sizes in the program around `op`, as a size: a number, a symbol, or a further symbol.
int64_t productOf(mlir::Operation *op, llvm::ArrayRef<int64_t> sizes);
/// The symbols of a program that its caller gives.
int64_t symbolsOf(mlir::Operation *function);

/// The table entry of an op of this dialect, Op::Custom for a custom one; none for kernel and yield.
std::optional<Op> opOf(mlir::Operation *op);
/// Attributes and result parameters of an op as the words of a trace.
llvm::SmallVector<int64_t> wordsOf(mlir::Operation *op);
/// Builds the op that a trace entry says; of any number of results, and of one.
mlir::Operation *buildOp(mlir::OpBuilder &builder, mlir::Location loc, Op op, mlir::ValueRange operands, llvm::ArrayRef<int64_t> words,
                         llvm::ArrayRef<TensorType> types);
mlir::Operation *buildOp(mlir::OpBuilder &builder, mlir::Location loc, Op op, mlir::ValueRange operands, llvm::ArrayRef<int64_t> words,
                         const TensorType &type);

/// A number of the dtype with these bits, and back.
mlir::TypedAttr scalarAttr(mlir::MLIRContext *context, DType dtype, int64_t bits);
int64_t scalarBits(mlir::Attribute value);

mlir::Type elementType(mlir::MLIRContext *context, DType dtype);
DType dtypeOf(mlir::Type element);
/// Whether a type is that of an element, or of an array, that a trace can name.
bool isElement(mlir::Type type);
bool isArray(mlir::Type type);
mlir::RankedTensorType tensorType(mlir::MLIRContext *context, const TensorType &type);
TensorType typeOf(mlir::Type type);
inline TensorType typeOf(mlir::Value value) { return typeOf(value.getType()); }
inline bool isKind(mlir::Operation *op, Kind kind) {
  auto id = op ? opOf(op) : std::nullopt;
  return id && info(*id).kind == kind;
}

/// What stands at each axis of the operand of a reshape by unit axes, given what stands at those of its result.
template <typename T> llvm::SmallVector<T, 4> throughUnitAxes(const Dims &from, const Dims &to, llvm::ArrayRef<T> at, T unit) {
  llvm::SmallVector<T, 4> result;
  int j = 0;
  for (int i = 0; i < from.rank; ++i) {
    while (from[i] != 1 && to[j] == 1) ++j;
    result.push_back(from[i] == 1 ? unit : at[size_t(j++)]);
  }
  return result;
}

} // namespace kiln::ir

#include "kiln/KilnDialect.h.inc"
#include "kiln/KilnEnums.h.inc"
#include "kiln/KilnAttrInterfaces.h.inc"
#define GET_ATTRDEF_CLASSES
#include "kiln/KilnAttrs.h.inc"
#define GET_OP_CLASSES
#include "kiln/KilnOps.h.inc"
