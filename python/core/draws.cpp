// Few random numbers, outside of recordings: what kn.random makes of ops, made here by the same arithmetic, since the frames and
// operations of Python cost ten times as much. The bits, logarithms and cosines are the eager kernels'.
#include "elements.h"

#include "frontend/Eager.h"

#include <cmath>

namespace kiln::py {
namespace {

constexpr int64_t kMost = 64; // numbers of a draw

thread_local bool isWatched = false; // draws go the usual way, which tells those who watch them

/// What is made of random words; numbered as in kiln/composed/draws.py.
enum class Making : int64_t { Words, Unit, Normal, Exponential, Below };

/// The axes of a size: of None none, of an integer one, of a tuple of integers as many. False for another size, of no or many elements.
bool shapeOf(PyObject *size, Dims &shape, int64_t &count) {
  bool isTuple = PyTuple_CheckExact(size);
  Py_ssize_t rank = isTuple ? PyTuple_GET_SIZE(size) : size != Py_None;
  if (rank > kMaxRank) return false;
  count = 1;
  for (Py_ssize_t i = 0; i < rank; ++i) {
    PyObject *item = isTuple ? PyTuple_GET_ITEM(size, i) : size;
    int64_t n;
    if (!PyLong_CheckExact(item) || !positionOf(item, n) || n < 1 || n > kMost) return false;
    shape.push(n);
    if ((count *= n) > kMost) return false;
  }
  return true;
}

/// A generator's key and counter, which the draw moves on; null where they are not to be had here.
uint64_t *stateOf(PyObject *o) {
  if (!isArray(o)) return nullptr;
  const Array &a = arrayOf(o);
  bool isPlain = a.dtype == DType::U64 && a.shape.rank == 1 && a.shape[0] == 2 && a.isContiguous;
  return isPlain && mayWrite(a) ? reinterpret_cast<uint64_t *>(a.data()) : nullptr;
}

void call(Op op, DType dtype, int64_t n, const void *from, void *to) {
  void *buffers[] = {const_cast<void *>(from), to};
  eager::flat(op, dtype, dtype, n, false, buffers);
}

/// Numbers in [0, 1): of 53 bits in float64, of 24 in float32.
void unitOf(const uint64_t *words, int64_t n, double *to) {
  for (int64_t i = 0; i < n; ++i) to[i] = double(int64_t(words[i] >> 11)) * 0x1p-53;
}
void unitOf(const uint64_t *words, int64_t n, float *to) {
  for (int64_t i = 0; i < n; ++i) to[i] = float(int32_t(words[i] >> 40)) * 0x1p-24f;
}

template <typename T> void exponentialOf(const uint64_t *words, DType dtype, int64_t n, T *to) {
  T from[kMost];
  unitOf(words, n, from);
  for (int64_t i = 0; i < n; ++i) from[i] = T(1) - from[i];
  call(Op::Log, dtype, n, from, to);
  for (int64_t i = 0; i < n; ++i) to[i] = -to[i];
}

/// By logarithms of numbers in (0, 1] in `to` and angles in `turn`.
template <typename T> void joinNormal(DType dtype, int64_t n, const T *turn, T *to) {
  T radius[kMost], cosine[kMost];
  call(Op::Log, dtype, n, to, radius);
  call(Op::Cos, dtype, n, turn, cosine);
  for (int64_t i = 0; i < n; ++i) to[i] = std::sqrt(radius[i] * T(-2)) * cosine[i];
}
void normalOf(const uint64_t *words, DType dtype, int64_t n, float *to) { // both numbers from one word
  constexpr float kTurn = float(2 * M_PI * 0x1p-24);
  float turn[kMost];
  for (int64_t i = 0; i < n; ++i) {
    to[i] = float(double(int64_t(words[i] >> 32)) * 0x1p-32 + 0x1p-33);
    turn[i] = float(int32_t(words[i] >> 8 & 0xffffff)) * kTurn;
  }
  joinNormal(dtype, n, turn, to);
}
void normalOf(const uint64_t *words, DType dtype, int64_t n, double *to) {
  double turn[kMost];
  unitOf(words, n, to);
  unitOf(words + n, n, turn);
  for (int64_t i = 0; i < n; ++i) to[i] = 1 - to[i], turn[i] = turn[i] * (2 * M_PI);
  joinNormal(dtype, n, turn, to);
}

/// A number of Python that a float of a dtype holds, rounded.
bool numberOf(PyObject *o, DType dtype, double &value) {
  int64_t integer;
  if (PyFloat_CheckExact(o)) value = PyFloat_AS_DOUBLE(o);
  else if (PyLong_CheckExact(o) && positionOf(o, integer)) value = double(integer);
  else return false;
  return std::isfinite(dtype == DType::F32 ? double(float(value)) : value);
}

/// What a draw is to be.
struct Draw {
  Making making;
  DType dtype;
  Dims shape;
  int64_t count; // of numbers
  double scale = 1, shift = 0;
  bool isShifted = false;
  uint64_t range = 0; // of integers, from `low` on
  int64_t low = 0;

