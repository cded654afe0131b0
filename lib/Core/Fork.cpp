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
    makeLibrary();
    pthread_atfork(takeAll, freeInParent, freeInChild);
  }
  void makeLibrary() {
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP); // a fork is not held up for ever
    pthread_rwlock_init(&library, &attributes);
    pthread_rwlockattr_destroy(&attributes);
  }
  void freeExclusive() {
    for (std::mutex &m : exclusive) m.unlock();
  }
  static void takeAll();
  static void freeInParent();
  static void freeInChild();
};

Locks &allLocks() {
  static auto *locks = new Locks;
  return *locks;
}

void Locks::takeAll() {
  pthread_rwlock_wrlock(&allLocks().library);
  for (std::mutex &m : allLocks().exclusive) m.lock();
}
void Locks::freeInParent() {
  allLocks().freeExclusive();
  pthread_rwlock_unlock(&allLocks().library);
}
void Locks::freeInChild() {
  allLocks().freeExclusive();
  allLocks().makeLibrary(); // unlocking asks for the thread that has locked it, which has another number here
}

} // namespace

std::mutex &lockOf(Lock lock) { return allLocks().exclusive[size_t(lock)]; }

InsideLibrary::InsideLibrary() { pthread_rwlock_rdlock(&allLocks().library); }
InsideLibrary::~InsideLibrary() { pthread_rwlock_unlock(&allLocks().library); }

} // namespace kiln
