#include "test/targets/simulator/Machine.h"

#include "lib/Core/Error.h"
#include "test/targets/simulator/Warp.h"

#include <algorithm>
#include <cstring>
#include <dlfcn.h>
#include <memory>
#include <span>
#include <sys/mman.h>
#include <utility>

namespace simulator {
namespace {

constexpr size_t kStackBytes = 128 << 10;

[[noreturn]] void fail(const std::string &kernel, const std::string &what) {
  throw kiln::Error(kiln::ErrorKind::Value, "simulator: " + kernel + ": " + what);
}

//===-- who touched what --------------------------------------------------------------------------------------------===//

/// A thread of the launch at some point between two barriers of its block. All zeros: nobody.
struct Moment {
  enum : int64_t { Nobody = 0, SeveralOfBlock = -1, OfSeveralBlocks = -2 };
  int64_t thread, block; // counted from 1
  int64_t epoch;

  /// Whether it is over before `now` begins.
  bool isBefore(const Moment &now) const {
    if (thread == Nobody || thread == now.thread) return true;
    return thread != OfSeveralBlocks && block == now.block && epoch < now.epoch;
  }
};

/// What is known of a byte.
struct Byte {
  Moment write, read;
  int16_t coming = 0; // asynchronous copies that may write it at any time

  /// Whether the access may fall together with an earlier one.
  bool races(const Moment &now, bool isWrite) {
    if (!write.isBefore(now) || (isWrite && !read.isBefore(now))) return true;
    if (isWrite) write = now, read = {};
    else if (read.thread == Moment::Nobody || (read.isBefore(now) && read.block == now.block)) read = now;
    else read = {read.block == now.block ? Moment::SeveralOfBlock : Moment::OfSeveralBlocks, now.block, now.epoch};
    return false;
  }
};

/// Memory that kernels may touch.
struct Range {
  Range(char *begin, char *end, bool isShared = false) : begin(begin), end(end), isShared(isShared) {}
  Range(Range &&other) noexcept : Range(other.begin, other.end, other.isShared) { std::swap(bytes, other.bytes); }
  Range &operator=(Range &&other) noexcept {
    forget();
    begin = other.begin, end = other.end, isShared = other.isShared, bytes = std::exchange(other.bytes, nullptr);
    return *this;
  }
  ~Range() { forget(); }

  char *begin, *end;
  bool isShared; // of a block

