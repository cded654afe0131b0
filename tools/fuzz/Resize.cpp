// Random programs for any size: one program is made again for other sizes of its inputs, as if Python had recorded it with them, and what
// is most special of two such recordings is open.
#include "tools/fuzz/Fuzz.h"

#include "lib/Core/Error.h"

#include <algorithm>
#include <map>

namespace kiln::fuzz {
namespace {

constexpr int64_t kLargest = 4096; // array, in elements

int64_t divideUp(int64_t a, int64_t b) { return a / b + (a % b > 0); }

/// Makes a program again for other types of its inputs. What follows from sizes follows in one of several ways, which `choices` decides:
/// the same numbers give the same way for all sizes.
class Resizer {
public:
  Resizer(const Trace &from, Random choices) : from(from), choices(choices) {}

  /// Throws Error where an operation does not take the sizes.
  Trace run(std::span<const TensorType> inputs) {
    to.symbols = from.symbols, to.given = from.given, to.isFast = from.isFast;
    to.bodies = from.bodies;
    for (size_t at = 0; at < from.words.size();) {
      TraceOp entry = Trace::decode(from.words, at);
      Random mine(choices());
      if (entry.op == Op::Input) to.addInput(inputs[size_t(to.inputs)]);
      else addOp(entry, mine);
      for (size_t slot = to.types.size() - entry.results; slot < to.types.size(); ++slot) learn(from.types[slot], to.types[slot]);
    }
    to.outputs = from.outputs;
    return std::move(to);
  }

private:
  const Trace &from;
  Trace to;
  Random choices;
  std::map<int64_t, int64_t> known; // sizes, by what they were

  void learn(const TensorType &old, const TensorType &type) {
    int64_t elements = 1;
    for (int i = 0; i < type.shape.rank; ++i) {
      if (!old.shape[i].isConstant() || !type.shape[i].isConstant()) continue;
      if (old.shape[i].number() > 1) known.try_emplace(old.shape[i].number(), type.shape[i].number());
      elements *= type.shape[i].number();
    }
    if (elements > kLargest) throw Error(ErrorKind::Shape, "too many elements");
  }

  int64_t now(int64_t size) const {
    auto found = known.find(size);
    return found == known.end() ? size : found->second;
  }
  const Shape &oldShape(const TraceOp &entry, size_t i) const { return from.types[size_t(entry.operands[i])].shape; }
  const Shape &shape(const TraceOp &entry, size_t i) const { return to.types[size_t(entry.operands[i])].shape; }

  void addOp(const TraceOp &entry, Random &mine) {
    resizeBodies(entry, mine);
    std::vector<int64_t> words;
    for (const WordGroup &group : groupsOf(info(entry.op), entry.words))
      for (size_t i = 0; i < group.words.size(); ++i)
        words.push_back(followsSizes(group.kind) && (i > 0 || group.kind == 'n') ? now(group.words[i]) : group.words[i]);
    if (entry.op == Op::Broadcast) keepAxes(entry, words);
    if (entry.op == Op::Reshape) keepElements(entry, words);
    if (entry.op == Op::Slice || entry.op == Op::Update) moveRegion(entry, words, mine);
    try {
      to.addOp(entry.op, entry.operands, words);
    } catch (const Error &) { to.addOp(entry.op, entry.operands, entry.words); } // numbers that do not follow sizes
  }

  /// Bodies take the last of the operands.
  void resizeBodies(const TraceOp &entry, Random &mine) {
    for (const WordGroup &group : groupsOf(info(entry.op), entry.words)) {
      if (group.kind != 'b' && group.kind != 'B') continue;
      for (int64_t body : group.kind == 'b' ? group.words : group.words.subspan(1)) {
        std::vector<TensorType> inputs;
        const Trace &old = *from.bodies[size_t(body)];
        for (int64_t operand : entry.operands.last(size_t(old.inputs))) inputs.push_back(to.types[size_t(operand)]);
        to.bodies[size_t(body)] = std::make_shared<const Trace>(Resizer(old, Random(mine())).run(inputs));
      }
    }
  }

  /// An axis that is not repeated has the size of the operand.
  void keepAxes(const TraceOp &entry, std::vector<int64_t> &words) const {
    Dims axes = WordReader{words}.dims();
    int64_t *sizes = &words[size_t(axes.rank) + 2];
    for (int i = 0; i < axes.rank; ++i)
      if (!oldShape(entry, 0)[i].is(1)) sizes[axes[i]] = shape(entry, 0)[i].word();
  }

  /// As many elements as the operand has, by the first axis that makes it so.
  void keepElements(const TraceOp &entry, std::vector<int64_t> &words) const {
    if (!shape(entry, 0).isStatic()) return;
    int64_t wanted = numElements(shape(entry, 0));
    for (size_t i = 1; i < words.size(); ++i) {
      int64_t others = 1;
      for (size_t k = 1; k < words.size(); ++k) others *= k == i ? 1 : words[k];
      if (others <= 0 || wanted % others) continue;
      words[i] = wanted / others;
      return;
    }
  }

