// What the files of the operations share.
#pragma once

#include "frontend/Eager.h"
#include "frontend/Ops.h"
#include "frontend/Mode.h"
#include "lib/Core/Infer.h"

namespace kiln {

/// Lets other threads of the host run during a kernel over many elements. They may put other memory into the cells of arrays: a kernel
/// works on what is `kept`, or on arrays that `withOwnCell` gives.
struct Running {
  static constexpr int64_t kLongElements = 32768; // about 20 us of elementwise work
  static constexpr double kSeconds = 20e-6 / kLongElements;
  static thread_local bool isInside; // an operation within another has nothing to release
  void *state = nullptr;
  bool isLong;
  std::vector<Ref<Value>> kept;
  explicit Running(int64_t elements, std::initializer_list<const Array *> arrays = {})
      : Running(elements, std::span(arrays.begin(), arrays.size())) {}
  Running(int64_t elements, std::span<const Array *const> arrays) : isLong(!isInside && longWork().pays(double(elements) * kSeconds)) {
    if (!isLong) return;
    for (const Array *a : arrays) kept.push_back(a->storage->value);
    isInside = true;
    state = longWork().begin();
  }
  ~Running() {
    if (isLong) isInside = false, longWork().end(state);
  }
};
/// While one lives, operations of this thread let no others run: nothing is written between what it reads and what it writes.
struct KeepOthersOut {
  bool before = std::exchange(Running::isInside, true);
  ~KeepOthersOut() { Running::isInside = before; }
};

/// The memory of an array as it is now, in a cell that nobody else writes.
inline Array withOwnCell(const Array &x) {
  Array a = x;
  a.storage = Storage::make(x.storage->value);
  return a;
}

/// Whether a mode is asked.
inline bool hasMode() { return Mode::current() != nullptr; }
/// Whether operations on arrays are taken apart into those of the op table: a mode is asked, or another device than the CPU runs them.
template <typename... Arrays> bool isApart(const Arrays &...arrays) { return hasMode() || (deviceOf(arrays) || ...); }
inline bool isAnyApart(std::span<const Array *const> arrays) {
  bool result = hasMode();
  for (const Array *a : arrays) result |= deviceOf(*a) != nullptr;
  return result;
}
inline Array apply(Op op, std::initializer_list<const Array *> operands, std::span<const int64_t> words, const TensorType &type) {
  return apply({op, {operands.begin(), operands.size()}, words, type});
}
/// The dtype of an elementwise op's result over operands of one dtype; -1 where it does not accept it.
int resultDType(Op op, DType dtype);
/// Whether a dtype of integers holds a Python integer.
bool fitsInteger(const Operand &number, DType dtype);
/// A comparison of integers with a number that their dtype does not hold: one result for all elements. None for others.
std::optional<Array> compareWithOutside(Op op, std::span<const Operand> operands);
/// What NumPy defines beside the dtypes that the op's record accepts, where it does: made of other ops. None for others.
std::optional<Array> applyBeyondRecord(Op op, std::span<const Operand> operands, DType dtype);
/// Strides of `x` seen under the wider `shape`: 0 along axes that repeat.
Dims broadcastStrides(const Array &x, const Dims &shape);
/// The words of an op that repeats `x` to `shape`.
std::vector<int64_t> broadcastWords(const Array &x, const Dims &shape);
/// `x` repeated to `shape`, where that is another; `mayShare` and `device` as in Operation.
Array applyBroadcast(const Array &x, const Dims &shape, bool mayShare, Device *device = nullptr);

inline Dims ones(int rank) {
  Dims steps;
  for (int i = 0; i < rank; ++i) steps.push(1);
  return steps;
}
/// Positions of the true elements of a flat mask of the CPU.
Array positionsOfTrue(const Array &mask);
/// The view that a checked move (but dynamic_slice) of the op table takes, of that shape; none where it can only be a copy. No mode is
/// told.
std::optional<Array> viewOfMove(const Array &x, Op op, std::span<const int64_t> words, const Dims &shape);
/// The view that a dynamic slice takes: `starts` are read, and moved so that all of it lies inside.
Array dynamicPart(const Array &x, const Array &starts, const Dims &sizes);

/// Whether two arrays of one cell show the same of it.
inline bool showSame(const Array &a, const Array &b) {
  return a.dtype == b.dtype && a.offset == b.offset && a.shape == b.shape && a.strides == b.strides;
}
/// The same view of a copy of the memory that an array shows.
Array copyOfMemory(const Array &x);
/// Whether the memory that two arrays show can overlap.
bool overlaps(const Array &a, const Array &b);
/// The product of two complex matrices of one dtype that fit, on the CPU and outside of recordings; none of others.
std::optional<Array> complexProduct(const Array &x, const Array &y);
/// x[...] = value of a value that nobody else holds: where it fills the cell, its memory goes over instead of its elements. False where
/// not.
bool takeOver(Array &x, const Array &value);
/// Throws Error (value): a view of broadcast_to is written.
[[noreturn]] void failRepeated();
/// Gives a cell memory that nobody else holds before a write; throws Error (value) where it is read-only.
void prepareWrite(Array &x);

} // namespace kiln
