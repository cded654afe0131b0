// What the files of the operations share.
#pragma once

#include "frontend/Eager.h"
#include "frontend/Ops.h"
#include "frontend/Recorder.h"
#include "lib/Core/Infer.h"

namespace kiln {

/// Lets other threads of the host run during a kernel over many elements.
struct Running {
  static constexpr int64_t kLongElements = 32768; // about 20 us of elementwise work
  static thread_local bool isInside;              // an operation within another has nothing to release
  void *state = nullptr;
  bool isLong;
  explicit Running(int64_t elements) : isLong(elements >= kLongElements && longWork().begin && !isInside) {
    if (isLong) isInside = true, state = longWork().begin();
  }
  ~Running() {
    if (isLong) isInside = false, longWork().end(state);
  }
};

inline bool isRecording() { return Recorder::current() != nullptr; }
/// The array under one of the recorder's ops, or an array for its result, where nothing is recorded.
Array recordOp(Op op, std::initializer_list<const Array *> operands, std::span<const int64_t> words = {});
/// Strides of `x` seen under the wider `shape`: 0 along axes that repeat.
Dims broadcastStrides(const Array &x, const Dims &shape);
/// The words of an op that repeats `x` to `shape`.
std::vector<int64_t> broadcastWords(const Array &x, const Dims &shape);
/// Records the repetition of `x` to `shape`, where it is another.
Array recordBroadcast(const Array &x, const Dims &shape);

inline Dims ones(int rank) {
  Dims steps;
  for (int i = 0; i < rank; ++i) steps.push(1);
  return steps;
}
/// The view that a dynamic slice takes: `starts` are read, and moved so that all of it lies inside.
Array dynamicPart(const Array &x, const Array &starts, const Dims &sizes);

/// Whether the memory that two arrays show can overlap.
bool overlaps(const Array &a, const Array &b);
/// Throws Error (value): a view of broadcast_to is written.
[[noreturn]] void failRepeated();
/// Gives a cell memory that nobody else holds before a write; throws Error (value) where it is read-only.
void prepareWrite(Array &x);

} // namespace kiln
