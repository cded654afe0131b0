#include "frontend/Ops.h"

#include "frontend/Eager.h"
#include "frontend/Recorder.h"
#include "lib/Core/Infer.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace kiln {

void setDefaultFloat(DType dtype) { defaultFloatType = dtype; }

DType defaultFloatType = DType::F32;

LongWork &longWork() {
  static LongWork hooks;
  return hooks;
}

namespace {

constexpr int64_t kLongElements = 32768; // about 20 us of elementwise work

/// Lets other threads of the host run during a kernel over many elements.
struct Running {
  static thread_local bool isInside; // an operation within another has nothing to release
  void *state = nullptr;
  bool isLong;
  explicit Running(int64_t elements) : isLong(elements >= kLongElements && longWork().begin && !isInside) {
    if (isLong) isInside = true, state = longWork().begin();
  }
  ~Running() {
    if (isLong) isInside = false, longWork().end(state);
  }
};
thread_local bool Running::isInside = false;

bool isRecording() { return Recorder::current() != nullptr; }

std::vector<int64_t> wordsOfShape(const Dims &shape) {
  std::vector<int64_t> words;
  appendWords(words, shape);
  return words;
}

/// Strides of `x` seen under the wider `shape`: 0 along axes that repeat.
Dims broadcastStrides(const Array &x, const Dims &shape) {
  Dims strides;
  strides.rank = shape.rank;
  for (int i = 1; i <= shape.rank; ++i)
    strides[shape.rank - i] = i <= x.shape.rank && x.shape[x.shape.rank - i] != 1 ? x.strides[x.shape.rank - i] : 0;
  return strides;
}

Array recordBroadcast(const Array &x, const Dims &shape) {
  if (x.shape == shape) return x;
  std::vector<int64_t> words = {x.shape.rank};
  for (int i = 0; i < x.shape.rank; ++i) words.push_back(shape.rank - x.shape.rank + i);
  appendWords(words, shape);
  const Array *operand = &x;
  return Recorder::current()->record(Op::Broadcast, {&operand, 1}, words);
}

Array runCast(const Array &x, DType dtype) {
  Array result = Array::empty(dtype, x.shape);
  eager::Input input{x.data(), x.dtype, x.strides};
  Running running(x.size());
  eager::elementwise(Op::Cast, {&input, 1}, dtype, x.shape, result.data());
  return result;
}

} // namespace

//===-- numbers -----------------------------------------------------------------------------------------------------===//

DType weakDType(const Operand &number) {
  if (number.kind == Operand::IsBool) return DType::Bool;
  return number.kind == Operand::IsInt ? DType::I64 : defaultFloat();
}

int64_t scalarBits(const Operand &n, DType dtype) {
  double number = n.kind == Operand::IsFloat ? n.number : double(n.integer);
  if (dtype == DType::F64) return std::bit_cast<int64_t>(number);
  if (dtype == DType::F32) return int64_t(std::bit_cast<uint32_t>(float(number)));
  if (dtype == DType::Bool) return n.kind == Operand::IsFloat ? n.number != 0 : n.integer != 0;
  if (n.kind == Operand::IsFloat)
    throw Error(ErrorKind::DType, std::string("a Python float does not convert to ") + info(dtype).name + ": expected an integer");
  int width = int(8 * byteSize(dtype));
  bool fits = info(dtype).isSigned ? width == 64 || (n.integer >= -(int64_t(1) << (width - 1)) && n.integer < int64_t(1) << (width - 1))
                                   : n.integer >= 0 && (width == 64 || n.integer < int64_t(1) << width);
  if (!fits)
    throw Error(ErrorKind::Overflow, "Python integer " + std::to_string(n.integer) + " is out of bounds for " + info(dtype).name);
  return n.integer;
}

/// The dtype in which an op runs: arrays by the table, numbers after them.
static DType commonDType(const char *op, std::span<const Operand> operands, bool floatResult) {
  std::optional<DType> dtype;
  bool hasInt = false, hasFloat = false;
  for (const Operand &o : operands) {
    hasInt |= o.kind == Operand::IsInt;
    hasFloat |= o.kind == Operand::IsFloat;
    if (o.kind != Operand::IsArray) continue;
    DType mine = o.array->dtype;
    if (!dtype) dtype = mine;
    else if (!promote(*dtype, mine, *dtype))
      fail(ErrorKind::DType, op, "dtypes have no common one", "a signed or floating dtype beside int, got with it", "uint64");
  }
  DType result = dtype.value_or(DType::Bool);
  if (hasInt && result == DType::Bool) result = DType::I64;
  if ((hasFloat || floatResult) && !isFloat(result)) result = defaultFloat();
  return result;
}

