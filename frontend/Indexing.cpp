#include "frontend/Indexing.h"

#include "frontend/OpsShared.h"

namespace kiln {
namespace {

/// A key over an array: first a view, then arrays that select from some of its axes.
struct Resolved {
  Array view;
  std::vector<int> axes;      // ascending, of the view
  std::vector<Array> indices; // one an axis; they broadcast against each other
  int place = 0;              // of the axes of the indices in the result
  std::optional<Array> mask;  // in place of indices where it is the only array
  bool isElement = false;     // integers for every axis
};

Operand operand(const Array &a) { return {Operand::IsArray, &a}; }
Operand operand(int64_t n) {
  Operand o{Operand::IsInt};
  o.integer = n;
  return o;
}
Array apply(Op op, const Array &a, int64_t n) {
  Operand operands[] = {operand(a), operand(n)};
  return applyElementwise(op, operands);
}

/// Where a mask is true, counted through all of its axes, on the device of what it selects from: positions do not move by themselves.
Array flatPositions(const Array &x, const Array &mask) {
  Device *device = commonDevice("index", std::array{&x, &mask});
  return nonzero(reshape(cast(mask, DType::Bool, device), {mask.size()}));
}

/// A mask as one array of positions for each of its axes.
std::vector<Array> positionsOf(const Array &x, const Array &mask) {
  Array flat = flatPositions(x, mask);
  std::vector<Array> result;
  int64_t step = mask.size();
  for (int64_t n : mask.shape) {
    step /= std::max<int64_t>(n, 1);
    Array position = step == 1 ? flat : apply(Op::FloorDivide, flat, step);
    result.push_back(result.empty() ? position : apply(Op::Remainder, position, n));
  }
  return result;
}

class Resolver {
public:
  Resolver(const Array &x, std::span<const Subscript> key) : x(x), key(key) {}

  Resolved run() {
    int arrays = 0, integers = 0;
    for (const Subscript &s : key) arrays += s.kind >= Subscript::Indices, integers += s.kind == Subscript::Integer;
    bool isSingleMask = arrays == 1;
    for (size_t i = 0; i < key.size(); ++i) {
      const Subscript &s = key[i];
      // Beside an array, an integer is an array as well: it counts for where the result has their axes.
      if (arrays && (s.kind >= Subscript::Indices || s.kind == Subscript::Integer)) countAdvanced(i);
      if (s.kind == Subscript::Mask) addMask(s.array, isSingleMask);
      else add(s);
    }
    result.isElement = !arrays && integers == x.shape.rank && integers && shape.rank == 0;
    result.view = slice(x, starts, sizes, steps);
    if (!(result.view.shape == shape)) result.view = reshape(result.view, shape); // axes of size 1 dropped and added
    if (!adjacent) result.place = 0;
    return std::move(result);
  }

private:
  const Array &x;
  std::span<const Subscript> key;
  Resolved result;
  Dims starts, sizes, steps, shape;
  bool adjacent = true;
  std::optional<size_t> lastAdvanced;

  void countAdvanced(size_t at) {
    if (!lastAdvanced) result.place = shape.rank;
    else adjacent &= *lastAdvanced + 1 == at;
    lastAdvanced = at;
  }

  void take(int64_t start, int64_t size, int64_t step) {
    starts.push(start);
    sizes.push(size);
    steps.push(step);
  }
  void takeAll() {
    int64_t n = x.shape[starts.rank];
    shape.push(n);
    take(0, n, 1);
  }

  void add(const Subscript &s) {
    switch (s.kind) {
    case Subscript::Integer: return take(s.start, 1, 1);
    case Subscript::NewAxis: return shape.push(1);
    case Subscript::Slice: shape.push(s.count); return take(s.count ? s.start : 0, s.count, s.count ? s.step : 1);
    default: break;
    }
    result.axes.push_back(shape.rank);
    result.indices.push_back(cast(s.array, s.array.dtype, commonDevice("index", std::array{&x, &s.array})));
    takeAll();
  }

