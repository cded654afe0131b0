#include "lib/Core/Roll.h"

#include "lib/Core/Control.h"
#include "lib/Core/RollBody.h"
#include "lib/Core/RollComplete.h"
#include "lib/Core/RollStack.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace kiln {

//===-- rewriting ---------------------------------------------------------------------------------------------------===//

Rewriter::Rewriter(const Trace &old) : slots(old.types.size(), -1), old(old) {
  Trace &trace = result.trace;
  trace.bodies = old.bodies;
  trace.inputs = old.inputs;
  trace.devices = old.devices;
  trace.replaces = old.replaces;
  trace.isFast = old.isFast;
  trace.symbols = old.symbols;
  trace.words.reserve(old.words.size()), trace.types.reserve(old.types.size()), result.from.reserve(old.types.size());
  size_t end = 0;
  for (size_t at = 0, slot = 0; at < old.words.size() && Trace::decode(old.words, at).op == Op::Input; end = at, ++slot) {
    slots[slot] = int64_t(slot);
    result.from.push_back(int64_t(slot));
    trace.types.push_back(old.types[slot]);
  }
  trace.words.insert(trace.words.end(), old.words.begin(), old.words.begin() + ptrdiff_t(end));
}

std::vector<int64_t> Rewriter::operandsOf(const TraceOp &op) const {
  std::vector<int64_t> operands;
  for (int64_t operand : op.operands) operands.push_back(slots[size_t(operand)]);
  return operands;
}

void Rewriter::copy(const TraceOp &op, int64_t slot) {
  Trace &trace = result.trace;
  const int64_t *entry = &old.words[op.at]; // what the operation is, its operands and its words
  size_t operands = trace.words.size() + size_t(op.operands.data() - entry);
  trace.words.insert(trace.words.end(), entry, std::to_address(op.words.end()));
  for (size_t i = 0; i < op.operands.size(); ++i) trace.words[operands + i] = slots[size_t(op.operands[i])];
  for (int64_t i = slot; i < slot + int64_t(op.results); ++i) {
    slots[size_t(i)] = int64_t(trace.types.size());
    trace.types.push_back(old.types[size_t(i)]);
    result.from.push_back(i);
  }
}

int64_t Rewriter::constant(DType dtype, int64_t bits, int64_t of) {
  int64_t words[] = {int64_t(dtype), bits};
  return apply(Op::Constant, {}, words, {dtype, {}}, of);
}

int64_t Rewriter::apply(Op op, std::span<const int64_t> operands, std::span<const int64_t> words, const TensorType &type, int64_t of) {
  result.from.push_back(of);
  return result.trace.append(op, operands, words, type);
}

int64_t Rewriter::numberOf(const std::shared_ptr<const Trace> &body) {
  size_t hash = std::hash<std::string_view>()({reinterpret_cast<const char *>(body->words.data()), body->words.size() * sizeof(int64_t)});
  std::vector<std::shared_ptr<const Trace>> &all = result.trace.bodies;
  for (auto [known, number] : bodies)
    if (known == hash && (all[size_t(number)] == body || *all[size_t(number)] == *body)) return number;
  bodies.push_back({hash, int64_t(all.size())});
  all.push_back(body);
  return bodies.back().second;
}

int64_t Rewriter::loop(const std::shared_ptr<const Trace> &condition, const std::shared_ptr<const Trace> &body,
                       std::span<const int64_t> operands, int64_t of) {
  int64_t words[] = {numberOf(condition), numberOf(body)};
  if (body->isOpen()) result.trace.symbols = 0; // it computes sizes
  int64_t slot = result.trace.addOp(Op::Loop, operands, words);
  result.from.resize(result.trace.types.size(), of);
  return slot;
}

Changed Rewriter::finish() {
  for (int64_t output : old.outputs) result.trace.outputs.push_back(slots[size_t(output)]);
  return std::move(result);
}