//===-- elementwise -------------------------------------------------------------------------------------------------===//

static Array recordElementwise(Op op, std::span<const Operand> operands, std::span<const DType> dtypes, const Dims &shape) {
  Array held[3];
  const Array *arrays[3];
  for (size_t i = 0; i < operands.size(); ++i) {
    const Operand &o = operands[i];
    held[i] = o.kind == Operand::IsArray ? cast(*o.array, dtypes[i]) : Recorder::current()->constant(dtypes[i], scalarBits(o, dtypes[i]));
    held[i] = recordBroadcast(held[i], shape);
    arrays[i] = &held[i];
  }
  return Recorder::current()->record(op, {arrays, operands.size()}, {});
}

static Array runElementwise(Op op, std::span<const Operand> operands, std::span<const DType> dtypes, const Dims &shape, DType resultType) {
  Array result = Array::empty(resultType, shape);
  Array held[3];
  int64_t scalars[3];
  eager::Input inputs[3];
  for (size_t i = 0; i < operands.size(); ++i) {
    const Operand &o = operands[i];
    if (o.kind != Operand::IsArray) {
      scalars[i] = scalarBits(o, dtypes[i]);
      inputs[i] = {&scalars[i], dtypes[i], {}};
      inputs[i].strides.rank = shape.rank;
      continue;
    }
    const Array *x = o.array;
    if (x->dtype != dtypes[i]) x = &(held[i] = runCast(*x, dtypes[i]));
    inputs[i] = {x->data(), dtypes[i], x->shape == shape ? x->strides : broadcastStrides(*x, shape)};
  }
  Running running(result.size());
  eager::elementwise(op, {inputs, operands.size()}, resultType, shape, result.data());
  return result;
}

static Array applyTyped(Op op, std::span<const Operand> operands, std::span<const DType> dtypes) {
  Dims shape;
  bool isFirst = true;
  for (const Operand &o : operands) {
    if (o.kind != Operand::IsArray) continue;
    if (isFirst) shape = o.array->shape;
    else if (!(shape == o.array->shape)) shape = broadcastShapes(info(op).name, shape, o.array->shape);
    isFirst = false;
  }
  TensorType types[3];
  for (size_t i = 0; i < operands.size(); ++i) types[i] = {dtypes[i], shape};
  TensorType result = infer(op, {types, operands.size()}, {});
  if (isRecording()) return recordElementwise(op, operands, dtypes, shape);
  return runElementwise(op, operands, dtypes, shape, result.dtype);
}

/// The dtype of an op's result over operands of one dtype; -1 where it does not accept it.
static int resultDType(Op op, DType dtype) {
  static const auto table = [] {
    std::array<std::array<int8_t, kNumDTypes>, size_t(Op::Count)> t{};
    for (int i = 0; i < int(Op::Count); ++i)
      for (int d = 0; d < kNumDTypes; ++d) {
        const OpInfo &record = info(Op(i));
        TensorType types[] = {{DType(d), {}}, {DType(d), {}}};
        bool isPlain = record.ufunc && record.operands <= 2 && accepts(record.accepts, DType(d));
        t[size_t(i)][size_t(d)] = int8_t(isPlain ? int(infer(Op(i), {types, size_t(record.operands)}, {}).dtype) : -1);
      }
    return t;
  }();
  return table[size_t(op)][size_t(dtype)];
}

