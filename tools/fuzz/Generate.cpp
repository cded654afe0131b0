// Random programs. Nothing here knows an op by name: operands and words are drawn by the kinds of words in the records, and the op's own
// rule says whether they are one.
#include "tools/fuzz/Fuzz.h"

#include "lib/Core/Error.h"
#include "lib/Runtime/Executable.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace kiln::fuzz {
namespace {

constexpr int64_t kLargest = 2048; // array, in elements

std::vector<DType> plainDTypes() {
  std::vector<DType> all;
  for (int t = 0; t < kNumDTypes; ++t)
    if (!isStorage(DType(t))) all.push_back(DType(t));
  return all;
}

/// Whether an op shows the sign of a nan among its results, which has no defined value when it was computed.
bool showsSignOfNan(Op op) {
  static const auto table = [] {
    std::vector<char> shows(static_cast<size_t>(Op::Count));
    for (int i = 0; i < int(Op::Count); ++i) {
      const OpInfo &record = info(Op(i));
      int64_t word = int64_t(DType::U32);
      std::span<const int64_t> words = *record.words ? std::span(&word, 1) : std::span<const int64_t>();
      if (record.kind != Kind::Elementwise || record.operands > 2) continue;
      for (int which = 0; which < record.operands; ++which) {
        Trace trace;
        std::vector<int64_t> operands;
        for (int k = 0; k < record.operands; ++k) operands.push_back(trace.addInput({DType::F32, {}}));
        try {
          trace.outputs = {trace.addOp(Op(i), operands, words)};
        } catch (const Error &) { continue; } // not for floats
        uint64_t found[2] = {};
        for (uint32_t sign : {0u, 1u}) {
          uint32_t one = 0x3f800000, nan = 0x7fc00000 | sign << 31;
          const void *inputs[2] = {which == 0 ? &nan : &one, which == 1 ? &nan : &one};
          void *outputs[1] = {&found[sign]};
          interpret(trace.serialize(), inputs, outputs);
        }
        bool areNans =
            trace.types.back().dtype == DType::F32 && (found[0] & 0x7fffffff) > 0x7f800000 && (found[1] & 0x7fffffff) > 0x7f800000;
        shows[size_t(i)] |= found[0] != found[1] && !areNans;
      }
    }
    return shows;
  }();
  return table[size_t(op)];
}

class Generator {
public:
  explicit Generator(Random &random, int depth = 0) : random(random), depth(depth) {}

  Trace run() {
    addInputs();
    addOps(1 + below(random, 12));
    int64_t last = int64_t(trace.types.size()) - 1;
    trace.outputs.push_back(last);
    for (int64_t i = below(random, 3); i > 0; --i) trace.outputs.push_back(below(random, last + 1));
    return std::move(trace);
  }

  /// A body of an op: of inputs of these types, which gives values of these.
  std::optional<Trace> runBody(std::span<const TensorType> types, std::span<const TensorType> results) {
    for (const TensorType &type : types) trace.addInput(type);
    addOps(1 + below(random, 5));
    for (const TensorType &type : results) {
      auto found = slotsLike(type);
      if (found.empty()) return std::nullopt;
      trace.outputs.push_back(chance(random, 60) ? found.back() : found[size_t(below(random, int64_t(found.size())))]);
    }
    return std::move(trace);
  }

private:
  Random &random;
  int depth; // of bodies around
  Trace trace;
  int64_t inputs = 0;
  /// Inputs that fit each other for an op of a kind, which chance does not find.
  struct Pair {
    Kind kind;
    int64_t slots[2];
    int64_t batches; // axes of both before the ones that the op is about
  };
  std::optional<Pair> pair;

  Dims randomShape() {
    static constexpr int64_t sizes[] = {1, 2, 2, 3, 3, 4, 5, 7, 8, 16, 17, 33, 0};
    Dims shape;
    for (int64_t rank = below(random, 4); rank > 0; --rank) {
      int64_t size = sizes[below(random, std::size(sizes))];
      if (size == 0 && !chance(random, 20)) size = 6; // empty arrays, but not many
      shape.push(size);
    }
    return shape;
  }

