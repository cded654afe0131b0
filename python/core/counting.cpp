// Counts and repetitions by arrays of integers, outside of recordings: what sizes of results depend on is read here once, where ops ask
// for it one after the other.
#include "elements.h"

#include "frontend/OpsShared.h"

#include <algorithm>
#include <cstring>

namespace kiln::py {
namespace {

/// A vector of int64.
const int64_t *integersOf(PyObject *o) {
  if (!isArray(o)) return nullptr;
  const Array &a = arrayOf(o);
  return isPlain(a) && a.dtype == DType::I64 && a.shape.rank == 1 ? reinterpret_cast<const int64_t *>(a.data()) : nullptr;
}

/// The least and the greatest of at least one.
std::pair<int64_t, int64_t> limitsOf(const int64_t *x, int64_t n) {
  constexpr int64_t kFew = 64;
  std::pair<int64_t, int64_t> result;
  if (n > kFew) {
    eager::reduce(Op::Min, DType::I64, n, x, &result.first);
    eager::reduce(Op::Max, DType::I64, n, x, &result.second);
  } else {
    auto [least, most] = std::minmax_element(x, x + n);
    result = {*least, *most};
  }
  return result;
}

/// Adds weights, or 1, to the numbers of their places, in order. Memory that others share may have changed since it was looked through.
template <typename T> void countInto(const int64_t *x, int64_t n, const T *weights, T *sums, int64_t size) {
  std::fill_n(sums, size, T());
  for (int64_t i = 0; i < n; ++i)
    if (uint64_t(x[i]) < uint64_t(size)) sums[x[i]] += weights ? weights[i] : T(1);
}

/// (x, weights or None, least size) -> how often each number from 0 on occurs, or the sum of the weights there; None where that is for
/// the usual way, also to say what is wrong.
PyObject *bincount(PyObject *, PyObject *const *args, Py_ssize_t) {
  return guarded([&]() -> PyObject * {
    const int64_t *x = integersOf(args[0]);
    int64_t size;
    if (!x || !PyLong_CheckExact(args[2]) || !positionOf(args[2], size) || size < 0) Py_RETURN_NONE;
    const Array &positions = arrayOf(args[0]), *weights = isArray(args[1]) ? &arrayOf(args[1]) : nullptr;
    DType dtype = weights ? weights->dtype : DType::I64;
    if (!weights && args[1] != Py_None) Py_RETURN_NONE;
    if (weights && (!isPlain(*weights) || !(weights->shape == positions.shape) || (dtype != DType::F32 && dtype != DType::F64)))
      Py_RETURN_NONE;
    int64_t n = positions.size();
    auto [least, most] = n ? limitsOf(x, n) : std::pair<int64_t, int64_t>(0, -1);
    if (least < 0 || most >= int64_t(1) << 40) Py_RETURN_NONE;
    size = std::max(size, most + 1);
    PyObject *result = newArray({dtype, {size}}, {1}, size_t(size * byteSize(dtype)));
    void *sums = arrayOf(result).data();
    const void *given = weights ? weights->data() : nullptr;
    Running running(n, {&positions, weights ? weights : &positions});
    if (dtype == DType::F32) countInto(x, n, static_cast<const float *>(given), static_cast<float *>(sums), size);
    else if (dtype == DType::F64) countInto(x, n, static_cast<const double *>(given), static_cast<double *>(sums), size);
    else countInto<int64_t>(x, n, nullptr, static_cast<int64_t *>(sums), size);
    return result;
  });
}

/// How often each element of `n` is to be there: one number, or one each.
struct Counts {
  const int64_t *each = nullptr;
  int64_t all = 0, total = 0;
  bool isKnown = false;

