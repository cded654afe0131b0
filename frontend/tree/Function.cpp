#include "frontend/tree/Function.h"

#include "frontend/Ops.h"

#include <algorithm>

namespace kiln {

// Numbers are part of a key, so a program that counts would compile without end.
constexpr size_t kManyVariants = 32, kMostVariants = 256;

// Code is asked for when a recording is called again.
constexpr int64_t kReplays = 2;

bool Function::makeRoom() {
  if (all.size() < kMostVariants) return true;
  auto oldest = std::ranges::find_if(all, [](auto &t) { return t->isEager() || t->root.segment.isOpen(); });
  if (oldest == all.end()) return false;
  auto dropped = std::move(*oldest); // outlives the change of the list: dropping it may run code of the user
  all.erase(oldest);
  return true;
}

std::string Function::add(std::shared_ptr<Tree> tree) {
  all.push_back(std::move(tree));
  lastUsed = all.size() - 1;
  size_t n = size_t(std::ranges::count_if(all, [](auto &t) { return !t->root.segment.isOpen(); }));
  if (all.back()->root.segment.isOpen() || (n != kManyVariants && n != kMostVariants)) return "";
  return std::to_string(n) + " variants are recorded, one for each combination of shapes and numbers" +
         (n < kMostVariants ? ": pass numbers that change as arrays" : "; further ones run in eager: pass numbers that change as arrays");
}

void Function::chooseCode(Dynamic dynamic, const OpenAxes &allowed, Tree &tree, const Sharing::Probe &probe) {
  auto earlier = all; // other threads may add to them meanwhile
  std::vector<Segment *> segments;
  for (auto &t : earlier)
    if (!t->isEager()) segments.push_back(&t->root.segment);
  Segment &segment = tree.root.segment;
  sharing.choose(dynamic, allowed, segment, segments, probe);
  if (segment.code && segment.code->state == Code::Recorded) findCode(*segment.code);
}

/// Waits for code; other threads of the host run meanwhile.
static void waitFor(const std::shared_ptr<Code> &code) {
  struct Released {
    void *state = longWork().begin ? longWork().begin() : nullptr;
    ~Released() {
      if (longWork().end) longWork().end(state);
    }
  } released;
  try {
    compileNow(code);
  } catch (const Declined &) {} // the reason is in the code
}

std::string Function::advance(Tree &tree, JitMode mode, bool isLong) {
  Segment &segment = tree.root.segment;
  if (!segment.code || segment.executable || tree.isEager()) return "";
  auto code = segment.code;
  bool isDeclined = code->state == Code::Failed && code->isDeclined;
  if (mode == JitMode::Sync && code->state != Code::Ready && !isDeclined) waitFor(code);
  if (!adoptCode(tree) && (++code->replays >= kReplays || isLong)) compileLater(code);
  if (code->state != Code::Failed) return "";
  return code->error + " (calls run operation by operation, without optimized code)";
}

bool Function::adoptCode(Tree &tree) {
  Segment &segment = tree.root.segment;
  if (!segment.adoptCode()) return false;
  if (segment.code && counted.insert(segment.code.get()).second) {
    bool isNew = !std::exchange(segment.code->isCounted, true) && !segment.code->result.fromCache;
    ++(isNew ? compiles : cacheHits);
  }
  return true;
}

void Function::forget() {
  auto dropped = std::exchange(all, {}); // last: that may run code of the user
  lastUsed = 0;
  sharing = {};
  counted.clear();
}

} // namespace kiln
