#include "frontend/tree/LoopWriter.h"

#include "frontend/tree/Joints.h"
#include "frontend/tree/LoopBounds.h"

#include "lib/Core/Control.h"
#include "lib/Core/RollBody.h"

#include <algorithm>
#include <functional>

namespace kiln {
namespace {

using Ways = LoopOf::Ways;
using SlotOfLive = std::function<int64_t(int32_t)>;
using SlotOfEntry = std::function<int64_t(const Source &)>;

/// A piece over slots of a trace that is written: what it hands on and asks for.
struct Written {
  std::vector<int64_t> live;
  int64_t asked = -1;
  int64_t goesOn = -1; // whether all answers were known ones; -1: they are
};

Written embed(BodyWriter &w, const Piece &p, const SlotOfLive &live, const SlotOfEntry &entry) {
  std::vector<int64_t> slots;
  auto of = [&](const Source &s) { return s.kind == Source::Live ? live(s.index) : entry(s); };
  for (const Source &s : p.inputs) slots.push_back(of(s));
  for (size_t at = 0; at < p.trace.words.size();) {
    TraceOp op = Trace::decode(p.trace.words, at);
    if (op.op == Op::Input) continue;
    std::vector<int64_t> operands;
    for (int64_t operand : op.operands) operands.push_back(slots[size_t(operand)]);
    int64_t slot = w.write(p.trace, op, int64_t(slots.size()), operands, {});
    for (size_t i = 0; i < op.results; ++i) slots.push_back(slot + int64_t(i));
  }
  auto find = [&](const Source &s) { return s.kind == Source::Output ? slots[size_t(p.trace.outputs[size_t(s.index)])] : of(s); };
  Written written{{}, find(p.asked)};
  for (const Source &s : p.live) written.live.push_back(find(s));
  return written;
}

/// Whether operations are so few, over so few elements, that all ways are computed rather than one chosen.
bool isCheap(const Ways &node, size_t &ops) {
  constexpr int64_t kMostElements = 64;
  constexpr size_t kMostOps = 64;
  if (hasRisks(node.piece.trace)) return false;
  for (const TensorType &t : node.piece.trace.types)
    if (numElements(t.shape) > kMostElements) return false;
  ops += node.piece.trace.types.size() - size_t(node.piece.trace.inputs);
  return ops <= kMostOps && std::ranges::all_of(node.next, [&](auto &n) { return isCheap(*n.second, ops); });
}
bool isCheap(const Ways &node) {
  size_t ops = 0;
  return isCheap(node, ops);
}

class LoopWriter {
public:
  LoopWriter(const LoopOf &loop, const Piece &first, const Handed &given)
      : loop(loop), head(headOf(loop)), first(first), given(given), asksForTrip(loop.asksForTrip()) {}

  std::optional<Piece> write() {
    result.trace.isFast = w.trace.isFast = first.trace.isFast;
    declare();
    readEntries(*loop.root);
    for (const Piece &p : loop.tail) readEntries(p);
    if (isAmiss) return std::nullopt;
    writeBody();
    writeOutside();
    if (isAmiss) return std::nullopt;
    const Piece &asks = asksForTrip ? head : loop.root->piece;
    result.askedType = asks.askedType, result.liveTypes = asks.liveTypes;
    result.locations.assign(result.trace.types.size(), first.at);
    return std::move(result);
  }

private:
  const LoopOf &loop;
  const Piece &head, &first;
  const Handed &given;
  const bool asksForTrip;
  Piece result;
  BodyWriter w;
  bool isAmiss = false;

  /// An operand of the loop: where it comes from; none: a truth value, or zeros that no trip reads.
  struct Operand {
    TensorType type;
    std::optional<Source> from;
    bool truth = false;
  };
  std::vector<Operand> carried, reads;
  struct Variable { // which operand is what is handed on, by its number at the end of a way
    bool isRead = false;
    size_t at = 0, before = 0; // before: of carried ones, what it was one trip ago
  };
  std::map<int32_t, Variable> variables;
  size_t asked = 0, ok = 0;

  /// What ways hand on where they end, by number: at the end of the trip, or where they come together.
  struct Ends {
    size_t count = 0;
    std::vector<std::pair<int32_t, TensorType>> handed;
  };
  Ends endOfTrip;
  const Ends *ends = &endOfTrip;