/// The common case by itself: row-major operands of one dtype and shape, or one number beside an array of a fitting dtype.
static std::optional<Array> applyFlat(Op op, std::span<const Operand> operands) {
  const Operand &first = operands[0], &last = operands.back();
  if (first.kind != Operand::IsArray || !first.array->isContiguous) return std::nullopt;
  const Array &x = *first.array;
  int resultType = resultDType(op, x.dtype);
  if (resultType < 0) return std::nullopt;
  int64_t scalar;
  void *buffers[3] = {x.data()};
  bool isScalar = last.kind != Operand::IsArray;
  if (isScalar) {
    if (last.kind != Operand::IsBool && !isFloat(x.dtype) && (last.kind == Operand::IsFloat || x.dtype == DType::Bool)) return std::nullopt;
    scalar = scalarBits(last, x.dtype);
    buffers[1] = &scalar;
  } else if (operands.size() == 2) {
    const Array &y = *last.array;
    if (y.dtype != x.dtype || !y.isContiguous || !(y.shape == x.shape)) return std::nullopt;
    buffers[1] = y.data();
  }
  Array result = Array::empty(DType(resultType), x.shape);
  int64_t n = x.size();
  buffers[operands.size()] = result.data();
  if (n == 0) return result;
  Running running(n);
  eager::flat(op, x.dtype, DType(resultType), n, isScalar, buffers);
  return result;
}

Array applyElementwise(Op op, std::span<const Operand> operands) {
  if (!isRecording())
    if (auto result = applyFlat(op, operands)) return std::move(*result);
  DType dtype = commonDType(info(op).name, operands, info(op).floatResult);
  DType dtypes[] = {dtype, dtype, dtype};
  return applyTyped(op, operands, {dtypes, operands.size()});
}

Array where(const Array &condition, const Operand &x, const Operand &y) {
  Operand values[] = {x, y};
  DType dtype = commonDType("where", values, false);
  Operand operands[] = {{Operand::IsArray, &condition}, x, y};
  DType dtypes[] = {condition.dtype, dtype, dtype};
  return applyTyped(Op::Select, operands, dtypes);
}

Array cast(const Array &x, DType dtype) {
  if (x.dtype == dtype) return x;
  if (!isRecording()) return runCast(x, dtype);
  const Array *operand = &x;
  int64_t word = int64_t(dtype);
  return Recorder::current()->record(Op::Cast, {&operand, 1}, {&word, 1});
}

//===-- sources -----------------------------------------------------------------------------------------------------===//

Array constantArray(DType dtype, int64_t bits) {
  if (isRecording()) return Recorder::current()->constant(dtype, bits);
  Array result = Array::empty(dtype, {});
  std::memcpy(result.data(), &bits, size_t(byteSize(dtype)));
  return result;
}

Array full(const Dims &shape, DType dtype, int64_t bits) {
  if (isRecording()) return recordBroadcast(Recorder::current()->constant(dtype, bits), shape);
  Array result = Array::empty(dtype, shape);
  eager::Input input{&bits, dtype, {}};
  input.strides.rank = shape.rank;
  Running running(result.size());
  if (bits == 0) std::memset(result.data(), 0, size_t(result.size() * byteSize(dtype)));
  else eager::stridedCopy(result, input);
  return result;
}

Array iota(DType dtype, const Dims &shape, int64_t axis) {
  std::vector<int64_t> words = {axis, int64_t(dtype)};
  appendWords(words, shape);
  infer(Op::Iota, {}, words);
  if (isRecording()) return Recorder::current()->record(Op::Iota, {}, words);
  Array line = Array::empty(dtype, {shape[int(axis)]});
  eager::iota(line);
  if (shape.rank == 1) return line;
  Dims unit;
  for (int i = 0; i < shape.rank; ++i) unit.push(i == axis ? shape[i] : 1);
  return contiguous(broadcastTo(reshape(line, unit), shape));
}

//===-- views -------------------------------------------------------------------------------------------------------===//

static Array viewOf(const Array &x, const Dims &shape, const Dims &strides, int64_t offset, Op op, std::span<const int64_t> words) {
  Array view = x;
  view.shape = shape;
  view.strides = strides;
  view.offset = offset;
  view.updateContiguous();
  if (isRecording()) Recorder::current()->recordView(x, view, op, words);
  return view;
}

/// Strides that show the elements of `x` in row-major order under `shape`, where there are such strides.
static std::optional<Dims> reshapedStrides(const Array &x, const Dims &shape) {
  if (x.isContiguous) return contiguousStrides(shape);
  Dims strides;
  strides.rank = shape.rank;
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
  std::vector<int64_t> words = wordsOfShape(shape);
  TensorType type = x.type();
  infer(Op::Reshape, {&type, 1}, words);
  if (x.shape == shape) return viewOf(x, shape, x.strides, x.offset, Op::Reshape, words);
  if (auto strides = reshapedStrides(x, shape)) return viewOf(x, shape, *strides, x.offset, Op::Reshape, words);
  Array whole = copy(x);
  return viewOf(whole, shape, contiguousStrides(shape), 0, Op::Reshape, words);
}

