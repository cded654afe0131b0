#include "frontend/Eager.h"

#include "frontend/Lines.h"
#include "lib/Core/Error.h"
#include "lib/Library/Extremes.h"
#include "lib/Library/Rows.h"
#include "lib/Library/Sorting.h"
#include "lib/Runtime/Memory.h"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace kiln::eager {
namespace {

/// The kernel of an op for a dtype (or, of ops that only move, for its width) and a variant of that name; found the first time.
kiln_entry_fn namedKernel(Op op, DType dtype, int variant = 0, const char *suffix = "", bool byWidth = false) {
  static std::atomic<kiln_entry_fn> table[size_t(Op::Count)][kNumDTypes][16];
  auto &slot = table[size_t(op)][size_t(dtype)][variant];
  if (kiln_entry_fn known = slot.load(std::memory_order_relaxed)) return known;
  int64_t width = std::min<int64_t>(8 * byteSize(dtype), 64);
  kiln_entry_fn found = packKernel(std::string(info(op).name) + "_" + (byWidth ? std::to_string(width) : info(dtype).shortName) + suffix);
  slot.store(found, std::memory_order_relaxed);
  return found;
}

/// Of any other kernel: its schedule may come to need some.
int32_t call(kiln_entry_fn kernel, void *const *buffers, const int64_t *dims, size_t workspace = kPackWorkspace) {
  return kernel(runtimeTable(), buffers, dims, threadWorkspace(workspace));
}

} // namespace

void iota(const Array &result) {
  void *buffers[] = {result.data()};
  int64_t dims[] = {result.size()};
  if (dims[0]) callNest(namedKernel(Op::Iota, result.dtype), buffers, dims);
}

static void product(const Dims &shape, int axis, int64_t &outer, int64_t &size, int64_t &inner) {
  outer = inner = 1;
  for (int i = 0; i < axis; ++i) outer *= shape[i];
  for (int i = axis + 1; i < shape.rank; ++i) inner *= shape[i];
  size = shape[axis];
}

/// The status of a kernel that was given an index outside.
[[noreturn]] static void badIndex(const Array &x, int axis, int64_t size) {
  throw Error(ErrorKind::Index, "index: position: expected one in [" + std::to_string(-size) + ", " + std::to_string(size) +
                                    ") along axis " + std::to_string(axis) + " of " + toString(x.type()) + ", got one outside");
}

/// Few elements of each of many rows: their places are looked at once, where a kernel looks at them in each row.
template <typename T> struct FewPlaces {
  static constexpr int64_t kMost = 64, kShare = 65536; // places; elements for a thread
  const T *from;
  T *to;
  int64_t size, count, places[kMost];

  bool take(const int64_t *indices) {
    for (int64_t i = 0; i < count; ++i) {
      places[i] = indices[i] < 0 ? indices[i] + size : indices[i];
      if (uint64_t(places[i]) >= uint64_t(size)) return false;
    }
    return true;
  }
  static void run(void *context, void *, int64_t first, int64_t last) {
    auto &[from, to, size, count, places] = *static_cast<FewPlaces *>(context);
    for (int64_t row = first; row < last; ++row)
      for (int64_t i = 0; i < count; ++i) to[row * count + i] = from[row * size + places[i]];
  }
};
template <typename T> bool gatherFew(const Array &x, const Array &indices, const Array &result, int64_t rows, int64_t size) {
  FewPlaces<T> few = {reinterpret_cast<const T *>(x.data()), reinterpret_cast<T *>(result.data()), size, indices.size(), {}};
  if (few.count == 0 || few.count > few.kMost || !few.take(reinterpret_cast<const int64_t *>(indices.data()))) return false;
  if (rows * few.count < few.kShare) return few.run(&few, nullptr, 0, rows), true;
  runtimeTable()->parallel_for(few.run, &few, nullptr, 0, rows, few.kShare / few.count);
  return true;
}
static bool gatherFew(const Array &x, const Array &indices, const Array &result, int64_t rows, int64_t size) {
  switch (byteSize(x.dtype)) {
  case 1: return gatherFew<uint8_t>(x, indices, result, rows, size);
  case 2: return gatherFew<uint16_t>(x, indices, result, rows, size);
  case 4: return gatherFew<uint32_t>(x, indices, result, rows, size);
  case 8: return gatherFew<uint64_t>(x, indices, result, rows, size);
  default: return false;
  }
}

/// Whole lines of some hundred bytes or more, as memory is copied.
struct LinesAt {
  const char *from;
  char *to;
  const int64_t *indices;
  int64_t size, count, bytes;

