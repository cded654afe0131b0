#include "frontend/tree/Function.h"

#include "frontend/Ops.h"

#include <algorithm>

namespace kiln {

// Numbers are part of a key, so a program that counts would compile without end.
constexpr size_t kManyVariants = 32, kMostVariants = 256;

// Code is asked for when a recording is called again.
constexpr int64_t kReplays = 2;

/// Whether a tree is made again quickly.
static bool isCheap(const Tree &tree) {
  return tree.isEager() || std::ranges::all_of(tree.steps, [](auto &s) { return s->segment.isOpen(); });
}

bool Function::makeRoom() {
  if (all.size() < kMostVariants) return true;
  auto oldest = std::ranges::find_if(all, [](auto &t) { return isCheap(*t); });
  if (oldest == all.end()) return false;
  auto dropped = std::move(*oldest); // outlives the change of the list: dropping it may run code of the user
  all.erase(oldest);
  return true;
}

bool Function::paysToRecord() {
  constexpr int64_t kTried = kMostVariants, kOften = 4, kNowAndThen = 16, kForget = 1024;
  if (all.size() < kMostVariants) return true;
  if (!crowded) crowded = {hits, misses};
  int64_t again = hits - crowded->first, anew = misses - crowded->second;
  if (anew >= kForget) crowded = {hits - again / 2, misses - anew / 2}; // what calls were like long ago counts for less
  return anew < kTried || again * kOften >= anew || anew % kNowAndThen == 0;
}

std::string Function::add(std::shared_ptr<Tree> tree) {
  all.push_back(std::move(tree));
  lastUsed = all.size() - 1;
  size_t n = size_t(std::ranges::count_if(all, [](auto &t) { return t->isEager() || !isCheap(*t); }));
  if ((isCheap(*all.back()) && !all.back()->isEager()) || (n != kManyVariants && n != kMostVariants)) return "";
  return std::to_string(n) + " variants are recorded, one for each combination of shapes and numbers" +
         (n < kMostVariants ? ": pass numbers that change as arrays" : "; further ones run in eager: pass numbers that change as arrays");
}

void Function::chooseCode(Dynamic dynamic, const OpenAxes &allowed, const Tree &own, Step &step, const Sharing::Probe &probe) {
  constexpr size_t kMost = 16; // are compared, from the last one on
  std::vector<Segment *> earlier;
  auto addFrom = [&](const Tree &tree) {
    for (auto other = tree.steps.rbegin(); other != tree.steps.rend() && earlier.size() < kMost; ++other)
      if (other->get() != &step && (*other)->segment.code) earlier.push_back(&(*other)->segment);
  };
  addFrom(own);
  for (auto tree = all.rbegin(); tree != all.rend(); ++tree)
    if (tree->get() != &own) addFrom(**tree);
  std::ranges::reverse(earlier);
  auto keep = all; // other threads may drop trees meanwhile
  Segment &segment = step.segment;
  sharing.choose(dynamic, allowed, segment, earlier, probe);
  if (!segment.code || segment.code->state != Code::Recorded) return;
  if (segment.code->places.empty()) segment.code->places = placesOf(step);
  findCode(*segment.code);
}

/// Waits for code; other threads of the host run meanwhile, and signals are let through.
static void waitFor(const std::shared_ptr<Code> &code) {
  struct Released {
    LongWork &host = longWork();
    void *state = host.begin ? host.begin() : nullptr;
    ~Released() { take(); }
    void take() {
      if (host.end) host.end(state);
    }
    void check() {
      take();
      struct Again {
        Released &released;
        ~Again() { released.state = released.host.begin(); }
      } again{*this};
      host.check();
    }
  } released;
  std::function<void()> check;
  if (released.host.begin && released.host.check) check = [&] { released.check(); };
  try {
    compileNow(code, check);
  } catch (const Declined &) {} // the reason is in the code
}

std::string Function::advance(Step &step, JitMode mode, bool isLong) {
  Segment &segment = step.segment;
  if (!segment.code || segment.executable) return "";
  auto code = segment.code;
  bool isDeclined = code->state == Code::Failed && code->isDeclined;
  if (mode == JitMode::Sync && code->state != Code::Ready && !isDeclined) waitFor(code);
  bool hasFixedSizes = segment.device && segment.isOpen() && code->state == Code::Failed && code->isDeclined;
  if (hasFixedSizes) { // the compiler for the device has no code for any size
    segment.takeOwnCode();
    return advance(step, mode, isLong);
  }
  if (!adoptCode(step) && (++code->replays >= kReplays || isLong)) compileLater(code);
  if (code->state != Code::Failed) return "";
  return code->error + " (calls run operation by operation, without optimized code)";
}

bool Function::adoptCode(Step &step) {
  Segment &segment = step.segment;
  if (!segment.adoptCode()) return false;
  if (segment.code && counted.insert(segment.code.get()).second) {
    bool isNew = !std::exchange(segment.code->isCounted, true) && !segment.code->result.fromCache;
    ++(isNew ? compiles : cacheHits);
    codeIsThere(step, isNew);
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
