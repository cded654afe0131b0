// How the arrays of a planned program lie in memory: what schedules and emission go by.
#pragma once

#include "dialects/kiln/KilnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinAttributes.h"

#include <optional>

namespace kiln::cpu {

/// A size or stride; none where only a call knows it.
using Extent = std::optional<int64_t>;

/// Which buffer holds an array of the program, and its strides.
struct Place {
  enum Kind { Argument, Result, Workspace, Stack } kind = Workspace;
  int64_t number = 0;              // of the argument, result or stack slot; the byte offset in the workspace, or -2 - i in its open block i
  mlir::DenseI64ArrayAttr strides; // null: row-major
  int64_t firstStride = 0;         // where its dynamic strides start in dims
  bool operator==(const Place &o) const { return kind == o.kind && number == o.number; }
};

/// Calls of one function: code generation takes more than linear time in the length of a block.
inline constexpr size_t kPart = 128;

/// The places of all arrays of a program whose workspace is planned.
class Places {
public:
  /// `hasStack`: small values of a body may lie there.
  explicit Places(mlir::func::FuncOp main, bool hasStack = true);
  const Place &of(mlir::Value array) const { return places.find(array)->second; }
  bool isBody;     // called by a kernel
  bool isOpen;     // a program for any size
  int64_t symbols; // that its caller gives
  int64_t planned = 0;
  llvm::SmallVector<int64_t> stackBytes; // of small values of a body

private:
  llvm::DenseMap<mlir::Value, Place> places;
};

struct Layout {
  DType dtype = DType::F32;
  llvm::SmallVector<Extent, 4> shape, strides;
  bool isRowMajor = false;
  bool isResult = false; // of the program
};

/// The arrays of a kernel, as its body names them.
struct KernelLayout {
  llvm::DenseMap<mlir::Value, Layout> inputs;
  llvm::SmallVector<Layout> outputs;
  bool isOpen = false; // of a program for any size
};
KernelLayout layoutOf(ir::KernelOp kernel, const Places &places);

Extent operator*(Extent a, Extent b);
inline Extent extentOf(Size size) { return size.isConstant() ? Extent(size.number()) : Extent(); }
llvm::SmallVector<Extent, 4> extentsOf(mlir::Value value);
/// The sizes of an array from axis `first` on, which are static; 0 before it.
Dims staticSizes(mlir::Value array, int first);

} // namespace kiln::cpu
