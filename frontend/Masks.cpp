// Elements that a mask selects, read and written in one pass over it: on the CPU, outside of recordings.
#include "frontend/Indexing.h"

#include "frontend/Masks.h"
#include "frontend/OpsShared.h"

#include <bit>
#include <cstring>

namespace kiln {
namespace {

template <typename T> void put(const char *mask, int64_t n, int64_t count, const char *from, char *to) {
  auto *values = reinterpret_cast<const T *>(from);
  auto *x = reinterpret_cast<T *>(to);
  overTrue(
      mask, n, count,
      [=](int64_t i, int64_t found, bool isTrue) {
        const T *chosen = isTrue ? values + found : x + i;
        x[i] = *chosen;
      },
      [=](int64_t i, int64_t found) { std::memcpy(x + i, values + found, 8 * sizeof(T)); });
}

/// Rows of any number of bytes.
template <bool reads> void moveRows(const char *mask, int64_t n, int64_t count, size_t bytes, const char *from, char *to) {
  for (int64_t i = 0, found = 0; i < n && found < count; ++i) {
    if (!mask[i]) continue;
    if (reads) std::memcpy(to + size_t(found) * bytes, from + size_t(i) * bytes, bytes);
    else std::memcpy(to + size_t(i) * bytes, from + size_t(found) * bytes, bytes);
    ++found;
  }
}

void takeAll(const Array &mask, int64_t count, int64_t bytes, const char *from, char *to) {
  if (bytes <= 8 && std::has_single_bit(uint64_t(bytes))) return eager::compress(from, bytes, mask, count, to);
  if (bytes == 16) {
    auto *x = reinterpret_cast<const Pair *>(from);
    auto *result = reinterpret_cast<Pair *>(to);
    return overTrue(
        mask.data(), mask.size(), count, [=](int64_t i, int64_t found, bool) { result[found] = x[i]; },
        [=](int64_t i, int64_t found) { std::memcpy(result + found, x + i, 8 * sizeof(Pair)); });
  }
  moveRows<true>(mask.data(), mask.size(), count, size_t(bytes), from, to);
}

void putAll(const char *mask, int64_t n, int64_t count, int64_t bytes, const char *from, char *to) {
  switch (bytes) {
  case 1: return put<uint8_t>(mask, n, count, from, to);
  case 2: return put<uint16_t>(mask, n, count, from, to);
  case 4: return put<uint32_t>(mask, n, count, from, to);
  case 8: return put<uint64_t>(mask, n, count, from, to);
  case 16: return put<Pair>(mask, n, count, from, to);
  default: return moveRows<false>(mask, n, count, size_t(bytes), from, to);
  }
}

/// The mask of a key that is one over the first axes of row-major memory, all further axes whole; null for other keys.
const Array *maskOf(const Array &x, std::span<const Subscript> key) {
  if (key.empty() || key[0].kind != Subscript::Mask || !x.isContiguous) return nullptr;
  const Array &mask = key[0].array;
  int rank = mask.shape.rank;
  if (!rank || rank > x.shape.rank || !mask.isContiguous || isApart(x, mask) || x.shape.rank - rank != int(key.size()) - 1) return nullptr;
  for (int i = 0; i < rank; ++i)
    if (mask.shape[i] != x.shape[i]) return nullptr;
  for (size_t i = 1; i < key.size(); ++i) {
    const Subscript &s = key[i];
    if (s.kind != Subscript::Slice || s.start || s.step != 1 || s.count != x.shape[rank + int(i) - 1]) return nullptr;
  }
  return &mask;
}

/// The shape of what is selected.
Dims selectionOf(const Array &x, const Array &mask, int64_t count) {
  Dims shape = {count};
  for (int i = mask.shape.rank; i < x.shape.rank; ++i) shape.push(x.shape[i]);
  return shape;
}

int64_t bytesBehind(const Array &x, int rank) {
  int64_t bytes = byteSize(x.dtype);
  for (int i = rank; i < x.shape.rank; ++i) bytes *= x.shape[i];
  return bytes;
}

} // namespace

std::optional<Array> takeByMask(const Array &x, std::span<const Subscript> key) {
  const Array *given = maskOf(x, key);
  if (!given) return std::nullopt;
  Array source = withOwnCell(x), mask = withOwnCell(*given);
  Running running(x.size());
  int64_t count = eager::countTrue(mask);
  Array result = Array::empty(x.dtype, selectionOf(x, mask, count));
  takeAll(mask, count, bytesBehind(x, mask.shape.rank), source.data(), result.data());
  return result;
}

bool putByMask(Array &x, std::span<const Subscript> key, const Array &value) {
  const Array *mask = maskOf(x, key);
  bool isPlain = mask && !isApart(value) && value.dtype == x.dtype && value.isContiguous && value.shape.rank && !x.isRepeated;
  if (!isPlain || overlaps(x, *mask)) return false;
  int64_t count = eager::countTrue(*mask);
  if (!(value.shape == selectionOf(x, *mask, count))) return false;
  Array source = overlaps(x, value) ? copy(value) : value;
  prepareWrite(x); // others run until here, and wait from here on
  putAll(mask->data(), mask->size(), count, bytesBehind(x, mask->shape.rank), source.data(), x.data());
  return true;
}

} // namespace kiln