  /// A shape that has something in common with another.
  Dims likeShape(Dims shape) {
    switch (below(random, 5)) {
    case 0: return shape;
    case 1:
      if (shape.rank) shape[int(below(random, shape.rank))] = 1 + below(random, 5);
      return shape;
    case 2:
      if (shape.rank) shape.erase(int(below(random, shape.rank)));
      return shape;
    case 3:
      if (shape.rank < 4) shape.insert(int(below(random, shape.rank + 1)), 1 + below(random, 4));
      return shape;
    default:
      for (int i = shape.rank - 1; i > 0; --i) std::swap(shape[i], shape[int(below(random, i + 1))]);
      return shape;
    }
  }

  void addInputs() {
    static const std::vector<DType> dtypes = plainDTypes();
    DType main = dtypes[size_t(below(random, int64_t(dtypes.size())))];
    Dims shape = randomShape();
    trace.addInput({main, shape});
    for (int64_t more = below(random, 3); more > 0; --more) {
      DType other = chance(random, 70) ? main : dtypes[size_t(below(random, int64_t(dtypes.size())))];
      trace.addInput({other, numElements(shape) <= 64 || chance(random, 50) ? likeShape(shape) : shape});
    }
    if (chance(random, 8)) addWindow(main);
    else if (chance(random, 12)) addFactors(main);
    if (chance(random, 40)) trace.addInput({DType::I64, chance(random, 50) ? Dims{1 + below(random, 4)} : likeShape(shape)});
    if (chance(random, 20)) trace.addInput({DType::Bool, likeShape(shape)});
    if (chance(random, 15)) trace.addInput({chance(random, 50) ? DType::I64 : DType::Bool, {}}); // which body a branch takes
  }

  /// Images and weights that a window op takes.
  void addWindow(DType dtype) {
    Dims image = {1 + below(random, 2)}, weights;
    for (int64_t spatial = 1 + below(random, 2); spatial > 0; --spatial)
      image.push(2 + below(random, 8)), weights.push(1 + below(random, 3));
    int64_t channels = 1 + below(random, 4), groups = chance(random, 30) ? 2 : 1;
    image.push(channels * groups);
    weights.push(channels);
    weights.push(groups * (1 + below(random, 5)));
    pair = {Kind::Convolve, {trace.addInput({dtype, image}), trace.addInput({dtype, weights})}, 0};
  }

  /// Factors of a product, of more rows and columns than one tile of it has.
  void addFactors(DType dtype) {
    Dims x, y;
    int64_t batches = chance(random, 25) ? 1 : 0;
    if (batches) x.push(1 + below(random, 3)), y = x;
    int64_t rows = 1 + below(random, 30), depth = 1 + below(random, 40), columns = 1 + below(random, 50);
    auto add = [&](Dims &shape, int64_t first, int64_t second) {
      if (chance(random, 25)) std::swap(first, second);
      shape.push(first), shape.push(second);
      return trace.addInput({dtype, shape});
    };
    int64_t left = add(x, rows, depth);
    pair = {Kind::Contract, {left, chance(random, 15) ? left : add(y, depth, columns)}, batches}; // by itself: symmetric
  }

  int64_t randomSlot() { return below(random, int64_t(trace.types.size())); }
  std::vector<int64_t> slotsLike(const TensorType &type) {
    std::vector<int64_t> found;
    for (size_t i = 0; i < trace.types.size(); ++i)
      if (trace.types[i].dtype == type.dtype && trace.types[i].shape == type.shape) found.push_back(int64_t(i));
    return found;
  }
  int64_t slotLike(const TensorType &type) {
    auto found = slotsLike(type);
    return found[size_t(below(random, int64_t(found.size())))];
  }