  /// What is known of the byte at `at`. Zeros of the system: a kernel touches little of what it may.
  Byte &of(char *at) {
    if (!bytes) {
      void *block = mmap(nullptr, mapped(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (block == MAP_FAILED) throw kiln::Error(kiln::ErrorKind::Memory, "simulator: expected room for what is known of memory");
      bytes = static_cast<Byte *>(block);
    }
    return bytes[at - begin];
  }
  void forget() {
    if (bytes) munmap(bytes, mapped());
    bytes = nullptr;
  }

private:
  Byte *bytes = nullptr;
  size_t mapped() const { return size_t(end - begin) * sizeof(Byte); }
};

//===-- threads -----------------------------------------------------------------------------------------------------===//

class Launch {
public:
  Launch(const kiln::LaunchPlan::Launch &plan, KernelFunction kernel, const std::vector<void *> &pointers, const std::vector<Area> &memory)
      : plan(plan), kernel(kernel), pointers(pointers), threads(size_t(plan.threads)), sharedMemory(size_t(plan.sharedBytes) + 1) {
    stacks = static_cast<char *>(
        mmap(nullptr, threads.size() * kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    if (stacks == MAP_FAILED) fail(plan.kernel, "expected memory for " + std::to_string(threads.size()) + " threads");
    for (size_t i = 0; i < pointers.size(); ++i)
      if (plan.arguments[i].memory == kiln::LaunchPlan::Memory::Status) statuses.push_back(static_cast<char *>(pointers[i]));
    for (const Area &area : memory) ranges.emplace_back(area.begin, area.end);
    ranges.emplace_back(sharedMemory.data(), sharedMemory.data() + plan.sharedBytes, true);
    std::sort(ranges.begin(), ranges.end(), [](const Range &a, const Range &b) { return a.begin < b.begin; });
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
  void loadMatrices(char *at, int32_t isTurned, int32_t site) {
    access(at, 16, 16, false);
    Thread &mine = threads[size_t(current)];
    mine.address = at, mine.mode = isTurned;
    wait(Thread::Load, site);
  }
  void multiply(std::array<int32_t, 10> words, int32_t isHalf, int32_t site) {
    Thread &mine = threads[size_t(current)];
    std::copy(words.begin(), words.end(), mine.words);
    mine.mode = isHalf;
    wait(Thread::Multiply, site);
  }
  int32_t word(int32_t i) const { return threads[size_t(current)].words[i]; }
  void access(char *at, int64_t bytes, int32_t alignment, bool isWrite) {
    char *stack = threads[size_t(current)].stack; // what lies there is the thread's own
    if (at >= stack && at + bytes <= stack + kStackBytes) return;
    for (char *status : statuses) // any thread may set it
      if (at >= status && at + bytes <= status + sizeof(int32_t)) return;
    auto range = std::upper_bound(ranges.begin(), ranges.end(), at, [](char *at, const Range &r) { return at < r.begin; });
    std::string what = std::string(isWrite ? "a write" : "a read") + " of " + std::to_string(bytes) + " bytes by thread " +
                       std::to_string(current) + " of block " + std::to_string(block);
    if (range == ranges.begin() || at + bytes > (--range)->end) return stop("out of bounds: " + what);
    checkAligned(at, alignment);
    Moment now{block * plan.threads + current + 1, block + 1, epoch};
    for (Byte &byte : bytesOf(*range, at, bytes)) {
      if (byte.coming) return stop("asynchronous copy: " + what + ", which a copy that nobody waited for may write");
      if (byte.races(now, isWrite))
        return stop("race: " + what + " of " + (range->isShared ? "shared" : "global") +
                    " memory and an earlier access, with no barrier between them");
    }
  }
  /// Wide accesses are of whole multiples of their size.
  void checkAligned(const char *at, int64_t bytes) {
    if (uintptr_t(at) % uintptr_t(bytes))
      stop("alignment: an access of " + std::to_string(bytes) + " bytes by thread " + std::to_string(current) + " of block " +
           std::to_string(block));
  }
  void copy(char *to, char *from, int64_t bytes) {
    checkAligned(to, bytes), checkAligned(from, bytes);
    access(from, bytes, 1, false), access(to, bytes, 1, true);
    Thread &mine = threads[size_t(current)];
    mine.copies.push_back({to, {from, from + bytes}, mine.group});
    for (Byte &byte : bytesOf(sharedRange(), to, bytes)) ++byte.coming;
  }
  void commit() { ++threads[size_t(current)].group; }
  /// All groups but so many of the last ones have come.
  void arrive(int64_t but) {
    Thread &mine = threads[size_t(current)];
    auto hasCome = [&](Copy &copy) {
      if (copy.group >= mine.group - but) return false;
      for (Byte &byte : bytesOf(sharedRange(), copy.to, int64_t(copy.bytes.size()))) --byte.coming;
      std::memcpy(copy.to, copy.bytes.data(), copy.bytes.size());
      access(copy.to, int64_t(copy.bytes.size()), 1, true);
      return true;
    };
    std::erase_if(mine.copies, hasCome);
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
  std::vector<Range> ranges; // by where they begin
  std::vector<char *> statuses;
  char *stacks;
  ucontext_t scheduler;
  int64_t block = 0, current = 0, epoch = 0;
  std::string error;

  static std::span<Byte> bytesOf(Range &range, char *at, int64_t bytes) { return {&range.of(at), size_t(bytes)}; }
  Range &sharedRange() {
    return *std::find_if(ranges.begin(), ranges.end(), [](const Range &r) { return r.isShared; });
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

thread_local Launch *running = nullptr; // several devices may run at once

void startThread() { running->start(); }

void Launch::runBlock() {
  epoch = 0;
  std::memset(sharedMemory.data(), 0xA5, sharedMemory.size()); // nothing that was there before is of use
  for (Range &range : ranges)
    if (range.isShared) range.forget();
  for (size_t i = 0; i < threads.size(); ++i) {
    Thread &t = threads[i];
    t.state = Thread::Ready;
    t.copies.clear(), t.group = 0;
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

/// What a warp does together, for which all its lanes must have come to the same place.
void Launch::exchange(int64_t first, int64_t end) {
  auto lane = [&](int64_t i) -> Thread & { return threads[size_t(first + i)]; };
  int64_t lanes = end - first, waiting = 0;
  auto isTogether = [](Thread &t) { return t.state != Thread::Ready && t.state != Thread::Barrier && t.state != Thread::Done; };
  for (int64_t i = 0; i < lanes; ++i) waiting += isTogether(lane(i)) && lane(i).site == lane(0).site;
  auto found = std::find_if(&lane(0), &lane(0) + lanes, isTogether);
  if (found == &lane(0) + lanes) return;
  const char *name = found->state == Thread::Shuffle ? "shuffle"
                     : found->state == Thread::Load  ? "load of matrices"
                                                     : "product of matrices";
  if (waiting != kWarp) fail(plan.kernel, name + std::string(": expected 32 lanes at one, got ") + std::to_string(waiting));
  std::span<Thread> warp(&lane(0), size_t(kWarp));
  if (found->state == Thread::Shuffle) shuffleLanes(warp);
  else if (found->state == Thread::Load) simulator::loadMatrices(warp);
  else multiplyMatrices(warp);
  for (Thread &t : warp) t.state = Thread::Ready;
}

} // namespace

/// Areas that meet are one: an array may be read under several shapes.
static void add(std::vector<Area> &areas, Area one) {
  for (auto area = areas.begin(); area != areas.end();) {
    if (one.begin >= area->end || one.end <= area->begin) {
      ++area;
      continue;
    }
    one = {std::min(one.begin, area->begin), std::max(one.end, area->end)};
    area = areas.erase(area);
  }
  if (one.begin < one.end) areas.push_back(one);
}

void launch(const kiln::LaunchPlan::Launch &plan, KernelFunction kernel, const std::vector<void *> &pointers) {
  std::vector<Area> memory;
  for (size_t i = 0; i < pointers.size(); ++i) {
    const auto &argument = plan.arguments[i];
    char *at = static_cast<char *>(pointers[i]);
    if (argument.memory != kiln::LaunchPlan::Memory::Status) add(memory, {at + argument.low, at + argument.high});
  }
  launch(plan, kernel, pointers, memory);
}

void launch(const kiln::LaunchPlan::Launch &plan, KernelFunction kernel, const std::vector<void *> &pointers,
            const std::vector<Area> &memory) {
  Launch launch(plan, kernel, pointers, memory);
  running = &launch;
  launch.run();
}

void showToKernels() {
  Dl_info mine;
  if (dladdr(reinterpret_cast<void *>(&showToKernels), &mine)) dlopen(mine.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
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
void kiln_simulator_load_matrices(char *at, int32_t isTurned, int32_t site) { simulator::running->loadMatrices(at, isTurned, site); }
void kiln_simulator_multiply(int32_t a0, int32_t a1, int32_t a2, int32_t a3, int32_t b0, int32_t b1, int32_t c0, int32_t c1, int32_t c2,
                             int32_t c3, int32_t isHalf, int32_t site) {
  simulator::running->multiply({a0, a1, a2, a3, b0, b1, c0, c1, c2, c3}, isHalf, site);
}
int32_t kiln_simulator_word(int32_t i) { return simulator::running->word(i); }
void kiln_simulator_copy(char *to, char *from, int32_t bytes) { simulator::running->copy(to, from, bytes); }
void kiln_simulator_commit() { simulator::running->commit(); }
void kiln_simulator_arrive(int32_t but) { simulator::running->arrive(but); }
void kiln_simulator_access(char *at, int64_t bytes, int32_t alignment, int32_t isWrite) {
  simulator::running->access(at, bytes, alignment, isWrite);
}
}
