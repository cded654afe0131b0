#include "lib/Core/Infer.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <vector>

namespace kiln {

static constexpr int64_t kMostSteps = int64_t(1) << 31; // of slices and convolutions

bool accepts(Accepts set, DType t) {
  if (isStorage(t)) return set == Accepts::Any;
  switch (set) {
  case Accepts::Any:
  case Accepts::All: return true;
  case Accepts::Numeric: return t != DType::Bool;
  case Accepts::Real: return t != DType::Bool && !isComplex(t);
  case Accepts::Ordered: return !isComplex(t);
  case Accepts::Wide: return t != DType::Bool && !isComplex(t) && !isNarrow(t);
  case Accepts::Floating: return isFloat(t) || isComplex(t);
  case Accepts::RealFloating: return isFloat(t);
  case Accepts::Inexact: return (isFloat(t) && !isNarrow(t)) || isComplex(t);
  case Accepts::RealInexact: return isFloat(t) && !isNarrow(t);
  case Accepts::Complex: return isComplex(t);
  case Accepts::Integral: return t == DType::Bool || isInteger(t);
  case Accepts::Integer: return isInteger(t);
  case Accepts::Boolean: return t == DType::Bool;
  case Accepts::Int64: return t == DType::I64;
  case Accepts::Uint64: return t == DType::U64;
  }
  return false;
}

static const char *describe(Accepts set) {
  static constexpr const char *texts[] = {"any dtype",
                                          "any dtype but float8",
                                          "a numeric dtype",
                                          "a real numeric dtype",
                                          "a real dtype or bool",
                                          "an integer dtype, float32 or float64",
                                          "a floating-point dtype",
                                          "a real floating-point dtype",
                                          "float32, float64, complex64 or complex128",
                                          "float32 or float64",
                                          "a complex dtype",
                                          "bool or an integer dtype",
                                          "an integer dtype",
                                          "bool",
                                          "int64",
                                          "uint64"};
  return texts[size_t(set)];
}

int axisOf(const InferArgs &args, int64_t axis, int rank) {
  if (axis < 0 || axis >= rank) fail(ErrorKind::Axis, args.op, "axis", "one in [0, " + std::to_string(rank) + ")", std::to_string(axis));
  return int(axis);
}

void checkFixed(const InferArgs &args) {
  for (const TensorType &type : args.operands)
    if (!type.shape.isStatic()) fail(ErrorKind::Shape, args.op, "sizes of operands", "fixed ones", toString(type));
}

int64_t choiceOf(const InferArgs &args, const char *what, int64_t word, int64_t count) {
  if (word < 0 || word >= count) fail(ErrorKind::Value, args.op, what, "0 to " + std::to_string(count - 1), std::to_string(word));
  return word;
}

void checkDType(const InferArgs &args, size_t operand) {
  DType got = args.operands[operand].dtype;
  if (!accepts(args.accepts, got))
    fail(ErrorKind::DType, args.op, "dtype of operand " + std::to_string(operand), describe(args.accepts), info(got).name);
}

static void checkSame(const InferArgs &args, const TensorType &a, const TensorType &b) {
  if (a.dtype != b.dtype) fail(ErrorKind::DType, args.op, "dtypes of operands differ", info(a.dtype).name, info(b.dtype).name);
  if (!(a.shape == b.shape)) fail(ErrorKind::Shape, args.op, "shapes of operands differ", toString(a.shape), toString(b.shape));
}

TensorType inferElementwise(const InferArgs &args) {
  checkDType(args, 0);
  for (const TensorType &t : args.operands.subspan(1)) checkSame(args, args.operands[0], t);
  return args.operands[0];
}

TensorType inferComparison(const InferArgs &args) { return {DType::Bool, inferElementwise(args).shape}; }

TensorType inferSelect(const InferArgs &args) {
  const TensorType &c = args.operands[0];
  if (c.dtype != DType::Bool) fail(ErrorKind::DType, args.op, "dtype of the condition", "bool", info(c.dtype).name);
  checkSame(args, args.operands[1], args.operands[2]);
  if (!(c.shape == args.operands[1].shape))
    fail(ErrorKind::Shape, args.op, "shape of the condition", toString(args.operands[1].shape), toString(c.shape));
  return args.operands[1];
}

/// The parts of complex numbers, or their size.
TensorType inferReal(const InferArgs &args) {
  TensorType x = inferElementwise(args);
  return {realType(x.dtype), x.shape};
}

TensorType inferComplex(const InferArgs &args) {
  TensorType x = inferElementwise(args);
  if (isNarrow(x.dtype)) fail(ErrorKind::DType, args.op, "dtype of the parts", "float32 or float64", info(x.dtype).name);
  return {complexType(x.dtype), x.shape};
}

TensorType inferBitcast(const InferArgs &args) {
  const TensorType &x = args.operands[0];
  DType to = WordReader{args.words}.dtype();
  bool isPlain = x.dtype != DType::Bool && to != DType::Bool && !isComplex(x.dtype) && !isComplex(to);
  if (!isPlain || byteSize(to) != byteSize(x.dtype))
    fail(ErrorKind::DType, args.op, "dtypes", "real ones of one size", std::string(info(x.dtype).name) + " and " + info(to).name);
  return {to, x.shape};
}

TensorType inferCast(const InferArgs &args) { return {WordReader{args.words}.dtype(), args.operands[0].shape}; }

TensorType inferConstant(const InferArgs &args) {
  DType dtype = WordReader{args.words}.dtype(); // complex ones are made of two
  if (isComplex(dtype)) fail(ErrorKind::DType, args.op, "dtype", "a real one", info(dtype).name);
  // One word for a value: two programs that are one have one key.
  int64_t word = args.words[1], unused = 64 - (dtype == DType::Bool ? 1 : 8 * byteSize(dtype));
  bool isSigned = isInteger(dtype) && info(dtype).isSigned;
  int64_t bits = isSigned ? word << unused >> unused : int64_t(uint64_t(word) << unused >> unused);
  if (bits != word) fail(ErrorKind::Value, args.op, "value", std::string("bits of ") + info(dtype).name, std::to_string(word));
  return {dtype, {}};
}

TensorType inferIota(const InferArgs &args) {
  WordReader r{args.words};
  int64_t axis = r.next();
  TensorType t{r.dtype(), {}};
  t.shape = r.sizes(args.op, args.symbols);
  axisOf(args, axis, t.shape.rank);
  if (!accepts(args.accepts, t.dtype)) fail(ErrorKind::DType, args.op, "dtype", describe(args.accepts), info(t.dtype).name);
  return t;
}

TensorType inferBroadcast(const InferArgs &args) {
  const TensorType &x = args.operands[0];
  WordReader r{args.words};
  Dims axes = r.dims();
  Shape shape = r.sizes(args.op, args.symbols);
  if (axes.rank != x.shape.rank) fail(ErrorKind::Shape, args.op, "number of axes", std::to_string(x.shape.rank), std::to_string(axes.rank));
  for (int i = 0, last = -1; i < axes.rank; ++i) {
    if (axes[i] <= last || axes[i] >= shape.rank)
      fail(ErrorKind::Axis, args.op, "axes", "ascending axes of " + toString(shape), toString(axes));
    last = int(axes[i]);
    if (!x.shape[i].is(1) && x.shape[i] != shape[last])
      fail(ErrorKind::Shape, args.op, "size of axis " + std::to_string(i), "1 or " + toString(shape[last]), toString(x.shape[i]));
  }
  return {x.dtype, shape};
}

namespace {

/// The product of sizes: a number times symbols, each of them at least 2.
struct Product {
  Wide number = 1;
  InlineList<Size> symbols = {};