  /// That many ops more, or as many as are found.
  void addOps(int64_t wanted) {
    int64_t before = int64_t(trace.types.size());
    if (depth == 0) inputs = before; // what bodies are given may have been computed
    if (pair) tryPair();
    for (int tries = 0; tries < 60 && int64_t(trace.types.size()) < before + wanted; ++tries) {
      Op op = Op(below(random, int(Op::Count)));
      bool isControl = info(op).kind == Kind::Control;
      for (int attempt = 0; attempt < (isControl ? 8 : 60) && !(isControl ? tryControl(op) : tryOp(op)); ++attempt) {}
    }
  }

  void tryPair() {
    for (int op = 0; op < int(Op::Count); ++op)
      for (int attempt = 0; info(Op(op)).kind == pair->kind && attempt < 60; ++attempt)
        if (tryOp(Op(op), true)) break;
  }

  int64_t constant(Trace &to, int64_t number) {
    int64_t words[] = {int64_t(DType::I64), number};
    return to.addOp(Op::Constant, {}, words);
  }

  /// An op that runs bodies over some values: a loop counts its trips, so that it ends.
  bool tryControl(Op op) {
    constexpr int kDeepest = 2;
    if (op == Op::Sized) return trySized();
    if (depth >= kDeepest) return false;
    bool isLoop = op == Op::Loop;
    std::vector<int64_t> operands, words;
    std::vector<TensorType> types;
    for (int64_t n = 1 + below(random, 3); n > 0; --n) operands.push_back(randomSlot());
    for (int64_t slot : operands) types.push_back(trace.types[size_t(slot)]);
    std::vector<TensorType> results(types.begin(), types.begin() + 1 + below(random, int64_t(types.size())));
    size_t wanted = isLoop ? 1 : 1 + size_t(below(random, 3));
    std::vector<Trace> bodies;
    for (int tries = 0; tries < 20 && bodies.size() < wanted; ++tries)
      if (auto body = Generator(random, depth + 1).runBody(types, results)) bodies.push_back(std::move(*body));
    if (bodies.size() < wanted) return false;
    if (isLoop) {
      operands.insert(operands.begin(), constant(trace, 0));
      bodies = countTrips(std::move(bodies[0]), types);
    } else {
      operands.insert(operands.begin(), chooser());
    }
    for (const Trace &body : bodies)
      words.push_back(int64_t(trace.bodies.size())), trace.bodies.push_back(std::make_shared<const Trace>(body));
    if (!isLoop) words.insert(words.begin(), int64_t(bodies.size()));
    trace.addOp(op, operands, words);
    ++drawn()[size_t(op)];
    return true;
  }

  /// A part of a value whose size is computed: some arithmetic on it, and its sum or the value with it in its old place. Not in bodies,
  /// which are of fixed sizes as others that they may be beside.
  bool trySized() {
    int64_t whole = randomSlot();
    TensorType type = trace.types[size_t(whole)];
    int axis = int(below(random, std::max(1, type.shape.rank)));
    if (depth || !type.shape.rank || type.shape[axis].number() < 2) return false;
    Trace body;
    body.symbols = body.given = 1;
    Shape sizes = type.shape;
    sizes[axis] = Size::symbol(0);
    std::vector<int64_t> words;
    Dims zeros, ones;
    for (int i = 0; i < type.shape.rank; ++i) zeros.push(0), ones.push(1);
    appendWords(words, zeros), appendWords(words, sizes), appendWords(words, ones);
    int64_t x = body.addInput(type), part = body.addOp(Op::Slice, {&x, 1}, words);
    try {
      for (int64_t tries = below(random, 20); tries > 0; --tries) part = arithmetic(body, part);
      std::vector<int64_t> at = {1, axis};
      if (chance(random, 50)) {
        appendWords(words = {}, zeros), appendWords(words, ones);
        int64_t both[] = {x, part};
        body.outputs = {body.addOp(Op::Update, both, words)};
      } else body.outputs = {body.addOp(chance(random, 50) ? Op::Sum : Op::Max, {&part, 1}, at)};
      trace.symbols = 0;
      int64_t operands[] = {constant(trace, 2 + below(random, type.shape[axis].number() - 1)), whole}, most = type.shape[axis].number();
      trace.bodies.push_back(std::make_shared<const Trace>(std::move(body)));
      trace.addOp(Op::Sized, operands, std::vector<int64_t>{int64_t(trace.bodies.size()) - 1, 1, most});
    } catch (const Error &) { return false; }
    ++drawn()[size_t(Op::Sized)];
    return true;
  }

