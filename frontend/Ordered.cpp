// Selections by position, writes at positions, and what runs along an axis.
#include "frontend/Ordered.h"
#include "frontend/OpsShared.h"
#include "lib/Library/Partition.h"
#include "lib/Library/Sorting.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace kiln {

//===-- gather and scatter ------------------------------------------------------------------------------------------===//

/// Positions as the kernels take them. Those of uint64 above int64 stay outside, where a conversion would wrap to a position from the end.
static Array positions(const Array &indices) {
  if (indices.dtype != DType::U64) return contiguous(cast(indices, DType::I64));
  Operand operands[] = {{Operand::IsArray, &indices}, {Operand::IsInt, nullptr, std::numeric_limits<int64_t>::max()}};
  return contiguous(cast(applyElementwise(Op::Minimum, operands), DType::I64));
}

Array gather(const Array &x, const Array &indices, int64_t axis) {
  if (areMixed(x, indices)) {
    Together both("take", {&x, &indices});
    return gather(both[0], both[1], axis);
  }
  TensorType types[] = {x.type(), indices.type()};
  int64_t word = normalizeAxis("take", axis, x.shape.rank);
  TensorType type = infer(Op::Gather, types, {&word, 1});
  if (isApart(x, indices)) return apply(Op::Gather, {&x, &indices}, {&word, 1}, type);
  Array result = Array::empty(type.dtype, type.shape.numbers());
  Array source = withOwnCell(contiguous(x)), at = withOwnCell(positions(indices));
  Running running(result.size());
  eager::gather(source, at, result, int(word));
  return result;
}

void scatterInto(Op op, Array &x, const Array &indices, const Array &updates, int64_t axis) {
  Array at = positions(indices), values = contiguous(updates);
  if (overlaps(x, at)) at = copy(at); // they are read while elements are written
  prepareWrite(x);                    // others run until here, and wait from here on
  eager::scatter(op, x, at, values, int(axis));
}

Array scatter(Op op, const Array &x, const Array &indices, const Array &updates, int64_t axis) {
  if (areMixed(x, indices) || areMixed(x, updates)) {
    Together all(info(op).name, {&x, &indices, &updates});
    return scatter(op, all[0], all[1], all[2], axis);
  }
  if (op != Op::Scatter && isNarrow(x.dtype) && !isStorage(x.dtype))
    return cast(scatter(op, cast(x, DType::F32), indices, cast(updates, DType::F32), axis), x.dtype);
  if (op == Op::ScatterAdd && isComplex(x.dtype)) {
    auto part = [&](bool i) { return scatter(op, contiguous(partOf(x, i)), indices, contiguous(partOf(updates, i)), axis); };
    return joinParts(part(false), part(true));
  }
  TensorType types[] = {x.type(), indices.type(), updates.type()};
  int64_t word = normalizeAxis(info(op).name, axis, x.shape.rank);
  TensorType type = infer(op, types, {&word, 1});
  if (isApart(x)) return apply(op, {&x, &indices, &updates}, {&word, 1}, type);
  Array result = copy(x);
  scatterInto(op, result, indices, updates, word);
  return result;
}

Array nonzero(const Array &mask) {
  constexpr const char *kWhy = "a mask selects a number of elements that depends on values";
  TensorType type = mask.type();
  int64_t count = 0;
  infer(Op::Nonzero, {&type, 1}, {&count, 1});
  if (!hasMode()) {
    Array result = positionsOfTrue(leave(mask, kWhy));
    return moved(result, deviceOf(mask));
  }
  Mode &mode = *Mode::current();
  if (auto told = mode.toldCount(mask)) {
    count = *told;
  } else { // what is asked for is the number alone; nothing else may be held then, or it becomes a result of what runs so far
    Array number = reduce(Op::Sum, cast(mask, DType::I64), std::nullopt, false), host = leave(number, kWhy, Leaving::Read);
    std::memcpy(&count, host.data(), sizeof count);
    mode.noteCount(mask, count);
  }
  return apply(Op::Nonzero, {&mask}, {&count, 1}, {DType::I64, {count}});
}

