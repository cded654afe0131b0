#include "lib/Core/Types.h"

#include "lib/Core/Error.h"

#include <algorithm>

namespace kiln {

Dims contiguousStrides(const Dims &shape) {
  Dims strides = Dims::unset(shape.rank);
  int64_t step = 1;
  for (int i = shape.rank - 1; i >= 0; --i) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

void Size::failNegative(int64_t number) { throw Error(ErrorKind::Shape, "size: expected at least 0, got " + std::to_string(number)); }

std::string toString(Size size) {
  return size.isConstant() ? std::to_string(size.number()) : size.isSymbol() ? "s" + std::to_string(size.symbol()) : "?";
}

static std::string join(const Shape &shape) {
  std::string text;
  for (Size size : shape) text += (text.empty() ? "" : ", ") + toString(size);
  return text;
}

std::string toString(const Dims &shape) {
  std::string text;
  for (int64_t size : shape) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "(" + text + (shape.rank == 1 ? ",)" : ")");
}

std::string toString(const Shape &shape) { return "(" + join(shape) + (shape.rank == 1 ? ",)" : ")"); }

std::string toString(const TensorType &type) { return std::string(info(type.dtype).name) + "[" + join(type.shape) + "]"; }

Shape Shape::ofWords(const char *op, std::span<const int64_t> words, int64_t symbols) {
  Shape shape;
  for (int64_t word : words) {
    auto size = Size::ofWord(word, symbols);
    if (!size)
      fail(ErrorKind::Shape, op, "sizes and positions", symbols > 0 ? "numbers of at least 0, and symbols of the program" : "at least 0",
           std::to_string(word));
    shape.push(*size);
  }
  return shape;
}

bool agrees(const TensorType &inferred, const TensorType &type) {
  if (inferred.dtype != type.dtype || inferred.shape.rank != type.shape.rank) return false;
  for (int i = 0; i < type.shape.rank; ++i)
    if (!(inferred.shape[i].isDerived() ? type.shape[i].isSymbol() : inferred.shape[i] == type.shape[i])) return false;
  return true;
}

bool promote(DType a, DType b, DType &result) {
  if (a == b || b == DType::Bool) {
    result = a;
    return true;
  }
  if (a == DType::Bool) {
    result = b;
    return true;
  }
  if (isStorage(a) || isStorage(b)) return false;
  if (isComplex(a) || isComplex(b)) {
    bool isDouble = a == DType::C128 || b == DType::C128 || a == DType::F64 || b == DType::F64;
    result = isDouble ? DType::C128 : DType::C64;
    return true;
  }
  if (isFloat(a) || isFloat(b)) {
    // An integer array takes the dtype of the floating one; the two narrow floats meet in float32.
    result = !isFloat(a) ? b : !isFloat(b) ? a : isNarrow(a) && isNarrow(b) ? DType::F32 : std::max(a, b);
    return true;
  }
  if (info(a).isSigned == info(b).isSigned) {
    result = std::max(a, b);
    return true;
  }
  DType s = info(a).isSigned ? a : b, u = info(a).isSigned ? b : a;
  if (byteSize(s) > byteSize(u)) {
    result = s;
    return true;
  }
  if (u == DType::U64) return false;
  // The next signed dtype that holds the unsigned one: int16 for uint8, int32 for uint16, int64 for uint32.
  result = DType(int(DType::I8) + (int(u) - int(DType::U8)) + 1);
  return true;
}

} // namespace kiln
