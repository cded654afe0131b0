// Arrays without axes and elements of others, outside of recordings: what a kernel would compute is computed here, since its call and
// the memory around it cost several times as much. All results are those of the kernels, to the bit.
#include "elements.h"

#include <cmath>
#include <cstring>

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

/// An operand in the dtype of the other one: an array of it, or a number that takes it.
template <typename T> bool operandAs(PyObject *o, const Array *a, DType dtype, T &value) {
  if (a) {
    if (a->dtype != dtype) return false;
    value = read<T>(*a);
    return true;
  }
  int64_t integer;
  if (smallInteger(o, integer)) value = T(integer);
  else if (std::is_floating_point_v<T> && PyFloat_CheckExact(o)) value = T(PyFloat_AS_DOUBLE(o));
  else return false;
  return true;
}

template <typename T> PyObject *made(DType dtype, T value) { return newElement(dtype, &value); }

template <typename T> PyObject *compute(Op op, DType dtype, T x, T y) {
  auto arithmetic = [&](auto u, auto v) -> PyObject * { // of integers without a sign, which wrap
    switch (op) {
    case Op::Add: return made(dtype, T(u + v));
    case Op::Subtract: return made(dtype, T(u - v));
    case Op::Multiply: return made(dtype, T(u * v));
    default: return nullptr;
    }
  };
  switch (op) {
  case Op::Less: return made(DType::Bool, x < y);
  case Op::LessEqual: return made(DType::Bool, x <= y);
  case Op::Equal: return made(DType::Bool, x == y);
  case Op::NotEqual: return made(DType::Bool, x != y);
  case Op::Greater: return made(DType::Bool, x > y);
  case Op::GreaterEqual: return made(DType::Bool, x >= y);
  default: break;
  }
  if constexpr (std::is_floating_point_v<T>) {
    if (op == Op::Divide) return made(dtype, x / y);
    if (op == Op::Pow) return y == 2 ? made(dtype, x * x) : nullptr;
    return arithmetic(x, y);
  } else {
    return arithmetic(uint64_t(x), uint64_t(y));
  }
}

template <typename T> PyObject *computeAs(Op op, DType dtype, PyObject *x, const Array *a, PyObject *y, const Array *b) {
  T u, v;
  bool isPower = op == Op::Pow && b; // by an array: not by squaring
  if (isPower || !operandAs(x, a, dtype, u) || !operandAs(y, b, dtype, v)) return nullptr;
  return compute(op, dtype, u, v);
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
    if (!smallInteger(isTuple ? PyTuple_GET_ITEM(key, i) : key, at)) return nullptr;
    if (at < 0) at += n;
    if (uint64_t(at) >= uint64_t(n)) return nullptr;
    offset += at * a.strides[i];
  }
  return static_cast<char *>(a.storage->value->data) + offset * byteSize(a.dtype);
}

template <typename T> bool put(char *at, DType dtype, PyObject *value) {
  T element;
  if (!operandAs(value, numberOf(value), dtype, element)) return false;
  *reinterpret_cast<T *>(at) = element;
  return true;
}

} // namespace

PyObject *computeNumbers(Op op, PyObject *x, PyObject *y) {
  const Array *a = numberOf(x), *b = numberOf(y);
  if ((!a && !b) || Mode::current()) return nullptr;
  switch (DType dtype = a ? a->dtype : b->dtype) {
  case DType::F64: return computeAs<double>(op, dtype, x, a, y, b);
  case DType::F32: return computeAs<float>(op, dtype, x, a, y, b);
  case DType::I64: return computeAs<int64_t>(op, dtype, x, a, y, b);
  default: return nullptr;
  }
}

PyObject *computeNumber(Op op, PyObject *x) {
  const Array *a = numberOf(x);
  if (!a || Mode::current()) return nullptr;
  auto compute = [&]<typename T>(T value) -> PyObject * {
    if (op == Op::Negative) return made(a->dtype, T(-value));
    return op == Op::Abs ? made(a->dtype, T(std::abs(value))) : nullptr;
  };
  if (a->dtype == DType::F64) return compute(read<double>(*a));
  return a->dtype == DType::F32 ? compute(read<float>(*a)) : nullptr;
}

PyObject *readElement(const Array &a, PyObject *key) {
  const char *at = elementAt(a, key);
  return at ? newElement(a.dtype, at) : nullptr;
}

bool writeElement(Array &a, PyObject *key, PyObject *value) {
  char *at = elementAt(a, key);
  if (!at || a.isRepeated) return false;
  Storage &cell = *a.storage.get();
  if (!cell.isWritable || (!cell.pinned && cell.value->refs.load(std::memory_order_relaxed) != 1)) return false;
  bool isPut = a.dtype == DType::F64   ? put<double>(at, a.dtype, value)
               : a.dtype == DType::F32 ? put<float>(at, a.dtype, value)
               : a.dtype == DType::I64 ? put<int64_t>(at, a.dtype, value)
                                       : false;
  if (isPut) cell.noteWrite();
  return isPut;
}

PyObject *numberAsFloat(PyObject *o) {
  const Array *a = numberOf(o);
  if (!a || Mode::current()) return nullptr;
  switch (a->dtype) {
  case DType::F64: return PyFloat_FromDouble(read<double>(*a));
  case DType::F32: return PyFloat_FromDouble(double(read<float>(*a)));
  case DType::I64: return PyFloat_FromDouble(double(read<int64_t>(*a)));
  default: return nullptr;
  }
}

PyObject *numberAsInt(PyObject *o) {
  const Array *a = numberOf(o);
  return a && !Mode::current() && a->dtype == DType::I64 ? PyLong_FromLongLong(read<int64_t>(*a)) : nullptr;
}

int numberAsBool(PyObject *o) {
  const Array *a = numberOf(o);
  if (!a || Mode::current()) return -1;
  switch (a->dtype) {
  case DType::Bool: return read<uint8_t>(*a) != 0;
  case DType::F64: return read<double>(*a) != 0;
  case DType::I64: return read<int64_t>(*a) != 0;
  default: return -1;
  }
}

} // namespace kiln::py
