#include "lib/Library/Threads.h"

#include "lib/Library/Processors.h"

#include <atomic>
#include <chrono>
#include <gtest/gtest.h>
#include <sched.h>
#include <thread>

using namespace kiln;

namespace {

/// What a loop knows of the threads that share it.
struct Shared {
  std::thread::id caller = std::this_thread::get_id();
  int processor = sched_getcpu(); // of the caller
  std::atomic<int> sum = 0, others = 0, beside = 0;

  static void task(void *context, void *, int64_t from, int64_t to) {
    auto &shared = *static_cast<Shared *>(context);
    for (int64_t i = from; i < to; ++i) shared.sum += int(i);
    cpu_set_t mine;
    if (std::this_thread::get_id() != shared.caller && sched_getaffinity(0, sizeof mine, &mine) == 0) {
      ++shared.others;
      shared.beside += !CPU_ISSET(size_t(shared.processor), &mine);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200)); // so that others come
  }
};

TEST(Threads, WakeBesideTheCaller) {
  int processors = usableProcessors();
  if (processors < 2 || processors > 9) GTEST_SKIP() << "few processors, and not one"; // a pool of other tests may have them all
  setThreadCount(2);
  int rounds = 0, apart = 0;
  for (int i = 0; i < 50; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1)); // workers sleep
    Shared shared;
    parallelFor(Shared::task, &shared, nullptr, 0, 8, 1);
    EXPECT_EQ(shared.sum, 28);
    rounds += shared.others > 0;
    apart += shared.others > 0 && shared.beside == shared.others;
  }
  EXPECT_GT(rounds, 25);
  EXPECT_GT(apart, rounds * 3 / 4); // the caller may have moved just then
  setThreadCount(0);
}

/// Who calls on one processor alone leaves the workers theirs.
TEST(Threads, StayWhereTheCallerHasOneProcessor) {
  cpu_set_t all, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
  CPU_ZERO(&one);
  CPU_SET(size_t(sched_getcpu()), &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  setThreadCount(2);
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    Shared shared;
    parallelFor(Shared::task, &shared, nullptr, 0, 8, 1);
    EXPECT_EQ(shared.sum, 28);
  }
  setThreadCount(0);
  EXPECT_EQ(sched_setaffinity(0, sizeof all, &all), 0);
}

} // namespace
