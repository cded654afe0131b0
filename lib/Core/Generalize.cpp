#include "lib/Core/Generalize.h"

#include "lib/Core/Control.h"
#include "lib/Core/Registry.h"

#include <algorithm>
#include <map>

namespace kiln {
namespace {

struct Order {
  bool operator()(const std::pair<Size, int64_t> &x, const std::pair<Size, int64_t> &y) const {
    return x.second != y.second ? x.second < y.second : Size::isBefore(x.first, y.first);
  }
};
/// The symbols of a program and its bodies, by what two programs have in the place.
using Symbols = std::map<std::pair<Size, int64_t>, Size, Order>;

/// The words of a group that follows sizes.
void appendSizes(std::vector<int64_t> &words, char kind, const Shape &sizes) {
  if (kind == 'n') words.push_back(sizes[0].word());
  else appendWords(words, sizes);
}

/// Pairs of what two programs have in one place, and the symbols that stand for them.
class Generalizer {
public:
  Generalizer(const Trace &a, const Trace &b, Symbols &symbols, const OpenAxes *allowed = nullptr, bool isBody = false, int64_t given = 0)
      : a(a), b(b), allowed(allowed), isBody(isBody), given(given), symbols(symbols) {}

  /// Throws Error where the two differ in more than sizes and numbers.
  Trace run() {
    if (b.symbols > given) throw Error(ErrorKind::Trace, "the second is for any size");
    if (a.given != b.given) throw Error(ErrorKind::Trace, "sizes that operands give differ");
    joinBodies();
    walk();
    for (size_t i = 0; i < a.outputs.size() || i < b.outputs.size(); ++i)
      if (i >= a.outputs.size() || i >= b.outputs.size() || a.outputs[i] != b.outputs[i]) throw Error(ErrorKind::Trace, "results differ");
    if (a.isFast != b.isFast) throw Error(ErrorKind::Trace, "fast_math differs");
    if (a.replaces != b.replaces) throw Error(ErrorKind::Trace, "inputs that are written differ");
    result.outputs = a.outputs;
    result.replaces = a.replaces;
    result.isFast = a.isFast;
    result.symbols = int64_t(symbols.size()) + given;
    result.given = a.given;
    return std::move(result);
  }

private:
  const Trace &a, &b;
  const OpenAxes *allowed;
  const bool isBody;
  const int64_t given;                // the first symbols here, which operands give: those of the program stand behind them
  size_t inputs = 0, otherInputs = 0; // numbers are constants of the second program
  Trace result;
  Symbols &symbols;

  [[noreturn]] static void differ(Op op, const std::string &what) {
    std::string name = op == Op::Input ? "an input" : info(op).name;
    throw Error(ErrorKind::Trace, what + " of " + name + " differ");
  }

  void joinBodies() {
    if (a.bodies.size() != b.bodies.size()) throw Error(ErrorKind::Trace, "bodies differ");
    for (size_t i = 0; i < a.bodies.size(); ++i) {
      const Trace &mine = *a.bodies[i], &other = *b.bodies[i];
      bool isSame = !mine.isOpen() && (a.bodies[i] == b.bodies[i] || mine == other);
      if (isSame) result.bodies.push_back(a.bodies[i]);
      else
        result.bodies.push_back(std::make_shared<const Trace>(Generalizer(mine, other, symbols, nullptr, true, given + mine.given).run()));
    }
  }

  /// A size, or a number that follows from one, in both programs.
  Size join(Op op, Size x, Size y, bool isSize) {
    bool isMine = x.isSymbol() && x.symbol() < given;
    if (x == y && (isMine || x.isConstant())) return x;
    if (isMine || !y.isConstant()) differ(op, "sizes that operands give");
    if (isSize && ((x.isConstant() && x.number() < 2) || y.number() < 2)) differ(op, "sizes below 2");
    auto [found, isNew] = symbols.try_emplace({x.shifted(-given), y.number()}, Size::symbol(int64_t(symbols.size())));
    return found->second.shifted(given);
  }
  Shape join(Op op, const Shape &x, const Shape &y, bool isSize) {
    if (x.rank != y.rank) differ(op, "ranks");
    Shape joined = x;
    for (int i = 0; i < x.rank; ++i) joined[i] = join(op, x[i], y[i], isSize);
    return joined;
  }
  TensorType join(Op op, const TensorType &x, const TensorType &y) {
    if (x.dtype != y.dtype) differ(op, "dtypes");
    return {x.dtype, join(op, x.shape, y.shape, true)};
  }