Array transpose(const Array &x, const Dims &permutation) {
  std::vector<int64_t> words = wordsOfShape(permutation);
  TensorType type = x.type();
  Dims shape = infer(Op::Transpose, {&type, 1}, words).shape, strides;
  for (int64_t p : permutation) strides.push(x.strides[int(p)]);
  return viewOf(x, shape, strides, x.offset, Op::Transpose, words);
}

Array broadcastTo(const Array &x, const Dims &shape) {
  if (!(broadcastShapes("broadcast_to", x.shape, shape) == shape))
    fail(ErrorKind::Shape, "broadcast_to", "shape", "one that " + toString(x.shape) + " repeats to", toString(shape));
  std::vector<int64_t> words = {x.shape.rank};
  for (int i = 0; i < x.shape.rank; ++i) words.push_back(shape.rank - x.shape.rank + i);
  appendWords(words, shape);
  return viewOf(x, shape, broadcastStrides(x, shape), x.offset, Op::Broadcast, words);
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

//===-- copies and writes -------------------------------------------------------------------------------------------===//

Array copy(const Array &x) {
  if (isRecording()) { // another cell with the same node
    const Array *operand = &x;
    int64_t word = int64_t(x.dtype);
    return Recorder::current()->record(Op::Cast, {&operand, 1}, {&word, 1});
  }
  Array result = Array::empty(x.dtype, x.shape);
  Running running(x.size());
  eager::stridedCopy(result, {x.data(), x.dtype, x.strides});
  return result;
}

Array contiguous(const Array &x) { return x.isContiguous || isRecording() ? x : copy(x); }

static bool overlaps(const Array &a, const Array &b) {
  auto range = [](const Array &x) {
    int64_t low = 0, high = 1;
    for (int i = 0; i < x.shape.rank; ++i) (x.strides[i] < 0 ? low : high) += (x.shape[i] - 1) * x.strides[i];
    return std::pair(x.data() + low * byteSize(x.dtype), x.data() + high * byteSize(x.dtype));
  };
  auto [aLow, aHigh] = range(a);
  auto [bLow, bHigh] = range(b);
  return aLow < bHigh && bLow < aHigh;
}

/// Gives a cell a value of its own where somebody else holds it.
static void makeUnique(Array &x) {
  Storage &storage = *x.storage.get();
  if (storage.pinned || storage.value->refs.load() == 1) return;
  Ref<Value> mine = Value::make(storage.value->bytes);
  std::memcpy(mine->data, storage.value->data, storage.value->bytes);
  storage.value = std::move(mine);
}

void assign(Array &x, const Array &value) {
  if (!x.storage->isWritable) throw Error(ErrorKind::Value, "assignment: expected a writable array, got one that shares read-only memory");
  if (!(broadcastShapes("assignment", x.shape, value.shape) == x.shape))
    fail(ErrorKind::Shape, "assignment", "shape of the value", "one that repeats to " + toString(x.shape), toString(value.shape));
  Array source = cast(value, x.dtype);
  if (Recorder *r = Recorder::current()) {
    if (!r->isWholeCell(x)) r->leave("a part of an array is written");
    source = recordBroadcast(source, x.shape);
    if (source.storage.get() == x.storage.get() && source.slot == x.slot) return;
    r->write(x, source);
    return;
  }
  makeUnique(x);
  if (x.size() == 0) return;
  if (source.size() && overlaps(x, source)) source = copy(source);
  Running running(x.size());
  eager::stridedCopy(x, {source.data(), source.dtype, broadcastStrides(source, x.shape)});
}

//===-- joins and selections ----------------------------------------------------------------------------------------===//

Array concat(std::span<const Array *const> arrays, int64_t axis) {
  DType dtype = arrays.empty() ? defaultFloat() : arrays[0]->dtype;
  for (const Array *a : arrays)
    if (!promote(dtype, a->dtype, dtype)) fail(ErrorKind::DType, "concat", "dtypes have no common one", info(dtype).name, info(a->dtype).name);
  std::vector<Array> parts;
  std::vector<const Array *> pointers;
  std::vector<TensorType> types;
  for (const Array *a : arrays) parts.push_back(cast(*a, dtype));
  for (const Array &a : parts) {
    pointers.push_back(&a);
    types.push_back(a.type());
  }
  int64_t word = types.empty() ? axis : normalizeAxis("concat", axis, types[0].shape.rank);
  TensorType type = infer(Op::Concat, types, {&word, 1});
  if (isRecording()) return Recorder::current()->record(Op::Concat, pointers, {&word, 1});
  Array result = Array::empty(type.dtype, type.shape);
  int64_t at = 0;
  for (const Array &part : parts) {
    Array target = result;
    target.shape = part.shape;
    target.offset = at * result.strides[int(word)];
    eager::stridedCopy(target, {part.data(), part.dtype, part.strides});
    at += part.shape[int(word)];
  }
  return result;
}

Array gather(const Array &x, const Array &indices, int64_t axis) {
  TensorType types[] = {x.type(), indices.type()};
  int64_t word = normalizeAxis("take", axis, x.shape.rank);
  TensorType type = infer(Op::Gather, types, {&word, 1});
  if (isRecording()) {
    const Array *operands[] = {&x, &indices};
    return Recorder::current()->record(Op::Gather, operands, {&word, 1});
  }
  Array result = Array::empty(type.dtype, type.shape);
  Array source = contiguous(x), at = contiguous(cast(indices, DType::I64));
  Running running(result.size());
  eager::gather(source, at, result, int(word));
  return result;
}

//===-- reductions and products -------------------------------------------------------------------------------------===//

/// One run of neighbouring axes after the other, the last first: the order of kiln-simplify.
static Array reduceRuns(Op op, Array x, const Dims &axes) {
  int last = axes.rank;
  while (last > 0) {
    int first = last - 1;
    while (first > 0 && axes[first - 1] == axes[first] - 1) --first;
    Dims merged, rest;
    int64_t size = 1;
    int axis = int(axes[first]);
    for (int i = first; i < last; ++i) size *= x.shape[int(axes[i])];
    for (int i = 0; i < x.shape.rank; ++i)
      if (i == axis) merged.push(size);
      else if (i < axis || i > axes[last - 1]) merged.push(x.shape[i]);
    rest = merged;
    rest.erase(axis);
    x = reshape(contiguous(x), merged);
    Array result = Array::empty(x.dtype, rest);
    eager::reduce(op, x, axis, result);
    x = result;
    last = first;
  }
  return x;
}

static Dims keptShape(const Dims &shape, const Dims &axes) {
  Dims kept = shape;
  for (int64_t a : axes) kept[int(a)] = 1;
  return kept;
}

Array reduce(Op op, const Array &x, std::optional<Dims> given, bool keepDims) {
  const char *name = info(op).name;
  bool isArg = info(op).kind == Kind::Argreduce;
  Array source = x;
  if (!given && isArg && x.shape.rank != 1) source = reshape(x, {x.size()});
  Dims axes;
  if (!given) {
    for (int i = 0; i < source.shape.rank; ++i) axes.push(i);
  } else {
    unsigned seen = 0;
    for (int64_t a : *given) {
      int axis = normalizeAxis(name, a, x.shape.rank);
      if (seen >> axis & 1) fail(ErrorKind::Axis, name, "axes", "each axis once", toString(*given));
      seen |= 1u << axis;
    }
    for (int i = 0; i < x.shape.rank; ++i) if (seen >> i & 1) axes.push(i);
  }
  std::vector<int64_t> words;
  if (isArg) words = {axes.rank ? axes[0] : 0};
  else appendWords(words, axes);
  TensorType type = source.type();
  if (isArg && source.shape.rank == 0) source = reshape(x, {1}), type = source.type();
  TensorType resultType = infer(op, {&type, 1}, words);
  Array result;
  if (isRecording()) {
    const Array *operand = &source;
    result = Recorder::current()->record(op, {&operand, 1}, words);
  } else if (isArg) {
    result = Array::empty(resultType.dtype, resultType.shape);
    Array whole = contiguous(source);
    Running running(whole.size());
    eager::reduce(op, whole, int(words[0]), result);
  } else {
    Running running(source.size());
    result = axes.rank ? reduceRuns(op, source, axes) : copy(source);
  }
  if (!keepDims) return result;
  Dims all;
  for (int i = 0; i < x.shape.rank; ++i) all.push(i);
  return reshape(result, keptShape(x.shape, given ? axes : all));
}

Array dotGeneral(const Array &x, const Array &y, const Dims &xBatch, const Dims &yBatch, int64_t xAxis, int64_t yAxis) {
  std::vector<int64_t> words;
  appendWords(words, xBatch);
  appendWords(words, yBatch);
  words.insert(words.end(), {normalizeAxis("matmul", xAxis, x.shape.rank), normalizeAxis("matmul", yAxis, y.shape.rank)});
  TensorType types[] = {x.type(), y.type()};
  TensorType type = infer(Op::DotGeneral, types, words);
  if (isRecording()) {
    const Array *operands[] = {&x, &y};
    return Recorder::current()->record(Op::DotGeneral, operands, words);
  }
  Array result = Array::empty(type.dtype, type.shape);
  int b = xBatch.rank;
  int64_t batches = 1;
  for (int i = 0; i < b; ++i) batches *= type.shape[i];
  Running running(result.size() * x.shape[int(words[words.size() - 2])]);
  // One product for each position of the batch axes, which come first.
  auto without = [&](const Array &a, int64_t at) {
    Array part = a;
    part.shape = part.strides = {};
    for (int i = b - 1; i >= 0; --i) part.offset += at % a.shape[i] * a.strides[i], at /= a.shape[i];
    for (int i = b; i < a.shape.rank; ++i) part.shape.push(a.shape[i]), part.strides.push(a.strides[i]);
    return part;
  };
  int xk = int(words[words.size() - 2]) - b, yk = int(words.back()) - b;
  for (int64_t i = 0; i < batches; ++i) {
    Array p = without(x, i), q = without(y, i), r = without(result, i);
    if (p.shape.rank == 1 && q.shape.rank == 1) { // the second as a matrix of one row
      q.shape.insert(0, 1), q.strides.insert(0, q.shape[1]);
      eager::vectorProduct(q, 1, p, r);
    } else if (p.shape.rank == 1) {
      eager::vectorProduct(q, yk, p, r);
    } else if (q.shape.rank == 1) {
      eager::vectorProduct(p, xk, q, r);
    } else {
      auto swap = [](Array &a) { std::swap(a.shape[0], a.shape[1]), std::swap(a.strides[0], a.strides[1]); };
      if (xk == 0) swap(p);
      if (yk == 1) swap(q);
      eager::matrixProduct(p, q, r);
    }
  }
  return result;
}

Array matmul(const Array &a, const Array &b) {
  if (a.shape.rank == 0 || b.shape.rank == 0)
    fail(ErrorKind::Shape, "matmul", "rank of the operands", "at least 1", toString(a.type()) + " and " + toString(b.type()));
  DType dtype;
  if (!promote(a.dtype, b.dtype, dtype)) fail(ErrorKind::DType, "matmul", "dtypes have no common one", info(a.dtype).name, info(b.dtype).name);
  Array x = cast(a, dtype), y = cast(b, dtype);
  int xk = x.shape.rank - 1, yk = y.shape.rank == 1 ? 0 : y.shape.rank - 2;
  if (x.shape[xk] != y.shape[yk])
    fail(ErrorKind::Shape, "matmul", "contracted dimensions differ", std::to_string(x.shape[xk]) + " (last of x: " + toString(x.type()) + ")",
         std::to_string(y.shape[yk]) + " (" + (y.shape.rank == 1 ? "first" : "second to last") + " of y: " + toString(y.type()) + ")");
  // Batch axes broadcast against each other; a vector has none.
  auto batchOf = [](const Array &t) {
    Dims batch;
    for (int i = 0; i + 2 < t.shape.rank; ++i) batch.push(t.shape[i]);
    return batch;
  };
  Dims batch = broadcastShapes("matmul", batchOf(x), batchOf(y)), axes;
  for (int i = 0; i < batch.rank; ++i) axes.push(i);
  auto widen = [&](const Array &t) {
    Dims shape = batch;
    for (int i = std::max(0, t.shape.rank - 2); i < t.shape.rank; ++i) shape.push(t.shape[i]);
    return shape == t.shape ? t : broadcastTo(t, shape);
  };
  if (batch.rank == 0) return dotGeneral(x, y, {}, {}, xk, yk);
  x = widen(x), y = widen(y);
  return dotGeneral(x, y, axes, axes, x.shape.rank - 1, y.shape.rank - (b.shape.rank == 1 ? 1 : 2));
}

} // namespace kiln