  size_t carry(const TensorType &type, std::optional<Source> from, bool truth = false) {
    carried.push_back({type, from, truth});
    return carried.size() - 1;
  }
  size_t read(const Source &from, const TensorType &type) {
    auto known = std::ranges::find_if(reads, [&](const Operand &o) { return o.from == from; });
    if (known == reads.end()) known = reads.insert(reads.end(), {type, from});
    return size_t(known - reads.begin());
  }
  void readEntries(const Piece &p) {
    for (size_t i = 0; i < p.inputs.size(); ++i)
      if (p.inputs[i].kind == Source::Entry) read(p.inputs[i], p.trace.types[i]);
    auto isOther = [&](const Source &s) {
      return s.kind == Source::Entry && std::ranges::none_of(reads, [&](const Operand &o) { return o.from == s; });
    };
    isAmiss |= isOther(p.asked) || std::ranges::any_of(p.live, isOther); // of a type that nobody says
  }
  void readEntries(const Ways &node) {
    readEntries(node.piece);
    for (auto &[answer, next] : node.next) readEntries(*next);
  }

  /// Whether all ways leave what is handed on as it was.
  bool isFixed(const Ways &node, int32_t number, std::vector<Piece> &way) const {
    way.push_back(node.piece);
    bool isSame = true;
    if (node.next.empty()) {
      int32_t from = through(way, number);
      isSame = from >= 0 && through(loop.tail, from) == number;
    }
    for (auto &[answer, next] : node.next) isSame = isSame && isFixed(*next, number, way);
    way.pop_back();
    return isSame;
  }

  void declare() {
    std::map<int32_t, Source> initial; // by number at the end of a way
    for (size_t i = 0; i < given.size(); ++i) {
      if (!given[i]) continue;
      auto [known, isNew] = initial.emplace(through(loop.tail, int32_t(i)), *given[i]);
      isAmiss |= !isNew && !(known->second == *given[i]);
    }
    for (int32_t q = 0; q < int32_t(head.live.size()); ++q) {
      const TensorType &type = head.liveTypes[size_t(q)];
      auto from = initial.contains(q) ? std::optional(initial.at(q)) : std::nullopt;
      if (!from && !asksForTrip) continue;
      std::vector<Piece> way;
      if (from && isFixed(*loop.root, q, way)) variables[q] = {true, read(*from, type)};
      else variables[q] = {false, carry(type, from), asksForTrip ? 0 : carry(type, from)};
    }
    endOfTrip.count = head.live.size();
    for (auto &[number, v] : variables) endOfTrip.handed.emplace_back(number, head.liveTypes[size_t(number)]);
    if (asksForTrip) asked = carry({DType::Bool, {}}, std::nullopt, loop.answer[0] != 0);
    ok = carry({DType::Bool, {}}, std::nullopt, true);
  }

  int64_t slotOfRead(size_t number) const { return int64_t(carried.size() + number); }
  void declareInputs(Trace &trace) const {
    for (const Operand &o : carried) trace.addInput(o.type);
    for (const Operand &o : reads) trace.addInput(o.type);
  }

  //===-- the body --------------------------------------------------------------------------------------------------===//

  static int64_t both(BodyWriter &body, int64_t a, int64_t b) { return a < 0 ? b : b < 0 ? a : body.apply(Op::LogicalAnd, {a, b}); }
  static int64_t isAnswer(BodyWriter &body, int64_t slot, const std::string &answer) {
    return answer[0] ? slot : body.apply(Op::LogicalNot, {slot});
  }
  static int64_t constant(BodyWriter &body, const TensorType &type, bool truth) {
    int64_t words[] = {int64_t(type.dtype), truth}, one = body.trace.addOp(Op::Constant, {}, words);
    if (!type.shape.rank) return one;
    std::vector<int64_t> wide = {0};
    appendWords(wide, type.shape);
    return body.trace.addOp(Op::Broadcast, {&one, 1}, wide);
  }
  static int64_t choose(BodyWriter &body, int64_t condition, int64_t yes, int64_t no) {
    if (yes == no) return yes;
    const TensorType type = body.trace.types[size_t(yes)];
    if (type.shape.rank) {
      std::vector<int64_t> wide = {0};
      appendWords(wide, type.shape);
      condition = body.trace.addOp(Op::Broadcast, {&condition, 1}, wide);
    }
    return body.apply(Op::Select, {condition, yes, no});
  }