  void input(const TraceOp &x, const TraceOp &y, size_t slot) {
    size_t layout = 2 + size_t(x.words[1]);
    TensorType type = join(Op::Input, a.types[slot], b.types[slot]);
    for (int i = 0; allowed && i < type.shape.rank; ++i)
      if (!type.shape[i].isConstant() && (otherInputs >= allowed->size() || !((*allowed)[otherInputs] >> i & 1)))
        differ(Op::Input, "fixed sizes");
    if (a.deviceOf(inputs) != b.deviceOf(otherInputs)) differ(Op::Input, "devices");
    auto device = a.deviceOf(inputs++);
    ++otherInputs;
    auto xs = x.words.subspan(layout), ys = y.words.subspan(layout);
    if (!std::equal(xs.begin(), xs.end(), ys.begin(), ys.end())) differ(Op::Input, "layouts");
    result.addInput(type, xs[0] ? Dims(xs.subspan(1)) : Dims(), device);
  }

  void op(const TraceOp &x, const TraceOp &y, size_t slot) {
    std::vector<int64_t> words;
    WordReader xs{x.words}, ys{y.words};
    for (const char *kind = info(x.op, x.words).words; *kind; ++kind) {
      if (auto mine = xs.sizesOfGroup(*kind, info(x.op).name, a.symbols)) {
        Shape theirs = *ys.sizesOfGroup(*kind, info(x.op).name, b.symbols);
        appendSizes(words, *kind, join(x.op, *mine, theirs, *kind != 'N' || x.op == Op::Custom)); // which has only sizes
        continue;
      }
      int64_t count = *kind == 'I' || *kind == 'B' ? 1 + xs.words[xs.at] : *kind == 's' ? 2 : 1;
      for (; count > 0; --count) {
        words.push_back(xs.next());
        if (ys.at >= ys.words.size() || ys.next() != words.back()) differ(x.op, "attributes");
      }
    }
    if (x.results != y.results) differ(x.op, "results");
    std::vector<TensorType> types;
    for (size_t i = slot; i < slot + x.results; ++i) types.push_back(join(x.op, a.types[i], b.types[i]));
    checkRule(x, words, types);
    result.append(x.op, x.operands, words, types);
  }

  /// The rule of an op holds for symbols as it does for sizes: equal ones are equal, others may be anything.
  void checkRule(const TraceOp &x, std::span<const int64_t> words, std::span<const TensorType> types) {
    std::vector<TensorType> operands;
    bool isOpen = std::ranges::any_of(types, [](const TensorType &type) { return !type.shape.isStatic(); });
    for (int64_t operand : x.operands) {
      operands.push_back(result.types[size_t(operand)]);
      isOpen |= !operands.back().shape.isStatic();
    }
    bool isFixed = info(x.op).kind == Kind::Library && !(x.op == Op::Custom && registeredOp(x.words).op.isForAnySize);
    if (isOpen && isFixed) throw Error(ErrorKind::Trace, std::string(info(x.op).name) + " calls a library with sizes that are fixed");
    std::vector<TensorType> wanted = inferAll(x.op, operands, words, result.bodies, int64_t(symbols.size()) + given);
    if (!std::ranges::equal(wanted, types, agrees)) differ(x.op, "sizes");
  }

