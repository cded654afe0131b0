// Few numbers in plain memory, without arrays around them: what a tape of short arrays is made of. The same kernels run over them as over
// arrays, so that the bits are the same.
#pragma once

#include "frontend/Ops.h"

namespace kiln::rules {
struct RuleRecord;
}

namespace kiln {

/// Blocks of memory that end together.
class Arena {
public:
  Arena() = default;
  ~Arena();
  Arena(const Arena &) = delete;
  /// At least `bytes`, at most 1 KB, 64-byte aligned.
  void *take(size_t bytes) {
    bytes = (bytes + kUnit - 1) / kUnit * kUnit;
    if (size_t(end - next) < bytes) grow();
    char *block = next;
    next += bytes;
    return block;
  }
  void *copy(const void *data, size_t bytes);

private:
  static constexpr size_t kUnit = 64, kChunk = 4096; // a unit of each chunk is its header
  struct Chunk {
    Chunk *before;
  };
  Chunk *last = nullptr;
  char *next = nullptr, *end = nullptr;
  void grow();
};

/// Numbers of a dtype and a count that are known; `isOne`: one that stands for all. None: no data.
struct Few {
  const void *data = nullptr;
  bool isOne = false;
  explicit operator bool() const { return data; }
};

/// Whether that many numbers are few: what a note of an operation over arrays takes, or less.
inline bool areFew(DType dtype, int64_t count) { return count > 0 && count <= 1024 / byteSize(dtype); }

/// An operation over few numbers of one dtype, as its derivatives see it; what they do not read may be none.
struct FewApplied {
  Op op;
  DType dtype;
  int64_t count;
  Few operands[2], result;
};

/// Whether an elementwise op over one dtype has a result of that dtype, and derivatives that run over few numbers.
bool isOfFew(Op op, DType dtype);
/// What the derivative by an operand makes of a cotangent.
Few derivative(const FewApplied &o, size_t operand, Few cotangent, Arena &arena);
Few sum(DType dtype, int64_t count, Few x, Few y, Arena &arena);
/// As an array, or into memory for all of them.
Array arrayOf(DType dtype, const Dims &shape, Few few);
void spread(DType dtype, int64_t count, Few few, void *result);

} // namespace kiln
