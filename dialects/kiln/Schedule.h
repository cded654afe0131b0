// The text of schedules (Schedule.td) where it is not generated.
#pragma once

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectImplementation.h"

namespace kiln::ir {

/// A grain that follows from the sizes of a call.
inline constexpr int64_t kOpenGrain = mlir::ShapedType::kDynamic;

/// Whether a product is symmetric to the bit: element i, j has the factors of j, i.
bool isOfItself(DotGeneralOp dot);
/// float16 or bfloat16 where both operands of a product are such made float32; else float32.
DType narrowOf(DotGeneralOp dot);
/// Whether a reduction takes its elements in blocks, in an order that shows in the bits (docs/numerics.md).
bool isInBlocks(mlir::Operation *reduction);
/// Whether the elements of a scan may be joined in any groups of neighbours.
bool isGroupable(mlir::Operation *scan);
/// Whether its results so far may be in memory while a walk along the rows takes columns at once.
bool canSweep(mlir::Operation *reduction);

mlir::FailureOr<llvm::SmallVector<int64_t>> parseExtents(mlir::AsmParser &parser);
void printExtents(mlir::AsmPrinter &printer, llvm::ArrayRef<int64_t> extents);
mlir::FailureOr<int64_t> parseGrain(mlir::AsmParser &parser);
void printGrain(mlir::AsmPrinter &printer, int64_t grain);
mlir::FailureOr<llvm::SmallVector<int64_t>> parseNumbers(mlir::AsmParser &parser);
void printNumbers(mlir::AsmPrinter &printer, llvm::ArrayRef<int64_t> numbers);

/// Attributes in brackets, each without its dialect and keyword.
template <typename T> mlir::FailureOr<llvm::SmallVector<T>> parseList(mlir::AsmParser &parser) {
  llvm::SmallVector<T> list;
  auto parseOne = [&] {
    auto one = mlir::FieldParser<T>::parse(parser);
    if (succeeded(one)) list.push_back(*one);
    return mlir::LogicalResult(one);
  };
  if (parser.parseCommaSeparatedList(mlir::AsmParser::Delimiter::Square, parseOne)) return mlir::failure();
  return list;
}
template <typename T> void printList(mlir::AsmPrinter &printer, llvm::ArrayRef<T> list) {
  printer << '[';
  llvm::interleaveComma(list, printer.getStream(), [&](T one) { printer.printStrippedAttrOrType(one); });
  printer << ']';
}

} // namespace kiln::ir