  /// A region of an axis that has grown grows with it, or keeps its place or its distance from the end.
  void moveRegion(const TraceOp &entry, std::vector<int64_t> &words, Random &mine) const {
    size_t rank = size_t(words[0]);
    bool isSlice = entry.op == Op::Slice;
    for (size_t axis = 0; axis < rank; ++axis) {
      int64_t way = below(mine, 4);
      Size size = shape(entry, 0)[int(axis)], old = oldShape(entry, 0)[int(axis)];
      if (!size.isConstant() || !old.isConstant() || way == 0) continue;
      int64_t more = size.number() - old.number(), step = entry.words[isSlice ? 2 * (rank + 1) + 1 + axis : rank + 2 + axis];
      int64_t &start = words[1 + axis];
      start = entry.words[1 + axis] + (way == 1 || step < 0 ? more : 0);
      if (!isSlice) continue;
      int64_t &count = words[rank + 2 + axis];
      if (count < 0 || step == 0) continue;
      count = entry.words[rank + 2 + axis] + (way == 1 ? 0 : divideUp(more, std::abs(step)));
    }
  }
};

/// The axes of one symbol.
using Axes = std::vector<std::pair<size_t, int>>;

/// Axes of one size, all of them or some.
Axes drawAxes(Random &random, std::span<const TensorType> inputs) {
  Axes all;
  for (size_t i = 0; i < inputs.size(); ++i)
    for (int axis = 0; axis < inputs[i].shape.rank; ++axis)
      if (inputs[i].shape[axis].number() > 1) all.push_back({i, axis});
  if (all.empty()) return all;
  auto sizeOf = [&](auto &at) { return inputs[at.first].shape[at.second].number(); };
  auto first = all[size_t(below(random, int64_t(all.size())))];
  bool takesAll = chance(random, 70);
  std::erase_if(all, [&](auto &at) { return sizeOf(at) != sizeOf(first) || (at != first && !takesAll && chance(random, 50)); });
  return all;
}

/// A program for any size of some axes.
class Opener {
public:
  Opener(Random &random, const Trace &trace) : random(random), trace(trace), inputs(Trace::inputTypes(trace.serialize())) {}

  std::optional<OpenProgram> run() {
    for (int64_t n = 1 + below(random, 2); n > 0; --n)
      if (Axes axes = drawAxes(random, inputs); !axes.empty()) symbols.push_back(std::move(axes));
    choices = random();
    std::optional<Trace> other = symbols.empty() ? std::nullopt : resized();
    std::optional<Trace> open = other ? generalize(trace, *other) : std::nullopt;
    if (!open || open->symbols < 1 || !showOpen(*open)) return std::nullopt;
    outputs = open->outputs;
    other->outputs = outputs;
    OpenProgram program{std::move(*open), {std::move(*other)}};
    for (int tries = 0; tries < 20 && program.recordings.size() < 3; ++tries)
      if (auto next = resized(); next && instantiate(program.open, *next)) program.recordings.push_back(std::move(*next));
    return program;
  }

private:
  Random &random;
  const Trace &trace;
  std::vector<TensorType> inputs;
  std::vector<Axes> symbols;
  std::vector<int64_t> outputs;
  uint64_t choices = 0;

  /// Makes some of what follows from open sizes results; false where nothing does.
  bool showOpen(Trace &open) {
    std::vector<char> follows(open.types.size());
    std::vector<int64_t> computed;
    for (size_t at = 0, slot = 0; at < open.words.size();) {
      TraceOp entry = Trace::decode(open.words, at);
      bool isFollowing = std::ranges::any_of(entry.operands, [&](int64_t operand) { return follows[size_t(operand)]; });
      for (size_t i = 0; i < entry.results; ++i, ++slot) {
        follows[slot] = isFollowing || !open.types[slot].shape.isStatic();
        if (follows[slot] && entry.op != Op::Input) computed.push_back(int64_t(slot));
      }
    }
    if (computed.empty()) return false;
    open.outputs.push_back(computed.back());
    for (int64_t more = below(random, 3); more > 0; --more)
      open.outputs.push_back(computed[size_t(below(random, int64_t(computed.size())))]);
    return true;
  }

  /// The program at other sizes, where there is one.
  std::optional<Trace> resized() {
    static constexpr int64_t sizes[] = {2, 3, 4, 5, 6, 8, 9, 12, 15, 16, 17, 31, 32, 33, 48, 64, 65, 100, 129};
    std::vector<TensorType> types = inputs;
    for (const Axes &axes : symbols) {
      int64_t size = sizes[below(random, std::size(sizes))];
      for (auto [input, axis] : axes) types[input].shape[axis] = size;
    }
    try {
      Trace result = Resizer(trace, Random(choices)).run(types);
      if (!outputs.empty()) result.outputs = outputs;
      return result;
    } catch (const Error &) { return std::nullopt; }
  }
};

} // namespace

std::optional<OpenProgram> openProgram(Random &random, const Trace &trace) {
  for (int tries = 0; tries < 12; ++tries)
    if (auto program = Opener(random, trace).run()) return program;
  return std::nullopt;
}

} // namespace kiln::fuzz
