// Numbers, elementwise operations and sources of values.
#include "frontend/OpsShared.h"

#include <bit>
#include <cstring>

namespace kiln {

DType defaultFloatType = DType::F32;
void setDefaultFloat(DType dtype) { defaultFloatType = dtype; }

bool promoteArrays(DType a, DType b, DType &result) {
  if (defaultFloatType != DType::F64 || isInteger(a) + isInteger(b) == 0) return promote(a, b, result);
  if (isInteger(a) && isInteger(b)) {
    if (!promote(a, b, result)) result = DType::F64;
    return true;
  }
  DType whole = isInteger(a) ? a : b, other = isInteger(a) ? b : a;
  bool isOfNumPy = isComplex(other) || other == DType::F16 || other == DType::F32 || other == DType::F64;
  if (!isOfNumPy) return promote(a, b, result);
  constexpr DType kHolding[] = {DType::F16, DType::F32, DType::F64, DType::F64}; // integers of 1, 2, 4 and 8 bytes
  return promote(kHolding[std::countr_zero(uint64_t(byteSize(whole)))], other, result);
}

LongWork &longWork() {
  static LongWork hooks;
  return hooks;
}
thread_local bool Running::isInside = false;

static Array runCast(const Array &x, DType dtype) {
  Array result = Array::empty(dtype, x.shape);
  eager::Input input{x.data(), x.dtype, x.strides};
  Running running(x.size(), {&x});
  eager::elementwise(Op::Cast, {&input, 1}, dtype, x.shape, result.data());
  return result;
}

//===-- numbers -----------------------------------------------------------------------------------------------------===//

DType weakDType(const Operand &number) {
  switch (number.kind) {
  case Operand::IsBool: return DType::Bool;
  case Operand::IsInt: return number.isLarge ? DType::U64 : DType::I64;
  case Operand::IsComplex: return complexType(defaultFloat());
  default: return defaultFloat();
  }
}

bool fitsInteger(const Operand &n, DType dtype) {
  if (n.isLarge) return dtype == DType::U64;
  int width = int(8 * byteSize(dtype));
  if (info(dtype).isSigned) return width == 64 || (n.integer >= -(int64_t(1) << (width - 1)) && n.integer < int64_t(1) << (width - 1));
  return n.integer >= 0 && (width == 64 || n.integer < int64_t(1) << width);
}

Scalar scalarBits(const Operand &n, DType dtype) {
  double number = n.kind >= Operand::IsFloat ? n.number : n.isLarge ? double(uint64_t(n.integer)) : double(n.integer);
  if (n.kind == Operand::IsComplex && !isComplex(dtype))
    throw Error(ErrorKind::DType, std::string("a Python complex number does not convert to ") + info(dtype).name + ": expected a real one");
  switch (dtype) {
  case DType::F64: return {std::bit_cast<int64_t>(number), 0};
  case DType::F32: return {int64_t(std::bit_cast<uint32_t>(float(number))), 0};
  case DType::C64:
    return {int64_t(std::bit_cast<uint32_t>(float(number)) | uint64_t(std::bit_cast<uint32_t>(float(n.imaginary))) << 32), 0};
  case DType::C128: return {std::bit_cast<int64_t>(number), std::bit_cast<int64_t>(n.imaginary)};
  case DType::Bool: return {n.kind == Operand::IsFloat ? n.number != 0 : n.integer != 0, 0};
  default: break;
  }
  if (isNarrow(dtype)) { // by the kernel that converts arrays
    Scalar result{};
    eager::Input input{&number, DType::F64, {}};
    eager::elementwise(Op::Cast, {&input, 1}, dtype, {}, result.data());
    return result;
  }
  if (n.kind == Operand::IsFloat)
    throw Error(ErrorKind::DType, std::string("a Python float does not convert to ") + info(dtype).name + ": expected an integer");
  if (!fitsInteger(n, dtype))
    throw Error(ErrorKind::Overflow, "Python integer " + (n.isLarge ? std::to_string(uint64_t(n.integer)) : std::to_string(n.integer)) +
                                         " is out of bounds for " + info(dtype).name);
  return {n.integer, 0};
}

/// The dtype in which an op runs: arrays by the table, numbers after them.
static DType commonDType(const char *op, std::span<const Operand> operands, bool floatResult) {
  std::optional<DType> dtype;
  bool has[5] = {};
  bool hasLarge = false;
  for (const Operand &o : operands) {
    has[o.kind] = true;
    hasLarge |= o.isLarge;
    if (o.kind != Operand::IsArray) continue;
    DType mine = o.array->dtype, before = dtype.value_or(mine);
    dtype = mine;
    if (!promoteArrays(before, mine, *dtype))
      fail(ErrorKind::DType, op, "dtypes have no common one", "dtypes that promote (kn.astype converts)",
           std::string(info(before).name) + " and " + info(mine).name);
  }
  DType result = dtype.value_or(DType::Bool);
  if (has[Operand::IsInt] && result == DType::Bool) result = hasLarge && !dtype ? DType::U64 : DType::I64;
  bool isFloating = isFloat(result) || isComplex(result);
  if ((has[Operand::IsFloat] || floatResult) && !isFloating) result = defaultFloat();
  if (has[Operand::IsComplex] && !isComplex(result)) result = complexType(isFloating ? result : defaultFloat());
  return result;
}

//===-- elementwise -------------------------------------------------------------------------------------------------===//

/// Operands of several devices on one: arrays of the CPU that are more than a number are brought to the others.
struct OperandsTogether {
  Array held[3];
  Operand all[3];
  size_t count;

