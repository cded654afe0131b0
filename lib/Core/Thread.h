// Starting threads, and waiting for what they do.
#pragma once

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <system_error>
#include <thread>
#include <utility>

namespace kiln {

/// A thread that no signal reaches: those of the host program are for its own threads. Not joinable where the system has none to give.
template <typename Body> std::thread startThread(Body &&body) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  std::thread started;
  try {
    started = std::thread(std::forward<Body>(body));
  } catch (const std::system_error &) {} // as promised
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

/// Waits until `isReady` holds. The wait without a limit is in GCC 12's C++ library alone, which the systems of the wheel may lack.
template <typename Ready> void waitUntil(std::condition_variable &changed, std::unique_lock<std::mutex> &lock, const Ready &isReady) {
  while (!isReady()) changed.wait_for(lock, std::chrono::hours(1));
}

} // namespace kiln