  /// The ways from a node on.
  Written ways(BodyWriter &body, const Ways &node, const SlotOfLive &live, const SlotOfEntry &entry) {
    return waysBehind(body, node, embed(body, node.piece, live, entry), entry);
  }
  /// Those behind its piece.
  Written waysBehind(BodyWriter &body, const Ways &node, const Written &here, const SlotOfEntry &entry) {
    if (node.next.empty()) return here;
    if (node.next.size() == 1 && isCheap(*node.next.begin()->second)) {
      auto &[answer, next] = *node.next.begin();
      Written there = ways(body, *next, [&](int32_t i) { return here.live[size_t(i)]; }, entry);
      there.goesOn = both(body, isAnswer(body, here.asked, answer), there.goesOn);
      return there;
    }
    bool isAll = node.next.size() == 2 && std::ranges::all_of(node.next, [](auto &n) { return isCheap(*n.second); });
    if (isAll) return chosen(body, node, here, entry);
    auto joint = asksForTrip ? jointOf(node) : std::nullopt; // else a way may hand on nothing in a place
    return joint ? joined(body, *joint, here, entry) : branched(body, node, here, entry);
  }

  /// One way of those up to where they come together, and what follows, once.
  Written joined(BodyWriter &body, const Joint &joint, const Written &here, const SlotOfEntry &entry) {
    Ends there{joint.passed.size(), {}};
    for (size_t i = 0; i < joint.passed.size(); ++i)
      if (joint.passed[i] < 0) there.handed.emplace_back(int32_t(i), joint.liveTypes[i]);
    const Ends *outer = std::exchange(ends, &there);
    Written at = waysBehind(body, joint.until, here, entry);
    ends = outer;
    for (size_t i = 0; i < joint.passed.size(); ++i)
      if (joint.passed[i] >= 0) at.live[i] = here.live[size_t(joint.passed[i])];
    return waysBehind(body, joint.behind, at, entry);
  }

  /// All ways, and what each gives chosen behind them.
  Written chosen(BodyWriter &body, const Ways &node, const Written &here, const SlotOfEntry &entry) {
    auto find = [&](int32_t i) { return here.live[size_t(i)]; };
    Written no = ways(body, *node.next.at(std::string(1, 0)), find, entry), yes = ways(body, *node.next.at(std::string(1, 1)), find, entry);
    Written all{std::vector<int64_t>(ends->count, -1)};
    for (auto &[number, type] : ends->handed)
      all.live[size_t(number)] = choose(body, here.asked, yes.live[size_t(number)], no.live[size_t(number)]);
    all.asked = choose(body, here.asked, yes.asked, no.asked);
    auto known = [&](int64_t flag) { return flag < 0 ? constant(body, {DType::Bool, {}}, true) : flag; };
    if (yes.goesOn >= 0 || no.goesOn >= 0) all.goesOn = choose(body, here.asked, known(yes.goesOn), known(no.goesOn));
    return all;
  }

  /// What the ways of a branch are given: the question, and for each result that is an array one that may become it, which is then changed
  /// where it lies.
  std::vector<int64_t> operandsOf(const Trace &trace, const Written &here, const SlotOfEntry &entry) const {
    std::vector<int64_t> given, operands = {here.asked};
    auto give = [&](int64_t slot) {
      if (slot >= 0 && std::ranges::find(given, slot) == given.end()) given.push_back(slot);
    };
    for (int64_t slot : here.live) give(slot);
    for (const Operand &o : reads)
      if (o.from->kind == Source::Entry) give(entry(*o.from));
    auto take = [&](const auto &isFit) {
      auto found = std::ranges::find_if(given, isFit);
      operands.push_back(found == given.end() ? -1 : *found);
      if (found != given.end()) given.erase(found);
    };
    for (auto &end : ends->handed)
      take([&](int64_t slot) {
        const TensorType &its = trace.types[size_t(slot)];
        return end.second.shape.rank ? its == end.second : !its.shape.rank;
      });
    for (int64_t slot : given) operands.push_back(slot);
    std::ranges::replace(operands, int64_t(-1), here.asked); // takes a place that nothing fits
    return operands;
  }