  OperandsTogether(Op op, std::span<const Operand> given) : count(given.size()) {
    const Array *arrays[3];
    size_t n = 0;
    for (const Operand &o : given)
      if (o.kind == Operand::IsArray) arrays[n++] = o.array;
    Device *device = commonDevice(info(op).name, {arrays, n});
    for (size_t i = 0; i < count; ++i) {
      all[i] = given[i];
      if (all[i].kind != Operand::IsArray || deviceOf(*all[i].array) || !all[i].array->shape.rank) continue;
      held[i] = cast(*all[i].array, all[i].array->dtype, device);
      all[i].array = &held[i];
    }
  }
  std::span<const Operand> operands() const { return {all, count}; }
};

static bool isElsewhere(std::span<const Operand> operands) {
  bool result = false;
  for (const Operand &o : operands) result |= o.kind == Operand::IsArray && deviceOf(*o.array);
  return result;
}

thread_local NumberInputs *numberInputs = nullptr;

/// A number as an array without axes.
static Array arrayOf(const Operand &number, DType dtype, std::span<const Operand> beside) {
  const Array *input = numberInputs && number.origin && !isElsewhere(beside) ? numberInputs->inputOf(number.origin, dtype) : nullptr;
  return input ? *input : applyConstant(dtype, scalarBits(number, dtype));
}

/// As operations of the op table over arrays of one shape.
static Array applyParts(Op op, std::span<const Operand> operands, std::span<const DType> dtypes, const TensorType &type) {
  Array held[3];
  const Array *arrays[3];
  for (size_t i = 0; i < operands.size(); ++i) {
    const Operand &o = operands[i];
    held[i] = o.kind == Operand::IsArray ? cast(*o.array, dtypes[i]) : arrayOf(o, dtypes[i], operands);
    held[i] = applyBroadcast(held[i], type.shape.numbers(), true);
    arrays[i] = &held[i];
  }
  return apply({op, {arrays, operands.size()}, {}, type});
}

static Array runElementwise(Op op, std::span<const Operand> operands, std::span<const DType> dtypes, const Dims &shape, DType resultType) {
  Array result = Array::empty(resultType, shape);
  Array held[3];
  const Array *read[3] = {&result, &result, &result};
  Scalar scalars[3];
  eager::Input inputs[3];
  for (size_t i = 0; i < operands.size(); ++i) {
    const Operand &o = operands[i];
    if (o.kind != Operand::IsArray) {
      scalars[i] = scalarBits(o, dtypes[i]);
      inputs[i] = {scalars[i].data(), dtypes[i], Dims::zeros(shape.rank)};
      continue;
    }
    const Array *x = o.array;
    if (x->dtype != dtypes[i]) x = &(held[i] = runCast(*x, dtypes[i]));
    inputs[i] = {x->data(), dtypes[i], x->shape == shape ? x->strides : broadcastStrides(*x, shape)};
    read[i] = x;
  }
  Running running(result.size(), {read[0], read[1], read[2]});
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
  if (hasMode() || isElsewhere(operands)) return applyParts(op, operands, dtypes, result);
  return runElementwise(op, operands, dtypes, shape, result.dtype);
}

int resultDType(Op op, DType dtype) {
  static const auto table = [] {
    std::array<std::array<int8_t, kNumDTypes>, size_t(Op::Count)> t{};
    for (int i = 0; i < int(Op::Count); ++i)
      for (int d = 0; d < kNumDTypes; ++d) {
        const OpInfo &record = info(Op(i));
        TensorType types[] = {{DType(d), {}}, {DType(d), {}}};
        bool isPlain = record.ufunc && record.operands <= 2 && accepts(record.accepts, DType(d));
        try {
          t[size_t(i)][size_t(d)] = int8_t(isPlain ? int(infer(Op(i), {types, size_t(record.operands)}, {}).dtype) : -1);
        } catch (const Error &) { t[size_t(i)][size_t(d)] = -1; } // refused by the rule
      }
    return t;
  }();
  return table[size_t(op)][size_t(dtype)];
}

/// A call of a flat kernel: row-major operands of one dtype and shape, or one number beside an array of a fitting dtype.
struct FlatCall {
  bool fits = false, isScalar = false;
  DType dtype, resultType;
  Scalar scalar;
  void *buffers[3];

