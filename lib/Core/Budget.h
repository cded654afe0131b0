// What one compilation may use, and whether it is still wanted. Passes and emitters ask between functions; whoever finds that it is used up
// ends its work with an error, and the program runs without optimized code.
#pragma once

#include "lib/Core/Error.h"

#include <cstdint>
#include <cstdio>
#include <ctime>

namespace kiln {

/// Of the compilation of this thread while it lives.
class Budget {
public:
  /// `cancel` may be null; so many seconds of the thread's own time.
  Budget(const int32_t *cancel, double seconds) : cancel(cancel), start(now()), seconds(seconds), outer(current) { current = this; }
  ~Budget() { current = outer; }
  Budget(const Budget &) = delete;

  /// Takes note of operations made; they are what takes memory.
  static void spend(int64_t operations) {
    if (current) current->operations += operations;
  }
  /// `share` of the time: of stages before the longest, which is code generation.
  static bool isUsedUp(double share = 1) {
    return current && (current->isOver = current->isOver || current->isCancelled() || current->isLate(share) || current->isLarge());
  }
  /// For people, and only once it is used up.
  static std::string why() {
    if (current->isCancelled()) return "the program is not wanted any more";
    if (current->isLarge())
      return "the program is too large: expected at most " + std::to_string(kMostOperations) + " operations of machine code";
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%g", current->seconds);
    return std::string("the program is too large: expected at most ") + seconds + " seconds to compile it";
  }
  /// Throws Declined where it is used up.
  static void check() {
    if (isUsedUp()) throw Declined(why());
  }

private:
  static constexpr int64_t kMostOperations = 4 << 20; // some GB of IR
  const int32_t *cancel;
  double start, seconds;
  int64_t operations = 0;
  bool isOver = false; // from the first time that somebody gave up
  Budget *outer;
  static inline thread_local Budget *current = nullptr;

  bool isCancelled() const { return cancel && __atomic_load_n(cancel, __ATOMIC_RELAXED); }
  bool isLarge() const { return operations > kMostOperations; }
  bool isLate(double share) const { return seconds > 0 && now() - start > share * seconds; }
  static double now() {
    timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return double(t.tv_sec) + double(t.tv_nsec) * 1e-9;
  }
};

} // namespace kiln