  void walk() {
    size_t i = 0, k = 0, slot = 0;
    while (i < a.words.size() || k < b.words.size()) {
      if (i >= a.words.size() || k >= b.words.size()) throw Error(ErrorKind::Trace, "one has more operations");
      TraceOp x = Trace::decode(a.words, i), y = Trace::decode(b.words, k);
      bool isNumber = y.op == Op::Constant && a.types[slot] == b.types[slot] &&
                      (x.op == Op::Input || (x.op == Op::Constant && x.words[1] != y.words[1]));
      if (isNumber && isBody) throw Error(ErrorKind::Trace, "numbers of bodies differ");
      if (isNumber) addNumber(x, b.types[slot]);
      else if (x.op != y.op) throw Error(ErrorKind::Trace, "operation " + std::to_string(slot) + " is another");
      else if (x.op == Op::Input) input(x, y, slot);
      else if (!std::equal(x.operands.begin(), x.operands.end(), y.operands.begin(), y.operands.end())) differ(x.op, "operands");
      else op(x, y, slot);
      slot += x.results;
    }
  }

  /// A constant that varies; `x` may be an input already.
  void addNumber(const TraceOp &x, const TensorType &type) {
    inputs += x.op == Op::Input;
    result.addInput(type);
  }
};

/// Values by symbol, as they are met.
class Matcher {
public:
  Matcher(int64_t symbols, Least least) : symbols(size_t(std::max<int64_t>(symbols, 0))), least(least == Least::Two ? 2 : 1) {}

  int64_t given = 0;            // of the program under way, the first symbols, which operands give
  std::vector<int64_t> strides; // in the places of open ones

  bool match(Size open, Size recorded, bool isSize) {
    if (open.isConstant() || open.symbol() < given) return open == recorded;
    if (!recorded.isConstant()) return false;
    int64_t size = recorded.number();
    auto &known = symbols[size_t(open.symbol() - given)];
    if (isSize && size < least) return false;
    if (!known) known = size;
    return *known == size;
  }
  bool match(const Shape &open, const Shape &sizes, bool isSize) {
    bool same = open.rank == sizes.rank;
    for (int i = 0; same && i < open.rank; ++i) same = match(open[i], sizes[i], isSize);
    return same;
  }
  bool match(const TraceOp &x, const TraceOp &y) {
    if (x.op != y.op || x.words.size() != y.words.size() || x.results != y.results) return false;
    if (!std::equal(x.operands.begin(), x.operands.end(), y.operands.begin(), y.operands.end())) return false;
    if (x.op == Op::Input) return matchLayout(x, y);
    WordReader xs{x.words}, ys{y.words};
    for (const char *kind = info(x.op, x.words).words; *kind; ++kind) {
      if (auto open = xs.sizesOfGroup(*kind, info(x.op).name, int64_t(symbols.size()) + given)) {
        Shape sizes = *ys.sizesOfGroup(*kind, info(y.op).name, given ? given : kNoSymbols);
        if (!match(*open, sizes, *kind != 'N' || x.op == Op::Custom)) return false;
        continue;
      }
      int64_t count = *kind == 'I' || *kind == 'B' ? 1 + xs.words[xs.at] : *kind == 's' ? 2 : 1;
      for (; count > 0; --count)
        if (xs.next() != ys.next()) return false;
    }
    return true;
  }
  /// None where no size tells a symbol.
  std::optional<std::vector<int64_t>> values() const {
    std::vector<int64_t> result;
    for (const auto &known : symbols)
      if (known) result.push_back(*known);
    return result.size() == symbols.size() ? std::optional(result) : std::nullopt;
  }

private:
  std::vector<std::optional<int64_t>> symbols;
  const int64_t least;

