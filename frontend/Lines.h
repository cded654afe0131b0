// Copies of elements that do not lie one after the other.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kiln::eager {

/// Two axes of a copy: how many elements each has, and how far one is from the next, in elements.
struct Plane {
  int64_t rows, columns, fromRows, fromColumns, toRows, toColumns;
};

/// Copies elements of `bytes` bytes (1, 2, 4, 8 or 16) that do not overlap with where they go.
void copyPlane(void *to, const void *from, int64_t bytes, const Plane &plane);

/// As memmove, for rows of a few KB as well: processors' own copies, which it takes for those, are slow where they lie a little apart
/// within their pages.
void copyBytes(void *to, const void *from, size_t bytes);

/// Elements of `bytes` bytes (1, 2, 4 or 8) at `count` positions in [-size, size) of a line, one by one; false where one is outside:
/// nothing is written then. Threads share what is read; what is written is in order, so that the last of equal positions stays.
bool gatherElements(void *to, const void *from, int64_t bytes, const int64_t *positions, int64_t count, int64_t size);
bool scatterElements(void *to, const void *from, int64_t bytes, const int64_t *positions, int64_t count, int64_t size);

} // namespace kiln::eager