namespace {

/// The trace without operations that nobody needs, and bodies that none of them runs.
Changed withoutUnneeded(const Trace &trace) {
  std::vector<char> needed = Trace::neededSlots(trace.words, trace.outputs);
  Rewriter result(trace);
  for (size_t at = 0, slot = 0; at < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, at);
    if (entry.op != Op::Input && needed[slot]) result.copy(entry, int64_t(slot));
    slot += entry.results;
  }
  Changed changed = result.finish();
  std::vector<int64_t> numbers(trace.bodies.size(), -1);
  auto bodies = std::exchange(changed.trace.bodies, {});
  for (size_t at = 0; at < changed.trace.words.size();) {
    TraceOp entry = Trace::decode(changed.trace.words, at);
    if (entry.op == Op::Input || info(entry.op).kind != Kind::Control) continue;
    std::vector<int64_t> now;
    for (int64_t number : bodyNumbers(info(entry.op), entry.words)) {
      int64_t &known = numbers[size_t(number)];
      if (known < 0) known = int64_t(changed.trace.bodies.size()), changed.trace.bodies.push_back(bodies[size_t(number)]);
      now.push_back(known);
    }
    std::ranges::copy(withBodies(info(entry.op), entry.words, now),
                      changed.trace.words.begin() + (entry.words.data() - changed.trace.words.data()));
  }
  return changed;
}

//===-- one level ---------------------------------------------------------------------------------------------------===//

// What a loop is worth: docs/loops.md has the measurements.
constexpr size_t kLeastTrips = 8, kLeastSaved = 128, kLeastSavedFused = 512;
constexpr size_t kLoopWeight = 32; // of a loop in a loop, in operations
constexpr size_t kJoinedCost = 64; // trips that fuse are written one after the other up to this cost: one pass over memory for all of them
constexpr size_t kMostJoined = 32;

/// A run that becomes one loop, or two: of several trips at a time, and of the rest.
struct Chosen {
  Run run;
  std::vector<RolledLoop> loops;
  size_t joined;
};

/// Rolls the repetitions of a trace that have no loops in them which are not rolled yet.
class Level {
public:
  Level(const Trace &trace, bool ofAnySizes, std::vector<Repetition> &found) : lines(trace, ofAnySizes), found(found) {}

  std::optional<Changed> run() {
    choose();
    if (chosen.empty()) return std::nullopt;
    chooseShort();
    Rewriter result(lines.trace);
    size_t p = 0;
    for (const Chosen &c : chosen) {
      for (; p < c.run.first; ++p) result.copy(lines.ops[p], lines.slots[p]);
      write(c, result);
      p = c.run.end();
    }
    for (; p < lines.size(); ++p) result.copy(lines.ops[p], lines.slots[p]);
    return result.finish();
  }

  /// The trace with rows for what runs leave behind; after `run`.
  std::optional<Changed> withRows() const { return stackRows(lines, leaving); }
  /// The trace with what the last trips lack; after `run`.
  std::optional<Changed> completed() const {
    std::vector<Run> runs;
    for (const Chosen &c : chosen) runs.push_back(c.run);
    return completeTrips(lines, std::move(runs));
  }

private:
  const Lines lines;
  std::vector<Repetition> &found;
  std::vector<Chosen> chosen;
  std::vector<Run> leaving; // whose values are used after them
  size_t lowest = 0;        // what is behind it is in no loop yet

  void note(const Run &run, std::string why) {
    if (run.trips >= kLeastTrips) found.push_back({lines.slots[run.first], run.trips, run.period, std::move(why)});
  }

  void choose() {
    Echoes echoes(lines.forms);
    std::map<size_t, size_t> seen; // by distance, up to where stretches of it are known
    for (size_t p = 0; p < lines.size(); ++p)
      for (size_t distance : echoes.at(p)) {
        size_t &known = seen[distance];
        if (known > p || p < lowest + distance) continue;
        Stretch stretch = stretchAround(lines, p, distance, lowest);
        known = std::max(stretch.end, p + 1);
        if (stretch.end - stretch.begin < (kLeastTrips - 1) * distance) continue;
        std::string why;
        if (auto run = alignRun(lines, stretch, lowest, why)) take(*run);
        else note({stretch.begin, distance, (stretch.end - stretch.begin) / distance + 1}, why);
      }
  }

