#include "lib/Core/Fork.h"

#include <array>
#include <atomic>
#include <chrono>
#include <new>
#include <pthread.h>
#include <thread>

namespace kiln {
namespace {

/// Never destroyed: threads may use them while the process exits.
struct Locks {
  std::array<std::mutex, size_t(Lock::Count)> exclusive;
  pthread_rwlock_t library;
  bool hasCompiler = true; // of the fork under way: Lock::Compiler is among what it has taken
  std::atomic<bool> compilerIsLost = false;

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
  void takeExclusive();
  void freeExclusive() {
    for (size_t i = 0; i < exclusive.size(); ++i)
      if (i != size_t(Lock::Compiler) || hasCompiler) exclusive[i].unlock();
  }
  static void takeAll();
  static void freeInParent();
  static void freeInChild();
};

Locks &allLocks() {
  static auto *locks = new Locks;
  return *locks;
}

void Locks::takeExclusive() {
  static_assert(size_t(Lock::Compiler) == 0);
  constexpr auto kLongest = std::chrono::milliseconds(100), kBetween = std::chrono::milliseconds(1);
  auto end = std::chrono::steady_clock::now() + kLongest;
  while (!(hasCompiler = exclusive[0].try_lock()) && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(kBetween);
  for (size_t i = 1; i < exclusive.size(); ++i) exclusive[i].lock();
}

void Locks::takeAll() {
  pthread_rwlock_wrlock(&allLocks().library);
  allLocks().takeExclusive();
}
void Locks::freeInParent() {
  allLocks().freeExclusive();
  pthread_rwlock_unlock(&allLocks().library);
}
void Locks::freeInChild() {
  Locks &locks = allLocks();
  locks.freeExclusive();
  if (!locks.hasCompiler) { // a thread that does not exist here holds it
    new (&locks.exclusive[size_t(Lock::Compiler)]) std::mutex;
    locks.compilerIsLost = true;
  }
  allLocks().makeLibrary(); // unlocking asks for the thread that has locked it, which has another number here
}

} // namespace

bool compilerWasLost() { return allLocks().compilerIsLost; }
std::mutex &lockOf(Lock lock) { return allLocks().exclusive[size_t(lock)]; }

InsideLibrary::InsideLibrary() { pthread_rwlock_rdlock(&allLocks().library); }
InsideLibrary::~InsideLibrary() { pthread_rwlock_unlock(&allLocks().library); }

} // namespace kiln