  /// An elementwise op of `part` alone, or `part` where there is none of it.
  int64_t arithmetic(Trace &body, int64_t part) {
    Op op = Op(below(random, int(Op::Count)));
    if (info(op).kind != Kind::Elementwise || *info(op).words || info(op).operands < 1) return part;
    try {
      return body.addOp(op, std::vector<int64_t>(size_t(info(op).operands), part), {});
    } catch (const Error &) { return part; }
  }

  /// The number of a body: known, or the first element of something.
  int64_t chooser() {
    if (chance(random, 20)) return constant(trace, below(random, 4) - 1);
    for (TensorType type : {TensorType{DType::I64, {}}, TensorType{DType::Bool, {}}})
      if (auto found = slotsLike(type); found.size()) return found.back();
    return constant(trace, 1);
  }

  /// The condition and the body of a loop of up to three trips, which carries their number before the values.
  std::vector<Trace> countTrips(Trace body, std::span<const TensorType> types) {
    Trace condition, step;
    int64_t n = condition.addInput({DType::I64, {}}), one = 0;
    for (const TensorType &type : types) condition.addInput(type);
    int64_t less[] = {n, constant(condition, below(random, 4))};
    condition.outputs = {condition.addOp(Op::Less, less, {})};
    step.bodies = body.bodies;
    n = step.addInput({DType::I64, {}});
    std::vector<int64_t> slots;
    for (size_t at = 0, slot = 0; at < body.words.size();) {
      TraceOp entry = Trace::decode(body.words, at);
      std::vector<int64_t> operands;
      for (int64_t operand : entry.operands) operands.push_back(slots[size_t(operand)]);
      int64_t first = entry.op == Op::Input ? step.addInput(body.types[slot]) : step.addOp(entry.op, operands, entry.words);
      for (size_t i = 0; i < entry.results; ++i, ++slot) slots.push_back(first + int64_t(i));
    }
    one = constant(step, 1);
    int64_t sum[] = {n, one};
    step.outputs = {step.addOp(Op::Add, sum, {})};
    for (int64_t output : body.outputs) step.outputs.push_back(slots[size_t(output)]);
    return {std::move(condition), std::move(step)};
  }

  /// A list of numbers that means something for an operand of that shape.
  Dims randomList(const Dims &shape) {
    Dims list;
    int64_t kind = below(random, 7);
    for (int i = 0; i < shape.rank; ++i) {
      if (kind == 0) list.push(i);
      if (kind == 1) list.push(shape[i] ? below(random, shape[i]) : 0);
      if (kind == 2) list.push(shape[i] ? 1 + below(random, shape[i]) : 0);
      if (kind == 3) list.push(1);
      if (kind == 4 && chance(random, 50)) list.push(i);
    }
    if (kind == 0)
      for (int i = list.rank - 1; i > 0; --i) std::swap(list[i], list[int(below(random, i + 1))]);
    if (kind == 5)
      for (int64_t n = below(random, 4); n > 0; --n) list.push(below(random, 6) - 2);
    return list; // 6: an empty one
  }

  static Dims firstAxes(int64_t count) {
    Dims axes;
    for (int64_t axis = 0; axis < count; ++axis) axes.push(axis);
    return axes;
  }

  /// The shape of a result: of the operand, of as many elements, or repeated.
  Dims resultShape(const Dims &shape) {
    Dims result = likeShape(shape);
    if (chance(random, 50)) return result;
    int64_t n = numElements(shape);
    result = Dims();
    for (int64_t divisor = 2; n > 1 && result.rank < 3; ++divisor)
      while (n % divisor == 0 && result.rank < 3) result.push(divisor), n /= divisor;
    if (n != 1) result.push(n);
    return result;
  }