  bool areInside() const {
    return std::all_of(indices, indices + count, [&](int64_t at) { return at >= -size && at < size; });
  }
  static void run(void *context, void *, int64_t first, int64_t last) {
    auto &[from, to, indices, size, count, bytes] = *static_cast<LinesAt *>(context);
    for (int64_t line = first; line < last; ++line) {
      int64_t at = indices[line % count];
      if (at < 0) at += size;
      if (uint64_t(at) < uint64_t(size)) copyBytes(to + line * bytes, from + (line / count * size + at) * bytes, size_t(bytes));
    }
  }
};
static bool gatherLines(const Array &x, const Array &indices, const Array &result, int64_t outer, int64_t size, int64_t bytes) {
  constexpr int64_t kLeast = 512, kShare = 1 << 18; // bytes of a line, and of what a thread takes
  if (bytes < kLeast) return false;
  LinesAt lines = {x.data(), result.data(), reinterpret_cast<const int64_t *>(indices.data()), size, indices.size(), bytes};
  if (!lines.areInside()) return false;
  int64_t count = outer * lines.count;
  if (count * bytes < kShare) return lines.run(&lines, nullptr, 0, count), true;
  runtimeTable()->parallel_for(lines.run, &lines, nullptr, 0, count, std::max<int64_t>(kShare / bytes, 1));
  return true;
}

void gather(const Array &x, const Array &indices, const Array &result, int axis) {
  int64_t dims[4];
  product(x.shape, axis, dims[0], dims[1], dims[2]);
  dims[3] = indices.size();
  int64_t size = dims[1];
  if (byteSize(x.dtype) == 16) dims[2] *= 2;
  bool isRow = dims[2] == 1; // nothing behind the axis: lanes lie along the indices
  if (isRow) dims[2] = dims[3];
  void *buffers[] = {x.data(), indices.data(), result.data()};
  if (result.size() == 0 && indices.size() == 0) return;
  if (isRow && dims[0] > 1 && gatherFew(x, indices, result, dims[0], size)) return;
  int64_t bytes = isRow ? 0 : dims[2] * std::min<int64_t>(byteSize(x.dtype), 8);
  if (result.size() && gatherLines(x, indices, result, dims[0], size, bytes)) return;
  if (isRow && dims[0] == 1) {
    auto *positions = reinterpret_cast<const int64_t *>(indices.data());
    if (!gatherElements(result.data(), x.data(), byteSize(x.dtype), positions, indices.size(), size)) badIndex(x, axis, size);
    return;
  }
  if (call(namedKernel(Op::Gather, x.dtype, isRow, isRow ? "_row" : "", true), buffers, dims)) badIndex(x, axis, size);
}

void scatter(Op op, const Array &x, const Array &indices, const Array &updates, int axis) {
  int64_t dims[4];
  product(x.shape, axis, dims[0], dims[1], dims[2]);
  dims[3] = indices.size();
  if (indices.size() == 0) return;
  int64_t size = dims[1];
  bool moves = op == Op::Scatter;
  if (moves && byteSize(x.dtype) == 16) dims[2] *= 2;
  bool isRow = dims[2] == 1;
  if (isRow) dims[2] = dims[3];
  if (moves && isRow && dims[0] == 1) {
    auto *positions = reinterpret_cast<const int64_t *>(indices.data());
    if (!scatterElements(x.data(), updates.data(), byteSize(x.dtype), positions, indices.size(), size)) badIndex(x, axis, size);
    return;
  }
  void *buffers[] = {x.data(), indices.data(), updates.data()};
  if (call(namedKernel(op, x.dtype, isRow, isRow ? "_row" : "", moves), buffers, dims)) badIndex(x, axis, size);
}

int64_t countTrue(const Array &mask) {
  constexpr int64_t kLanes = 64, kRows = 255; // what a byte counts
  auto *bytes = reinterpret_cast<const uint8_t *>(mask.data());
  int64_t n = mask.size(), count = 0, i = 0;
  while (i + kLanes <= n) {
    uint8_t run[kLanes] = {}; // in lanes of bytes
    for (int64_t row = 0; row < kRows && i + kLanes <= n; ++row, i += kLanes)
      for (int64_t k = 0; k < kLanes; ++k) run[k] = uint8_t(run[k] + (bytes[i + k] != 0));
    for (uint8_t lane : run) count += lane;
  }
  for (; i < n; ++i) count += bytes[i] != 0;
  return count;
}

void nonzero(const Array &mask, const Array &result) {
  int64_t dims[] = {mask.size(), result.size()};
  void *buffers[] = {mask.data(), result.data()};
  if (result.size()) callNest(namedKernel(Op::Nonzero, DType::Bool), buffers, dims);
}

void compress(const void *x, int64_t bytes, const Array &mask, int64_t count, void *result) {
  static std::atomic<kiln_entry_fn> table[9];
  std::atomic<kiln_entry_fn> &known = table[bytes];
  if (!known) known = packKernel("compress_" + std::to_string(8 * bytes));
  int64_t dims[] = {mask.size(), count};
  void *buffers[] = {const_cast<void *>(x), mask.data(), result};
  if (count) callNest(known, buffers, dims);
}

