// Waiting for a condition variable.
#pragma once

#include <chrono>
#include <condition_variable>

namespace kiln {

/// Waits until `isReady` holds. The wait without a limit is in GCC 12's C++ library alone, which the systems of the wheel may lack.
template <typename Ready> void waitUntil(std::condition_variable &changed, std::unique_lock<std::mutex> &lock, const Ready &isReady) {
  while (!isReady()) changed.wait_for(lock, std::chrono::hours(1));
}

} // namespace kiln