  int64_t words() const { return making == Making::Normal && dtype == DType::F64 ? 2 * count : count; }

  /// Of (state, making, size, dtype or None, and up to two settings); false for what goes the usual way.
  bool take(PyObject *const *args, Py_ssize_t n) {
    if (isWatched || Mode::current() || defaultDevice() || !shapeOf(args[2], shape, count)) return false;
    making = Making(PyLong_AsLong(args[1]));
    bool isFloat = making != Making::Words && making != Making::Below;
    dtype = !isFloat ? (making == Making::Words ? DType::U64 : DType::I64) : args[3] == Py_None ? defaultFloat() : toDType(args[3]);
    if (isFloat && dtype != DType::F32 && dtype != DType::F64) return false;
    if (making == Making::Below) return n == 6 && takeRange(args[4], args[5]);
    isShifted = n > 5;
    if (n > 4 && !(numberOf(args[4], dtype, scale) && scale >= 0)) return false; // below 0 is an error of some
    return !isShifted || numberOf(args[5], dtype, shift);
  }
  void fill(const uint64_t *bits, void *to) const {
    if (making == Making::Words) std::copy_n(bits, count, static_cast<uint64_t *>(to));
    else if (making == Making::Below) fillIntegers(bits, static_cast<int64_t *>(to));
    else if (dtype == DType::F32) fillFloats(bits, static_cast<float *>(to));
    else fillFloats(bits, static_cast<double *>(to));
  }

private:
  bool takeRange(PyObject *from, PyObject *to) {
    int64_t high;
    if (!PyLong_CheckExact(from) || !PyLong_CheckExact(to) || !positionOf(from, low) || !positionOf(to, high) || high <= low) return false;
    range = uint64_t(high - low); // of small integers: below 2^32
    return true;
  }
  template <typename T> void fillFloats(const uint64_t *bits, T *to) const {
    if (making == Making::Unit) unitOf(bits, count, to);
    else if (making == Making::Normal) normalOf(bits, dtype, count, to);
    else exponentialOf(bits, dtype, count, to);
    for (int64_t i = 0; i < count && scale != 1; ++i) to[i] = to[i] * T(scale);
    for (int64_t i = 0; i < count && isShifted; ++i) to[i] = to[i] + T(shift);
  }
  /// The high half of the product of a word with the range.
  void fillIntegers(const uint64_t *bits, int64_t *to) const {
    for (int64_t i = 0; i < count; ++i) to[i] = int64_t(((bits[i] >> 32) * range + ((bits[i] & 0xffffffff) * range >> 32)) >> 32) + low;
  }
};

/// (state, making, size, dtype or None, [scale, [shift]] or low, high) -> the next random numbers, few of them; None where they are drawn
/// the usual way.
PyObject *drawFew(PyObject *, PyObject *const *args, Py_ssize_t n) {
  return guarded([&]() -> PyObject * {
    Draw draw;
    if (!draw.take(args, n)) Py_RETURN_NONE;
    uint64_t *state = stateOf(args[0]);
    if (!state) Py_RETURN_NONE;
    uint64_t counters[2 * kMost], bits[2 * kMost], key = state[0];
    int64_t words = draw.words();
    for (int64_t i = 0; i < words; ++i) counters[i] = state[1] + uint64_t(i);
    void *buffers[] = {counters, &key, bits};
    eager::flat(Op::RandomBits, DType::U64, DType::U64, words, true, buffers);
    PyObject *result = newArray({draw.dtype, draw.shape}, contiguousStrides(draw.shape), size_t(draw.count * byteSize(draw.dtype)));
    draw.fill(bits, arrayOf(result).data());
    state[1] += uint64_t(words);
    arrayOf(args[0]).storage->noteWrite();
    return result;
  });
}

/// Sets whether draws are watched; what it was before.
PyObject *watchDraws(PyObject *, PyObject *isOn) { return PyBool_FromLong(std::exchange(isWatched, isOn == Py_True)); }

PyMethodDef functions[] = {{"watch_draws", watchDraws, METH_O, nullptr},
                           {"draw_few", reinterpret_cast<PyCFunction>(reinterpret_cast<void *>(drawFew)), METH_FASTCALL, nullptr},
                           {nullptr, nullptr, 0, nullptr}};

} // namespace

bool initDraws(PyObject *module) { return !PyModule_AddFunctions(module, functions); }

} // namespace kiln::py