  /// One way, as a branch; a way that is not known ends the loop.
  Written branched(BodyWriter &body, const Ways &node, const Written &here, const SlotOfEntry &entry) {
    std::vector<int64_t> operands = operandsOf(body.trace, here, entry);
    auto operandFor = [&](int64_t slot) { // of what has one
      return slot < 0 ? slot : int64_t(std::find(operands.begin() + 1, operands.end(), slot) - operands.begin() - 1);
    };
    BodyWriter both[2];
    Written there[2];
    for (size_t answer : {0, 1}) {
      BodyWriter &way = both[answer];
      way.trace.isFast = body.trace.isFast;
      for (size_t i = 1; i < operands.size(); ++i) way.trace.addInput(body.trace.types[size_t(operands[i])]);
      auto next = node.next.find(std::string(1, char(answer)));
      if (next != node.next.end())
        there[answer] = ways(
            way, *next->second, [&](int32_t i) { return operandFor(here.live[size_t(i)]); },
            [&](const Source &s) { return operandFor(entry(s)); });
    }
    bool areKnown = std::ranges::all_of(there, [](const Written &w) { return w.asked >= 0 && w.goesOn < 0; });
    std::vector<int64_t> words = {2};
    for (size_t answer : {0, 1}) {
      writeResults(both[answer], there[answer], areKnown);
      words.push_back(body.numberOf(std::make_shared<const Trace>(std::move(both[answer].trace))));
    }
    int64_t slot = body.trace.addOp(Op::Branch, operands, words);
    Written all{std::vector<int64_t>(ends->count, -1)};
    for (auto &[number, type] : ends->handed) all.live[size_t(number)] = slot++;
    all.asked = slot++;
    if (!areKnown) all.goesOn = slot;
    return all;
  }
  /// The results of a way; of none that the loop ends: what it is given, or zeros.
  void writeResults(BodyWriter &way, const Written &w, bool areKnown) const {
    bool isKnown = w.asked >= 0;
    auto anyOf = [&](const TensorType &type) {
      size_t at = way.trace.outputs.size();
      bool isFit = at < size_t(way.trace.inputs) && way.trace.types[at] == type;
      return isFit ? int64_t(at) : constant(way, type, false);
    };
    for (auto &[number, type] : ends->handed) way.trace.outputs.push_back(isKnown ? w.live[size_t(number)] : anyOf(type));
    way.trace.outputs.push_back(isKnown ? w.asked : constant(way, {DType::Bool, {}}, false));
    if (!areKnown) way.trace.outputs.push_back(w.goesOn >= 0 ? w.goesOn : constant(way, {DType::Bool, {}}, isKnown));
  }

  /// Whether an integer of the program is one that further trips cannot make overflow.
  int64_t inBounds(int64_t slot) {
    auto bound = [&](int64_t value) {
      int64_t words[] = {int64_t(DType::I64), value};
      return w.trace.addOp(Op::Constant, {}, words);
    };
    return both(w, w.apply(Op::LessEqual, {slot, bound(kMostInteger)}), w.apply(Op::GreaterEqual, {slot, bound(-kMostInteger)}));
  }

  /// The same of all that is handed on, where there is another trip; -1: they are.
  int64_t areInBounds(const Written &end) {
    std::vector<int64_t> fixed;
    for (int32_t number : head.numbers)
      if (auto v = variables.find(number); v != variables.end() && v->second.isRead) fixed.push_back(slotOfRead(v->second.at));
    int64_t all = -1;
    for (int32_t number : head.numbers) {
      auto v = variables.find(number);
      if (v == variables.end() || v->second.isRead) continue;
      Counted counted{end.live[size_t(number)], int64_t(v->second.at), end.asked, loop.answer[0] != 0};
      if (!staysInBounds(w.trace, counted, fixed)) all = both(w, all, inBounds(counted.now));
    }
    return all;
  }

  void writeBody() {
    declareInputs(w.trace);
    auto entry = [&](const Source &s) { return slotOfRead(read(s, {})); };
    auto handed = [&](int32_t number) {
      auto found = variables.find(through(loop.tail, number));
      return found == variables.end() ? int64_t(-1) : found->second.isRead ? slotOfRead(found->second.at) : int64_t(found->second.at);
    };
    Written end = ways(w, *loop.root, handed, entry);
    int64_t goesOn = both(w, end.goesOn, isAnswer(w, end.asked, loop.answer)), answered = end.asked;
    if (asksForTrip && end.goesOn >= 0) // what is told something unknown ends with an answer behind which no path goes on
      answered = loop.answer[0] ? w.apply(Op::LogicalOr, {answered, w.apply(Op::LogicalNot, {end.goesOn})}) : both(w, answered, end.goesOn);
    std::vector<int64_t> live = end.live;
    for (const Piece &p : loop.tail) {
      Written behind = embed(w, p, [&](int32_t i) { return live[size_t(i)]; }, entry);
      live = behind.live;
      goesOn = both(w, goesOn, isAnswer(w, behind.asked, p.value));
    }
    goesOn = both(w, goesOn, areInBounds(end));
    w.trace.outputs.assign(carried.size(), -1);
    for (auto &[number, v] : variables) {
      if (v.isRead) continue;
      w.trace.outputs[v.at] = end.live[size_t(number)];
      if (!asksForTrip) w.trace.outputs[v.before] = int64_t(v.at);
    }
    if (asksForTrip) w.trace.outputs[asked] = answered;
    w.trace.outputs[ok] = goesOn;
  }

