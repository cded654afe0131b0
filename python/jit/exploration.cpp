#include "exploration.h"

#include "frontend/tree/Folding.h"

#include <algorithm>

namespace kiln::py {

std::vector<Exploration::Question> Exploration::questionsOf(std::span<const Piece> pieces) const {
  std::vector<Question> questions;
  for (const Piece &p : pieces) {
    bool isToFlip = p.askedType == DType::Bool && flips != Flips::None && (flips == Flips::All || !p.isOfNumbers);
    questions.push_back({isToFlip ? p.question : -1, p.value});
  }
  return questions;
}

static double secondsOf(const Tree &tree, std::span<const Exploration::Question> asked) {
  double seconds = 0;
  const Node *node = &tree.root();
  for (size_t i = 0; node->step; ++i) {
    if (!node->step->loop) seconds += node->step->segment.seconds; // of how many trips is not known
    auto child =
        i < asked.size() ? std::ranges::find(node->children, asked[i].answer, [](auto &c) { return c.first; }) : node->children.end();
    if (child == node->children.end()) break;
    node = child->second;
  }
  return seconds;
}

/// Whether a call may be told other answers from a question on.
bool Exploration::mayFlip(const Run &run, int64_t question) const {
  constexpr size_t kMostRuns = 64, kMostFlips = 6;
  constexpr double kMostSeconds = 10;                                  // as the cost model has it: an export is the same on every machine
  bool isBehind = run.flips.empty() || question > *run.flips.rbegin(); // else it is told another answer before
  return isBehind && run.flips.size() < kMostFlips && runs.size() < count + kMostRuns && spent <= kMostSeconds;
}
void Exploration::flip(const Run &run, int64_t question) {
  Run next = run;
  next.flips.insert(question), next.isNew = false;
  bool isKnown = std::ranges::any_of(runs, [&](const Run &r) { return r.example == next.example && r.flips == next.flips; });
  if (!isKnown) runs.push_back(std::move(next));
}

void Exploration::findOpen(const Tree &tree, const Run &run, std::span<const Question> asked) {
  constexpr size_t kMostQuestions = 24;
  spent += secondsOf(tree, asked);
  const Node *node = &tree.root();
  for (const Question &q : asked.first(std::min(asked.size(), kMostQuestions))) {
    auto answered = [&](const std::string &value) { return std::ranges::find(node->children, value, [](auto &c) { return c.first; }); };
    if (q.number >= 0 && q.answer.size() == 1 && mayFlip(run, q.number)) {
      std::string other(1, char(!q.answer[0]));
      if (answered(other) == node->children.end() && tried.emplace(node, other).second) flip(run, q.number);
    }
    auto child = answered(q.answer);
    if (child == node->children.end()) return;
    node = child->second;
  }
}

void Exploration::findOneSided(const Run &run, const std::vector<Recorder::Answered> &answered) {
  std::set<std::pair<void *, int32_t>> met;
  std::vector<size_t> first; // of each place, in their order
  for (size_t i = 0; i < answered.size(); ++i) {
    const Recorder::Answered &a = answered[i];
    if (!a.isTruth() || flips == Flips::None || (flips == Flips::OfArrays && a.isOfNumbers)) continue;
    told[{a.at.code, a.at.instruction}].insert(a.bits);
    if (mayFlip(run, int64_t(i)) && met.emplace(a.at.code, a.at.instruction).second) first.push_back(i);
  }
  for (size_t i : first)
    if (told[{answered[i].at.code, answered[i].at.instruction}].size() == 1) flip(run, int64_t(i));
}

} // namespace kiln::py