  FlatCall(Op op, std::span<const Operand> operands) {
    const Operand &first = operands[0], &last = operands.back();
    if (first.kind != Operand::IsArray || !first.array->isContiguous) return;
    const Array &x = *first.array;
    int type = resultDType(op, x.dtype);
    if (type < 0) return;
    dtype = x.dtype, resultType = DType(type);
    buffers[0] = x.data();
    isScalar = last.kind != Operand::IsArray;
    if (isScalar) {
      bool keeps = last.kind == Operand::IsBool || isComplex(x.dtype) || (isFloat(x.dtype) && last.kind <= Operand::IsFloat) ||
                   (last.kind == Operand::IsInt && x.dtype != DType::Bool && (!isInteger(x.dtype) || fitsInteger(last, x.dtype)));
      if (!keeps) return;
      scalar = scalarBits(last, x.dtype);
      buffers[1] = scalar.data();
    } else if (operands.size() == 2) {
      const Array &y = *last.array;
      if (y.dtype != x.dtype || !y.isContiguous || !(y.shape == x.shape)) return;
      buffers[1] = y.data();
    }
    fits = true;
  }
};

/// The common case by itself.
static std::optional<Array> applyFlat(Op op, std::span<const Operand> operands) {
  FlatCall call(op, operands);
  if (!call.fits) return std::nullopt;
  const Array &x = *operands[0].array;
  Array result = Array::empty(call.resultType, x.shape);
  int64_t n = x.size();
  call.buffers[operands.size()] = result.data();
  if (n == 0) return result;
  Running running(n, {&x, call.isScalar || operands.size() == 1 ? &x : operands.back().array});
  eager::flat(op, x.dtype, call.resultType, n, call.isScalar, call.buffers);
  return result;
}

bool applySmall(Op op, std::span<const Operand> operands, const SmallResult &make) {
  if (info(op).byNumber) return false;
  if (Mode *mode = Mode::current()) return mode->applySmall(op, operands, make);
  if (isElsewhere(operands)) return false;
  FlatCall call(op, operands);
  if (!call.fits) return false;
  const Array &x = *operands[0].array;
  int64_t n = x.size();
  if (n == 0 || n > SmallResult::kMost) return false;
  call.buffers[operands.size()] = make.withMemory(make.context, call.resultType, x).data();
  eager::flat(op, x.dtype, call.resultType, n, call.isScalar, call.buffers);
  return true;
}

/// Whether an operand may be read while what lies before in `target` has been written.
static bool isReadAhead(const Operand &o, const Array &target) {
  if (o.kind != Operand::IsArray || !overlaps(*o.array, target)) return true;
  return o.array->data() == target.data() && byteSize(o.array->dtype) == byteSize(target.dtype);
}

bool applyInto(Op op, std::span<const Operand> operands, Array &target) {
  constexpr int64_t kPiece = 8192, kMost = 65536; // bytes at a time, which stay in L1; elements, from where on threads share the work
  if (info(op).byNumber || operands.size() > 2 || hasMode() || isElsewhere(operands) || deviceOf(target)) return false;
  Storage &cell = *target.storage.get();
  if (!target.isContiguous || target.isRepeated || !cell.isWritable || !cell.value || (!cell.pinned && cell.value->refs.load() != 1))
    return false;
  FlatCall call(op, operands);
  int64_t n = target.size();
  if (!call.fits || n == 0 || n >= kMost || call.resultType != target.dtype || !(operands[0].array->shape == target.shape)) return false;
  if (!isReadAhead(operands[0], target) || !isReadAhead(operands.back(), target)) return false;
  if (n >= Running::kLongElements && longWork().hasOthers && longWork().hasOthers()) return false;
  prepareWrite(target);
  alignas(64) char piece[kPiece];
  int64_t bytes = byteSize(call.dtype), made = byteSize(target.dtype), step = kPiece / std::max(bytes, made);
  call.buffers[operands.size()] = piece;
  for (int64_t i = 0; i < n; i += step) { // kernels know their buffers to lie apart
    int64_t count = std::min(step, n - i);
    eager::flat(op, call.dtype, call.resultType, count, call.isScalar, call.buffers);
    std::memcpy(target.data() + i * made, piece, size_t(count * made));
    for (size_t k = 0; k < operands.size(); ++k)
      if (k == 0 || !call.isScalar) call.buffers[k] = static_cast<char *>(call.buffers[k]) + count * bytes;
  }
  return true;
}

/// Arrays of one dtype and shape are passed on as they are.
static std::optional<Array> passFlat(Op op, std::span<const Operand> operands) {
  const Array *arrays[2];
  for (size_t i = 0; i < operands.size(); ++i) {
    arrays[i] = operands[i].array;
    bool fits = operands[i].kind == Operand::IsArray && arrays[i]->dtype == arrays[0]->dtype && arrays[i]->shape == arrays[0]->shape;
    if (!fits) return std::nullopt;
  }
  int dtype = resultDType(op, arrays[0]->dtype);
  if (dtype < 0) return std::nullopt;
  return apply({op, {arrays, operands.size()}, {}, {DType(dtype), arrays[0]->shape}});
}

/// A small integer power of an array by squaring, and the square root: exact where the power is, and quicker.
static std::optional<Array> smallPower(const Operand &x, const Operand &y) {
  if (x.kind != Operand::IsArray) return std::nullopt;
  auto apply = [](Op op, std::initializer_list<const Array *> arrays) {
    Operand operands[2];
    size_t n = 0;
    for (const Array *a : arrays) operands[n++] = {Operand::IsArray, a};
    return applyElementwise(op, {operands, n});
  };
  bool isFloating = isFloat(x.array->dtype) || isComplex(x.array->dtype);
  if (y.kind == Operand::IsFloat && y.number == 0.5 && isFloating) return apply(Op::Sqrt, {x.array});
  if (y.kind == Operand::IsFloat && y.number == 2 && isFloating) return apply(Op::Square, {x.array});
  if (y.kind != Operand::IsInt || y.integer < 1 || y.integer > 16 || x.array->dtype == DType::Bool) return std::nullopt;
  std::optional<Array> result;
  Array power = *x.array;
  for (int64_t n = y.integer;; n >>= 1) {
    if (n & 1) result = result ? apply(Op::Multiply, {&*result, &power}) : power;
    if (n == 1) return y.integer == 1 ? copy(*result) : std::move(*result);
    power = apply(Op::Square, {&power});
  }
}

static Array applyPromoted(Op op, std::span<const Operand> operands) {
  if (auto result = compareWithOutside(op, operands)) return std::move(*result);
  DType dtype = commonDType(info(op).name, operands, info(op).floatResult);
  if (auto result = applyBeyondRecord(op, operands, dtype)) return std::move(*result);
  DType dtypes[] = {dtype, dtype, dtype};
  return applyTyped(op, operands, {dtypes, operands.size()});
}

[[gnu::noinline]] static Array applyElsewhere(Op op, std::span<const Operand> given) {
  OperandsTogether together(op, given);
  if (given.size() <= 2)
    if (auto result = passFlat(op, together.operands())) return std::move(*result);
  return applyPromoted(op, together.operands());
}

Array applyElementwise(Op op, std::span<const Operand> operands) {
  if (op == Op::Pow)
    if (auto result = smallPower(operands[0], operands[1])) return std::move(*result);
  if (isElsewhere(operands)) return applyElsewhere(op, operands);
  if (operands.size() <= 2)
    if (auto result = hasMode() ? passFlat(op, operands) : applyFlat(op, operands)) return std::move(*result);
  return applyPromoted(op, operands);
}

static Array whereTogether(std::span<const Operand> operands) {
  DType dtype = commonDType("where", operands.subspan(1), false);
  DType dtypes[] = {operands[0].array->dtype, dtype, dtype};
  return applyTyped(Op::Select, operands, dtypes);
}

Array where(const Array &condition, const Operand &x, const Operand &y) {
  Operand operands[] = {{Operand::IsArray, &condition}, x, y};
  if (isElsewhere(operands)) return whereTogether(OperandsTogether(Op::Select, operands).operands());
  return whereTogether(operands);
}

Array cast(const Array &x, DType dtype, Device *device) {
  bool isBrought = device && deviceOf(x) != device;
  if (x.dtype == dtype && !isBrought) return x;
  if (!isApart(x) && !isBrought) return runCast(x, dtype);
  if (isBrought) checkWrite("cast", device, x);
  const Array *operand = &x;
  int64_t word = int64_t(dtype);
  return apply({Op::Cast, {&operand, 1}, {&word, 1}, {dtype, x.shape}, false, isBrought ? device : nullptr});
}

//===-- sources -----------------------------------------------------------------------------------------------------===//

Array constantArray(DType dtype, const Scalar &bits, Device *device) {
  if (hasMode() || device) return applyConstant(dtype, bits, device);
  Array result = Array::empty(dtype, {});
  std::memcpy(result.data(), bits.data(), size_t(byteSize(dtype)));
  return result;
}

Array full(const Dims &shape, DType dtype, const Scalar &bits, Device *device) {
  if (!shape.rank) return constantArray(dtype, bits, device);
  if (hasMode() || device) return applyBroadcast(applyConstant(dtype, bits), shape, false, device);
  Array result = Array::empty(dtype, shape);
  eager::Input input{bits.data(), dtype, Dims::zeros(shape.rank)};
  Running running(result.size());
  if (bits == Scalar{}) std::memset(result.data(), 0, size_t(result.size() * byteSize(dtype)));
  else eager::stridedCopy(result, input);
  return result;
}

Array bitcast(const Array &x, DType dtype) {
  TensorType type = x.type();
  int64_t word = int64_t(dtype);
  type = infer(Op::Bitcast, {&type, 1}, {&word, 1});
  if (isApart(x)) return apply(Op::Bitcast, {&x}, {&word, 1}, type);
  Array result = copy(x);
  result.dtype = dtype;
  return result;
}

Array iota(DType dtype, const Dims &shape, int64_t axis, Device *device) {
  std::vector<int64_t> words = {axis, int64_t(dtype)};
  appendWords(words, shape);
  TensorType type = infer(Op::Iota, {}, words);
  if (hasMode() || device) return apply({Op::Iota, {}, words, type, false, device});
  Array line = Array::empty(dtype, {shape[int(axis)]});
  eager::iota(line);
  if (shape.rank == 1) return line;
  Dims unit;
  for (int i = 0; i < shape.rank; ++i) unit.push(i == axis ? shape[i] : 1);
  return contiguous(broadcastTo(reshape(line, unit), shape));
}

} // namespace kiln
