#include "lib/Runtime/Fork.h"

#include <array>
#include <pthread.h>

namespace kiln {

/// Never destroyed: threads may use them while the process exits.
static auto &allLocks() {
  static auto *locks = new std::array<std::mutex, size_t(Lock::Count)>;
  return *locks;
}

static void takeAll() {
  for (std::mutex &m : allLocks()) m.lock();
}
static void freeAll() {
  for (std::mutex &m : allLocks()) m.unlock();
}

std::mutex &lockOf(Lock lock) {
  static const int once = pthread_atfork(takeAll, freeAll, freeAll);
  (void)once;
  return allLocks()[size_t(lock)];
}

} // namespace kiln
