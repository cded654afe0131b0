// Sorting of values, by the vector instructions of the processor (Highway's vqsort).
#pragma once

#include "lib/Core/Types.h"

namespace kiln {

/// Calls `body` with a value of the C++ type of a real dtype of whole bytes; false for all others.
template <typename Body> bool withElementType(DType dtype, const Body &body) {
  switch (dtype) {
  case DType::I8: body(int8_t()); break;
  case DType::U8: body(uint8_t()); break;
  case DType::I16: body(int16_t()); break;
  case DType::U16: body(uint16_t()); break;
  case DType::I32: body(int32_t()); break;
  case DType::U32: body(uint32_t()); break;
  case DType::I64: body(int64_t()); break;
  case DType::U64: body(uint64_t()); break;
  case DType::F32: body(float()); break;
  case DType::F64: body(double()); break;
  default: return false;
  }
  return true;
}

/// Whether code with 512 bits is taken, of what is compiled for several processors: it stores selected lanes straight to memory, which
/// takes AMD's Zen 4 hundreds of cycles.
bool hasWideLanes();

/// Sorts each of `rows` rows of `size` values into `to`: nan last, equal elements in their order. False for dtypes that it does not know.
bool sortValues(DType dtype, int64_t rows, int64_t size, bool descending, const void *from, void *to);

/// Where the elements of each row that `sortValues` makes were; false for dtypes that it does not know, and rows of more than 2^32.
bool sortPositions(DType dtype, int64_t rows, int64_t size, bool descending, const void *from, int64_t *positions);

/// Where runs of equal elements begin in `n` sorted ones, of which there are `count`, in `starts`, where that is not null; -1 for dtypes
/// that it does not know. No nan equals another.
int64_t runStarts(DType dtype, const void *line, int64_t n, int64_t *starts, int64_t count);

} // namespace kiln
