#include "lib/Core/Fork.h"

#include <array>
#include <pthread.h>

namespace kiln {
namespace {

/// Never destroyed: threads may use them while the process exits.
struct Locks {
  std::array<std::mutex, size_t(Lock::Count)> exclusive;
  pthread_rwlock_t library;

  Locks() {
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP); // a fork is not held up for ever
    pthread_rwlock_init(&library, &attributes);
    pthread_rwlockattr_destroy(&attributes);
    pthread_atfork(takeAll, freeAll, freeAll);
  }
  static void takeAll();
  static void freeAll();
};

Locks &allLocks() {
  static auto *locks = new Locks;
  return *locks;
}

void Locks::takeAll() {
  pthread_rwlock_wrlock(&allLocks().library);
  for (std::mutex &m : allLocks().exclusive) m.lock();
}
void Locks::freeAll() {
  for (std::mutex &m : allLocks().exclusive) m.unlock();
  pthread_rwlock_unlock(&allLocks().library);
}

} // namespace

std::mutex &lockOf(Lock lock) { return allLocks().exclusive[size_t(lock)]; }

InsideLibrary::InsideLibrary() { pthread_rwlock_rdlock(&allLocks().library); }
InsideLibrary::~InsideLibrary() { pthread_rwlock_unlock(&allLocks().library); }

} // namespace kiln
