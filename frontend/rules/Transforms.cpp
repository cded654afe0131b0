// Fourier transforms, which are linear: their transposes are transforms in the other direction.
#include "frontend/rules/Table.h"

namespace kiln::rules {
namespace {

/// The frequencies of `size` real points, those that stand for two times a number.
Array betweenTimes(const Array &frequencies, int axis, int64_t size, double factor) {
  int64_t count = frequencies.shape[axis], single = 1 + (size % 2 == 0); // 0, and one half
  if (count <= single) return frequencies;
  Dims starts = Dims::zeros(frequencies.shape.rank);
  starts[axis] = 1;
  return updated(frequencies, part(frequencies, axis, 1, count - single) * factor, starts, ones(starts.rank));
}

} // namespace

void vjp::fft(const Applied &o, const Array &ct, Gradients &g) {
  std::vector<int64_t> words(o.words.begin(), o.words.end());
  int64_t &isInverse = words[words.size() - 2];
  isInverse = !isInverse;
  g.set(0, applyOp(Op::Fft, {&ct}, words));
}

void vjp::rfft(const Applied &o, const Array &ct, Gradients &g) {
  int axis = int(o.words[0]);
  int64_t size = o.operands[0]->shape[axis], words[] = {axis, size, o.words[1]};
  Array halved = betweenTimes(ct, axis, size, 0.5);
  g.set(0, applyOp(Op::Irfft, {&halved}, words));
}

void vjp::irfft(const Applied &o, const Array &ct, Gradients &g) {
  int axis = int(o.words[0]);
  int64_t words[] = {axis, o.words[2]};
  g.set(0, betweenTimes(applyOp(Op::Rfft, {&ct}, words), axis, o.words[1], 2));
}

} // namespace kiln::rules
