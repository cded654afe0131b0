// The form of products.
#include "frontend/AcceleratedForms.h"
#include "frontend/OpsShared.h"

namespace kiln {
namespace {

/// An operand of a product: axes of batches as one, then rows and columns, or a line.
struct Factor {
  int64_t batches = 1, step = 0; // from one of the batch to the next
  Dims shape, strides;           // of each

  /// False where the axes of the batch have no one step.
  bool read(const Array &x, int batch) {
    for (int i = batch - 1; i >= 0; --i) {
      if (x.shape[i] == 1) continue;
      if (batches == 1) step = x.strides[i];
      else if (x.strides[i] != step * batches) return false;
      batches *= x.shape[i];
    }
    for (int i = batch; i < x.shape.rank; ++i) shape.push(x.shape[i]), strides.push(x.strides[i]);
    return normalize();
  }
  Dims allStrides(bool isBatched) const {
    Dims all = strides;
    if (isBatched) all.insert(0, step);
    return all;
  }
  Shape allShape(bool isBatched) const {
    Shape all = shape;
    if (isBatched) all.insert(0, batches);
    return all;
  }

private:
  /// One axis lies step by step, and strides along axes of one element are as if they did; false where none does.
  bool normalize() {
    int last = shape.rank - 1;
    if (strides[last] == 1 || shape[last] == 1) strides[last] = 1;
    else if (last == 1 && (strides[0] == 1 || shape[0] == 1)) strides[0] = 1;
    else return false;
    return true;
  }
};

} // namespace

std::optional<Small> productForm(const Operation &o) {
  if (o.op != Op::DotGeneral) return std::nullopt;
  const Array &x = *o.operands[0], &y = *o.operands[1];
  WordReader reader{o.words};
  Dims xBatch = reader.dims(), yBatch = reader.dims();
  int64_t batch = xBatch.rank, xAxis = reader.next() - batch, yAxis = reader.next() - batch;
  for (int i = 0; i < xBatch.rank; ++i)
    if (xBatch[i] != i || yBatch[i] != i) return std::nullopt;
  Factor left, right;
  int64_t xRank = x.shape.rank - batch, yRank = y.shape.rank - batch;
  if (xRank > 2 || yRank > 2 || xAxis != xRank - 1 || yAxis != 0 || isComplex(x.dtype)) return std::nullopt;
  if (!left.read(x, int(batch)) || !right.read(y, int(batch))) return std::nullopt;
  bool isBatched = left.batches > 1;
  if (isBatched && right.step == 0 && xRank == 2 && left.strides[1] == 1 && left.step == left.shape[0] * left.strides[0]) {
    left.shape[0] *= left.batches; // of which all are multiplied by one matrix: more rows
    isBatched = false;
  }
  std::vector<int64_t> words;
  for (int i = 0; i < 2; ++i) appendWords(words, isBatched ? Dims{0} : Dims());
  words.insert(words.end(), {xAxis + isBatched, yAxis + isBatched});
  Shape shape;
  if (isBatched) shape.push(left.batches);
  if (xRank == 2) shape.push(left.shape[0]);
  if (yRank == 2) shape.push(right.shape[1]);
  constexpr double kLarge = 1 << 30; // to multiply
  Small program;
  program.isOwn = double(x.size()) * double(yRank == 2 ? right.shape[1] : 1) >= kLarge;
  int64_t slots[] = {program.addStrided(x, {x.dtype, left.allShape(isBatched)}, left.allStrides(isBatched)),
                     program.addStrided(y, {y.dtype, right.allShape(isBatched)}, right.allStrides(isBatched))};
  program.finish(o.op, slots, words, {o.type.dtype, shape});
  return program;
}

} // namespace kiln