  /// Of what is a loop elsewhere, also runs of few trips: the loop around them has trips of one form then, from the third or so on.
  void chooseShort() {
    constexpr size_t kLeastLoops = 4;
    if (chosen.size() < kLeastLoops) return;
    std::vector<uint64_t> of = lines.ofAnySizes ? lines.forms : Lines(lines.trace, true).forms;
    std::vector<char> isTaken(lines.size());
    std::map<size_t, std::map<std::vector<uint64_t>, size_t>> known; // how many loops, by the number and forms of the lines of a trip
    auto formsAt = [&](size_t p, size_t period) { return std::vector(of.begin() + ptrdiff_t(p), of.begin() + ptrdiff_t(p + period)); };
    for (const Chosen &c : chosen) {
      std::fill(isTaken.begin() + ptrdiff_t(c.run.first), isTaken.begin() + ptrdiff_t(c.run.end()), 1);
      if (!fuses(c.run)) ++known[c.run.period][formsAt(c.run.first, c.run.period)];
    }
    std::vector<size_t> untaken(lines.size() + 1); // how many lines from here on are in no loop
    for (size_t p = lines.size(); p > 0; --p) untaken[p - 1] = isTaken[p - 1] ? 0 : untaken[p] + 1;
    for (auto &[period, forms] : known) {
      std::erase_if(forms, [](const auto &form) { return form.second < kLeastLoops; });
      for (size_t p = 0; p < lines.size(); ++p) {
        bool mayBegin = untaken[p] >= 2 * period && std::ranges::any_of(forms, [&](const auto &form) { return form.first[0] == of[p]; });
        if (!mayBegin || !forms.contains(formsAt(p, period))) continue;
        Run run{p, period, countShort(p, period, untaken[p])};
        if (run.trips < 2 || !takeShort(run)) continue;
        for (size_t q = run.first; q < run.end(); ++q) untaken[q] = 0;
        for (size_t q = run.first; q > 0 && untaken[q - 1]; --q) untaken[q - 1] = run.first - (q - 1);
        p = run.end() - 1;
      }
    }
    std::ranges::sort(chosen, {}, [](const Chosen &c) { return c.run.first; });
  }

  /// How many trips there are from line `first` on, within so many lines, each of which takes from the one before or from before all.
  size_t countShort(size_t first, size_t period, size_t most) const {
    std::vector<uint64_t> same;
    size_t p = first + period;
    for (; p < first + most; ++p) {
      auto relation = lines.relate(p, period);
      if (!relation || (same.size() >= period && same[same.size() - period] != *relation)) break;
      if (same.size() < period)
        for (size_t i = 0; i < lines.ops[p].operands.size(); ++i)
          if ((lines.ops[p].operands[i] < lines.slots[first]) != bool(*relation >> i & 1)) return 1;
      same.push_back(*relation);
    }
    return (p - first) / period;
  }

  bool takeShort(Run &run) {
    for (size_t trip = 0; trip + 1 < run.trips; ++trip)
      if (isUsedLater(run, trip)) run.trips = trip + 1;
    run.trips = run.trips < 2 ? 0 : std::min(run.trips, regularTrips(lines, run, 0));
    for (; run.trips >= 2; --run.trips) {
      auto loop = buildLoop(lines, run, 1);
      if (!loop) return false;
      if (!isComplete(run, *loop)) continue;
      chosen.push_back({run, {}, 1});
      chosen.back().loops.push_back(std::move(*loop));
      return true;
    }
    return false;
  }

  /// Whether a value of a trip is used later than by the next one.
  bool isUsedLater(const Run &run, size_t trip) const {
    size_t end = run.at(std::min(trip + 2, run.trips));
    for (int64_t slot = lines.slots[run.at(trip)]; slot < endSlot(run.at(trip + 1)); ++slot)
      if (lines.lastUse[size_t(slot)] >= int64_t(end)) return true;
    return false;
  }
  int64_t endSlot(size_t line) const { return line < lines.size() ? lines.slots[line] : int64_t(lines.makers.size()); }

  /// Rolls what can be of a run: pieces that end where a value is used later, and where numbers follow another rule.
  void take(const Run &run) {
    size_t before = chosen.size();
    std::string why;
    for (size_t trip = 0, next = 0; trip < run.trips; trip = next) {
      while (next + 1 < run.trips && !isUsedLater(run, next)) ++next;
      ++next;
      takeRegular({run.at(trip), run.period, next - trip}, why);
      if (why.empty() && next - trip < run.trips) why = "values of several trips are used after them";
    }
    if (chosen.size() == before) note(run, why);
    if (isLeaving(run)) leaving.push_back(run);
  }

  /// Whether values of many trips are used later, and the run were worth a loop or is nothing but moves.
  bool isLeaving(const Run &run) const {
    size_t used = 0;
    std::string why;
    for (size_t trip = 0; trip < run.trips; ++trip) used += isUsedLater(run, trip);
    std::span<const TraceOp> period = std::span(lines.ops).subspan(run.first, run.period);
    return used >= kLeastTrips && (std::ranges::all_of(period, isMove) || isWorthIt(run, why));
  }

