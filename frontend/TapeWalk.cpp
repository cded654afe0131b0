// The way back over a tape: cotangents of notes, from the last one to the first.
#include "frontend/Tape.h"

#include "frontend/OpsShared.h"
#include "frontend/rules/Formula.h"
#include "frontend/rules/Table.h"

#include <algorithm>

namespace kiln {

using rules::Maybe;

/// The cotangent of a note is few numbers, or an array: of an operation over arrays, under another mode, or on another device.
class Tape::Walk {
public:
  explicit Walk(const Tape &tape) : tape(tape), few(tape.notes.size()) {}

  void add(int64_t note, const Maybe &more);
  void add(int64_t note, Few more, const Note &of);
  /// The cotangents of watched arrays.
  std::vector<Maybe> run();

private:
  const Tape &tape;
  Arena arena;
  std::vector<Few> few;
  std::vector<Maybe> arrays; // none while all are few

  const Note &noteAt(int64_t note) const { return tape.notes[size_t(note)]; }
  const Dims &shapeOf(const Note &note) const { return tape.shapes[size_t(note.shape)]; }
  Array asArray(int64_t note, Few cotangent) const { return arrayOf(noteAt(note).dtype, shapeOf(noteAt(note)), cotangent); }
  Few asFew(const Note &note, const Array &cotangent);
  Maybe &arrayAt(int64_t note);
  void addAll(std::span<const int64_t> notes, std::span<const Maybe> parts) {
    for (size_t i = 0; i < parts.size(); ++i) add(notes[i], parts[i]);
  }

