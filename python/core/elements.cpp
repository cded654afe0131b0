// Arrays without axes and elements of others, outside of recordings: what a kernel would compute is computed here, since its call and
// the memory around it cost several times as much. All results are those of the kernels, to the bit.
#include "elements.h"

#include <cmath>
#include <concepts>
#include <cstring>
#include <utility>

namespace kiln::py {
namespace {

/// An array without axes whose memory the host may read; null for anything else.
const Array *numberOf(PyObject *o) {
  if (!isArray(o)) return nullptr;
  const Array &a = arrayOf(o);
  return a.shape.rank || deviceOf(a) || !a.storage->value ? nullptr : &a;
}

template <typename T> T read(const Array &a) { return *reinterpret_cast<const T *>(a.data()); }

/// A small integer of Python; false for others.
bool smallInteger(PyObject *o, int64_t &value) {
  if (!PyLong_CheckExact(o)) return false;
#if PY_VERSION_HEX < 0x030c0000
  Py_ssize_t digits = Py_SIZE(o);
  if (digits < -1 || digits > 1) return false;
  value = digits * int64_t(reinterpret_cast<PyLongObject *>(o)->ob_digit[0]);
  return true;
#else
  auto *number = reinterpret_cast<PyLongObject *>(o);
  if (!PyUnstable_Long_IsCompact(number)) return false;
  value = PyUnstable_Long_CompactValue(number);
  return true;
#endif
}

/// Calls `body`, which gives a bool, with a value of the C++ type of a dtype of numbers; false for all others.
template <typename Body> bool withElement(DType dtype, const Body &body) {
  switch (dtype) {
  case DType::F64: return body(double());
  case DType::F32: return body(float());
  case DType::I64: return body(int64_t());
  case DType::I32: return body(int32_t());
  case DType::I16: return body(int16_t());
  case DType::I8: return body(int8_t());
  case DType::U64: return body(uint64_t());
  case DType::U32: return body(uint32_t());
  case DType::U16: return body(uint16_t());
  case DType::U8: return body(uint8_t());
  default: return false;
  }
}

/// The value of an array of integers without axes; false for others, and for one above int64.
bool integerOf(const Array &a, int64_t &value) {
  if (!kiln::isInteger(a.dtype)) return false;
  return withElement(a.dtype, [&]<typename T>(T) {
    T element = read<T>(a);
    value = int64_t(element);
    return std::in_range<int64_t>(static_cast<std::conditional_t<std::is_integral_v<T>, T, int64_t>>(element));
  });
}

/// An operand in the dtype of the other one: an array of it, or a number that takes it.
template <typename T> bool operandAs(PyObject *o, const Array *a, DType dtype, T &value) {
  if (a) {
    if (a->dtype != dtype) return false;
    value = read<T>(*a);
    return true;
  }
  int64_t integer;
  if (smallInteger(o, integer)) {
    value = T(integer);
    if constexpr (std::is_integral_v<T>) return std::in_range<T>(integer);
    return true;
  }
  bool isFloat64 = std::is_same_v<T, double> && !PyFloat_CheckExact(o) && PyFloat_Check(o) && isNumPyScalar(o);
  if (!std::is_floating_point_v<T> || !(PyFloat_CheckExact(o) || isFloat64)) return false;
  value = T(PyFloat_AS_DOUBLE(o));
  return true;
}

} // namespace

bool mayWrite(const Array &a) {
  const Storage &cell = *a.storage.get();
  if (a.isRepeated || !cell.isWritable || !cell.value || cell.device) return false;
  return cell.pinned || cell.value->refs.load(std::memory_order_relaxed) == 1;
}

bool elementOf(PyObject *o, DType dtype, void *bits) {
  return withElement(dtype, [&]<typename T>(T) {
    T element;
    if (!operandAs(o, numberOf(o), dtype, element)) return false;
    std::memcpy(bits, &element, sizeof element);
    return true;
  });
}

bool positionOf(PyObject *o, int64_t &value) {
  if (smallInteger(o, value)) return true;
  const Array *a = numberOf(o);
  return a && integerOf(*a, value);
}

namespace {

/// A result: an element of at most 8 bytes.
struct Made {
  DType dtype;
  uint64_t bits = 0;
  /// Of the C++ type T for `type`; a truth value stays one.
  template <typename T, typename V> bool put(DType type, T element, V value) {
    constexpr bool isTruth = std::is_same_v<V, bool>;
    dtype = isTruth ? DType::Bool : type;
    if constexpr (isTruth) bits = value;
    else element = T(value), std::memcpy(&bits, &element, sizeof element);
    return true;
  }
};

/// As the records of the ops say it; false where they do not.
template <std::floating_point T> bool compute(Op op, DType dtype, T x, T y, Made &made) {
  auto put = [&](auto value) { return made.put(dtype, T(), value); };
  switch (op) {
#include "kiln/FloatElements.inc"
  default: return false;
  }
}

template <std::integral T> bool compute(Op op, DType dtype, T x, T y, Made &made) {
  auto u = uint64_t(x), v = uint64_t(y); // which wrap
  auto put = [&](auto value) { return made.put(dtype, T(), value); };
  switch (op) {
#include "kiln/IntegerElements.inc"
  default: return false;
  }
}

/// The result of an op over two of which one at least is an array without axes, the other one a number or of its dtype.
bool compute(Op op, PyObject *x, PyObject *y, Made &made) {
  const Array *a = numberOf(x), *b = numberOf(y);
  if ((!a && !b) || Mode::current() || (info(op).byNumber && b)) return false;
  DType dtype = a ? a->dtype : b->dtype;
  return withElement(dtype, [&]<typename T>(T) {
    T u, v;
    return operandAs(x, a, dtype, u) && operandAs(y, b, dtype, v) && compute(op, dtype, u, v, made);
  });
}

/// Where the element of a key of integers alone is; null for other keys, and for one outside.
char *elementAt(const Array &a, PyObject *key) {
  if (Mode::current() || deviceOf(a) || !a.storage->value) return nullptr;
  bool isTuple = PyTuple_CheckExact(key);
  int rank = a.shape.rank;
  if (rank == 0 || (isTuple ? PyTuple_GET_SIZE(key) : 1) != rank) return nullptr;
  int64_t offset = a.offset;
  for (int i = 0; i < rank; ++i) {
    int64_t at, n = a.shape[i];
    PyObject *item = isTuple ? PyTuple_GET_ITEM(key, i) : key;
    if (!positionOf(item, at)) return nullptr;
    if (at < 0) at += n;
    if (uint64_t(at) >= uint64_t(n)) return nullptr;
    offset += at * a.strides[i];
  }
  return static_cast<char *>(a.storage->value->data) + offset * byteSize(a.dtype);
}

} // namespace

PyObject *computeNumbers(Op op, PyObject *x, PyObject *y) {
  Made made;
  return compute(op, x, y, made) ? newElement(made.dtype, &made.bits) : nullptr;
}

bool computeInPlace(Op op, PyObject *x, PyObject *y) {
  Array &target = arrayOf(x);
  Made made;
  if (target.shape.rank || !mayWrite(target) || !compute(op, x, y, made) || made.dtype != target.dtype) return false;
  target.storage->noteWrite();
  std::memcpy(target.data(), &made.bits, size_t(byteSize(made.dtype)));
  return true;
}

PyObject *computeNumber(Op op, PyObject *x) {
  const Array *a = numberOf(x);
  if (!a || Mode::current()) return nullptr;
  Made made;
  bool isDone = withElement(a->dtype, [&]<typename T>(T) {
    T value = read<T>(*a);
    return compute(op, a->dtype, value, value, made);
  });
  return isDone ? newElement(made.dtype, &made.bits) : nullptr;
}

PyObject *readElement(const Array &a, PyObject *key) {
  const char *at = elementAt(a, key);
  return at ? newElement(a.dtype, at) : nullptr;
}

bool writeElement(Array &a, PyObject *key, PyObject *value) {
  char *at = elementAt(a, key);
  if (!at || !mayWrite(a)) return false;
  bool isPut = elementOf(value, a.dtype, at);
  if (isPut) a.storage->noteWrite();
  return isPut;
}

PyObject *numberAsFloat(PyObject *o) {
  const Array *a = numberOf(o);
  PyObject *number = nullptr;
  if (a && !Mode::current())
    withElement(a->dtype, [&]<typename T>(T) { return (number = PyFloat_FromDouble(double(read<T>(*a)))) != nullptr; });
  return number;
}

PyObject *numberAsInt(PyObject *o) {
  const Array *a = numberOf(o);
  int64_t value;
  return a && !Mode::current() && integerOf(*a, value) ? PyLong_FromLongLong(value) : nullptr;
}

int numberAsBool(PyObject *o) {
  const Array *a = numberOf(o);
  if (!a || Mode::current()) return -1;
  if (a->dtype == DType::Bool) return read<uint8_t>(*a) != 0;
  bool isTrue = false;
  bool isKnown = withElement(a->dtype, [&]<typename T>(T) {
    isTrue = read<T>(*a) != 0;
    return true;
  });
  return isKnown ? isTrue : -1;
}

} // namespace kiln::py
