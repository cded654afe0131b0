// Few elements of row-major memory, by an array of positions or a mask: read and written here, since the way of all keys costs several
// times as much. So does an order by several keys.
#include "elements.h"

#include "frontend/Masks.h"
#include "frontend/OpsShared.h"

#include <algorithm>

namespace kiln::py {
namespace {

constexpr int64_t kMost = 64; // elements of a key

/// The elements that a key selects, by number; none where it is for another way, also to say what is wrong with it.
struct Selection {
  int64_t places[kMost];
  Dims shape; // of what is selected
  bool isKnown = false;

  Selection(const Array &a, PyObject *key) {
    const Array &k = arrayOf(key);
    if (!isPlain(a) || !a.shape.rank || !isPlain(k) || !k.shape.rank || k.size() > kMost) return;
    if (k.dtype == DType::Bool && k.shape == a.shape) takeMask(k);
    if (k.dtype == DType::I64 && a.shape.rank == 1) takePositions(k, a.shape[0]);
  }

private:
  void takeMask(const Array &mask) {
    int64_t count = 0;
    const char *bytes = mask.data();
    for (int64_t i = 0, n = mask.size(); i < n; ++i) {
      places[count] = i;
      count += bytes[i] != 0;
    }
    shape = {count};
    isKnown = true;
  }
  void takePositions(const Array &positions, int64_t size) {
    auto *from = reinterpret_cast<const int64_t *>(positions.data());
    for (int64_t i = 0, n = positions.size(); i < n; ++i) {
      int64_t at = from[i] < 0 ? from[i] + size : from[i];
      if (uint64_t(at) >= uint64_t(size)) return;
      places[i] = at;
    }
    shape = positions.shape;
    isKnown = true;
  }
};

/// Calls `body` with a value as wide as an element.
template <typename Body> void withWidth(int64_t bytes, const Body &body) {
  switch (bytes) {
  case 1: return body(uint8_t());
  case 2: return body(uint16_t());
  case 4: return body(uint32_t());
  case 8: return body(uint64_t());
  default: return body(Pair());
  }
}

} // namespace

PyObject *readFew(const Array &a, PyObject *key) {
  if (!isArray(key)) return nullptr;
  Selection selection(a, key);
  if (!selection.isKnown) return nullptr;
  int64_t count = numElements(selection.shape), bytes = byteSize(a.dtype);
  PyObject *result = newArray({a.dtype, selection.shape}, contiguousStrides(selection.shape), size_t(count * bytes));
  withWidth(bytes, [&]<typename T>(T) {
    auto *from = reinterpret_cast<const T *>(a.data());
    auto *to = reinterpret_cast<T *>(arrayOf(result).data());
    for (int64_t i = 0; i < count; ++i) to[i] = from[selection.places[i]];
  });
  return result;
}

bool writeFew(Array &a, PyObject *key, PyObject *value) {
  if (!isArray(key)) return false;
  Selection selection(a, key);
  if (!selection.isKnown || !mayWrite(a)) return false;
  uint64_t number;
  const void *source = &number;
  int64_t step = 0;
  if (isArray(value) && arrayOf(value).shape.rank) {
    const Array &v = arrayOf(value);
    if (!isPlain(v) || v.dtype != a.dtype || !(v.shape == selection.shape) || overlaps(a, v)) return false;
    source = v.data(), step = 1;
  } else if (!elementOf(value, a.dtype, &number)) {
    return false;
  }
  int64_t count = numElements(selection.shape);
  withWidth(byteSize(a.dtype), [&]<typename T>(T) {
    auto *from = static_cast<const T *>(source);
    auto *to = reinterpret_cast<T *>(a.data());
    for (int64_t i = 0; i < count; ++i) to[selection.places[i]] = from[i * step];
  });
  a.storage->noteWrite();
  return true;
}

namespace {

/// What a mask writes: an element for each of its places, or one for each true one, and again from the first.
template <typename T> void putThrough(const char *mask, int64_t n, const T *from, int64_t count, bool isPacked, T *to) {
  for (int64_t i = 0, next = 0; i < n; ++i) {
    if (!mask[i]) continue;
    to[i] = from[isPacked ? next : i];
    if (++next == count) next = 0;
  }
}

/// (x, mask, values, whether values are for true elements alone) -> whether they were written, few of them.
PyObject *putWhere(PyObject *, PyObject *const *args, Py_ssize_t) {
  return guarded([&]() -> PyObject * {
    if (!isArray(args[0]) || !isArray(args[1]) || !isArray(args[2])) Py_RETURN_FALSE;
    Array &x = arrayOf(args[0]);
    const Array &mask = arrayOf(args[1]), &values = arrayOf(args[2]);
    bool isPacked = args[3] == Py_True;
    if (!isPlain(x) || !x.shape.rank || !isPlain(mask) || !isPlain(values) || !mayWrite(x) || x.size() > kMost) Py_RETURN_FALSE;
    if (mask.dtype != DType::Bool || !(mask.shape == x.shape) || values.dtype != x.dtype) Py_RETURN_FALSE;
    if (!(isPacked ? values.shape.rank == 1 && values.size() : values.shape == x.shape) || overlaps(x, values) || overlaps(x, mask))
      Py_RETURN_FALSE;
    withWidth(byteSize(x.dtype), [&]<typename T>(T) {
      putThrough(mask.data(), x.size(), reinterpret_cast<const T *>(values.data()), values.size(), isPacked,
                 reinterpret_cast<T *>(x.data()));
    });
    x.storage->noteWrite();
    Py_RETURN_TRUE;
  });
}

bool isKey(const Array &a, int64_t n) {
  bool isOrdered = isInteger(a.dtype) || a.dtype == DType::F32 || a.dtype == DType::F64;
  return isPlain(a) && a.shape.rank == 1 && a.shape[0] == n && isOrdered;
}

/// A list of keys -> the positions that sort by the last of them, equal ones by the one before it, and so on; None of many elements.
PyObject *lexsort(PyObject *, PyObject *keys) {
  return guarded([&]() -> PyObject * {
    Py_ssize_t count = PyList_CheckExact(keys) ? PyList_GET_SIZE(keys) : 0;
    if (!count || !isArray(PyList_GET_ITEM(keys, 0))) Py_RETURN_NONE;
    int64_t n = arrayOf(PyList_GET_ITEM(keys, 0)).size();
    if (n < 1 || n > kMost) Py_RETURN_NONE;
    for (Py_ssize_t i = 0; i < count; ++i)
      if (PyObject *key = PyList_GET_ITEM(keys, i); !isArray(key) || !isKey(arrayOf(key), n)) Py_RETURN_NONE;
    auto ofLine = [&](DType dtype) { return Object(newArray({dtype, {n}}, {1}, size_t(n * byteSize(dtype)))); };
    Object order = ofLine(DType::I64), place = ofLine(DType::I64);
    auto *at = reinterpret_cast<int64_t *>(arrayOf(order.get()).data());
    eager::sort(Op::Argsort, arrayOf(PyList_GET_ITEM(keys, 0)), arrayOf(order.get()), false);
    for (Py_ssize_t i = 1; i < count; ++i) {
      const Array &key = arrayOf(PyList_GET_ITEM(keys, i));
      Object line = ofLine(key.dtype);
      withWidth(byteSize(key.dtype), [&]<typename T>(T) {
        for (int64_t j = 0; j < n; ++j)
          reinterpret_cast<T *>(arrayOf(line.get()).data())[j] = reinterpret_cast<const T *>(key.data())[at[j]];
      });
      eager::sort(Op::Argsort, arrayOf(line.get()), arrayOf(place.get()), false);
      int64_t before[kMost];
      std::copy_n(at, n, before);
      for (int64_t j = 0; j < n; ++j) at[j] = before[reinterpret_cast<int64_t *>(arrayOf(place.get()).data())[j]];
    }
    return order.release();
  });
}

PyMethodDef functions[] = {{"put_where", reinterpret_cast<PyCFunction>(reinterpret_cast<void *>(putWhere)), METH_FASTCALL, nullptr},
                           {"lexsort", lexsort, METH_O, nullptr},
                           {nullptr, nullptr, 0, nullptr}};

} // namespace

bool initFew(PyObject *module) { return !PyModule_AddFunctions(module, functions); }

} // namespace kiln::py
