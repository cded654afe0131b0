#include "test/targets/simulator/Machine.h"

#include "lib/Core/Error.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <sys/mman.h>
#include <ucontext.h>

namespace simulator {
namespace {

constexpr int64_t kWarp = 32;
constexpr size_t kStackBytes = 128 << 10;

[[noreturn]] void fail(const std::string &kernel, const std::string &what) {
  throw kiln::Error(kiln::ErrorKind::Value, "simulator: " + kernel + ": " + what);
}

//===-- who touched what --------------------------------------------------------------------------------------------===//

/// A thread of the launch at some point between two barriers of its block.
struct Moment {
  int64_t thread = -1, block = 0; // -1: nobody; -2: several threads of the block; -3: threads of several blocks
  int64_t epoch = 0;

  /// Whether it is over before `now` begins.
  bool isBefore(const Moment &now) const {
    if (thread == -1 || thread == now.thread) return true;
    return thread != -3 && block == now.block && epoch < now.epoch;
  }
};

/// What is known of a byte.
struct Byte {
  Moment write, read;

  /// Whether the access may fall together with an earlier one.
  bool races(const Moment &now, bool isWrite) {
    if (!write.isBefore(now) || (isWrite && !read.isBefore(now))) return true;
    if (isWrite) write = now, read = {};
    else if (read.thread == -1 || (read.isBefore(now) && read.block == now.block)) read = now;
    else read = {read.block == now.block ? -2 : -3, now.block, now.epoch};
    return false;
  }
};

/// Memory that kernels may touch.
struct Range {
  char *begin, *end;
  bool isShared = false, isStatus = false; // of a block; the word that any thread may set
  std::vector<Byte> bytes;
};

//===-- threads -----------------------------------------------------------------------------------------------------===//

struct Thread {
  enum State { Ready, Barrier, Shuffle, Done } state = Ready;
  ucontext_t context;
  char *stack = nullptr;
  int32_t site = 0;                    // of the barrier or shuffle in the kernel
  int32_t value = 0, by = 0, mode = 0; // of a shuffle
};

class Launch {
public:
  Launch(const kiln::LaunchPlan::Launch &plan, KernelFunction kernel, const std::vector<void *> &pointers)
      : plan(plan), kernel(kernel), pointers(pointers), threads(size_t(plan.threads)), sharedMemory(size_t(plan.sharedBytes) + 1) {
    stacks = static_cast<char *>(
        mmap(nullptr, threads.size() * kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    if (stacks == MAP_FAILED) fail(plan.kernel, "expected memory for " + std::to_string(threads.size()) + " threads");
    for (size_t i = 0; i < pointers.size(); ++i) {
      char *at = static_cast<char *>(pointers[i]);
      const auto &argument = plan.arguments[i];
      addRange(at + argument.low, at + argument.high, argument.memory == kiln::LaunchPlan::Memory::Status);
    }
    ranges.push_back({sharedMemory.data(), sharedMemory.data() + plan.sharedBytes, true, false, {}});
    for (Range &range : ranges) range.bytes.resize(size_t(range.end - range.begin));
  }
  ~Launch() { munmap(stacks, threads.size() * kStackBytes); }

  void run() {
    for (block = 0; block < plan.blocks; ++block) runBlock();
  }

  // What threads ask for.
  int64_t thread() const { return current; }
  int64_t blockNumber() const { return block; }
  void *shared() { return sharedMemory.data(); }
  void wait(Thread::State state, int32_t site) {
    Thread &mine = threads[size_t(current)];
    mine.state = state, mine.site = site;
    swapcontext(&mine.context, &scheduler);
  }
  int32_t shuffle(int32_t value, int32_t by, int32_t mode, int32_t site) {
    Thread &mine = threads[size_t(current)];
    mine.value = value, mine.by = by, mine.mode = mode;
    wait(Thread::Shuffle, site);
    return mine.value;
  }
  void access(char *at, int64_t bytes, int32_t alignment, bool isWrite) {
    char *stack = threads[size_t(current)].stack; // what lies there is the thread's own
    if (at >= stack && at + bytes <= stack + kStackBytes) return;
    auto range = std::find_if(ranges.begin(), ranges.end(), [&](Range &r) { return at >= r.begin && at + bytes <= r.end; });
    std::string what = std::string(isWrite ? "a write" : "a read") + " of " + std::to_string(bytes) + " bytes by thread " +
                       std::to_string(current) + " of block " + std::to_string(block);
    if (range == ranges.end()) return stop("out of bounds: " + what);
    if (reinterpret_cast<uintptr_t>(at) % uintptr_t(alignment))
      return stop("not aligned to " + std::to_string(alignment) + " bytes: " + what);
    if (range->isStatus) return;
    Moment now{block * plan.threads + current, block, epoch};
    for (char *byte = at; byte < at + bytes; ++byte)
      if (range->bytes[size_t(byte - range->begin)].races(now, isWrite))
        return stop("race: " + what + " of " + (range->isShared ? "shared" : "global") +
                    " memory and an earlier access, with no barrier between them");
  }
  void start() {
    kernel(pointers.data());
    threads[size_t(current)].state = Thread::Done;
  }

private:
  const kiln::LaunchPlan::Launch &plan;
  KernelFunction kernel;
  const std::vector<void *> &pointers;
  std::vector<Thread> threads;
  std::vector<char> sharedMemory;
  std::vector<Range> ranges;
  char *stacks;
  ucontext_t scheduler;
  int64_t block = 0, current = 0, epoch = 0;
  std::string error;

  /// Ranges that meet are one: an array may be read under several shapes.
  void addRange(char *begin, char *end, bool isStatus) {
    for (auto range = ranges.begin(); range != ranges.end();) {
      if (begin >= range->end || end <= range->begin) {
        ++range;
        continue;
      }
      begin = std::min(begin, range->begin), end = std::max(end, range->end);
      range = ranges.erase(range);
    }
    if (begin < end) ranges.push_back({begin, end, false, isStatus, {}});
  }

  /// Leaves the thread for good.
  void stop(const std::string &what) {
    error = what;
    setcontext(&scheduler);
  }

  void resume(int64_t thread) {
    current = thread;
    swapcontext(&scheduler, &threads[size_t(thread)].context);
    if (!error.empty()) fail(plan.kernel, error);
  }

  void runBlock();
  bool runWarp(int64_t first);
  void exchange(int64_t first, int64_t end);
  int64_t count(Thread::State state) const {
    return std::count_if(threads.begin(), threads.end(), [&](const Thread &t) { return t.state == state; });
  }
};

Launch *running = nullptr;

void startThread() { running->start(); }

void Launch::runBlock() {
  epoch = 0;
  std::memset(sharedMemory.data(), 0xA5, sharedMemory.size()); // nothing that was there before is of use
  for (Range &range : ranges)
    if (range.isShared) std::fill(range.bytes.begin(), range.bytes.end(), Byte());
  for (size_t i = 0; i < threads.size(); ++i) {
    Thread &t = threads[i];
    t.state = Thread::Ready;
    t.stack = stacks + i * kStackBytes;
    getcontext(&t.context);
    t.context.uc_stack.ss_sp = t.stack;
    t.context.uc_stack.ss_size = kStackBytes;
    t.context.uc_link = &scheduler;
    makecontext(&t.context, startThread, 0);
  }
  for (;;) {
    bool moves = false;
    for (int64_t first = 0; first < plan.threads; first += kWarp) moves |= runWarp(first);
    if (moves) continue;
    int64_t waiting = count(Thread::Barrier);
    if (!waiting) return;
    bool isOne =
        std::all_of(threads.begin(), threads.end(), [&](Thread &t) { return t.state == Thread::Barrier && t.site == threads[0].site; });
    if (!isOne)
      fail(plan.kernel, "barrier: expected all " + std::to_string(plan.threads) + " threads of block " + std::to_string(block) +
                            " at one, got " + std::to_string(waiting) + " at some");
    ++epoch;
    for (Thread &t : threads) t.state = Thread::Ready;
  }
}

/// Runs the threads of a warp until they all wait; whether any ran.
bool Launch::runWarp(int64_t first) {
  int64_t end = std::min(first + kWarp, plan.threads);
  bool moves = false;
  for (int64_t i = first; i < end; ++i)
    if (threads[size_t(i)].state == Thread::Ready) resume(i), moves = true;
  if (moves) exchange(first, end);
  return moves;
}

/// Shuffles, for which all lanes of a warp must have come to the same place.
void Launch::exchange(int64_t first, int64_t end) {
  auto lane = [&](int64_t i) -> Thread & { return threads[size_t(first + i)]; };
  int64_t lanes = end - first, waiting = 0;
  for (int64_t i = 0; i < lanes; ++i) waiting += lane(i).state == Thread::Shuffle && lane(i).site == lane(0).site;
  bool any = std::any_of(&lane(0), &lane(0) + lanes, [](Thread &t) { return t.state == Thread::Shuffle; });
  if (!any) return;
  if (waiting != kWarp) fail(plan.kernel, "shuffle: expected 32 lanes at one, got " + std::to_string(waiting));
  int32_t values[kWarp];
  for (int64_t i = 0; i < kWarp; ++i) {
    enum { Xor, Down, Up, Index }; // as the dialect numbers them
    Thread &t = lane(i);
    int64_t from = t.mode == Xor ? i ^ t.by : t.mode == Up ? i - t.by : t.mode == Down ? i + t.by : t.by;
    values[i] = lane(from < 0 || from >= kWarp ? i : from).value;
  }
  for (int64_t i = 0; i < kWarp; ++i) lane(i).value = values[i], lane(i).state = Thread::Ready;
}

} // namespace

void launch(const kiln::LaunchPlan::Launch &plan, KernelFunction kernel, const std::vector<void *> &pointers) {
  Launch launch(plan, kernel, pointers);
  running = &launch;
  launch.run();
  running = nullptr;
}

} // namespace simulator

// What lowered kernels call (Lower.cpp).
extern "C" {
int64_t kiln_simulator_thread() { return simulator::running->thread(); }
int64_t kiln_simulator_block() { return simulator::running->blockNumber(); }
void *kiln_simulator_shared() { return simulator::running->shared(); }
void kiln_simulator_barrier(int32_t site) { simulator::running->wait(simulator::Thread::Barrier, site); }
int32_t kiln_simulator_shuffle(int32_t value, int32_t by, int32_t mode, int32_t site) {
  return simulator::running->shuffle(value, by, mode, site);
}
void kiln_simulator_access(char *at, int64_t bytes, int32_t alignment, int32_t isWrite) {
  simulator::running->access(at, bytes, alignment, isWrite);
}
}