  std::vector<int64_t> randomWords(const OpInfo &record, const Dims &shape, bool isOfPair) {
    std::vector<int64_t> words;
    for (const char *letter = record.words; *letter; ++letter) {
      if (isNumber(*letter)) words.push_back(below(random, std::max(shape.rank, 2) + 1) - chance(random, 5));
      if (*letter == 'd') words.push_back(below(random, kNumDTypes));
      if (*letter == 'I' || *letter == 'N')
        appendWords(words, isOfPair && pair->kind == Kind::Contract ? firstAxes(pair->batches) : randomList(shape));
      if (*letter == 'S') appendWords(words, resultShape(shape));
      if (*letter != 's') continue;
      DType dtype = DType(below(random, kNumDTypes));
      std::vector<char> bits = randomContents(random, {dtype, {}});
      words.push_back(int64_t(dtype));
      words.push_back(0);
      std::memcpy(&words.back(), bits.data(), std::min<size_t>(8, size_t(byteSize(dtype))));
      int64_t unused = 64 - 8 * byteSize(dtype);
      if (isInteger(dtype) && info(dtype).isSigned) words.back() = words.back() << unused >> unused;
    }
    return words;
  }

  bool tryOp(Op op, bool isOfPair = false) {
    const OpInfo &record = info(op);
    std::vector<int64_t> operands;
    int64_t count = record.operands >= 0 ? record.operands : 1 + below(random, 3);
    for (int64_t i = 0; i < count; ++i)
      operands.push_back(i > 0 && chance(random, 70) ? slotLike(trace.types[size_t(operands.back())]) : randomSlot());
    if (showsSignOfNan(op))
      for (int64_t slot : operands)
        if (slot >= inputs && !isInteger(trace.types[size_t(slot)].dtype)) return false;
    if (isOfPair) operands = {pair->slots[0], pair->slots[1]};
    std::vector<TensorType> types;
    for (int64_t slot : operands) types.push_back(trace.types[size_t(slot)]);
    Dims shape = types.empty() ? randomShape() : types[0].shape.numbers();
    if (isOfPair && pair->kind == Kind::Convolve) shape = Dims(std::span<const int64_t>(shape).subspan(2));
    std::vector<int64_t> words = randomWords(record, shape, isOfPair);
    try {
      TensorType type = infer(op, types, words);
      if (numElements(type.shape) > kLargest || type.shape.rank > 5) return false;
      trace.append(op, operands, words, type);
    } catch (const Error &) { return false; }
    ++drawn()[size_t(op)];
    return true;
  }
};

double randomNumber(Random &random) {
  constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  static constexpr double special[] = {0.0,   -0.0,  1,   -1,   0.5, 2,   3,   1e-40,        3e38,
                                       1e300, 65504, inf, -inf, nan, 127, 255, 2147483648.0, 1e-310};
  if (chance(random, 30)) return special[below(random, std::size(special))];
  return (double(random() >> 11) / 9007199254740992.0 - 0.5) * (chance(random, 80) ? 8 : 1e6);
}

} // namespace

Trace randomProgram(Random &random) { return Generator(random).run(); }

std::vector<char> randomContents(Random &random, const TensorType &type) {
  int64_t n = numElements(type.shape), bytes = byteSize(realType(type.dtype)), parts = isComplex(type.dtype) ? 2 * n : n;
  std::vector<char> contents(size_t(parts * bytes) + 64); // vectors may read behind the end
  bool isSmall = chance(random, 70);
  for (int64_t i = 0; i < parts; ++i) {
    char *to = contents.data() + i * bytes;
    uint64_t bits = random();
    double number = randomNumber(random);
    if (type.dtype == DType::Bool) bits &= 1;
    else if (isInteger(type.dtype) && isSmall) bits = uint64_t(below(random, 9) - 2);
    else if (bytes == 8 && !isInteger(type.dtype)) std::memcpy(&bits, &number, 8);
    else if (bytes == 4 && !isInteger(type.dtype)) {
      float narrow = float(number);
      uint32_t word;
      std::memcpy(&word, &narrow, 4);
      bits = word;
    }
    std::memcpy(to, &bits, size_t(bytes));
  }
  return contents;
}

} // namespace kiln::fuzz