  //===-- around it -------------------------------------------------------------------------------------------------===//

  std::vector<std::pair<Source, int64_t>> inputs; // of the piece

  template <typename See> void eachPiece(const Ways &node, const See &see) const {
    see(node.piece);
    for (auto &[answer, next] : node.next) eachPiece(*next, see);
  }

  /// An input of the piece, laid out as that of a piece that takes it.
  int64_t inputFor(BodyWriter &outside, const Source &from, const TensorType &type) {
    auto known = std::ranges::find_if(inputs, [&](auto &i) { return i.first == from; });
    if (known != inputs.end()) return known->second;
    auto takes = [&](const Piece &p) { return std::ranges::find(p.inputs, from) - p.inputs.begin(); };
    const Piece *taker = &first;
    auto see = [&](const Piece &p) {
      if (takes(*taker) == ptrdiff_t(taker->inputs.size())) taker = &p;
    };
    if (from.kind == Source::Entry) {
      eachPiece(*loop.root, see);
      for (const Piece &p : loop.tail) see(p);
    }
    TensorType actual = type;
    Dims strides;
    if (ptrdiff_t i = takes(*taker); i < ptrdiff_t(taker->inputs.size())) {
      size_t at = 0;
      TraceOp entry = Trace::decode(taker->trace.words, at);
      for (ptrdiff_t n = 0; n < i; ++n) entry = Trace::decode(taker->trace.words, at);
      size_t layout = 2 + size_t(entry.words[1]);
      if (entry.words[layout]) strides = Dims(entry.words.subspan(layout + 1));
      actual = taker->trace.types[size_t(i)];
    }
    isAmiss |= !(actual == type);
    inputs.emplace_back(from, outside.trace.addInput(actual, strides));
    result.inputs.push_back(from);
    return inputs.back().second;
  }

  void writeOutside() {
    BodyWriter outside;
    outside.trace.isFast = first.trace.isFast;
    for (const auto *operands : {&carried, &reads})
      for (const Operand &o : *operands)
        if (o.from) inputFor(outside, *o.from, o.type);
    if (isAmiss) return;
    std::vector<int64_t> operands;
    for (const auto *list : {&carried, &reads})
      for (const Operand &o : *list) operands.push_back(o.from ? inputFor(outside, *o.from, o.type) : constant(outside, o.type, o.truth));
    Trace condition;
    declareInputs(condition);
    condition.outputs = {int64_t(ok)};
    int64_t words[] = {outside.numberOf(std::make_shared<const Trace>(std::move(condition))),
                       outside.numberOf(std::make_shared<const Trace>(std::move(w.trace)))};
    int64_t slot = outside.trace.addOp(Op::Loop, operands, words);
    auto behind = [&](int32_t number) {
      auto found = variables.find(number);
      if (found == variables.end()) return int64_t(-1);
      const Variable &v = found->second;
      return v.isRead ? operands[carried.size() + v.at] : slot + int64_t(asksForTrip ? v.at : v.before);
    };
    Written end;
    if (asksForTrip) {
      for (int32_t q = 0; q < int32_t(head.live.size()); ++q) end.live.push_back(behind(q));
      end.asked = slot + int64_t(asked);
    } else {
      auto entry = [&](const Source &s) { return operands[carried.size() + read(s, {})]; };
      end = embed(outside, loop.root->piece, [&](int32_t i) { return behind(through(loop.tail, i)); }, entry);
    }
    for (int64_t handed : end.live) result.live.push_back(handOn(outside.trace, handed));
    result.asked = handOn(outside.trace, end.asked);
    result.trace = std::move(outside.trace);
  }

  Source handOn(Trace &trace, int64_t slot) {
    if (slot < trace.inputs && inputs[size_t(slot)].first.kind == Source::Live) return inputs[size_t(slot)].first;
    auto known = std::ranges::find(trace.outputs, slot);
    if (known == trace.outputs.end()) known = trace.outputs.insert(trace.outputs.end(), slot);
    return {Source::Output, int32_t(known - trace.outputs.begin())};
  }
};

//===-- comparing ---------------------------------------------------------------------------------------------------===//

/// The slots of a piece's outputs, inputs and operations, beside those of another one.
class Matching {
public:
  Matching(const Piece &piece, const Piece &of, Handed *given) : piece(piece), of(of), given(given) {}

