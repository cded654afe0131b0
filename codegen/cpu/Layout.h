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
  enum Kind { Argument, Result, Workspace } kind = Workspace;
  int64_t number = 0;              // of the argument or result; the byte offset in the workspace, or -2 - i in its open block i
  mlir::DenseI64ArrayAttr strides; // null: row-major
  int64_t firstStride = 0;         // where its dynamic strides start in dims
  bool operator==(const Place &o) const { return kind == o.kind && number == o.number; }
};

/// The places of all arrays of a program whose workspace is planned.
class Places {
public:
  explicit Places(mlir::func::FuncOp main);
  const Place &of(mlir::Value array) const { return places.find(array)->second; }
  bool isOpen;     // a program for any size
  int64_t symbols; // that its caller gives
  int64_t planned = 0;

private:
  llvm::DenseMap<mlir::Value, Place> places;
};

struct Layout {
  DType dtype = DType::F32;
  llvm::SmallVector<Extent, 4> shape, strides;
  bool isRowMajor = false;
  bool isResult = false; // of the program, in memory of its own
};

/// The arrays of a kernel, as its body names them.
struct KernelLayout {
  llvm::DenseMap<mlir::Value, Layout> inputs;
  llvm::SmallVector<Layout> outputs;
  bool isOpen = false; // of a program for any size
};
KernelLayout layoutOf(ir::KernelOp kernel, const Places &places);

Extent operator*(Extent a, Extent b);
inline Extent extentOf(int64_t size) { return isSymbol(size) ? Extent() : Extent(size); }
llvm::SmallVector<Extent, 4> extentsOf(mlir::Value value);

} // namespace kiln::cpu
