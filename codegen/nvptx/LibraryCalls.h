// What a kernel of the kind library is on a device: calls of routines of the maker's libraries (lib/Core/PlanRoutines.h), with launches
// before them that bring operands into the workspace as a routine wants them, and launches behind them that put results where the op has
// them and set the status. An op's record names the function here that says all of that; one that is launches alone calls nothing.
#pragma once

#include "codegen/nvptx/Kernels.h"

#include <functional>

namespace kiln::nvptx {

/// The calls of one op under construction. All sizes are known.
class LibraryCalls {
public:
  /// `isPlain`: whether an operand or the result of the op lies row by row.
  LibraryCalls(ir::ArrayOp op, llvm::function_ref<bool(Value)> isPlain);

  /// A part of the workspace: so many elements for each matrix or batch of transforms.
  struct Part {
    DType dtype;
    int64_t each, offset, bytes;
  };
  /// What a routine gets: an array of the op, or a part.
  struct Pointer {
    Value array;
    int64_t offset, bytes;
    Pointer(const Part &part) : offset(part.offset), bytes(part.bytes) {}
    explicit Pointer(Value array);
  };
  using Kernel = std::function<void(GpuKernel &)>;
  struct Step {
    Kernel kernel; // of a launch; empty: a call
    std::string routine;
    llvm::SmallVector<int64_t> words;
    llvm::SmallVector<Pointer> pointers;
  };

  ir::ArrayOp op;
  const llvm::function_ref<bool(Value)> isPlain;
  const llvm::SmallVector<int64_t> words; // of the op
  std::vector<Step> steps;
  int64_t bytes = 0; // of all parts

  Part part(DType dtype, int64_t each, int64_t count);
  void launch(Kernel kernel) { steps.push_back({std::move(kernel), {}, {}, {}}); }
  void call(llvm::StringRef routine, llvm::ArrayRef<int64_t> numbers, llvm::ArrayRef<Pointer> pointers);
};

/// An element of a part, in a kernel.
Expr load(GpuKernel &k, const LibraryCalls::Part &part, Index at);
void store(GpuKernel &k, const LibraryCalls::Part &part, Index at, Expr value);
/// Sets bits of the status where `condition` holds.
void setStatus(GpuKernel &k, Value condition, int32_t bits);
/// Threads of a block that copies.
inline constexpr int64_t kCopyThreads = 256;

/// The function that a record names; null: the op has no routines here.
using DescribeCalls = void(LibraryCalls &);
DescribeCalls *deviceRoutineOf(ir::KernelOp kernel);

namespace library {
DescribeCalls cholesky, lu, solve, qr, eigh, eig, svd, fft, rfft, irfft, searchsorted, isin, gcd;
}

} // namespace kiln::nvptx