  bool run() {
    const Trace &a = piece.trace, &b = of.trace;
    bool isAlike = piece.at.code == of.at.code && piece.at.instruction == of.at.instruction && piece.live.size() == of.live.size() &&
                   piece.liveTypes == of.liveTypes && piece.askedType == of.askedType && a.isFast == b.isFast &&
                   a.bodies.size() == b.bodies.size() && a.types.size() - size_t(a.inputs) == b.types.size() - size_t(b.inputs);
    for (size_t i = 0; isAlike && i < a.bodies.size(); ++i) isAlike = *a.bodies[i] == *b.bodies[i];
    if (!isAlike || !piece.places.empty() || !of.places.empty() || !a.devices.empty() || !b.devices.empty()) return false;
    if (!operations()) return false;
    for (size_t i = 0; i < of.live.size(); ++i)
      if (!same(piece.live[i], of.live[i])) return false;
    return same(piece.asked, of.asked);
  }

private:
  const Piece &piece, &of;
  Handed *given;

  bool sameTaken(const Source &here, const Source &there) {
    if (!given || there.kind != Source::Live) return here == there;
    auto &known = (*given)[size_t(there.index)];
    if (known) return *known == here;
    known = here;
    return true;
  }
  bool sameSlot(int64_t here, int64_t there) {
    const Trace &a = piece.trace, &b = of.trace;
    if ((here < a.inputs) != (there < b.inputs)) return false;
    if (here >= a.inputs) return here - a.inputs == there - b.inputs;
    return a.types[size_t(here)] == b.types[size_t(there)] && sameTaken(piece.inputs[size_t(here)], of.inputs[size_t(there)]);
  }
  /// What a piece hands on or asks for.
  bool same(const Source &here, const Source &there) {
    if (here.kind == Source::Output && there.kind == Source::Output)
      return sameSlot(piece.trace.outputs[size_t(here.index)], of.trace.outputs[size_t(there.index)]);
    if (there.kind == Source::Output) return false;
    if (here.kind != Source::Output) return sameTaken(here, there);
    int64_t slot = piece.trace.outputs[size_t(here.index)]; // an argument that may be written later
    return slot < piece.trace.inputs && sameTaken(piece.inputs[size_t(slot)], there);
  }

  static size_t behindInputs(const Trace &t) {
    size_t at = 0;
    for (int64_t n = 0; n < t.inputs; ++n) Trace::decode(t.words, at);
    return at;
  }

  bool operations() {
    const Trace &a = piece.trace, &b = of.trace;
    size_t i = behindInputs(a), k = behindInputs(b);
    for (int64_t slot = a.inputs, other = b.inputs; i < a.words.size();) {
      if (k >= b.words.size()) return false;
      TraceOp one = Trace::decode(a.words, i), two = Trace::decode(b.words, k);
      bool isAlike = one.op == two.op && one.results == two.results && std::ranges::equal(one.words, two.words) &&
                     one.operands.size() == two.operands.size();
      for (size_t n = 0; isAlike && n < one.operands.size(); ++n) isAlike = sameSlot(one.operands[n], two.operands[n]);
      for (size_t n = 0; isAlike && n < one.results; ++n) isAlike = a.types[size_t(slot) + n] == b.types[size_t(other) + n];
      if (!isAlike) return false;
      slot += int64_t(one.results), other += int64_t(one.results);
    }
    return k >= b.words.size();
  }
};

} // namespace

bool matches(const Piece &piece, const Piece &of, Handed *given) { return Matching(piece, of, given).run(); }

bool hasRisks(const Trace &trace) {
  for (size_t at = 0; at < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, at);
    if (entry.op != Op::Input && (mayFail(info(entry.op).kind) || info(entry.op).kind == Kind::Control)) return true;
  }
  return false;
}

const Piece &headOf(const LoopOf &loop) {
  const Ways *node = loop.root.get();
  while (!node->next.empty()) node = node->next.begin()->second.get();
  return node->piece;
}

std::optional<Piece> writeLoop(const std::shared_ptr<const LoopOf> &loop, const Piece &first, const Handed &given) {
  auto written = LoopWriter(*loop, first, given).write();
  if (written) written->loop = loop, written->growth = loop->growth(), written->firstOfLoop = std::make_shared<const Piece>(first);
  return written;
}

} // namespace kiln
