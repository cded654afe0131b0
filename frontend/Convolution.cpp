// Convolutions in eager: the windows as rows of a matrix, which is multiplied with the weights. A product accumulates in
// order over its rows, so the bits are those of the compiled loop.
#include "frontend/OpsShared.h"

namespace kiln {
namespace {

struct Window {
  Dims strides, low, high, dilation;
  int64_t groups;
};

/// The operand at one position of the window, for all positions of the result, put into `columns`; 0 where that is padding.
void copyTap(const Array &x, Array &columns, const Window &window, const Dims &tap, int64_t number) {
  int spatial = tap.rank;
  Dims to = {0}, from = {0}, sizes = {x.shape[0]}, steps = {1};
  for (int i = 0; i < spatial; ++i) {
    int64_t shift = tap[i] * window.dilation[i] - window.low[i], stride = window.strides[i];
    int64_t first = shift < 0 ? (-shift + stride - 1) / stride : 0;
    int64_t last = x.shape[i + 1] - 1 - shift < 0 ? -1 : std::min((x.shape[i + 1] - 1 - shift) / stride, columns.shape[i + 1] - 1);
    if (last < first) return;
    to.push(first);
    from.push(first * stride + shift);
    sizes.push(last - first + 1);
    steps.push(stride);
  }
  from.push(0);
  sizes.push(x.shape[spatial + 1]);
  steps.push(1);
  Array source = slice(x, from, sizes, steps);
  to.push(number);
  to.push(0);
  Dims region = sizes;
  region.insert(spatial + 1, 1);
  Array target = slice(columns, to, region, ones(region.rank));
  assign(target, reshape(source, region));
}

Array windows(const Array &x, const Dims &result, const Dims &window, const Window &how) {
  int spatial = window.rank;
  Dims shape = result;
  shape[spatial + 1] = numElements(window);
  shape.push(x.shape[spatial + 1]);
  Array columns = full(shape, x.dtype, {}, nullptr);
  Dims tap = window;
  for (int64_t number = 0; number < numElements(window); ++number) {
    int64_t rest = number;
    for (int i = spatial - 1; i >= 0; --i) tap[i] = rest % window[i], rest /= window[i];
    copyTap(x, columns, how, tap, number);
  }
  return columns;
}

/// `count` elements of the last axis from `first` on, as a matrix with `columns` columns.
Array part(const Array &x, int64_t first, int64_t count, int64_t rows, int64_t columns) {
  Dims starts, sizes = x.shape;
  for (int i = 0; i < x.shape.rank; ++i) starts.push(0);
  starts[x.shape.rank - 1] = first;
  sizes[x.shape.rank - 1] = count;
  return reshape(slice(x, starts, sizes, ones(x.shape.rank)), {rows, columns});
}

Array runConvolution(const Array &x, const Array &w, const TensorType &type, const Window &how) {
  int spatial = how.strides.rank;
  Dims window;
  for (int i = 0; i < spatial; ++i) window.push(w.shape[i]);
  Array columns = windows(x, type.shape.numbers(), window, how), result = Array::empty(type.dtype, type.shape.numbers());
  int64_t channels = w.shape[spatial], filters = w.shape[spatial + 1] / how.groups, depth = numElements(window) * channels;
  int64_t rows = 1;
  for (int i = 0; i <= spatial; ++i) rows *= type.shape[i].number();
  for (int64_t g = 0; g < how.groups; ++g) {
    Array product = matmul(part(columns, g * channels, channels, rows, depth), part(w, g * filters, filters, depth, filters));
    Array target = slice(reshape(result, {rows, filters * how.groups}), {0, g * filters}, {rows, filters}, {1, 1});
    assign(target, product);
  }
  return result;
}

} // namespace

Array convolution(const Array &x, const Array &w, const Dims &strides, const Dims &low, const Dims &high, const Dims &dilation,
                  int64_t groups) {
  if (areMixed(x, w)) {
    Together both("convolution", {&x, &w});
    return convolution(both[0], both[1], strides, low, high, dilation, groups);
  }
  if (isNarrow(x.dtype) && x.dtype == w.dtype && !isStorage(x.dtype))
    return cast(convolution(cast(x, DType::F32), cast(w, DType::F32), strides, low, high, dilation, groups), x.dtype);
  std::vector<int64_t> words;
  for (const Dims *d : {&strides, &low, &high, &dilation}) appendWords(words, *d);
  words.push_back(groups);
  TensorType types[] = {x.type(), w.type()};
  TensorType type = infer(Op::Convolution, types, words);
  if (isApart(x, w)) return apply(Op::Convolution, {&x, &w}, words, type);
  return runConvolution(x, w, type, {strides, low, high, dilation, groups});
}

} // namespace kiln