  bool matchLayout(const TraceOp &x, const TraceOp &y) {
    size_t at = 2 + size_t(x.words[1]);
    if (x.words[at] != y.words[at]) return false;
    while (++at < x.words.size())
      if (x.words[at] == y.words[at]) continue; // open in both: of whoever runs the code, as in code of the CPU
      else if (x.words[at] == kDynamicStride && least < 2) strides.push_back(y.words[at]);
      else return false;
    return true;
  }
};

} // namespace

/// Sizes in the place of symbols.
static Shape filled(Shape shape, std::span<const Size> symbols) {
  for (int i = 0; i < shape.rank; ++i)
    if (shape[i].isSymbol()) shape[i] = symbols[size_t(shape[i].symbol())];
  return shape;
}

/// `given`: how many symbols stand before those of the program.
static void findLeast(const Trace &open, std::vector<int64_t> &least, int64_t given) {
  for (const TensorType &type : open.types)
    for (Size size : type.shape)
      if (size.isSymbol() && size.symbol() >= given) least[size_t(size.symbol() - given)] = 2;
  for (const auto &body : open.bodies) findLeast(*body, least, given + body->given);
}

std::vector<int64_t> leastOf(const Trace &open) {
  std::vector<int64_t> least(size_t(std::max<int64_t>(open.symbols, 0)));
  findLeast(open, least, 0);
  return least;
}

static bool runsSized(const Trace &trace) {
  for (size_t at = 0; at < trace.words.size();)
    if (Trace::decode(trace.words, at).op == Op::Sized) return true;
  return std::ranges::any_of(trace.bodies, [](const auto &body) { return runsSized(*body); });
}

int64_t leastSymbols(const Trace &trace) { return runsSized(trace) ? 0 : kNoSymbols; }

/// The program, or one of its bodies, with what its symbols become: of them `left` are symbols still.
static Trace withSizes(const Trace &open, std::span<const Size> symbols, int64_t left) {
  Trace result;
  result.symbols = left ? left : leastSymbols(open);
  result.given = std::min(open.given, left);
  for (const auto &body : open.bodies) {
    if (body->symbols <= body->given) { // it has none of those around it
      result.bodies.push_back(body);
      continue;
    }
    std::vector<Size> inside;
    for (int64_t i = 0; i < body->given; ++i) inside.push_back(Size::symbol(i));
    for (Size size : symbols) inside.push_back(size.shifted(body->given));
    result.bodies.push_back(std::make_shared<const Trace>(withSizes(*body, inside, left + body->given)));
  }
  size_t slot = 0;
  for (size_t at = 0; at < open.words.size();) {
    TraceOp entry = Trace::decode(open.words, at);
    if (entry.op == Op::Input) {
      auto layout = entry.words.subspan(2 + size_t(entry.words[1]));
      TensorType type{open.types[slot].dtype, filled(open.types[slot].shape, symbols)};
      checkSize("input", type);
      result.addInput(type, layout[0] ? Dims(layout.subspan(1)) : Dims(), open.deviceOf(size_t(result.inputs)));
    } else {
      std::vector<int64_t> words;
      for (const WordGroup &group : groupsOf(info(entry.op, entry.words), entry.words))
        if (auto sizes = WordReader{group.words}.sizesOfGroup(group.kind, info(entry.op).name, open.symbols))
          appendSizes(words, group.kind, filled(*sizes, symbols));
        else words.insert(words.end(), group.words.begin(), group.words.end());
      if (result.isOpen()) {
        std::vector<TensorType> types;
        for (size_t i = slot; i < slot + entry.results; ++i) types.push_back({open.types[i].dtype, filled(open.types[i].shape, symbols)});
        result.addOpen(entry.op, entry.operands, words, types);
      } else {
        result.addOp(entry.op, entry.operands, words);
      }
    }
    for (size_t i = slot; i < slot + entry.results; ++i)
      if (TensorType want{open.types[i].dtype, filled(open.types[i].shape, symbols)}; !(i < result.types.size() && result.types[i] == want))
        fail(ErrorKind::Shape, "program", "sizes of slot " + std::to_string(i), toString(want),
             i < result.types.size() ? toString(result.types[i]) : "none");
    slot += entry.results;
  }
  result.outputs = open.outputs;
  result.replaces = open.replaces;
  result.isFast = open.isFast;
  return result;
}

Trace specialize(const Trace &open, std::span<const int64_t> symbols) {
  if (int64_t(symbols.size()) != open.symbols)
    fail(ErrorKind::Shape, "program", "symbols", std::to_string(open.symbols) + " sizes", std::to_string(symbols.size()));
  std::vector<int64_t> least = leastOf(open);
  for (size_t i = 0; i < symbols.size(); ++i)
    if (symbols[i] < least[i])
      fail(ErrorKind::Shape, "program", "sizes of symbols", std::to_string(least[i]) + " or more", std::to_string(symbols[i]));
  std::vector<Size> sizes(symbols.begin(), symbols.end());
  return withSizes(open, sizes, 0);
}

Trace atSizes(const Trace &body, std::span<const int64_t> sizes) {
  std::vector<Size> now(sizes.begin(), sizes.end());
  int64_t left = std::max<int64_t>(body.symbols, 0) - body.given;
  for (int64_t i = 0; i < left; ++i) now.push_back(Size::symbol(i));
  Trace result = withSizes(body, now, left);
  result.given = 0;
  return result;
}

std::optional<Trace> generalize(const Trace &a, const Trace &b, Difference *difference, const OpenAxes *allowed) {
  Symbols symbols;
  try {
    return Generalizer(a, b, symbols, allowed).run();
  } catch (const Error &error) {
    if (difference) difference->why = error.what();
    return std::nullopt;
  }
}

/// Whether devices are the same. Numbers among the inputs of `open` are constants of the other one, and on the host.
static bool haveSameDevices(const Trace &open, const Trace &recorded) {
  bool isSame = true;
  if (open.devices.empty() && recorded.devices.empty()) return isSame;
  size_t mine = 0, theirs = 0;
  for (size_t i = 0, k = 0; isSame && i < open.words.size() && k < recorded.words.size();) {
    TraceOp x = Trace::decode(open.words, i), y = Trace::decode(recorded.words, k);
    if (x.op != Op::Input) continue;
    isSame = open.deviceOf(mine++) == (y.op == Op::Input ? recorded.deviceOf(theirs++) : kHostDevice);
  }
  return isSame;
}

/// Whether a program, or one of its bodies, has `recorded` as an instance, as far as the symbols are known. `numbers` are those of
/// constants that are inputs, which bodies have none of.
static bool matches(const Trace &open, const Trace &recorded, Matcher &matcher, std::vector<int64_t> *numbers) {
  if (open.types.size() != recorded.types.size() || open.outputs != recorded.outputs || open.replaces != recorded.replaces ||
      open.isFast != recorded.isFast || open.given != recorded.given || open.bodies.size() != recorded.bodies.size())
    return false;
  for (size_t slot = 0; slot < open.types.size(); ++slot)
    if (open.types[slot].dtype != recorded.types[slot].dtype || !matcher.match(open.types[slot].shape, recorded.types[slot].shape, true))
      return false;
  if (!haveSameDevices(open, recorded)) return false;
  for (size_t i = 0; i < open.bodies.size(); ++i) {
    const Trace &mine = *open.bodies[i], &theirs = *recorded.bodies[i];
    matcher.given += mine.given;
    bool isSame = mine.isOpen() ? matches(mine, theirs, matcher, nullptr) : &mine == &theirs || mine == theirs;
    matcher.given -= mine.given;
    if (!isSame) return false;
  }
  size_t i = 0, k = 0, slot = 0;
  for (; i < open.words.size() && k < recorded.words.size();) {
    TraceOp x = Trace::decode(open.words, i), y = Trace::decode(recorded.words, k);
    if (numbers && x.op == Op::Input && y.op == Op::Constant)
      numbers->push_back(recorded.types[slot].dtype == DType::Bool ? int64_t(y.words[1] != 0) : y.words[1]);
    else if (!matcher.match(x, y)) return false;
    slot += x.results;
  }
  return i == open.words.size() && k == recorded.words.size();
}

std::optional<Instance> instantiate(const Trace &open, const Trace &recorded, Least least) {
  Matcher matcher(open.symbols, least);
  Instance instance;
  if (!matches(open, recorded, matcher, &instance.numbers)) return std::nullopt;
  auto symbols = matcher.values();
  if (!symbols) return std::nullopt;
  instance.symbols = std::move(*symbols);
  instance.symbols.insert(instance.symbols.end(), matcher.strides.begin(), matcher.strides.end());
  return instance;
}

} // namespace kiln