  Counts(PyObject *o, int64_t n) {
    constexpr int64_t kMost = int64_t(1) << 40;
    if (PyLong_CheckExact(o)) {
      isKnown = positionOf(o, all) && all >= 0 && all < kMost && n * all < kMost;
      total = n * all;
    } else if ((each = integersOf(o)) && arrayOf(o).size() == n && n) {
      auto [least, most] = limitsOf(each, n);
      isKnown = least >= 0 && most < kMost && n < kMost / std::max<int64_t>(most, 1);
      if (isKnown) eager::reduce(Op::Sum, DType::I64, n, each, &total);
    }
  }
  int64_t of(int64_t i) const { return each ? each[i] : all; }
};

/// Each element by itself: four copies at once, over which the next ones are written, where there is room for them.
template <typename T> void repeatElements(const T *from, int64_t n, const Counts &counts, T *to, T *end) {
  for (int64_t i = 0; i < n; ++i) {
    int64_t count = std::min<int64_t>(counts.of(i), end - to); // others may write what they share
    if (count <= 4 && end - to >= 4) to[0] = to[1] = to[2] = to[3] = from[i];
    else std::fill_n(to, count, from[i]);
    to += std::max<int64_t>(count, 0);
  }
}

/// Elements along the middle of three axes, the innermost of `bytes` bytes as a whole.
void repeatLines(const char *from, int64_t outer, int64_t n, int64_t bytes, const Counts &counts, char *to) {
  for (int64_t k = 0; k < outer; ++k)
    for (int64_t i = 0; i < n; ++i, from += bytes)
      for (int64_t j = 0, count = counts.of(i); j < count; ++j, to += bytes) std::memcpy(to, from, size_t(bytes));
}

/// (x, axis in [0, rank), an integer or a vector of int64) -> each element along the axis so many times; None where that is for the usual
/// way. Of more than a few, only by a vector and of elements: others are copied faster.
PyObject *repeat(PyObject *, PyObject *const *args, Py_ssize_t) {
  return guarded([&]() -> PyObject * {
    constexpr int64_t kFew = 256;
    int64_t axis;
    if (!isArray(args[0]) || !positionOf(args[1], axis)) Py_RETURN_NONE;
    const Array &x = arrayOf(args[0]);
    if (!isPlain(x)) Py_RETURN_NONE;
    Counts counts(args[2], x.shape[int(axis)]);
    if (!counts.isKnown) Py_RETURN_NONE;
    int64_t outer = 1, n = x.shape[int(axis)], inner = 1, width = byteSize(x.dtype);
    for (int i = 0; i < axis; ++i) outer *= x.shape[i];
    for (int i = int(axis) + 1; i < x.shape.rank; ++i) inner *= x.shape[i];
    bool isOfElements = outer == 1 && inner == 1 && width <= 8;
    if (!isOfElements && outer * counts.total * inner > kFew) Py_RETURN_NONE;
    if (!counts.each && counts.total > kFew) Py_RETURN_NONE;
    Dims shape = x.shape;
    shape[int(axis)] = counts.total;
    PyObject *result = newArray({x.dtype, shape}, contiguousStrides(shape), size_t(outer * counts.total * inner * width));
    char *to = arrayOf(result).data();
    if (!isOfElements) return repeatLines(x.data(), outer, n, inner * width, counts, to), result;
    Running running(counts.total, {&x, counts.each ? &arrayOf(args[2]) : &x});
    auto run = [&]<typename T>(T) {
      repeatElements(reinterpret_cast<const T *>(x.data()), n, counts, reinterpret_cast<T *>(to), reinterpret_cast<T *>(to) + counts.total);
    };
    width == 1 ? run(uint8_t()) : width == 2 ? run(uint16_t()) : width == 4 ? run(uint32_t()) : run(uint64_t());
    return result;
  });
}

PyMethodDef functions[] = {{"bincount", reinterpret_cast<PyCFunction>(reinterpret_cast<void *>(bincount)), METH_FASTCALL, nullptr},
                           {"repeat", reinterpret_cast<PyCFunction>(reinterpret_cast<void *>(repeat)), METH_FASTCALL, nullptr},
                           {nullptr, nullptr, 0, nullptr}};

} // namespace

bool initCounting(PyObject *module) { return !PyModule_AddFunctions(module, functions); }

} // namespace kiln::py
