// The threads of a warp, and what they do together.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <ucontext.h>
#include <vector>

namespace simulator {

inline constexpr int64_t kWarp = 32;

/// An asynchronous copy of a thread, which brings its bytes when the thread has waited for it.
struct Copy {
  char *to;
  std::string bytes;
  int64_t group;
};

struct Thread {
  enum State { Ready, Barrier, Shuffle, Load, Multiply, Group, Done } state = Ready;
  ucontext_t context;
  char *stack = nullptr;
  std::vector<Copy> copies;
  int64_t group = 0;                   // of the next copy
  int32_t site = 0;                    // of the barrier or shuffle in the kernel
  int32_t value = 0, by = 0, mode = 0; // of a shuffle; mode: whether matrices are turned, or float16
  const char *address = nullptr;       // of a row of a matrix
  std::vector<std::pair<const char *, int64_t>>
      readings;          // of products of four warps that may still run: pieces of 16 bytes, and their group
  int64_t products = 0;  // the group of the next one
  float *sums = nullptr; // of a product of four warps, and its form
  uint64_t matrices[2] = {};
  int32_t words[10]; // parts of matrices: two operands and a sum, or four that come out
};

/// A matrix in shared memory as the units of four warps read it: rows of 128 bytes, whose pieces of 16 are swizzled within blocks of eight
/// rows.
struct GroupMatrix {
  const char *memory; // of the block
  uint64_t descriptor;
  bool isAcross; // lines, and not steps of the contracted axis, lie beside each other

  const char *at(int64_t line, int64_t step) const;
};

void shuffleLanes(std::span<Thread> warp);
/// Four squares of 8 x 8 elements of 2 bytes: lanes 8 i to 8 i + 7 name the rows of square i, and a lane gets two elements of each: of row
/// lane / 4, or of column lane / 4 where they are turned.
void loadMatrices(std::span<Thread> warp);
/// 16 x 16 by 16 x 8, added to 16 x 8 float32: each in one chain of fused multiply-adds. A real unit has an order and a rounding of its
/// own, so this proves that each lane has what it should, and not the bits.
void multiplyMatrices(std::span<Thread> warp);

/// 64 rows by `columns`, 16 steps; `sums` of each of 128 threads. In order, as above.
void multiplyGroup(std::span<float *> sums, int64_t columns, const GroupMatrix &x, const GroupMatrix &y, bool isHalf);

} // namespace simulator