Array positionsOfTrue(const Array &mask) {
  Array flat = withOwnCell(contiguous(mask));
  Running running(mask.size());
  Array result = Array::empty(DType::I64, {eager::countTrue(flat)});
  eager::nonzero(flat, result);
  return result;
}

/// Where the runs of equal elements of a sorted vector begin, by operations that a mode sees: their number alone is asked for.
static Array runStartsApart(const Array &line, bool joinsNans) {
  int64_t n = line.shape[0];
  if (!n) return nonzero(full({0}, DType::Bool, {}, deviceOf(line))); // where values are asked for at other sizes, it is here
  Array first = full({1}, DType::Bool, {1, 0}, deviceOf(line));
  Array before = slice(line, {0}, {n - 1}, {1}), after = slice(line, {1}, {n - 1}, {1});
  Operand operands[] = {{Operand::IsArray, &after}, {Operand::IsArray, &before}};
  Array differs = applyElementwise(Op::NotEqual, operands);
  if (joinsNans) { // they stand last
    Operand nans = {Operand::IsArray, &before};
    Array isNan = applyElementwise(Op::Isnan, {&nans, 1}),
          isNone = applyElementwise(Op::LogicalNot, std::array{Operand{Operand::IsArray, &isNan}});
    Operand both[] = {{Operand::IsArray, &differs}, {Operand::IsArray, &isNone}};
    differs = applyElementwise(Op::LogicalAnd, both);
  }
  const Array *parts[] = {&first, &differs};
  return nonzero(concat(parts, 0));
}

Array runStarts(const Array &line, bool joinsNans) {
  joinsNans &= isFloat(line.dtype);
  if (isApart(line)) return runStartsApart(line, joinsNans);
  if (isNarrow(line.dtype) && !isStorage(line.dtype)) return runStarts(cast(line, DType::F32), joinsNans);
  if (line.dtype == DType::Bool) return runStarts(cast(line, DType::U8), false);
  Paused paused;
  Array flat = withOwnCell(contiguous(line));
  Running running(line.size());
  int64_t count = kiln::runStarts(flat.dtype, flat.data(), flat.size(), nullptr, 0);
  if (count < 0) fail(ErrorKind::DType, "unique", "dtype", "one with an order", info(flat.dtype).name);
  Array result = Array::empty(DType::I64, {count});
  if (count) kiln::runStarts(flat.dtype, flat.data(), flat.size(), reinterpret_cast<int64_t *>(result.data()), count);
  if (!joinsNans) return result;
  Operand operand = {Operand::IsArray, &flat};
  int64_t nans = eager::countTrue(applyElementwise(Op::Isnan, {&operand, 1}));
  return nans ? copy(slice(result, {0}, {count - nans + 1}, {1})) : result;
}

Array countTrue(const Array &mask) {
  if (isApart(mask)) return reduce(Op::Sum, cast(mask, DType::I64), std::nullopt, false);
  Array flat = withOwnCell(contiguous(mask));
  Running running(mask.size());
  return constantArray(DType::I64, {eager::countTrue(flat), 0});
}

/// Of int64 in row-major order, in one pass.
static Array ravelFlat(std::span<const Array> indices, const Dims &sizes) {
  Array result = Array::empty(DType::I64, indices[0].shape);
  std::vector<Array> kept;
  for (const Array &index : indices) kept.push_back(withOwnCell(index));
  Running running(result.size());
  auto *position = reinterpret_cast<int64_t *>(result.data());
  for (size_t k = 0; k < kept.size(); ++k) {
    auto *index = reinterpret_cast<const int64_t *>(kept[k].data());
    int64_t n = result.size(), size = sizes[int(k)];
    for (int64_t i = 0; i < n; ++i) {
      int64_t at = index[i] + (index[i] < 0 ? size : 0), before = k ? position[i] : 0;
      bool isInside = uint64_t(at) < uint64_t(size) && before >= 0;
      position[i] = isInside ? before * size + at : INT64_MIN;
    }
  }
  return result;
}

