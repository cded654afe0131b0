#include "frontend/tree/Joints.h"

#include "frontend/tree/LoopWriter.h"

#include <algorithm>

namespace kiln {
namespace {

using Ways = LoopOf::Ways;
using WaysPtr = std::shared_ptr<const Ways>;

/// The ways of both from equal pieces on; null where they do otherwise at the same answers.
WaysPtr bothOf(const WaysPtr &a, const WaysPtr &b) {
  if (a == b) return a;
  if (!matches(b->piece, a->piece) || a->next.empty() != b->next.empty()) return nullptr;
  auto both = std::make_shared<Ways>(*a);
  for (auto &[answer, next] : b->next) {
    auto [known, isNew] = both->next.emplace(answer, next);
    if (!isNew && !(known->second = bothOf(known->second, next))) return nullptr;
  }
  return both;
}

/// Cuts ways at a moment.
class Cut {
public:
  explicit Cut(int64_t moment) : moment(moment) {}

  std::optional<Joint> run(const Ways &node) {
    joint.until = node;
    for (auto &[answer, next] : joint.until.next)
      if (!(next = cut(next))) return std::nullopt;
    return std::move(joint);
  }

private:
  int64_t moment;
  Joint joint;
  bool isFirst = true;
  std::vector<Piece> way;

  /// The ways from a node up to the moment; null where one does not come to it, has an answer that is not known, or goes on otherwise.
  WaysPtr cut(const WaysPtr &node) {
    auto made = std::make_shared<Ways>(*node);
    way.push_back(node->piece);
    bool isWell = node->piece.moment == moment ? end(*node) : node->next.size() == 2;
    if (node->piece.moment == moment) made->next.clear();
    for (auto &[answer, next] : made->next) isWell = isWell && (next = cut(next));
    way.pop_back();
    return isWell ? made : nullptr;
  }

  bool end(const Ways &node) {
    std::vector<int32_t> passed;
    for (size_t i = 0; i < node.piece.live.size(); ++i) passed.push_back(through(way, int32_t(i)));
    if (std::exchange(isFirst, false)) joint.liveTypes = node.piece.liveTypes, joint.passed = passed;
    if (node.next.empty() || joint.liveTypes != node.piece.liveTypes) return false;
    for (size_t i = 0; i < passed.size(); ++i)
      if (passed[i] != joint.passed[i]) joint.passed[i] = -1;
    for (auto &[answer, next] : node.next) {
      auto [known, isNew] = joint.behind.next.emplace(answer, next);
      if (!isNew && !(known->second = bothOf(known->second, next))) return false;
    }
    return true;
  }
};

} // namespace

std::optional<Joint> jointOf(const Ways &node) {
  if (node.next.size() != 2) return std::nullopt;
  for (const Ways *first = node.next.begin()->second.get(); !first->next.empty(); first = first->next.begin()->second.get())
    if (first->piece.moment >= 0)
      if (auto joint = Cut(first->piece.moment).run(node)) return joint;
  return std::nullopt;
}

int32_t through(std::span<const Piece> pieces, int32_t number) {
  for (size_t i = pieces.size(); i-- > 0 && number >= 0;) {
    const Source &s = pieces[i].live[size_t(number)];
    number = s.kind == Source::Live ? s.index : -1;
  }
  return number;
}

} // namespace kiln