  void takeRegular(Run run, std::string &why) {
    while (run.trips >= kLeastTrips) {
      Run part = run;
      part.trips = regularTrips(lines, run, 0);
      bool isTaken = isWorthIt(part, why) && takePart(part, why);
      if (part.trips < kLeastTrips) why = "a number or position follows no simple rule";
      size_t done = isTaken ? (part.end() - run.first) / run.period : std::max<size_t>(1, part.trips - 1);
      run.first += done * run.period;
      run.trips -= done;
    }
  }

  /// Whether the trips are arithmetic alone, which fuses.
  bool fuses(const Run &run) const {
    for (size_t p = run.first; p < run.first + run.period; ++p) {
      Kind kind = info(lines.ops[p].op).kind;
      bool isLocal = kind == Kind::Elementwise || kind == Kind::Source || lines.ops[p].op == Op::Broadcast;
      if (!isLocal) return false;
    }
    return true;
  }

  bool isWorthIt(const Run &run, std::string &why) const {
    size_t weight = 0;
    for (size_t p = run.first; p < run.first + run.period; ++p) weight += lines.ops[p].op == Op::Loop ? kLoopWeight : 1;
    size_t saved = weight * (run.trips - 1);
    if (run.trips >= kLeastTrips && saved >= (fuses(run) ? kLeastSavedFused : kLeastSaved)) return true;
    if (run.trips >= kLeastTrips) why = "it is short, and faster as it is";
    return false;
  }

  /// The values of the last trip that are used after it are handed on as well; else that trip stays as it is.
  bool isComplete(const Run &run, const RolledLoop &loop) const {
    for (int64_t slot = lines.slots[run.at(run.trips - 1)]; slot < endSlot(run.end()); ++slot)
      if (lines.lastUse[size_t(slot)] >= int64_t(run.end()) && std::ranges::find(loop.produced, slot) == loop.produced.end()) return false;
    return true;
  }

  bool takePart(Run &part, std::string &why) {
    constexpr int kTries = 3;
    for (int i = 0; i < kTries && part.trips >= kLeastTrips; ++i) {
      auto loop = buildLoop(lines, part, 1);
      if (!loop) {
        part.first += part.period;
        part.trips = std::min(part.trips - 1, regularTrips(lines, part, 0)); // by another factor, perhaps
        why = "what the first trip takes is of another type";
      } else if (!isComplete(part, *loop)) {
        --part.trips;
        why = "values of the last trip are used after it";
      } else {
        accept(part, std::move(*loop));
        return true;
      }
    }
    return false;
  }

  void accept(const Run &run, RolledLoop loop) {
    size_t cost = 0;
    for (size_t p = run.first; p < run.first + run.period; ++p) cost += size_t(info(lines.ops[p].op).cost);
    size_t joined = fuses(run) && !loop.isSized ? std::clamp<size_t>(kJoinedCost / std::max<size_t>(cost, 1), 1, kMostJoined) : 1;
    Chosen &c = chosen.emplace_back(Chosen{run, {}, joined});
    if (joined > 1) c.loops.push_back(*buildLoop(lines, run, joined));
    c.loops.push_back(std::move(loop));
    lowest = run.end();
    note(run, "");
  }

  void write(const Chosen &c, Rewriter &result) const {
    int64_t of = lines.slots[c.run.first], count = result.constant(DType::I64, 0, of);
    std::vector<int64_t> handedOn, reads;
    for (int64_t slot : c.loops[0].initial) handedOn.push_back(result.slots[size_t(slot)]);
    for (const Given &g : c.loops[0].reads)
      reads.push_back(g.isNumber ? result.constant(DType::I64, g.value, of) : result.slots[size_t(g.value)]);
    for (const RolledLoop &loop : c.loops) {
      bool isLast = &loop == &c.loops.back();
      std::vector<int64_t> operands = {count};
      operands.insert(operands.end(), handedOn.begin(), handedOn.end());
      operands.push_back(result.constant(DType::I64, int64_t(isLast ? c.run.trips : c.run.trips - c.run.trips % c.joined), of));
      operands.insert(operands.end(), reads.begin(), reads.end());
      count = result.loop(loop.condition, loop.body, operands, of);
      for (size_t i = 0; i < handedOn.size(); ++i) handedOn[i] = count + 1 + int64_t(i);
    }
    for (size_t i = 0; i < handedOn.size(); ++i) result.replace(c.loops[0].produced[i], handedOn[i]);
  }
};

/// One after the other.
void follow(Changed &first, Changed next) {
  for (int64_t &slot : next.from) slot = first.from[size_t(slot)];
  first = std::move(next);
}

