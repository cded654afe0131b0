// Few elements of row-major memory, by an array of positions or a mask: read and written here, since the way of all keys costs several
// times as much.
#include "elements.h"

#include "frontend/Masks.h"
#include "frontend/OpsShared.h"

namespace kiln::py {
namespace {

constexpr int64_t kMost = 64; // elements of a key

bool isPlain(const Array &a) { return a.isContiguous && a.shape.rank && !deviceOf(a) && a.storage->value; }

/// The elements that a key selects, by number; none where it is for another way, also to say what is wrong with it.
struct Selection {
  int64_t places[kMost];
  Dims shape; // of what is selected
  bool isKnown = false;

  Selection(const Array &a, PyObject *key) {
    if (Mode::current() || !isPlain(a)) return;
    const Array &k = arrayOf(key);
    if (!isPlain(k) || k.size() > kMost) return;
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

} // namespace kiln::py
