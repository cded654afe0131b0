// Views, copies, and writes into arrays.
#include "frontend/OpsShared.h"

#include <cstring>

namespace kiln {

Dims broadcastStrides(const Array &x, const Dims &shape) {
  Dims strides = Dims::unset(shape.rank);
  for (int i = 1; i <= shape.rank; ++i)
    strides[shape.rank - i] = i <= x.shape.rank && x.shape[x.shape.rank - i] != 1 ? x.strides[x.shape.rank - i] : 0;
  return strides;
}

std::vector<int64_t> broadcastWords(const Array &x, const Dims &shape) {
  std::vector<int64_t> words = {x.shape.rank};
  for (int i = 0; i < x.shape.rank; ++i) words.push_back(shape.rank - x.shape.rank + i);
  appendWords(words, shape);
  return words;
}

Array applyBroadcast(const Array &x, const Dims &shape, bool mayShare, Device *device) {
  if (x.shape == shape) return x;
  const Array *operand = &x;
  return apply({Op::Broadcast, {&operand, 1}, broadcastWords(x, shape), {x.dtype, shape}, mayShare, device});
}

static std::vector<int64_t> wordsOfShape(const Dims &shape) {
  std::vector<int64_t> words;
  appendWords(words, shape);
  return words;
}

static Array viewOf(const Array &x, const Dims &shape, const Dims &strides, int64_t offset, Op op, std::span<const int64_t> words) {
  Array view = x;
  view.shape = shape;
  view.strides = strides;
  view.offset = offset;
  view.updateContiguous();
  noteView(x, view, op, words);
  return view;
}

/// Strides that show the elements of `x` in row-major order under `shape`, where there are such strides.
static std::optional<Dims> reshapedStrides(const Array &x, const Dims &shape) {
  if (x.isContiguous) return contiguousStrides(shape);
  Dims strides = Dims::zeros(shape.rank);
  int from = 0, to = 0;
  while (from < x.shape.rank || to < shape.rank) {
    // A run of old axes with as many elements as a run of new ones.
    int64_t have = 1, want = 1;
    int firstFrom = from, firstTo = to;
    if (from < x.shape.rank) have = x.shape[from++];
    if (to < shape.rank) want = shape[to++];
    while (have != want) {
      if (have < want) {
        if (from == x.shape.rank) return std::nullopt;
        have *= x.shape[from++];
      } else {
        if (to == shape.rank) return std::nullopt;
        want *= shape[to++];
      }
    }
    int64_t step = 0;
    for (int i = from - 1, last = -1; i >= firstFrom; --i) {
      if (x.shape[i] == 1) continue;
      if (last >= 0 && x.strides[i] != x.strides[last] * x.shape[last]) return std::nullopt;
      if (last < 0) step = x.strides[i];
      last = i;
    }
    for (int i = to - 1; i >= firstTo; --i) {
      strides[i] = step;
      step *= shape[i];
    }
  }
  return strides;
}

Array reshape(const Array &x, const Dims &shape) {
  if (x.isContiguous && !hasMode() && numElements(shape) == x.size()) { // the common case by itself
    Array view = x;
    view.shape = shape;
    view.strides = contiguousStrides(shape);
    return view;
  }
  std::vector<int64_t> words = wordsOfShape(shape);
  TensorType type = x.type();
  infer(Op::Reshape, {&type, 1}, words);
  if (x.shape == shape) return viewOf(x, shape, x.strides, x.offset, Op::Reshape, words);
  if (auto strides = reshapedStrides(x, shape)) return viewOf(x, shape, *strides, x.offset, Op::Reshape, words);
  Array whole = copy(x);
  return viewOf(whole, shape, contiguousStrides(shape), 0, Op::Reshape, words);
}

std::optional<Array> viewOfMove(const Array &x, Op op, std::span<const int64_t> words, const Dims &shape) {
  WordReader reader{words};
  Array view = x;
  view.shape = shape;
  view.strides = Dims::zeros(shape.rank);
  if (op == Op::Reshape) {
    auto strides = reshapedStrides(x, shape);
    if (!strides) return std::nullopt;
    view.strides = *strides;
    return view.updateContiguous(), std::move(view);
  }
  Dims first = reader.dims();
  if (op == Op::Transpose) {
    for (int i = 0; i < shape.rank; ++i) view.strides[i] = x.strides[int(first[i])];
  } else if (op == Op::Slice) {
    reader.dims();
    for (int i = 0; i < shape.rank; ++i) {
      if (shape[i]) view.offset += first[i] * x.strides[i];
      view.strides[i] = x.strides[i] * reader.words[reader.at + 1 + size_t(i)];
    }
  } else { // broadcast: axis i of `x` is axis first[i]
    for (int i = 0; i < x.shape.rank; ++i)
      if (x.shape[i] != 1) view.strides[int(first[i])] = x.strides[i];
    view.isRepeated = true;
  }
  return view.updateContiguous(), std::move(view);
}

Array transpose(const Array &x, const Dims &permutation) {
  std::vector<int64_t> words = wordsOfShape(permutation);
  TensorType type = x.type();
  Dims shape = infer(Op::Transpose, {&type, 1}, words).shape.numbers(), strides;
  for (int64_t p : permutation) strides.push(x.strides[int(p)]);
  return viewOf(x, shape, strides, x.offset, Op::Transpose, words);
}

Array broadcastTo(const Array &x, const Dims &shape) {
  if (!(broadcastShapes("broadcast_to", x.shape, shape) == shape))
    fail(ErrorKind::Shape, "broadcast_to", "shape", "one that " + toString(x.shape) + " repeats to", toString(shape));
  Array view = viewOf(x, shape, broadcastStrides(x, shape), x.offset, Op::Broadcast, broadcastWords(x, shape));
  view.isRepeated = true;
  return view;
}

Array slice(const Array &x, const Dims &starts, const Dims &sizes, const Dims &steps) {
  std::vector<int64_t> words;
  for (const Dims *d : {&starts, &sizes, &steps}) appendWords(words, *d);
  TensorType type = x.type();
  infer(Op::Slice, {&type, 1}, words);
  Dims strides;
  int64_t offset = x.offset;
  for (int i = 0; i < sizes.rank; ++i) {
    if (sizes[i]) offset += starts[i] * x.strides[i];
    strides.push(x.strides[i] * steps[i]);
  }
  return viewOf(x, sizes, strides, offset, Op::Slice, words);
}

Array partOf(const Array &x, bool imaginary) {
  if (!isComplex(x.dtype)) return imaginary ? full(x.shape, x.dtype, {}, deviceOf(x)) : x;
  Array view = x;
  view.dtype = realType(x.dtype);
  view.offset = 2 * x.offset + imaginary;
  for (int i = 0; i < view.strides.rank; ++i) view.strides[i] *= 2;
  view.updateContiguous();
  noteView(x, view, imaginary ? Op::Imag : Op::Real, {});
  return view;
}

Array joinParts(const Array &re, const Array &im) {
  Operand parts[] = {{Operand::IsArray, &re}, {Operand::IsArray, &im}};
  return applyElementwise(Op::Complex, parts);
}

Array dynamicPart(const Array &x, const Array &starts, const Dims &sizes) {
  Array flat = contiguous(starts);
  Dims clamped;
  for (int i = 0; i < sizes.rank; ++i)
    clamped.push(std::clamp<int64_t>(reinterpret_cast<const int64_t *>(flat.data())[i], 0, x.shape[i] - sizes[i]));
  return slice(x, clamped, sizes, ones(sizes.rank));
}

Array dynamicSlice(const Array &x, const Array &starts, const Dims &sizes) {
  if (areMixed(x, starts)) {
    Together both("dynamic_slice", {&x, &starts});
    return dynamicSlice(both[0], both[1], sizes);
  }
  std::vector<int64_t> words;
  appendWords(words, sizes);
  TensorType types[] = {x.type(), starts.type()};
  TensorType type = infer(Op::DynamicSlice, types, words);
  if (isApart(x)) return apply(Op::DynamicSlice, {&x, &starts}, words, type);
  return copy(dynamicPart(x, starts, sizes));
}

Array dynamicUpdate(const Array &x, const Array &value, const Array &starts) {
  if (areMixed(x, value) || areMixed(x, starts)) {
    Together all("dynamic_update", {&x, &value, &starts});
    return dynamicUpdate(all[0], all[1], all[2]);
  }
  TensorType types[] = {x.type(), value.type(), starts.type()};
  TensorType type = infer(Op::DynamicUpdate, types, {});
  if (isApart(x)) return apply(Op::DynamicUpdate, {&x, &value, &starts}, {}, type);
  Array result = copy(x), part = dynamicPart(result, starts, value.shape);
  assign(part, value);
  return result;
}

//===-- copies and writes -------------------------------------------------------------------------------------------===//

Array copy(const Array &x) {
  if (isApart(x)) {
    int64_t word = int64_t(x.dtype);
    return apply(Op::Cast, {&x}, {&word, 1}, x.type());
  }
  Array result = Array::empty(x.dtype, x.shape);
  Running running(x.size(), {&x});
  eager::stridedCopy(result, {x.data(), x.dtype, x.strides});
  return result;
}

Array contiguous(const Array &x) { return x.isContiguous || hasMode() ? x : copy(x); }

/// The first element that an array shows, and one behind the last, in elements from its data.
static std::pair<int64_t, int64_t> extentOf(const Array &x) {
  int64_t low = 0, high = 1;
  for (int i = 0; i < x.shape.rank; ++i) (x.strides[i] < 0 ? low : high) += (x.shape[i] - 1) * x.strides[i];
  return {low, high};
}

bool overlaps(const Array &a, const Array &b) {
  if (!a.size() || !b.size() || deviceOf(a) != deviceOf(b)) return false;
  auto range = [](const Array &x) {
    auto [low, high] = extentOf(x);
    return std::pair(x.data() + low * byteSize(x.dtype), x.data() + high * byteSize(x.dtype));
  };
  auto [aLow, aHigh] = range(a);
  auto [bLow, bHigh] = range(b);
  return aLow < bHigh && bLow < aHigh;
}

Array copyOfMemory(const Array &x) {
  auto [low, high] = x.size() ? extentOf(x) : std::pair<int64_t, int64_t>();
  Device *device = deviceOf(x);
  Ref<Value> value = Value::make(size_t((high - low) * byteSize(x.dtype)), device);
  const char *from = x.data() + low * byteSize(x.dtype);
  if (x.size() && device) device->copyWithin(value->data, from, value->bytes);
  else if (x.size()) std::memcpy(value->data, from, value->bytes);
  Array result = x;
  result.offset = -low;
  result.storage = Storage::make(std::move(value));
  return result;
}

void prepareWrite(Array &x) {
  Storage &storage = *x.storage.get();
  if (!storage.isWritable) throw Error(ErrorKind::Value, "assignment: expected a writable array, got one that shares read-only memory");
  if (!storage.value) x.failLeaked();
  storage.noteWrite();
  if (storage.pinned || storage.value->refs.load() == 1) return;
  storage.value = storage.value->copy();
}

/// The last `rank` sizes, where those before are all 1.
static Dims trailing(const Dims &shape, int rank) {
  Dims result = shape;
  while (result.rank > rank && result[0] == 1) result.erase(0);
  return result;
}

bool takeOver(Array &x, const Array &value) {
  constexpr size_t kWorthIt = 2048; // bytes; below them copying into memory that is at hand costs less
  auto isWhole = [](const Array &a) {
    const Storage &cell = *a.storage.get();
    return a.isContiguous && !a.offset && cell.value && !cell.pinned && !cell.value->isForeign && !cell.recording &&
           cell.value->bytes == size_t(a.size() * byteSize(a.dtype));
  };
  if (isApart(x, value) || x.dtype != value.dtype || !(x.shape == value.shape) || x.isRepeated || value.isRepeated) return false;
  Storage &cell = *x.storage.get();
  if (!isWhole(x) || !isWhole(value) || !cell.isWritable || cell.value->bytes < kWorthIt) return false;
  cell.noteWrite();
  cell.value = value.storage->value;
  return true;
}

void assignResult(Array &x, const Array &value) {
  if (!takeOver(x, value)) assign(x, value);
}

void failRepeated() {
  throw Error(ErrorKind::Value, "assignment: expected an array whose elements are its own, got one from broadcast_to (copy it first)");
}

void assign(Array &x, const Array &value) {
  // Leading axes of size 1 of the value are dropped.
  if (!(broadcastShapes("assignment", x.shape, trailing(value.shape, x.shape.rank)) == x.shape))
    fail(ErrorKind::Shape, "assignment", "shape of the value", "one that repeats to " + toString(x.shape), toString(value.shape));
  if (x.isRepeated) failRepeated();
  if (isComplex(value.dtype) && !isComplex(x.dtype))
    fail(ErrorKind::DType, "assignment", "dtype of the value", "a real one", info(value.dtype).name);
  if (!x.storage->isWritable) prepareWrite(x);
  if (x.size() == 0) return;
  checkWrite("assignment", deviceOf(x), value);
  Array source = cast(value, x.dtype, value.storage->pinned ? deviceOf(x) : nullptr);
  if (source.shape.rank > x.shape.rank) source = reshape(source, trailing(source.shape, x.shape.rank));
  if (isApart(x)) source = applyBroadcast(source, x.shape, true, deviceOf(x));
  bool isSame =
      source.storage.get() == x.storage.get() && source.offset == x.offset && source.shape == x.shape && source.strides == x.strides;
  if (!isSame) writeInto(x, source);
}

} // namespace kiln
