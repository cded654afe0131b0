#include "lib/Library/Threads.h"

#include "lib/Core/Error.h"
#include "lib/Core/Host.h"
#include "lib/Core/Thread.h"
#include "lib/Library/Processors.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <pthread.h>
#include <sched.h>
#include <string>
#include <thread>
#include <vector>

namespace kiln {
namespace {

int defaultThreads() {
  const char *text = std::getenv("KILN_NUM_THREADS");
  if (!text || !*text) return usableProcessors();
  char *end = nullptr;
  long wanted = std::strtol(text, &end, 10);
  if (*end || wanted < 1 || wanted > 1024)
    fail(ErrorKind::Value, "KILN_NUM_THREADS", "threads", "1 to 1024", std::string("'") + text + "'");
  return int(wanted);
}

std::atomic<int> chosenThreads = 0; // 0: not known yet

/// Memory of a worker for one task after the other.
void *workerScratch(size_t bytes) {
  struct Block {
    void *memory = nullptr;
    size_t size = 0;
    ~Block() { std::free(memory); }
  };
  thread_local Block block;
  if (block.size < bytes) {
    std::free(block.memory);
    block.size = (bytes + 4095) / 4096 * 4096;
    block.memory = std::aligned_alloc(4096, block.size);
    if (!block.memory) block.size = 0;
  }
  return block.memory;
}

thread_local Interruptible *interruptible = nullptr;
constexpr int64_t kPollNanoseconds = 20'000'000;

/// Of a clock that loops may ask at each trip: where there is one of the kernel's ticks, it costs a tenth of the exact one.
int64_t nanoseconds() {
#ifdef CLOCK_MONOTONIC_COARSE
  timespec now;
  if (clock_gettime(CLOCK_MONOTONIC_COARSE, &now) == 0) return now.tv_sec * 1'000'000'000 + now.tv_nsec;
#endif
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

thread_local bool isSharing = false; // this thread is inside a parallel-for

/// One loop at a time; its iterations are taken from a counter, so that a slow or absent thread costs one task at most.
class Pool {
public:
  /// False where another caller holds the pool.
  bool run(kiln_task task, void *context, void *scratch, int64_t scratchBytes, int64_t count, int64_t grain, int wanted) {
    if (!caller.try_lock()) return false;
    std::lock_guard lock(caller, std::adopt_lock);
    grow(wanted - 1);
    bool wakes;
    {
      std::lock_guard state(mutex);
      job = {task, context, scratchBytes, count, grain};
      next.store(0, std::memory_order_relaxed);
      places = std::min(wanted - 1, int(threads.size()));
      ++round;
      signal.store(round, std::memory_order_release);
      wakes = asleep > 0;
    }
    if (wakes) keepApart(), wake.notify_all();
    take(job, scratch, /*isCaller=*/true);
    // Workers that have not come by now need not come; those that have must leave.
    std::unique_lock state(mutex);
    places = 0;
    if (inside == 0) return true;
    state.unlock();
    for (int spin = 0; spin < kSpins; ++spin) {
      if (insideCount.load(std::memory_order_acquire) == 0) break;
      relax();
    }
    state.lock();
    waitUntil(left, state, [&] { return inside == 0; });
    return true;
  }

private:
  struct Job {
    kiln_task task;
    void *context;
    int64_t scratchBytes, count, grain;
  };
  static constexpr int kSpins = 4000; // some 50 microseconds: what follows a loop is often a loop

  std::mutex caller, mutex;
  std::condition_variable wake, left;
  Job job{};
  std::atomic<int64_t> next = 0;
  std::atomic<uint64_t> signal = 0;
  std::atomic<int> insideCount = 0;
  uint64_t round = 0;
  int places = 0, inside = 0, asleep = 0;
  std::vector<pthread_t> threads; // of the workers, by which `apartFrom` was the caller's processor
  int apartFrom = -1;

  void take(const Job &mine, void *scratch, bool isCaller = false) {
    for (int64_t from; (from = next.fetch_add(mine.grain, std::memory_order_relaxed)) < mine.count;) {
      if (isCaller && Interruptible::stops()) next.store(mine.count, std::memory_order_relaxed);
      else mine.task(mine.context, scratch, from, std::min(from + mine.grain, mine.count));
    }
  }

  /// Fewer share the work where the system has no more threads.
  void grow(int wanted) {
    while (int(threads.size()) < wanted) {
      std::thread started = startThread([this] { work(); });
      if (!started.joinable()) return;
      threads.push_back(started.native_handle());
      apartFrom = -1;
      started.detach();
    }
  }

  /// Workers wake beside the caller, not to take turns with it: a virtual machine takes a processor that has been idle for some time for
  /// one that others use, and puts who wakes on the caller's, for some milliseconds. Among many processors that is rare, and to say so
  /// costs more.
  void keepApart() {
    constexpr size_t kFew = 8;
    int here = sched_getcpu();
    cpu_set_t others;
    if (here == apartFrom || here < 0 || threads.size() > kFew || sched_getaffinity(0, sizeof others, &others)) return;
    apartFrom = here;
    CPU_CLR(here, &others);
    if (CPU_COUNT(&others) == 0) return;
    for (pthread_t worker : threads) pthread_setaffinity_np(worker, sizeof others, &others);
  }

  void work() {
    isSharing = true;
    for (uint64_t seen = 0;;) {
      for (int spin = 0; spin < kSpins && signal.load(std::memory_order_acquire) == seen; ++spin) relax();
      std::unique_lock state(mutex);
      ++asleep;
      waitUntil(wake, state, [&] { return round != seen; });
      --asleep;
      seen = round;
      if (places == 0) continue;
      --places;
      insideCount.store(++inside, std::memory_order_release);
      Job mine = job;
      state.unlock();
      void *scratch = mine.scratchBytes ? workerScratch(size_t(mine.scratchBytes)) : nullptr;
      if (scratch || !mine.scratchBytes) take(mine, scratch); // without memory, the others do it
      state.lock();
      insideCount.store(--inside, std::memory_order_release);
      if (inside == 0) left.notify_one();
    }
  }
};

/// Never destroyed: threads may wait in it when the process exits. A child of a fork has none of its threads, and gets a new one.
std::atomic<Pool *> pool = nullptr;

Pool &thePool() {
  static const int once = (pool = new Pool, pthread_atfork(nullptr, nullptr, [] { pool = new Pool; }));
  (void)once;
  return *pool;
}

} // namespace

Interruptible::Interruptible(bool (*poll)()) : poll(poll), outer(interruptible), next(nanoseconds() + kPollNanoseconds) {
  interruptible = this;
}
Interruptible::~Interruptible() { interruptible = outer; }

bool Interruptible::stops() {
  Interruptible *mine = interruptible;
  if (!mine || mine->committed) return false;
  if (mine->stopped) return true;
  int64_t now = nanoseconds();
  if (now < mine->next) return false;
  mine->next = now + kPollNanoseconds;
  return mine->stopped = mine->poll();
}

bool Interruptible::commits() {
  bool isStopped = stops();
  if (interruptible) interruptible->committed = !isStopped;
  return isStopped;
}

int threadCount() {
  int count = chosenThreads.load(std::memory_order_relaxed);
  if (count == 0) chosenThreads = count = defaultThreads();
  return count;
}

void setThreadCount(int count) {
  if (count < 0 || count > 1024)
    fail(ErrorKind::Value, "set_num_threads", "threads", "1 to 1024, or 0 for the machine's", std::to_string(count));
  chosenThreads = count ? count : defaultThreads();
}

void parallelFor(kiln_task task, void *context, void *scratch, int64_t scratchBytes, int64_t count, int64_t grain) {
  grain = std::max<int64_t>(grain, 1);
  int threads = int(std::min<int64_t>(threadCount(), (count + grain - 1) / grain));
  if (threads > 1 && !isSharing) {
    isSharing = true;
    bool isDone = thePool().run(task, context, scratch, scratchBytes, count, grain, threads);
    isSharing = false;
    if (isDone) return;
  }
  if (!interruptible && count > 0) return task(context, scratch, 0, count);
  for (int64_t from = 0; from < count && !Interruptible::stops(); from += grain)
    task(context, scratch, from, std::min(from + grain, count));
}

} // namespace kiln