/// One level whose last trips lack nothing.
std::optional<Changed> rollCompleted(const Changed &full, bool ofAnySizes, std::vector<Repetition> &found, size_t known) {
  std::vector<Repetition> others;
  auto result = Level(full.trace, ofAnySizes, others).run();
  if (!result || result->trace.words.size() >= known) return std::nullopt;
  for (Repetition &r : others) r.slot = full.from[size_t(r.slot)];
  for (int64_t &slot : result->from) slot = full.from[size_t(slot)];
  found = std::move(others);
  return result;
}

/// One level. Loops whose values are used after them go by rows where that makes the trace half as long: what uses them has to be a loop,
/// too, and may leave values itself.
std::optional<Changed> rollOnce(const Trace &trace, bool ofAnySizes, std::vector<Repetition> &found, int most = 4) {
  Level plain(trace, ofAnySizes, found);
  auto result = plain.run();
  if (auto full = result ? plain.completed() : std::nullopt)
    if (auto shorter = rollCompleted(*full, ofAnySizes, found, result->trace.words.size())) result = std::move(shorter);
  auto rows = most ? plain.withRows() : std::nullopt;
  if (!rows) return result;
  follow(*rows, withoutUnneeded(rows->trace));
  std::vector<Repetition> others;
  auto shorter = rollOnce(rows->trace, ofAnySizes, others, most - 1);
  size_t known = (result ? result->trace : trace).words.size();
  if (!shorter || shorter->trace.words.size() * 2 > known) return result;
  for (Repetition &r : others) r.slot = rows->from[size_t(r.slot)];
  found = std::move(others);
  follow(*rows, std::move(*shorter));
  return rows;
}

bool canRoll(const Trace &trace) {
  constexpr size_t kLeastWords = 3 * kLeastSaved;
  if (trace.isOpen() || trace.words.size() < kLeastWords) return false;
  size_t inputs = 0;
  for (size_t at = 0; at < trace.words.size() && Trace::decode(trace.words, at).op == Op::Input;) ++inputs;
  return int64_t(inputs) == trace.inputs;
}

} // namespace

std::optional<Rolled> roll(const Trace &recorded, std::vector<Repetition> &found) {
  constexpr int kMostLevels = 8;
  if (!canRoll(recorded)) return std::nullopt;
  Changed now = withoutUnneeded(recorded);
  bool isRolled = false;
  for (int level = 0; level < kMostLevels; ++level) {
    std::vector<Repetition> here;
    auto next = rollOnce(now.trace, false, here);
    if (!next) next = rollOnce(now.trace, true, here); // trips of other sizes where there are none of the same
    for (Repetition &r : here) {
      r.slot = now.from[size_t(r.slot)];
      found.push_back(std::move(r));
    }
    if (!next) break;
    isRolled = true;
    follow(now, std::move(*next));
    for (bool ofAnySizes : {false, true})
      if (auto hoisted = hoistNumbers(now.trace, ofAnySizes)) follow(now, std::move(*hoisted));
  }
  if (!isRolled) return std::nullopt;
  follow(now, withoutUnneeded(now.trace));
  return Rolled{std::move(now.trace), std::move(now.from)};
}

std::optional<Trace> openTrips(const Trace &trace) {
  Lines lines(trace);
  std::vector<char> isOpen(trace.types.size());
  bool isAny = false;
  for (size_t p = 0; p < lines.size(); ++p)
    if (lines.ops[p].op == Op::Loop)
      for (int64_t operand : lines.ops[p].operands.subspan(lines.ops[p].results))
        if (int64_t maker = lines.makers[size_t(operand)]; maker >= 0 && lines.ops[size_t(maker)].op == Op::Constant)
          isAny = isOpen[size_t(operand)] = true;
  if (!isAny || !trace.devices.empty()) return std::nullopt;
  Trace open;
  open.bodies = trace.bodies;
  open.symbols = 0;
  for (size_t at = 0, slot = 0; at < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, at);
    if (isOpen[slot]) {
      open.addInput(trace.types[slot++]);
      continue;
    }
    open.inputs += entry.op == Op::Input;
    open.words.insert(open.words.end(), trace.words.begin() + ptrdiff_t(entry.at), trace.words.begin() + ptrdiff_t(at));
    for (size_t i = 0; i < entry.results; ++i) open.types.push_back(trace.types[slot++]);
  }
  open.outputs = trace.outputs;
  open.replaces = trace.replaces;
  open.isFast = trace.isFast;
  return open;
}

} // namespace kiln
