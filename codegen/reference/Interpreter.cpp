#include "codegen/reference/Interpreter.h"

#include "dialects/kiln/math/Apply.h"
#include "lib/Core/Control.h"
#include "lib/Core/Generalize.h"
#include "lib/Library/Library.h"

#include <algorithm>
#include <cstring>

namespace kiln::reference {

Tensor Tensor::read(const ArrayType &type, const void *memory) {
  Tensor result{type, {}};
  int64_t bytes = byteSize(type.dtype);
  for (int64_t i = 0; i < numElements(type.shape); ++i) {
    uint64_t parts[2] = {};
    const char *from = static_cast<const char *>(memory) + i * bytes;
    std::memcpy(&parts[0], from, size_t(byteSize(realType(type.dtype))));
    if (isComplex(type.dtype)) std::memcpy(&parts[1], from + bytes / 2, size_t(bytes / 2));
    if (type.dtype == DType::Bool) parts[0] = parts[0] != 0;
    result.elements.emplace_back(type.dtype, parts[0], parts[1]);
  }
  return result;
}

void Tensor::write(void *memory) const {
  int64_t bytes = byteSize(type.dtype);
  char *to = static_cast<char *>(memory);
  for (const Number &n : elements) {
    std::memcpy(to, &n.raw, size_t(byteSize(realType(type.dtype))));
    if (isComplex(type.dtype)) std::memcpy(to + bytes / 2, &n.rawImag, size_t(bytes / 2));
    to += bytes;
  }
}

namespace {

using Operands = std::span<const Tensor *const>;

/// A result whose element at each position `element` gives.
template <typename F> Tensor build(const ArrayType &type, F &&element) {
  Tensor result{type, {}};
  for (Positions p(type.shape); !p.done(); p.next()) result.elements.push_back(element(*p));
  return result;
}

[[noreturn]] void outside(Op op) {
  throw Error(ErrorKind::Index, std::string(info(op).name) + ": expected positions inside, got one outside");
}

/// An index counted from the end if it is negative.
int64_t wrapped(Op op, const Number &index, int64_t n) {
  uint64_t raw = index.raw;
  int64_t i = index.dtype == DType::U64 ? (raw >> 63 ? n : int64_t(raw)) : toInteger(index);
  if (i < -n || i >= n) outside(op);
  return i < 0 ? i + n : i;
}

Tensor elementwise(Op op, Operands x, const ArrayType &type) {
  return build(type, [&](const Dims &p) {
    size_t i = placeOf(type.shape, p);
    Number a = x[0]->elements[i], b = x[std::min<size_t>(1, x.size() - 1)]->elements[i], c = x.back()->elements[i];
    return scalar::apply(op, a, b, c, type.dtype);
  });
}

/// The starts of a dynamic slice, moved so that all of it lies inside.
Dims clampedStarts(const Tensor &starts, const Dims &shape, const Dims &sizes) {
  Dims result;
  for (int i = 0; i < shape.rank; ++i) result.push(std::clamp<int64_t>(toInteger(starts.elements[size_t(i)]), 0, shape[i] - sizes[i]));
  return result;
}

Tensor move(Op op, Operands x, const ArrayType &type, std::span<const int64_t> words) {
  const Dims &from = x[0]->type.shape;
  WordReader reader{words};
  if (op == Op::Reshape) return {type, x[0]->elements};
  Dims first = reader.dims(), starts;
  if (op == Op::DynamicSlice) starts = clampedStarts(*x[1], from, type.shape);
  if (op == Op::Slice) reader.dims();
  Dims steps = op == Op::Slice ? reader.dims() : Dims();
  return build(type, [&](const Dims &p) {
    Dims source = from;
    for (int i = 0; i < from.rank; ++i) {
      if (op == Op::Broadcast) source[i] = from[i] == 1 ? 0 : p[int(first[i])];
      if (op == Op::Slice) source[i] = first[i] + p[i] * steps[i];
      if (op == Op::DynamicSlice) source[i] = starts[i] + p[i];
      if (op == Op::Transpose) source[int(first[i])] = p[i];
    }
    return at(*x[0], source);
  });
}

Tensor source(Op op, const ArrayType &type, std::span<const int64_t> words) {
  if (op == Op::Iota)
    return build(type, [&](const Dims &p) { return scalar::cast(Number(DType::I64, uint64_t(p[int(words[0])])), type.dtype); });
  return {type, {Number(type.dtype, type.dtype == DType::Bool ? words[1] != 0 : uint64_t(words[1]))}};
}

Tensor assemble(Op op, Operands x, const ArrayType &type, std::span<const int64_t> words) {
  if (op == Op::Concat) {
    int axis = int(words[0]);
    return build(type, [&](Dims p) {
      size_t part = 0;
      for (; p[axis] >= x[part]->type.shape[axis]; ++part) p[axis] -= x[part]->type.shape[axis];
      return at(*x[part], p);
    });
  }
  WordReader reader{words};
  const Dims &part = x[1]->type.shape;
  Dims starts = op == Op::Update ? reader.dims() : clampedStarts(*x[2], type.shape, part),
       steps = op == Op::Update ? reader.dims() : Dims();
  Tensor result{type, x[0]->elements};
  for (Positions p(part); !p.done(); p.next()) {
    Dims to = *p;
    for (int i = 0; i < to.rank; ++i) to[i] = starts[i] + to[i] * (steps.rank ? steps[i] : 1);
    result.elements[placeOf(type.shape, to)] = at(*x[1], *p);
  }
  return result;
}

Tensor gather(Op op, const Tensor &x, const Tensor &indices, const ArrayType &type, int axis) {
  int rank = indices.type.shape.rank;
  return build(type, [&](const Dims &p) {
    Dims index, from;
    for (int i = 0; i < rank; ++i) index.push(p[axis + i]);
    for (int i = 0; i < x.type.shape.rank; ++i)
      from.push(i < axis ? p[i] : i > axis ? p[i + rank - 1] : wrapped(op, at(indices, index), x.type.shape[axis]));
    return at(x, from);
  });
}

Tensor scatter(Op op, Operands x, const ArrayType &type, int axis) {
  Tensor result{type, x[0]->elements};
  for (Positions p(x[2]->type.shape); !p.done(); p.next()) {
    Dims to = *p;
    to[axis] = wrapped(op, x[1]->elements[size_t((*p)[axis])], type.shape[axis]);
    Number &old = result.elements[placeOf(type.shape, to)];
    Number update = at(*x[2], *p);
    old = scalar::apply(op, old, update, update, type.dtype);
  }
  return result;
}

Tensor scan(Op op, const Tensor &x, int axis) {
  Tensor result = x;
  for (Positions p(x.type.shape); !p.done(); p.next()) {
    if ((*p)[axis] == 0) continue;
    Dims before = *p;
    --before[axis];
    Number mine = at(x, *p);
    result.elements[placeOf(x.type.shape, *p)] = scalar::apply(op, at(result, before), mine, mine, x.type.dtype);
  }
  return result;
}

Tensor sort(Op op, const Tensor &x, const ArrayType &type, int axis, bool descending) {
  Tensor result = Tensor::filled(type, Number(type.dtype, 0));
  Dims lines = type.shape;
  int64_t n = lines[axis];
  lines.erase(axis);
  auto isNan = [](const Number &a) { return isTrue(scalar::isnan(a)); };
  for (Positions p(lines); !p.done(); p.next()) {
    auto place = [&](int64_t k) {
      Dims position = *p;
      position.insert(axis, k);
      return placeOf(type.shape, position);
    };
    std::vector<int64_t> order;
    for (int64_t k = 0; k < n; ++k) order.push_back(k);
    std::stable_sort(order.begin(), order.end(), [&](int64_t i, int64_t j) {
      const Number &a = x.elements[place(i)], &b = x.elements[place(j)];
      if (isNan(a) || isNan(b)) return !isNan(a) && isNan(b);
      return isTrue(descending ? scalar::greater(a, b) : scalar::less(a, b));
    });
    for (int64_t k = 0; k < n; ++k)
      result.elements[place(k)] = op == Op::Sort ? x.elements[place(order[size_t(k)])] : Number(DType::I64, uint64_t(order[size_t(k)]));
  }
  return result;
}

Tensor compact(const Tensor &mask, const ArrayType &type) {
  Tensor result = Tensor::filled(type, Number(DType::I64, ~uint64_t(0)));
  size_t found = 0;
  for (size_t i = 0; i < mask.elements.size() && found < result.elements.size(); ++i)
    if (isTrue(mask.elements[i])) result.elements[found++] = Number(DType::I64, i);
  return result;
}

Tensor convolve(Op op, const Tensor &x, const Tensor &w, const ArrayType &type, std::span<const int64_t> words) {
  WordReader reader{words};
  Dims strides = reader.dims(), low = reader.dims();
  reader.dims(); // the padding behind: in the shape of the result
  Dims dilation = reader.dims();
  int64_t groups = reader.next();
  int spatial = strides.rank;
  int64_t channels = w.type.shape[spatial], filters = type.shape[spatial + 1] / groups;
  Dims window;
  for (int i = 0; i < spatial; ++i) window.push(w.type.shape[i]);
  return build(type, [&](const Dims &p) {
    Number sum = Number(type.dtype, 0), zero = sum;
    for (Positions tap(window); !tap.done(); tap.next()) {
      Dims from = {p[0]};
      bool inside = true;
      for (int i = 0; i < spatial; ++i) {
        from.push(p[i + 1] * strides[i] - low[i] + (*tap)[i] * dilation[i]);
        inside &= from[i + 1] >= 0 && from[i + 1] < x.type.shape[i + 1];
      }
      for (int64_t c = 0; c < channels; ++c) {
        Dims data = from, weight = *tap;
        data.push(p[spatial + 1] / filters * channels + c);
        weight.push(c);
        weight.push(p[spatial + 1]);
        sum = scalar::apply(op, inside ? at(x, data) : zero, at(w, weight), sum, type.dtype);
      }
    }
    return sum;
  });
}

/// The one kind that is not computed here: every target calls the same routine.
std::vector<Tensor> callLibrary(Op op, Operands x, std::span<const ArrayType> results, std::span<const int64_t> words) {
  std::vector<std::vector<char>> memory;
  std::vector<Dims> strides;
  std::vector<ArrayType> types;
  for (const Tensor *t : x) types.push_back(t->type);
  types.insert(types.end(), results.begin(), results.end());
  for (const ArrayType &t : types) {
    memory.emplace_back(size_t(numElements(t.shape) * byteSize(t.dtype)));
    strides.push_back(contiguousStrides(t.shape));
  }
  std::vector<kiln_tensor> tensors;
  for (size_t i = 0; i < types.size(); ++i) {
    if (i < x.size()) x[i]->write(memory[i].data());
    tensors.push_back({memory[i].data(), int32_t(types[i].dtype), types[i].shape.rank, types[i].shape.begin(), strides[i].begin()});
  }
  checkLibraryStatus(op, runtimeTable()->library(info(op).name, tensors.data(), words.data()), words);
  std::vector<Tensor> computed;
  for (size_t i = x.size(); i < types.size(); ++i) computed.push_back(Tensor::read(types[i], memory[i].data()));
  return computed;
}

/// A body at sizes that the first operands say.
std::vector<Tensor> sized(Operands x, const Dims &most, const Trace &body) {
  std::vector<int64_t> sizes;
  for (int i = 0; i < most.rank; ++i) {
    sizes.push_back(toInteger(x[size_t(i)]->elements[0]));
    if (sizes.back() < 2 || sizes.back() > most[i])
      fail(ErrorKind::Shape, info(Op::Sized).name, "size " + std::to_string(i), "2 to " + std::to_string(most[i]),
           std::to_string(sizes.back()));
  }
  std::vector<Tensor> values;
  for (const Tensor *t : x.subspan(sizes.size())) values.push_back(*t);
  return run(atSizes(body, sizes), std::move(values));
}

/// Runs bodies: one of several, or one while another one says so.
std::vector<Tensor> control(Op op, Operands x, std::span<const int64_t> words, std::span<const std::shared_ptr<const Trace>> bodies) {
  std::vector<int64_t> numbers = bodyNumbers(info(op), words);
  std::vector<Tensor> values;
  for (const Tensor *t : x) values.push_back(*t);
  auto body = [&](size_t i) -> const Trace & { return *bodies[size_t(numbers[i])]; };
  if (op == Op::Branch) {
    int64_t number = x[0]->type.dtype == DType::Bool ? isTrue(x[0]->elements[0]) : toInteger(x[0]->elements[0]);
    values.erase(values.begin());
    return run(body(size_t(std::clamp<int64_t>(number, 0, int64_t(numbers.size()) - 1))), values);
  }
  if (op == Op::Sized) return sized(x, WordReader{words, 1}.dims(), body(0));
  while (isTrue(run(body(0), values)[0].elements[0])) std::ranges::move(run(body(1), values), values.begin());
  values.resize(body(1).outputs.size());
  return values;
}

} // namespace

Tensor evaluate(Op op, Operands x, std::span<const int64_t> words) {
  std::vector<TensorType> types;
  for (const Tensor *t : x) types.push_back(t->type);
  ArrayType type(infer(op, types, words));
  switch (info(op).kind) {
  case Kind::Elementwise: return elementwise(op, x, type);
  case Kind::Index: return move(op, x, type, words);
  case Kind::Source: return source(op, type, words);
  case Kind::Reduce: return reduce(op, *x[0], WordReader{words}.dims());
  case Kind::Argreduce: return argReduce(op, *x[0], int(words[0]));
  case Kind::Contract: return contract(op, *x[0], *x[1], type, words);
  case Kind::Assemble: return assemble(op, x, type, words);
  case Kind::Gather: return gather(op, *x[0], *x[1], type, int(words[0]));
  case Kind::Scatter: return scatter(op, x, type, int(words[0]));
  case Kind::Scan: return scan(op, *x[0], int(words[0]));
  case Kind::Sort: return sort(op, *x[0], type, int(words[0]), words[1] != 0);
  case Kind::Compact: return compact(*x[0], type);
  case Kind::Convolve: return convolve(op, *x[0], *x[1], type, words);
  case Kind::Library: return callLibrary(op, x, {&type, 1}, words)[0];
  case Kind::Control: break; // has bodies, and any number of results
  }
  return *x[0];
}

std::vector<Tensor> evaluateAll(Op op, Operands x, std::span<const int64_t> words, std::span<const std::shared_ptr<const Trace>> bodies) {
  if (!info(op).inferMany) return {evaluate(op, x, words)};
  std::vector<TensorType> types;
  for (const Tensor *t : x) types.push_back(t->type);
  std::vector<int64_t> numbers = bodyNumbers(info(op, words), words);
  if (info(op).kind == Kind::Control) return control(op, x, words, bodies);
  if (numbers.size())
    throw Error(ErrorKind::Compile, std::string(info(op, words).name) + ": expected an op without bodies to run, got one with them");
  std::vector<ArrayType> results;
  for (const TensorType &type : inferAll(op, types, words, bodies)) results.emplace_back(type);
  return callLibrary(op, x, results, words);
}

std::vector<Tensor> run(std::span<const int64_t> serialized, std::vector<Tensor> inputs) {
  return run(Trace::parse(serialized), std::move(inputs));
}

std::vector<Tensor> run(const Trace &trace, std::vector<Tensor> inputs) {
  std::vector<Tensor> slots;
  std::vector<char> needed = Trace::neededSlots(trace.words, trace.outputs);
  size_t nextInput = 0;
  for (size_t position = 0; position < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, position);
    if (entry.op == Op::Input) {
      slots.push_back(std::move(inputs.at(nextInput++)));
      continue;
    }
    if (!entry.results || !needed[slots.size()]) {
      slots.resize(slots.size() + entry.results);
      continue;
    }
    std::vector<const Tensor *> operands;
    for (int64_t slot : entry.operands) operands.push_back(&slots[size_t(slot)]);
    for (Tensor &result : evaluateAll(entry.op, operands, entry.words, trace.bodies)) slots.push_back(std::move(result));
  }
  std::vector<Tensor> results;
  for (int64_t slot : trace.outputs) results.push_back(slots[size_t(slot)]);
  return results;
}

} // namespace kiln::reference
