// What is known of one function: the trees of its keys, the code that they share, and when code is asked for.
#pragma once

#include "frontend/tree/Runner.h"
#include "frontend/tree/Sharing.h"

#include <set>

namespace kiln {

/// Code is compiled behind the program's back, or waited for, or functions run as they are written.
enum class JitMode : uint8_t { Auto, Sync, Off };

class Function {
public:
  virtual ~Function() = default;
  int64_t calls = 0, hits = 0, misses = 0, compiles = 0, cacheHits = 0;

  const std::vector<std::shared_ptr<Tree>> &trees() const { return all; }
  /// The tree that ran last; null for none.
  Tree *last() const { return lastUsed < all.size() ? all[lastUsed].get() : nullptr; }
  /// The tree that `fits` says yes to, the one that ran last before the others.
  template <typename Fits> std::shared_ptr<Tree> find(const Fits &fits) {
    if (lastUsed < all.size())
      if (auto tree = all[lastUsed]; fits(*tree)) return tree;
    for (size_t i = 0; i < all.size(); ++i)
      if (auto tree = all[i]; i != lastUsed && fits(*tree)) return lastUsed = i, tree;
    return nullptr;
  }
  /// Room for another tree: one that runs in eager, or whose code others share, is made again quickly. False where there is none.
  bool makeRoom();
  /// Whether to record a call of a new key: where others have to make room for it, and such calls hardly ever come back, now and then
  /// alone.
  bool paysToRecord();
  /// Adds a tree; what there is to say of how many there are, or nothing.
  std::string add(std::shared_ptr<Tree> tree);
  /// Drops a tree in whose place there is another one; calls that run in it keep it.
  void remove(const Tree &tree) {
    std::erase_if(all, [&](auto &t) { return t.get() == &tree; });
    lastUsed = 0;
  }
  /// Gives a step of a recorded tree its code, of its own or of earlier ones, and looks for it in the cache. `allowed` and `probe` as in
  /// Sharing.
  void chooseCode(Dynamic dynamic, const OpenAxes &allowed, const Tree &tree, Step &step, const Sharing::Probe &probe);
  /// Moves a step to its code where that is there, or starts to get it, at once where a run takes long; why there will be none, or nothing.
  /// Throws Error (compile) where code is waited for and fails.
  std::string advance(Step &step, JitMode mode, bool isLong);
  /// Whether a step has its code, which it takes over where that has become ready.
  bool adoptCode(Step &step);
  /// Drops all trees; calls that run keep theirs.
  void forget();

protected:
  /// A step of the function is the first of it that runs some code: compiled for it, or found in the cache.
  virtual void codeIsThere(const Step &, bool /*isCompiled*/) {}
  /// Where the slots of a step stand in the program; empty where functions of code get no names.
  virtual std::vector<SourcePlace> placesOf(const Step &) { return {}; }

private:
  std::vector<std::shared_ptr<Tree>> all;
  size_t lastUsed = 0;
  Sharing sharing;
  std::optional<std::pair<int64_t, int64_t>> crowded; // hits and misses when there was no room any more
  std::set<const Code *> counted;                     // among `compiles` and `cacheHits`
};

} // namespace kiln
