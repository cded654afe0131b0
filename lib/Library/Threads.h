// The threads that programs share their loops between.
#pragma once

#include "include/kiln/executable.h"

namespace kiln {

/// How many threads a loop is shared between at most; 1 shares nothing. The first call throws Error (value) for an environment
/// variable KILN_NUM_THREADS that is no number of threads.
int threadCount();
/// Sets it; 0 goes back to what the machine has. Throws Error (value) for a negative one, or above 1024.
void setThreadCount(int count);

/// The runtime's parallel-for: see kiln_rt.
void parallelFor(kiln_task task, void *context, void *scratch, int64_t scratchBytes, int64_t count, int64_t grain);

/// While one lives, loops that its thread starts ask `poll` some 50 times a second whether to stop. Once it has said so they end at
/// once, wherever they are, and what they have written is of no use.
class Interruptible {
public:
  explicit Interruptible(bool (*poll)());
  ~Interruptible();
  Interruptible(const Interruptible &) = delete;
  /// Whether this thread's loops have been told to stop; asks if it is time to.
  static bool stops();
  /// Asks for the last time: what follows writes where others look, and is not stopped.
  static bool commits();
  bool isStopped() const { return stopped; }

private:
  bool (*poll)();
  Interruptible *outer;
  bool stopped = false, committed = false;
  int64_t next; // when to ask again
};

} // namespace kiln