  void passFew(const Note &note, Few cotangent);
  void passArray(const Note &note, const Array &cotangent);
  void passNode(const Node &node, const Array &cotangent);
  void passPart(const Node &node, const Array &cotangent);
  void passFunction(const Node &node, int64_t first);
};

//===-- sums --------------------------------------------------------------------------------------------------------===//

/// None where it has to stay an array.
Few Tape::Walk::asFew(const Note &note, const Array &cotangent) {
  bool fits = !Mode::current() && cotangent.dtype == note.dtype && cotangent.shape == shapeOf(note) && cotangent.storage->value &&
              !deviceOf(cotangent);
  if (!fits) return {};
  Array rows = contiguous(cotangent);
  return {arena.copy(rows.data(), size_t(note.count * byteSize(note.dtype))), false};
}

/// The cotangent of a note as an array from here on.
Maybe &Tape::Walk::arrayAt(int64_t note) {
  if (arrays.empty()) arrays.resize(tape.notes.size());
  Maybe &array = arrays[size_t(note)];
  if (Few now = std::exchange(few[size_t(note)], {})) array = asArray(note, now);
  return array;
}

void Tape::Walk::add(int64_t note, const Maybe &more) {
  using rules::operator+;
  if (note < 0 || !more) return;
  bool isArray = noteAt(note).node >= 0 || (!arrays.empty() && arrays[size_t(note)]);
  if (!isArray)
    if (Few numbers = asFew(noteAt(note), *more)) return add(note, numbers, noteAt(note));
  Maybe &total = arrayAt(note);
  total = total ? *total + *more : *more;
}

/// Likewise of an operation over few numbers, whose operands have its type if they are arrays.
void Tape::Walk::add(int64_t number, Few more, const Note &of) {
  if (number < 0 || !more) return;
  const Note &note = noteAt(number);
  bool isArray = note.node >= 0 || (!arrays.empty() && arrays[size_t(number)]);
  if (isArray) return add(number, arrayOf(of.dtype, shapeOf(note.node >= 0 ? of : note), more));
  Few &total = few[size_t(number)];
  total = total ? sum(note.dtype, note.count, total, more, arena) : more;
}

//===-- derivatives -------------------------------------------------------------------------------------------------===//

void Tape::Walk::passFew(const Note &note, Few cotangent) {
  if (note.op == Op::Sum) return add(note.from[0], {cotangent.data, true}, note);
  FewApplied o{note.op, note.dtype, note.count, {note.operand(0), note.operand(1)}, {note.result, false}};
  Few parts[2];
  for (size_t i = 0; i < 2; ++i)
    if (note.from[i] >= 0) parts[i] = derivative(o, i, cotangent, arena);
  for (size_t i = 0; i < 2; ++i) add(note.from[i], parts[i], note);
}

/// The same by the rules for arrays.
void Tape::Walk::passArray(const Note &note, const Array &cotangent) {
  const Dims &shape = shapeOf(note.op == Op::Sum ? noteAt(note.from[0]) : note);
  auto count = size_t(info(note.op).operands);
  std::vector<Array> held;
  std::vector<const Array *> operands;
  std::vector<char> wanted;
  std::vector<int64_t> words, notes;
  for (size_t i = 0; i < count; ++i) {
    Few operand = note.operand(i);
    held.push_back(operand ? arrayOf(note.dtype, shape, operand) : rules::typeAlone(note.dtype, shape));
    wanted.push_back(note.from[i] >= 0);
    notes.push_back(note.from[i]);
  }
  for (const Array &a : held) operands.push_back(&a);
  if (note.op == Op::Sum) {
    Dims axes;
    for (int i = 0; i < shape.rank; ++i) axes.push(i);
    appendWords(words, axes);
  }
  Array result = arrayOf(note.dtype, shapeOf(note), {note.result, false});
  addAll(notes, rules::applyVjp({note.op, operands, words, &result}, cotangent, wanted));
}

/// Of a part at a computed place: it is added there, in place of a sum with zeros elsewhere.
void Tape::Walk::passPart(const Node &n, const Array &cotangent) {
  using rules::operator+;
  const Array &starts = n.operands[1];
  Maybe &total = arrayAt(n.notes[0]);
  if (!total) total = rules::zeros(cotangent, n.operands[0].shape);
  total = dynamicUpdate(*total, dynamicSlice(*total, starts, cotangent.shape) + cotangent, starts);
}

/// Of an operation over arrays.
void Tape::Walk::passNode(const Node &n, const Array &cotangent) {
  std::vector<const Array *> operands(n.operands.size());
  std::vector<char> wanted(n.operands.size());
  for (size_t k = 0; k < n.operands.size(); ++k) operands[k] = &n.operands[k], wanted[k] = n.notes[k] >= 0;
  std::vector<Maybe> parts;
  try {
    parts = rules::applyVjp({n.op, operands, n.words, &n.result}, cotangent, wanted);
  } catch (const Error &e) {
    if (n.place.empty()) throw;
    throw Error(e.kind, n.place + "gradient of " + info(n.op).name + ": " + e.what());
  }
  addAll(n.notes, parts);
}

/// Of a function, for the cotangents of all its results.
void Tape::Walk::passFunction(const Node &n, int64_t first) {
  if (arrays.empty()) return;
  std::span<Maybe> cotangents(&arrays[size_t(first)], size_t(n.results));
  if (std::ranges::none_of(cotangents, [](const Maybe &ct) { return ct.has_value(); })) return;
  std::vector<Maybe> sums(n.notes.size());
  for (size_t i = 0; i < n.isAddedTo.size(); ++i)
    if (n.isAddedTo[i] && n.notes[i] >= 0) sums[i] = std::exchange(arrayAt(n.notes[i]), {});
  addAll(n.notes, n.backward({cotangents, n.operands, sums}));
  for (Maybe &ct : cotangents) ct.reset();
}

std::vector<Maybe> Tape::Walk::run() {
  for (auto i = int64_t(tape.notes.size()); i-- > 0;) {
    const Note &note = noteAt(i);
    if (note.op == Op::Input) continue;
    if (note.node < 0 && few[size_t(i)]) {
      passFew(note, few[size_t(i)]);
      continue;
    }
    const Node *node = note.node < 0 ? nullptr : &tape.nodes[size_t(note.node)];
    if (node && node->backward) passFunction(*node, i);
    if (arrays.empty() || !arrays[size_t(i)] || (node && (node->backward || node->isPart))) continue;
    Array cotangent = *arrays[size_t(i)];
    if (!node) passArray(note, cotangent);
    else if (node->op == Op::DynamicSlice && node->notes[0] >= 0) passPart(*node, cotangent);
    else passNode(*node, cotangent);
  }
  std::vector<Maybe> found;
  found.reserve(tape.watched.size());
  for (int64_t note : tape.watched) {
    if (few[size_t(note)]) found.push_back(asArray(note, few[size_t(note)]));
    else found.push_back(arrays.empty() ? Maybe() : std::move(arrays[size_t(note)]));
  }
  return found;
}

std::vector<Maybe> Tape::gradients(std::span<const Item> results, std::span<const Maybe> cotangents, std::span<const Maybe> sums) const {
  Walk walk(*this);
  for (size_t i = 0; i < sums.size(); ++i) walk.add(watched[i], sums[i]);
  for (size_t i = 0; i < results.size(); ++i) walk.add(results[i].node, cotangents[i]);
  return walk.run();
}

std::pair<Array, std::vector<Maybe>> Tape::finish(const Array &result) {
  static constexpr float kNarrow = 1;
  static constexpr double kWide = 1;
  int64_t number = isMine(result) ? noteOf(result) : -1;
  if (number >= 0) {
    end();
    const Note &note = notes[size_t(number)];
    Walk walk(*this);
    walk.add(number, note.dtype == DType::F64 ? Few{&kWide, true} : Few{&kNarrow, true}, note);
    return {arrayOf(note.dtype, {}, {note.result, false}), walk.run()};
  }
  Item item = resultOf(result);
  end();
  Maybe one = rules::filled(item.below, {}, 1);
  std::vector<Maybe> found = gradients({&item, 1}, {&one, 1});
  return {std::move(item.below), std::move(found)};
}

} // namespace kiln