void scan(Op op, const Array &x, int axis, const Array &result) {
  int64_t dims[3];
  product(x.shape, axis, dims[0], dims[1], dims[2]);
  if (result.size() == 0) return;
  void *buffers[] = {x.data(), result.data()};
  bool isRow = dims[2] == 1;
  call(namedKernel(op, x.dtype, isRow, isRow ? "_row" : "_col"), buffers, dims);
}

void sort(Op op, const Array &x, const Array &result, bool descending) {
  if (result.size() == 0) return;
  int64_t n = x.shape[x.shape.rank - 1], dims[] = {x.size() / n, n};
  if (op == Op::Sort && sortValues(x.dtype, dims[0], n, descending, x.data(), result.data())) return;
  if (op == Op::Argsort && sortPositions(x.dtype, dims[0], n, descending, x.data(), reinterpret_cast<int64_t *>(result.data()))) return;
  void *buffers[] = {x.data(), result.data()};
  size_t scratch =
      size_t(n * (2 * (8 + byteSize(x.dtype)) + byteSize(x.dtype))) + 4096; // positions and keys, twice, the line and the counts
  call(namedKernel(op, x.dtype, descending, descending ? "_down" : "_up"), buffers, dims, scratch);
}

void reduce(Op op, const Array &x, int axis, const Array &result) {
  int64_t outer, size, inner;
  product(x.shape, axis, outer, size, inner);
  if (result.size() == 0) return;
  if (result.size() == 1 && x.dtype == DType::Bool && (op == Op::Any || op == Op::All)) { // ends at the first that decides
    bool isFound = size && std::memchr(x.data(), op == Op::Any, size_t(size));
    *result.data() = isFound == (op == Op::Any);
    return;
  }
  bool isRow = axis == x.shape.rank - 1;
  if (isRow && info(op).kind == Kind::Argreduce && outer > 1 &&
      positionsOfExtremes(x.dtype, op == Op::Argmax, outer, size, x.data(), reinterpret_cast<int64_t *>(result.data())))
    return;
  void *buffers[] = {x.data(), result.data()};
  int64_t dims[] = {outer, size, inner};
  call(namedKernel(op, x.dtype, isRow, isRow ? "_row" : "_col"), buffers, dims);
}

void reduce(Op op, DType dtype, int64_t n, const void *x, void *result) {
  void *buffers[] = {const_cast<void *>(x), result};
  int64_t dims[] = {1, n, 1};
  call(namedKernel(op, dtype, true, "_row"), buffers, dims);
}

void matrixProduct(const Array &x, const Array &y, const Array &result) {
  if (result.size() == 0) return;
  bool isRows = y.strides[1] == 1 || y.shape[1] == 1;
  int64_t dims[] = {x.shape[0], x.shape[1], y.shape[1], x.strides[0], x.strides[1], y.strides[0], y.strides[1]};
  void *buffers[] = {x.data(), y.data(), result.data()};
  call(namedKernel(Op::DotGeneral, x.dtype, isRows, isRows ? "_nn" : "_nt"), buffers, dims);
}

void vectorProduct(const Array &matrix, int axis, const Array &vector, const Array &result) {
  if (result.size() == 0) return;
  int64_t dims[] = {matrix.shape[0], matrix.shape[1], matrix.strides[0], matrix.strides[1], vector.strides[0]};
  bool isPlain = matrix.strides[1] == 1 && vector.strides[0] == 1;
  void *buffers[] = {matrix.data(), vector.data(), result.data()};
  if (isPlain) dims[3] = 0;
  static constexpr const char *suffixes[] = {"_col_s", "_col", "_row_s", "_row"};
  int variant = 2 * (axis == 1) + isPlain;
  call(namedKernel(Op::DotGeneral, matrix.dtype, 2 + variant, suffixes[variant]), buffers, dims);
}

void eachProduct(const Array &x, const Array &y, const Array &result) {
  if (result.size() == 0) return;
  void *buffers[] = {x.data(), y.data(), result.data()};
  if (x.shape.rank == 2) {
    int64_t dims[] = {x.shape[0], x.shape[1], x.strides[0], y.strides[0]};
    if (rowProducts(x.dtype, dims[0], dims[1], x.data(), dims[2], y.data(), dims[3], result.data())) return;
    return void(call(namedKernel(Op::DotGeneral, x.dtype, 6, "_each_row"), buffers, dims));
  }
  int64_t n = x.shape[1], dims[] = {x.shape[0], n, x.shape[2], y.shape[2], x.strides[0], x.strides[1], y.strides[0], y.strides[1]};
  if (n < 2 || n > 4 || dims[2] != n || dims[3] != n) return void(call(namedKernel(Op::DotGeneral, x.dtype, 7, "_each_nn"), buffers, dims));
  static constexpr const char *squares[] = {"_each_2", "_each_3", "_each_4"};
  std::copy_n(dims + 4, 4, dims + 1); // of these only the number is open
  call(namedKernel(Op::DotGeneral, x.dtype, int(6 + n), squares[n - 2]), buffers, dims);
}

} // namespace kiln::eager