Array ravelIndices(std::span<const Array> indices, const Dims &sizes) {
  auto isFlat = [&](const Array &a) { return a.dtype == DType::I64 && a.isContiguous && a.shape == indices[0].shape && !isApart(a); };
  if (indices.size() && std::ranges::all_of(indices, isFlat)) return ravelFlat(indices, sizes);
  Array position = constantArray(DType::I64, {});
  for (size_t i = 0; i < indices.size(); ++i) {
    Array index = cast(indices[i], DType::I64), size = constantArray(DType::I64, {sizes[int(i)], 0});
    Operand operands[] = {{Operand::IsArray, &position}, {Operand::IsArray, &index}, {Operand::IsArray, &size}};
    position = applyElementwise(Op::RavelIndex, operands);
  }
  return position;
}

//===-- along an axis -----------------------------------------------------------------------------------------------===//

/// The array with `axis` last, and back.
static Array withAxisLast(const Array &x, int axis, bool back = false) {
  Dims permutation;
  int last = x.shape.rank - 1;
  for (int i = 0; i <= last; ++i) permutation.push(i);
  if (back) {
    permutation.erase(last);
    permutation.insert(axis, last);
  } else {
    permutation.erase(axis);
    permutation.push(axis);
  }
  return axis == last ? x : transpose(x, permutation);
}

Array alongAxis(Op op, const Array &x, int64_t axis, bool descending) {
  int at = normalizeAxis(info(op).name, axis, x.shape.rank);
  bool isSort = info(op).kind == Kind::Sort;
  if (isNarrow(x.dtype) && !isStorage(x.dtype)) {
    Array wide = alongAxis(op, cast(x, DType::F32), axis, descending);
    return wide.dtype == DType::F32 ? cast(wide, x.dtype) : wide;
  }
  if (isComplex(x.dtype) && op == Op::CumulativeSum)
    return joinParts(alongAxis(op, contiguous(partOf(x, false)), axis), alongAxis(op, contiguous(partOf(x, true)), axis));
  // Sorts run along the last axis.
  Array source = isSort ? withAxisLast(x, at) : x;
  std::vector<int64_t> words = {isSort ? x.shape.rank - 1 : at};
  if (isSort) words.push_back(descending);
  TensorType type = source.type(), resultType = infer(op, {&type, 1}, words);
  if (isApart(source)) {
    Array result = apply(op, {&source}, words, resultType);
    return isSort ? withAxisLast(result, at, true) : result;
  }
  Array result = Array::empty(resultType.dtype, resultType.shape.numbers()), whole = withOwnCell(contiguous(source));
  Running running(4 * x.size());
  if (isSort) eager::sort(op, whole, result, descending);
  else eager::scan(op, whole, int(at), result);
  return isSort ? contiguous(withAxisLast(result, at, true)) : result;
}

std::optional<Array> partition(const Array &x, int64_t axis, int64_t place, bool wantsPositions) {
  if (isApart(x)) return std::nullopt;
  if (isNarrow(x.dtype) && !isStorage(x.dtype)) {
    Array wide = *partition(cast(x, DType::F32), axis, place, wantsPositions);
    return wantsPositions ? wide : cast(wide, x.dtype);
  }
  int at = normalizeAxis("partition", axis, x.shape.rank), last = x.shape.rank - 1;
  Array source = withOwnCell(contiguous(withAxisLast(x, at)));
  Array result = Array::empty(wantsPositions ? DType::I64 : x.dtype, source.shape);
  int64_t size = source.shape[last];
  if (place < 0 || place >= size)
    fail(ErrorKind::Index, "partition", "kth", "a place below " + std::to_string(size), std::to_string(place));
  Running running(4 * x.size());
  if (!partitionRows(x.dtype, x.size() / size, size, place, wantsPositions, source.data(), result.data()))
    fail(ErrorKind::DType, "partition", "dtype", "one with an order", info(x.dtype).name);
  return contiguous(withAxisLast(result, at, true));
}

} // namespace kiln
