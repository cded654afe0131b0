// How the fields of a schedule are checked against its kernel.
#pragma once

#include "dialects/kiln/KilnDialect.h"
#include "dialects/kiln/Schedule.h"
#include "llvm/Support/MathExtras.h"

namespace kiln::ir {

inline constexpr int64_t kMostLanes = 64, kMostUnrolled = 16, kMostTileBytes = 4096, kMostSweepBytes = 64 << 10,
                         kMostPrefetchBytes = 64 << 10, kMostPanelBytes = 64 << 20, kMostStrip = 1 << 20;
inline constexpr int64_t kWarp = 32, kMostThreads = 1024; // threads that exchange registers; of a block
inline constexpr int64_t kMostSharedBytes = 48 << 10;     // that a block has without asking
inline constexpr int64_t kMostAskedBytes = 99 << 10;      // that a block of any processor gets where it asks
inline constexpr int64_t kMostGroupBytes = 227 << 10;     // and one of those whose warps multiply in groups
inline constexpr int64_t kMostSize = int64_t(1) << 40;    // of a block: products of sizes stay far from overflow

/// The fields of a schedule against the kernel it is of; the first that does not fit is the diagnostic.
class Fields {
public:
  Fields(KernelOp kernel, KernelKind kind, llvm::StringRef name) : kernel(kernel) {
    if (kernel.getKind() != kind)
      fail(name) << "expected a kernel of kind '" << stringifyKernelKind(kind) << "', got '" << stringifyKernelKind(kernel.getKind())
                 << "'";
  }

  mlir::LogicalResult result() { return mlir::success(isFine); }
  explicit operator bool() const { return isFine; }

  mlir::InFlightDiagnostic fail(const llvm::Twine &field) {
    isFine = false;
    return kernel.emitOpError() << "schedule: " << field << ": ";
  }

  Fields &range(llvm::StringRef field, int64_t value, int64_t least, int64_t most) {
    if (isFine && (value < least || value > most)) fail(field) << "expected " << least << " to " << most << ", got " << value;
    return *this;
  }
  Fields &powerOfTwo(llvm::StringRef field, int64_t value, int64_t least, int64_t most) {
    if (isFine && (value < least || value > most || !llvm::isPowerOf2_64(uint64_t(value))))
      fail(field) << "expected a power of two from " << least << " to " << most << ", got " << value;
    return *this;
  }
  Fields &extents(llvm::StringRef field, llvm::ArrayRef<int64_t> extents, size_t count) {
    if (isFine && extents.size() != count) fail(field) << "expected " << count << " sizes, got " << extents.size();
    for (int64_t extent : extents) range(field, extent, 1, kMostSize);
    return *this;
  }
  Fields &multiple(llvm::StringRef field, int64_t value, int64_t of) {
    if (isFine && value % of) fail(field) << "expected a multiple of " << of << ", got " << value;
    return *this;
  }
  Fields &bytes(llvm::StringRef field, int64_t value, int64_t most) {
    if (isFine && value > most) fail(field) << "expected at most " << most << " bytes, got " << value;
    return *this;
  }
  Fields &grain(llvm::StringRef field, int64_t value, int64_t least = 1) {
    return value == kOpenGrain ? *this : range(field, value, least, kMostSize);
  }

private:
  KernelOp kernel;
  bool isFine = true;
};

inline mlir::Operation *mainOf(KernelOp kernel) {
  for (mlir::Operation &op : kernel.getBody().front().without_terminator())
    if (kernelKindOf(&op)) return &op;
  return nullptr;
}

inline Shape resultShape(KernelOp kernel) { return typeOf(kernel.getResult(0)).shape; }

/// Results by their numbers.
inline void checkStream(Fields &fields, KernelOp kernel, llvm::ArrayRef<int64_t> stream) {
  for (int64_t result : stream) fields.range("stream", result, 0, int64_t(kernel.getNumResults()) - 1);
}

/// The axis whose iterations are shared: one of `rank` but `except`.
inline void checkParallel(Fields &fields, int64_t axis, int64_t grain, int64_t rank, int64_t except = -1) {
  fields.range("parallel", axis, -1, rank - 1).grain("grain", grain);
  if (fields && axis >= 0 && axis == except)
    fields.fail("parallel") << "expected another axis than " << except << ", whose steps depend on each other";
}

} // namespace kiln::ir
