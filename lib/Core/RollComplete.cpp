#include "lib/Core/RollComplete.h"

#include <algorithm>
#include <unordered_map>

namespace kiln {
namespace {

/// A line of a trip behind a run: one that is there, or an operation that is not, like the line before it.
struct Step {
  size_t line;
  bool isThere;
  std::vector<int64_t> operands; // slots; -1 - n: the result of step n, which is not there
  std::vector<int64_t> words;
};

/// Goes on with the trips of a run, line by line.
class Trips {
public:
  Trips(const Lines &lines, const Run &run)
      : lines(lines), run(run), slotsOfTrip(lines.slots[run.at(1)] - lines.slots[run.first]),
        lastTrip(lines.slots[run.end() - run.period]) {
    for (size_t p = run.end() - run.period; p < run.end(); ++p)
      before.push_back({p, true, asVector(lines.ops[p].operands), asVector(lines.ops[p].words)});
  }

  /// Up to where the next line is none of theirs; none where nothing lacks, or too much does.
  std::vector<Step> behind() {
    size_t lacking = 0, next = run.end(), most = run.period / 2;
    for (size_t k = 0; k < 2 * run.period; ++k) {
      auto step = stepLike(k, next);
      if (!step || (!step->isThere && ++lacking > most)) break;
      if (step->isThere) ++next;
      add(k, std::move(*step));
    }
    std::vector<Step> steps(before.begin() + ptrdiff_t(run.period), before.end());
    constexpr size_t kLeastShare = 4; // of a trip
    return lacking && steps.size() >= run.period / kLeastShare ? steps : std::vector<Step>();
  }

private:
  const Lines &lines;
  const Run &run;
  const int64_t slotsOfTrip, lastTrip;            // the first slot of the last trip
  std::vector<Step> before;                       // the last trip, and what followed so far
  std::unordered_map<int64_t, int64_t> following; // by value, that of the trip behind

  static std::vector<int64_t> asVector(std::span<const int64_t> list) { return {list.begin(), list.end()}; }
  int64_t valueOf(size_t step) const { return before[step].isThere ? lines.slots[before[step].line] : -1 - int64_t(step); }

  std::optional<int64_t> nextOf(int64_t value) const {
    if (value >= lines.slots[run.first] && value < lastTrip) return value + slotsOfTrip;
    auto found = following.find(value);
    return found == following.end() ? std::nullopt : std::optional(found->second);
  }

  /// The step a trip behind step `k`: the line `next`, where that is it.
  std::optional<Step> stepLike(size_t k, size_t next) const {
    size_t like = run.end() - run.period + k % run.period;
    auto same = lines.relate(like, run.period);
    if (!same) return std::nullopt;
    Step step{like, false, before[k].operands, {}};
    for (size_t i = 0; i < step.operands.size(); ++i) {
      if (*same >> i & 1) continue;
      auto operand = nextOf(step.operands[i]);
      if (!operand) return std::nullopt;
      step.operands[i] = *operand;
    }
    if (next < lines.size() && lines.isLike(like, next) && std::ranges::equal(lines.ops[next].operands, step.operands))
      return Step{next, true, step.operands, asVector(lines.ops[next].words)};
    step.words = wordsBehind(k);
    return canAdd(step) ? std::optional(step) : std::nullopt;
  }

  /// Numbers go on as they did from the trip before.
  std::vector<int64_t> wordsBehind(size_t k) const {
    std::span<const int64_t> older = k < run.period ? lines.ops[run.end() - 2 * run.period + k].words : before[k - run.period].words;
    std::vector<int64_t> words = before[k].words;
    for (size_t i = 0; i < words.size(); ++i) words[i] += words[i] - older[i];
    return words;
  }

  /// Whether an operation may run once more: it has one result, fails on no values, and reads what there is.
  bool canAdd(const Step &step) const {
    const TraceOp &op = lines.ops[step.line];
    Kind kind = info(op.op).kind;
    if (mayFail(kind) || kind == Kind::Control || op.op == Op::Custom || op.results != 1) return false;
    return std::ranges::equal(step.words, op.words) ||
           (op.op == Op::Slice && isInside(step.words, lines.trace.types[size_t(op.operands[0])].shape));
  }
  static bool isInside(std::span<const int64_t> words, const Shape &shape) {
    WordReader reader{words};
    Dims starts = reader.dims(), sizes = reader.dims(), steps = reader.dims();
    for (int i = 0; i < shape.rank; ++i) {
      int64_t last = starts[i] + (sizes[i] - 1) * steps[i];
      if (std::min(starts[i], last) < 0 || std::max(starts[i], last) >= shape[i].number()) return false;
    }
    return true;
  }

  void add(size_t k, Step step) {
    int64_t value = valueOf(k);
    before.push_back(std::move(step));
    int64_t now = valueOf(before.size() - 1);
    for (int64_t i = 0; i < int64_t(lines.ops[before.back().line].results); ++i)
      following[value < 0 ? value : value + i] = now < 0 ? now : now + i;
  }
};

} // namespace

std::optional<Changed> completeTrips(const Lines &lines, std::vector<Run> runs) {
  constexpr size_t kWorth = 500; // lines that are rolled in the time in which one is compiled
  std::ranges::sort(runs, {}, &Run::first);
  std::vector<std::vector<Step>> behind;
  size_t joining = 0;
  for (const Run &run : runs) joining += size_t(std::ranges::count(behind.emplace_back(Trips(lines, run).behind()), true, &Step::isThere));
  if (joining * kWorth < lines.size()) return std::nullopt;
  Rewriter result(lines.trace);
  size_t p = 0;
  auto copyTo = [&](size_t end) {
    for (; p < end; ++p) result.copy(lines.ops[p], lines.slots[p]);
  };
  for (size_t r = 0; r < runs.size(); ++r) {
    if (behind[r].empty() || p > runs[r].end()) continue; // trips of the run before went on
    copyTo(runs[r].end());
    std::vector<int64_t> added(runs[r].period); // by step, what is not there; before these steps is a trip
    for (Step &step : behind[r]) {
      added.push_back(-1);
      int64_t of = lines.slots[step.line];
      if (step.isThere) copyTo(step.line + 1);
      else {
        for (int64_t &x : step.operands) x = x < 0 ? added[size_t(-1 - x)] : result.slots[size_t(x)];
        added.back() = result.apply(lines.ops[step.line].op, step.operands, step.words, lines.trace.types[size_t(of)], of);
      }
    }
  }
  copyTo(lines.size());
  return result.finish();
}

} // namespace kiln