  explicit Product(const Shape &shape) {
    for (Size size : shape) size.isConstant() ? void(number *= size.number()) : symbols.push(size);
  }
  /// Whether it is `value` for some values of the symbols.
  bool canBe(Wide value) const {
    if (number == 0 || value == 0) return number == value;
    return value % number == 0 && (symbols.rank ? value / number >= Wide(1) << symbols.rank : value == number);
  }
};

/// Strikes out the symbols that both have.
void cancel(Product &a, Product &b) {
  for (int i = a.symbols.rank - 1; i >= 0; --i)
    for (int k = 0; k < b.symbols.rank; ++k)
      if (a.symbols[i] == b.symbols[k]) {
        a.symbols.erase(i);
        b.symbols.erase(k);
        break;
      }
}

/// Whether two shapes have as many elements for some values of their symbols.
bool canBeAsMany(const Shape &x, const Shape &y) {
  Product a(x), b(y);
  cancel(a, b);
  if (a.symbols.rank == 0) return b.canBe(a.number);
  if (b.symbols.rank == 0) return a.canBe(b.number);
  return (a.number == 0) == (b.number == 0);
}

} // namespace

TensorType inferReshape(const InferArgs &args) {
  const TensorType &x = args.operands[0];
  TensorType result{x.dtype, WordReader{args.words}.sizes(args.op, args.symbols)};
  checkSize(args.op, result);
  if (result.shape.isStatic() && x.shape.isStatic()) {
    int64_t had = numElements(x.shape), has = numElements(result.shape);
    if (has != had)
      fail(ErrorKind::Shape, args.op, "number of elements", std::to_string(had) + " as in " + toString(x.shape),
           std::to_string(has) + " in " + toString(result.shape));
  } else if (checkSize(args.op, x); !canBeAsMany(x.shape, result.shape)) {
    fail(ErrorKind::Shape, args.op, "number of elements", "that of " + toString(x.shape) + " for some sizes",
         "none of " + toString(result.shape));
  }
  return result;
}

TensorType inferTranspose(const InferArgs &args) {
  const TensorType &x = args.operands[0];
  Dims permutation = WordReader{args.words}.dims();
  TensorType result{x.dtype, {}};
  unsigned seen = 0;
  for (int64_t p : permutation)
    if (p >= 0 && p < x.shape.rank && !(seen >> p & 1)) {
      seen |= 1u << p;
      result.shape.push(x.shape[int(p)]);
    }
  if (result.shape.rank != x.shape.rank || permutation.rank != x.shape.rank)
    fail(ErrorKind::Axis, args.op, "axes", "a permutation of the " + std::to_string(x.shape.rank) + " axes of " + toString(x),
         toString(permutation));
  return result;
}

/// Whether `count` positions from `start` on in steps lie in an axis of `size`, for some values of the symbols.
static bool canLieWithin(Size size, Size start, Size count, int64_t step) {
  int64_t least = start.isConstant() ? start.number() : 0;
  if (count.is(0)) return !size.isConstant() || least <= size.number();
  Wide way = Wide(count.isConstant() ? count.number() - 1 : 1) * step; // of a symbol the shortest
  if (size.isConstant() && (least >= size.number() || least + way >= size.number())) return false;
  bool isBounded = start.isConstant() || size.isConstant();
  if (isBounded && (start.isConstant() ? least : size.number() - 1) + way < 0) return false;
  if (size.isConstant()) return true;
  // A whole open axis is passed through step by step, from its start or back to it.
  bool isWhole = std::abs(step) == 1 && (step < 0 || !start.isConstant() || start.is(0));
  return start != size && (count != size || isWhole);
}

/// A region of an array: `sizes` positions of each axis from `starts` on in `steps`.
static void checkRegion(const InferArgs &args, const Shape &x, const Shape &starts, const Shape &sizes, const Dims &steps) {
  if (starts.rank != x.rank || sizes.rank != x.rank || steps.rank != x.rank)
    fail(ErrorKind::Shape, args.op, "number of starts, sizes and steps", std::to_string(x.rank), toString(sizes));
  for (int i = 0; i < x.rank; ++i) {
    if (steps[i] > kMostSteps || steps[i] < -kMostSteps)
      fail(ErrorKind::Value, args.op, "step of axis " + std::to_string(i), "at most " + std::to_string(kMostSteps),
           std::to_string(steps[i]));
    if (steps[i] == 0) fail(ErrorKind::Value, args.op, "step of axis " + std::to_string(i), "one that is not 0", "0");
    if (canLieWithin(x[i], starts[i], sizes[i], steps[i])) continue;
    std::string got = toString(sizes[i]) + " from " + toString(starts[i]) + " in steps of " + std::to_string(steps[i]);
    fail(ErrorKind::Shape, args.op, "range of axis " + std::to_string(i), "positions within " + toString(x[i]), got);
  }
}

TensorType inferSlice(const InferArgs &args) {
  const TensorType &x = args.operands[0];
  WordReader r{args.words};
  Shape starts = r.sizes(args.op, args.symbols), sizes = r.sizes(args.op, args.symbols);
  checkRegion(args, x.shape, starts, sizes, r.dims());
  return {x.dtype, sizes};
}

/// The sum of two sizes; derived where one is open and the other adds to it.
static Size sumOf(Size a, Size b) {
  if (a.is(0) || b.is(0)) return a.is(0) ? b : a;
  if (!a.isConstant() || !b.isConstant()) return Size::derived();
  return int64_t(std::min<Wide>(Wide(a.number()) + b.number(), std::numeric_limits<int64_t>::max())); // which checkSize refuses
}

TensorType inferConcat(const InferArgs &args) {
  if (args.operands.empty()) throw Error(ErrorKind::Value, std::string(args.op) + ": expected at least one array, got none");
  TensorType result = args.operands[0];
  int axis = axisOf(args, WordReader{args.words}.next(), result.shape.rank);
  for (const TensorType &t : args.operands.subspan(1)) {
    if (t.dtype != result.dtype) fail(ErrorKind::DType, args.op, "dtypes of operands differ", info(result.dtype).name, info(t.dtype).name);
    Shape want = result.shape, got = t.shape;
    if (got.rank == want.rank) want[axis] = got[axis];
    if (!(want == got)) fail(ErrorKind::Shape, args.op, "shapes of operands differ", toString(want), toString(got));
    result.shape[axis] = sumOf(result.shape[axis], t.shape[axis]);
    checkSize(args.op, result);
  }
  return result;
}

/// The value written into `x` has its dtype and as many axes.
static void checkPart(const InferArgs &args, const TensorType &x, const TensorType &value) {
  if (x.dtype != value.dtype) fail(ErrorKind::DType, args.op, "dtype of the value", info(x.dtype).name, info(value.dtype).name);
  if (x.shape.rank != value.shape.rank)
    fail(ErrorKind::Shape, args.op, "rank of the value", std::to_string(x.shape.rank), std::to_string(value.shape.rank));
}

TensorType inferUpdate(const InferArgs &args) {
  const TensorType &x = args.operands[0], &value = args.operands[1];
  checkPart(args, x, value);
  WordReader r{args.words};
  Shape starts = r.sizes(args.op, args.symbols);
  checkRegion(args, x.shape, starts, value.shape, r.dims());
  return x;
}

static void checkStarts(const InferArgs &args, const TensorType &starts, int rank) {
  if (starts.dtype != DType::I64 || !(starts.shape == Shape{rank}))
    fail(ErrorKind::DType, args.op, "starts", toString(TensorType{DType::I64, {rank}}), toString(starts));
}

/// A part of an open axis, and an open part, may have any size: what is too large is found in each recording.
static void checkFits(const InferArgs &args, const Shape &shape, const Shape &sizes) {
  if (sizes.rank != shape.rank) fail(ErrorKind::Shape, args.op, "number of sizes", std::to_string(shape.rank), std::to_string(sizes.rank));
  for (int i = 0; i < sizes.rank; ++i)
    if (shape[i].isConstant() && shape[i].number() < (sizes[i].isConstant() ? sizes[i].number() : 2))
      fail(ErrorKind::Shape, args.op, "size of axis " + std::to_string(i), "at most " + toString(shape[i]), toString(sizes[i]));
}

TensorType inferDynamicSlice(const InferArgs &args) {
  const TensorType &x = args.operands[0];
  Shape sizes = WordReader{args.words}.sizes(args.op, args.symbols);
  checkStarts(args, args.operands[1], x.shape.rank);
  checkFits(args, x.shape, sizes);
  return {x.dtype, sizes};
}

TensorType inferDynamicUpdate(const InferArgs &args) {
  const TensorType &x = args.operands[0], &value = args.operands[1];
  checkPart(args, x, value);
  checkStarts(args, args.operands[2], x.shape.rank);
  checkFits(args, x.shape, value.shape);
  return x;
}

TensorType inferScatter(const InferArgs &args) {
  const TensorType &x = args.operands[0], &indices = args.operands[1], &updates = args.operands[2];
  checkDType(args, 0);
  if (!isInteger(indices.dtype)) fail(ErrorKind::DType, args.op, "dtype of the indices", "an integer dtype", info(indices.dtype).name);
  if (updates.dtype != x.dtype) fail(ErrorKind::DType, args.op, "dtype of the updates", info(x.dtype).name, info(updates.dtype).name);
  int axis = axisOf(args, WordReader{args.words}.next(), x.shape.rank);
  if (indices.shape.rank != 1) fail(ErrorKind::Shape, args.op, "rank of the indices", "1", std::to_string(indices.shape.rank));
  Shape want = x.shape;
  want[axis] = indices.shape[0];
  if (!(updates.shape == want)) fail(ErrorKind::Shape, args.op, "shape of the updates", toString(want), toString(updates.shape));
  return x;
}

TensorType inferGather(const InferArgs &args) {
  const TensorType &x = args.operands[0], &indices = args.operands[1];
  if (!isInteger(indices.dtype)) fail(ErrorKind::DType, args.op, "dtype of the indices", "an integer dtype", info(indices.dtype).name);
  int axis = axisOf(args, WordReader{args.words}.next(), x.shape.rank);
  if (x.shape.rank + indices.shape.rank - 1 > kMaxRank)
    fail(ErrorKind::Shape, args.op, "rank of the result", "at most " + std::to_string(kMaxRank),
         std::to_string(x.shape.rank + indices.shape.rank - 1));
  TensorType result = x;
  result.shape.erase(axis);
  for (int i = 0; i < indices.shape.rank; ++i) result.shape.insert(axis + i, indices.shape[i]);
  return result;
}

static void checkNotEmpty(const InferArgs &args, Size size) {
  if (args.needsElement && size.is(0))
    throw Error(ErrorKind::Value, std::string(args.op) + ": expected at least one element, got an empty axis: it has no identity");
}

TensorType inferReduction(const InferArgs &args) {
  checkDType(args, 0);
  TensorType result = args.operands[0];
  Dims axes = WordReader{args.words}.dims();
  for (int i = axes.rank - 1, last = kMaxRank; i >= 0; --i) {
    int axis = axisOf(args, axes[i], args.operands[0].shape.rank);
    if (axis >= last) fail(ErrorKind::Axis, args.op, "axes", "ascending axes", toString(axes));
    checkNotEmpty(args, result.shape[axis]);
    result.shape.erase(last = axis);
  }
  return result;
}

TensorType inferArgReduction(const InferArgs &args) {
  checkDType(args, 0);
  TensorType result{DType::I64, args.operands[0].shape};
  int axis = axisOf(args, WordReader{args.words}.next(), result.shape.rank);
  checkNotEmpty(args, result.shape[axis]);
  result.shape.erase(axis);
  return result;
}

TensorType inferScan(const InferArgs &args) {
  checkDType(args, 0);
  axisOf(args, WordReader{args.words}.next(), args.operands[0].shape.rank);
  return args.operands[0];
}

TensorType inferSort(const InferArgs &args) {
  choiceOf(args, "descending", args.words[1], 2);
  return inferScan(args);
}
TensorType inferArgsort(const InferArgs &args) { return {DType::I64, inferSort(args).shape}; }

TensorType inferNonzero(const InferArgs &args) {
  const TensorType &mask = args.operands[0];
  checkDType(args, 0);
  if (mask.shape.rank != 1) fail(ErrorKind::Shape, args.op, "rank of the mask", "1", std::to_string(mask.shape.rank));
  return {DType::I64, Shape::ofWords(args.op, args.words.first(1), args.symbols)};
}

/// As many channels as the weights have for each group, and as many filters for each.
static void checkChannels(const InferArgs &args, Size channels, Size ofWeights, Size filters, int64_t groups) {
  bool isRight = groups >= 1 && (!filters.isConstant() || filters.number() % groups == 0);
  if (isRight && channels.isConstant() && ofWeights.isConstant()) isRight = Wide(channels.number()) == Wide(ofWeights.number()) * groups;
  else if (isRight && (groups == 1 || channels == ofWeights)) isRight = groups == 1 && channels == ofWeights;
  else if (isRight && channels.isConstant()) isRight = channels.number() % groups == 0 && channels.number() / groups >= 2;
  else if (isRight && ofWeights.isConstant()) isRight = ofWeights.number() >= 1;
  if (isRight) return;
  std::string want = toString(ofWeights);
  if (ofWeights.isConstant()) want = std::to_string(int64_t(Wide(ofWeights.number()) * groups));
  else if (groups != 1) want += " * " + std::to_string(groups);
  fail(ErrorKind::Shape, args.op, "channels", want + " in, filters in multiples of the groups",
       toString(channels) + " and " + toString(filters) + " in " + std::to_string(groups) + " groups");
}

/// The positions of a window along an axis. An open axis keeps its size where the padding makes up for the window.
static Size countWindows(Size size, Size ofWindow, int64_t stride, int64_t dilation, Wide padding) {
  if (!ofWindow.isConstant()) return Size::derived();
  Wide window = Wide(ofWindow.number() - 1) * dilation + 1;
  if (!size.isConstant()) return stride == 1 && window == padding + 1 ? size : Size::derived();
  Wide padded = size.number() + padding;
  return padded < window ? 0 : int64_t((padded - window) / stride + 1);
}

TensorType inferConvolution(const InferArgs &args) {
  checkDType(args, 0);
  const TensorType &x = args.operands[0], &w = args.operands[1];
  if (x.dtype != w.dtype) fail(ErrorKind::DType, args.op, "dtypes of operands differ", info(x.dtype).name, info(w.dtype).name);
  WordReader r{args.words};
  Dims strides = r.dims(), low = r.dims(), high = r.dims(), dilation = r.dims();
  int64_t groups = r.next();
  int spatial = x.shape.rank - 2;
  if (spatial < 1 || spatial > 3 || w.shape.rank != x.shape.rank)
    fail(ErrorKind::Shape, args.op, "ranks", "an array and weights of one rank from 3 to 5", toString(x) + " and " + toString(w));
  for (const Dims *d : {&strides, &low, &high, &dilation})
    if (d->rank != spatial)
      fail(ErrorKind::Shape, args.op, "strides, padding and dilation", std::to_string(spatial) + " values each", toString(*d));
  Size filters = w.shape[spatial + 1];
  checkChannels(args, x.shape[spatial + 1], w.shape[spatial], filters, groups);
  TensorType result{x.dtype, {x.shape[0]}};
  for (int i = 0; i < spatial; ++i) {
    bool isSmall = std::max({strides[i], dilation[i], low[i], high[i]}) <= kMostSteps;
    if (strides[i] < 1 || dilation[i] < 1 || low[i] < 0 || high[i] < 0 || !isSmall)
      fail(ErrorKind::Value, args.op, "strides, padding and dilation",
           "positive ones, padding of at least 0, all at most " + std::to_string(kMostSteps),
           toString(strides) + ", " + toString(low) + " and " + toString(high) + ", " + toString(dilation));
    result.shape.push(countWindows(x.shape[i + 1], w.shape[i], strides[i], dilation[i], Wide(low[i]) + high[i]));
  }
  result.shape.push(filters);
  return result;
}

TensorType inferDotGeneral(const InferArgs &args) {
  checkDType(args, 0);
  const TensorType &x = args.operands[0], &y = args.operands[1];
  if (x.dtype != y.dtype) fail(ErrorKind::DType, args.op, "dtypes of operands differ", info(x.dtype).name, info(y.dtype).name);
  WordReader r{args.words};
  Dims xBatch = r.dims(), yBatch = r.dims();
  int xAxis = axisOf(args, r.next(), x.shape.rank), yAxis = axisOf(args, r.next(), y.shape.rank);
  if (x.shape[xAxis] != y.shape[yAxis])
    fail(ErrorKind::Shape, args.op, "contracted dimensions differ",
         toString(x.shape[xAxis]) + " (axis " + std::to_string(xAxis) + " of x: " + toString(x) + ")",
         toString(y.shape[yAxis]) + " (axis " + std::to_string(yAxis) + " of y: " + toString(y) + ")");
  if (xBatch.rank != yBatch.rank)
    fail(ErrorKind::Axis, args.op, "number of batch axes of y", std::to_string(xBatch.rank), std::to_string(yBatch.rank));
  if (x.shape.rank + y.shape.rank - xBatch.rank - 2 > kMaxRank)
    fail(ErrorKind::Shape, args.op, "rank of the result", "at most " + std::to_string(kMaxRank),
         std::to_string(x.shape.rank + y.shape.rank - xBatch.rank - 2));
  TensorType result{x.dtype, {}};
  unsigned xUsed = 1u << xAxis, yUsed = 1u << yAxis;
  for (int i = 0; i < xBatch.rank; ++i) {
    int a = axisOf(args, xBatch[i], x.shape.rank), b = axisOf(args, yBatch[i], y.shape.rank);
    if ((xUsed >> a & 1) || (yUsed >> b & 1))
      fail(ErrorKind::Axis, args.op, "batch axes", "axes used once", toString(xBatch) + " and " + toString(yBatch));
    if (x.shape[a] != y.shape[b]) fail(ErrorKind::Shape, args.op, "batch dimensions differ", toString(x.shape[a]), toString(y.shape[b]));
    xUsed |= 1u << a;
    yUsed |= 1u << b;
    result.shape.push(x.shape[a]);
  }
  for (int i = 0; i < x.shape.rank; ++i)
    if (!(xUsed >> i & 1)) result.shape.push(x.shape[i]);
  for (int i = 0; i < y.shape.rank; ++i)
    if (!(yUsed >> i & 1)) result.shape.push(y.shape[i]);
  return result;
}

/// Apart from `infer`, which every recorded op goes through.
[[gnu::noinline]] static TensorType inferOne(Op op, std::span<const TensorType> operands, std::span<const int64_t> words, int64_t symbols) {
  std::vector<TensorType> types = inferAll(op, operands, words, {}, symbols);
  if (types.size() != 1) fail(ErrorKind::Value, info(op, words).name, "results", "1", std::to_string(types.size()));
  return types[0];
}

TensorType infer(Op op, std::span<const TensorType> operands, std::span<const int64_t> words, int64_t symbols) {
  const OpInfo &record = info(op);
  if (record.inferMany) return inferOne(op, operands, words, symbols);
  TensorType type = record.infer({record.name, operands, words, record.accepts, record.needsElement, {}, symbols});
  checkSize(record.name, type);
  return type;
}

std::vector<TensorType> inferAll(Op op, std::span<const TensorType> operands, std::span<const int64_t> words,
                                 std::span<const std::shared_ptr<const Trace>> bodies, int64_t symbols) {
  const OpInfo &record = info(op);
  if (!record.inferMany) return {infer(op, operands, words, symbols)};
  std::vector<TensorType> types = record.inferMany({record.name, operands, words, record.accepts, record.needsElement, bodies, symbols});
  for (const TensorType &type : types) checkSize(record.name, type);
  return types;
}

void checkSize(const char *op, const TensorType &type) {
  int64_t n = 1;
  for (Size size : type.shape) {
    int64_t least = size.isConstant() ? std::max<int64_t>(size.number(), 1) : 1;
    if (__builtin_mul_overflow(n, least, &n) || n > kMostElements)
      fail(ErrorKind::Shape, op, "number of elements", "at most " + std::to_string(kMostElements), toString(type.shape));
  }
}

Dims broadcastShapes(const char *op, const Dims &a, const Dims &b) {
  Dims result = Dims::unset(std::max(a.rank, b.rank));
  for (int i = 1; i <= result.rank; ++i) {
    int64_t x = i <= a.rank ? a[a.rank - i] : 1, y = i <= b.rank ? b[b.rank - i] : 1;
    if (x != y && x != 1 && y != 1)
      fail(ErrorKind::Shape, op, "shapes do not broadcast", toString(a) + " against an equal size or 1", toString(b));
    result[result.rank - i] = x == 1 ? y : x;
  }
  return result;
}

int normalizeAxis(const char *op, int64_t axis, int rank) {
  if (axis < -rank || axis >= rank)
    fail(ErrorKind::Axis, op, "axis", "one in [" + std::to_string(-rank) + ", " + std::to_string(rank) + ")", std::to_string(axis));
  return int(axis < 0 ? axis + rank : axis);
}

} // namespace kiln