  /// A mask without elements selects nothing, of any array whose axes are as long where its own are not 0.
  Array checkedMask(const Array &mask) {
    Dims wanted;
    for (int i = 0; i < mask.shape.rank; ++i) wanted.push(x.shape[starts.rank + i]);
    for (int i = 0; i < mask.shape.rank; ++i)
      if (mask.shape[i] != wanted[i] && mask.shape[i])
        fail(ErrorKind::Index, "index", "size of axis " + std::to_string(i) + " of the mask", std::to_string(wanted[i]),
             std::to_string(mask.shape[i]));
    return mask.shape == wanted ? mask : full(wanted, DType::Bool, Scalar{}, deviceOf(mask));
  }

  void addMask(const Array &given, bool isSingle) {
    if (given.shape.rank == 0) { // selects all or nothing of a new axis
      result.axes.push_back(shape.rank);
      result.indices.push_back(flatPositions(x, given));
      return shape.push(1);
    }
    Array mask = checkedMask(given);
    if (isSingle) result.mask = mask;
    else
      for (Array &position : positionsOf(x, mask)) result.indices.push_back(std::move(position));
    for (int i = 0; i < mask.shape.rank; ++i) {
      result.axes.push_back(shape.rank);
      takeAll();
    }
  }
};

/// The view with the axes that arrays select from as one, at the place of theirs in the result.
struct Merged {
  Array permuted, merged; // before and after joining them
  Array index;            // into the joined axis
};

Merged merge(const Resolved &r) {
  Merged m;
  Dims order, joined, sizes;
  size_t next = 0;
  for (int i = 0; i < r.view.shape.rank; ++i)
    if (next < r.axes.size() && r.axes[next] == i) ++next;
    else order.push(i);
  for (size_t i = 0; i < r.axes.size(); ++i) order.insert(r.place + int(i), r.axes[i]);
  bool isSame = true;
  for (int i = 0; i < order.rank; ++i) isSame &= order[i] == i;
  m.permuted = isSame ? r.view : transpose(r.view, order);
  int64_t total = 1;
  for (int axis : r.axes) sizes.push(r.view.shape[axis]), total *= r.view.shape[axis];
  for (int i = 0; i < m.permuted.shape.rank; ++i) {
    if (i == r.place) joined.push(total);
    if (i < r.place || i >= r.place + int(r.axes.size())) joined.push(m.permuted.shape[i]);
  }
  m.merged = r.axes.size() == 1 ? m.permuted : reshape(m.permuted, joined);
  if (r.mask) m.index = flatPositions(r.view, *r.mask);
  else m.index = r.indices.size() == 1 ? r.indices[0] : ravelIndices(r.indices, sizes);
  return m;
}

/// A value that is one for all elements of a mask is chosen in place, element by element.
bool setMasked(Resolved &r, const Array &value) {
  int behind = r.view.shape.rank - r.axes.back() - 1, rank = value.shape.rank;
  if (rank > behind && value.shape[rank - 1 - behind] != 1) return false;
  Dims maskShape = r.mask->shape, valueShape = value.shape;
  for (int i = 0; i < behind; ++i) maskShape.push(1);
  if (rank > behind)
    for (size_t i = 1; i < r.axes.size(); ++i) valueShape.insert(rank - behind, 1);
  while (valueShape.rank > r.view.shape.rank && valueShape[0] == 1) valueShape.erase(0);
  if (valueShape.rank > kMaxRank) return false;
  Array cond = reshape(*r.mask, maskShape), source = reshape(cast(value, r.view.dtype, deviceOf(r.view)), valueShape);
  if (!(broadcastShapes("assignment", r.view.shape, source.shape) == r.view.shape)) return false;
  KeepOthersOut whole;
  assign(r.view, where(cond, operand(source), operand(r.view)));
  return true;
}

} // namespace

Array getAt(const Array &x, std::span<const Subscript> key) {
  if (auto taken = takeByMask(x, key)) return std::move(*taken);
  Resolved r = Resolver(x, key).run();
  if (r.axes.empty()) return r.isElement ? copy(r.view) : r.view; // one element is a value: `x[i], x[j] = x[j], x[i]` swaps
  Merged m = merge(r);
  return gather(m.merged, m.index, r.place);
}

/// A write under a condition without axes.
static bool setUnderCondition(Array &x, std::span<const Subscript> key, const Array &value) {
  std::vector<Subscript> rest;
  const Array *condition = nullptr;
  for (const Subscript &s : key) {
    if (s.kind < Subscript::Indices) rest.push_back(s);
    else if (s.kind == Subscript::Mask && s.array.shape.rank == 0 && !condition) condition = &s.array;
    else return false;
  }
  if (!condition) return false;
  Array view = Resolver(x, rest).run().view, source = cast(value, x.dtype, deviceOf(x));
  while (source.shape.rank > view.shape.rank && source.shape[0] == 1)
    source = reshape(source, Dims(std::span<const int64_t>(source.shape).subspan(1)));
  if (!source.size() && view.size()) return false; // fits where nothing is selected
  KeepOthersOut whole;
  assign(view, where(*condition, operand(source), operand(view)));
  return true;
}

/// The common case by itself: elements of a row-major vector at positions.
static bool setAtPositions(Array &x, std::span<const Subscript> key, const Array &value) {
  bool isPlain = key.size() == 1 && key[0].kind == Subscript::Indices && x.shape.rank == 1 && x.isContiguous &&
                 !isApart(x, key[0].array, value) && key[0].array.shape.rank == 1 && value.dtype == x.dtype && value.isContiguous &&
                 value.shape == key[0].array.shape && !x.isRepeated;
  if (!isPlain) return false;
  scatterInto(Op::Scatter, x, key[0].array, overlaps(x, value) ? copy(value) : value, 0);
  return true;
}

void setAt(Array &x, std::span<const Subscript> key, const Array &value, Op op) {
  if (x.isRepeated) failRepeated();
  checkWrite("assignment", deviceOf(x), value);
  if (op == Op::Scatter && setUnderCondition(x, key, value)) return;
  if (op == Op::Scatter && (setAtPositions(x, key, value) || putByMask(x, key, value))) return;
  Resolved r = Resolver(x, key).run();
  if (r.axes.empty()) {
    if (op == Op::Scatter) return assign(r.view, value);
    KeepOthersOut whole;
    Array zero = full({1}, DType::I64, {}, deviceOf(x)), flat = reshape(r.view, {1, r.view.size()});
    Array updates = reshape(broadcastTo(cast(value, x.dtype, deviceOf(x)), r.view.shape), flat.shape);
    return assign(r.view, reshape(scatter(op, flat, zero, updates, 0), r.view.shape));
  }
  if (r.mask && op == Op::Scatter && setMasked(r, value)) return;
  if (isComplex(value.dtype) && !isComplex(x.dtype))
    fail(ErrorKind::DType, "assignment", "dtype of the value", "a real one", info(value.dtype).name);
  KeepOthersOut whole; // what is joined may be a copy
  Merged m = merge(r);
  if (m.merged.shape.rank - 1 + m.index.shape.rank > kMaxRank)
    fail(ErrorKind::Index, "index", "rank of the selection", "at most " + std::to_string(kMaxRank),
         std::to_string(m.merged.shape.rank - 1 + m.index.shape.rank));
  Dims shape = m.merged.shape, flat = shape;
  shape.erase(r.place);
  for (int i = 0; i < m.index.shape.rank; ++i) shape.insert(r.place + i, m.index.shape[i]);
  flat[r.place] = m.index.size();
  Array source = cast(value, x.dtype, deviceOf(x));
  while (source.shape.rank > shape.rank && source.shape[0] == 1) {
    Dims fewer = source.shape;
    fewer.erase(0);
    source = reshape(source, fewer);
  }
  if (!(broadcastShapes("assignment", shape, source.shape) == shape))
    fail(ErrorKind::Shape, "assignment", "shape of the value", "one that repeats to " + toString(shape), toString(value.shape));
  Array updates = reshape(broadcastTo(source, shape), flat), index = reshape(m.index, {m.index.size()});
  bool isPlain = !isApart(x, index, updates) && m.merged.isContiguous && m.merged.storage.get() == x.storage.get() &&
                 (op == Op::Scatter || accepts(info(op).accepts, x.dtype));
  if (isPlain) {
    if (updates.size() && m.merged.size() && overlaps(m.merged, updates)) updates = copy(updates);
    return scatterInto(op, m.merged, index, updates, r.place);
  }
  Array changed = scatter(op, m.merged, index, updates, r.place);
  assign(m.permuted, reshape(changed, m.permuted.shape));
}

} // namespace kiln
