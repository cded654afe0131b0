#include "test/targets/simulator/Machine.h"

#include "lib/Core/Error.h"
#include "test/targets/simulator/Memory.h"
#include "test/targets/simulator/Warp.h"

#include <algorithm>
#include <cstring>
#include <dlfcn.h>
#include <memory>
#include <span>
#include <sys/mman.h>

namespace simulator {
namespace {

constexpr size_t kStackBytes = 128 << 10;
constexpr int64_t kSharedAlignment = 1024, kGroup = 4 * kWarp;

[[noreturn]] void fail(const std::string &kernel, const std::string &what) {
  throw kiln::Error(kiln::ErrorKind::Value, "simulator: " + kernel + ": " + what);
}

//===-- threads -----------------------------------------------------------------------------------------------------===//

class Launch {
public:
  Launch(const kiln::LaunchPlan::Launch &plan, KernelFunction kernel, const std::vector<void *> &pointers, const std::vector<Area> &memory)
      : plan(plan), kernel(kernel), pointers(pointers), threads(size_t(plan.threads)), space(size_t(plan.sharedBytes + kSharedAlignment)) {
    sharedMemory = reinterpret_cast<char *>((uintptr_t(space.data()) + kSharedAlignment - 1) & ~uintptr_t(kSharedAlignment - 1));
    stacks = static_cast<char *>(
        mmap(nullptr, threads.size() * kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    if (stacks == MAP_FAILED) fail(plan.kernel, "expected memory for " + std::to_string(threads.size()) + " threads");
    for (size_t i = 0; i < pointers.size(); ++i)
      if (plan.arguments[i].memory == kiln::LaunchPlan::Memory::Status) statuses.push_back(static_cast<char *>(pointers[i]));
    for (const Area &area : memory) ranges.emplace_back(area.begin, area.end);
    ranges.emplace_back(sharedMemory, sharedMemory + plan.sharedBytes, true);
    std::sort(ranges.begin(), ranges.end(), [](const Range &a, const Range &b) { return a.begin < b.begin; });
  }
  ~Launch() { munmap(stacks, threads.size() * kStackBytes); }

  void run() {
    for (block = 0; block < plan.blocks.constant(); ++block) runBlock();
  }

  // What threads ask for.
  int64_t thread() const { return current; }
  int64_t blockNumber() const { return block; }
  int64_t threadsOfBlock() const { return plan.threads; }
  void *shared() { return sharedMemory; }
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
  void multiplyGroup(float *sums, uint64_t left, uint64_t right, int32_t columns, int32_t form, int32_t site) {
    Thread &mine = threads[size_t(current)];
    mine.sums = sums, mine.matrices[0] = left, mine.matrices[1] = right, mine.by = columns, mine.mode = form;
    for (int side : {0, 1}) { // each thread answers for a part of what they read
      GroupMatrix matrix = matrixOf(mine, side);
      int64_t pieces = (side ? columns : 64) * 16 / 8, near = matrix.isAcross ? pieces / 16 : 2;
      for (int64_t i = current % kGroup; i < pieces; i += kGroup) {
        int64_t row = i / near, piece = i % near * 8;
        char *at = const_cast<char *>(matrix.isAcross ? matrix.at(piece, row) : matrix.at(row, piece));
        access(at, 16, 16, false);
        mine.readings.push_back({at, mine.products});
        for (Byte &byte : bytesOf(sharedRange(), at, 16)) ++byte.going;
      }
    }
    wait(Thread::Group, site);
  }
  void commitProducts() { ++threads[size_t(current)].products; }
  void finishProducts(int64_t but) {
    Thread &mine = threads[size_t(current)];
    std::erase_if(mine.readings, [&](auto &reading) {
      if (reading.second >= mine.products - but) return false;
      for (Byte &byte : bytesOf(sharedRange(), reading.first, 16)) --byte.going;
      return true;
    });
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
      if (byte.going && isWrite) return stop("asynchronous product: " + what + ", which a product that nobody waited for may read");
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
  std::vector<char> space; // that holds it
  char *sharedMemory;
  std::vector<Range> ranges; // by where they begin
  std::vector<char *> statuses;
  char *stacks;
  ucontext_t scheduler;
  int64_t block = 0, current = 0, epoch = 0;
  std::string error;

  static std::span<Byte> bytesOf(Range &range, const char *at, int64_t bytes) { return {&range.of(at), size_t(bytes)}; }
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

  GroupMatrix matrixOf(const Thread &t, int side) const { return {sharedMemory, t.matrices[side], (t.mode >> side & 1) != 0}; }
  bool exchangeGroup(int64_t first);
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
  std::memset(sharedMemory, 0xA5, size_t(plan.sharedBytes)); // nothing that was there before is of use
  for (Range &range : ranges)
    if (range.isShared) range.forget();
  for (size_t i = 0; i < threads.size(); ++i) {
    Thread &t = threads[i];
    t.state = Thread::Ready;
    t.copies.clear(), t.group = 0, t.readings.clear(), t.products = 0;
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
    for (int64_t first = 0; first < plan.threads; first += kGroup) moves |= exchangeGroup(first);
    if (moves) continue;
    if (int64_t some = count(Thread::Group))
      fail(plan.kernel, "product of matrices: expected 128 threads at one, got " + std::to_string(some) + " at some");
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

/// A product of four warps, once all have come to it.
bool Launch::exchangeGroup(int64_t first) {
  if (first + kGroup > plan.threads) return false;
  std::span<Thread> group(&threads[size_t(first)], size_t(kGroup));
  Thread &one = group[0];
  auto isThere = [&](Thread &t) { return t.state == Thread::Group && t.site == one.site; };
  if (!std::all_of(group.begin(), group.end(), isThere)) return false;
  std::vector<float *> sums;
  for (Thread &t : group) sums.push_back(t.sums), t.state = Thread::Ready;
  simulator::multiplyGroup(sums, one.by, matrixOf(one, 0), matrixOf(one, 1), (one.mode & 4) != 0);
  return true;
}

/// What a warp does together, for which all its lanes must have come to the same place.
void Launch::exchange(int64_t first, int64_t end) {
  auto lane = [&](int64_t i) -> Thread & { return threads[size_t(first + i)]; };
  int64_t lanes = end - first, waiting = 0;
  auto isTogether = [](Thread &t) {
    return t.state != Thread::Ready && t.state != Thread::Barrier && t.state != Thread::Group && t.state != Thread::Done;
  };
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
    bool isArray = argument.memory != kiln::LaunchPlan::Memory::Status && argument.memory != kiln::LaunchPlan::Memory::Size;
    if (isArray) add(memory, {at + argument.low.constant(), at + argument.high.constant()});
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
int64_t kiln_simulator_threads() { return simulator::running->threadsOfBlock(); }
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
void kiln_simulator_multiply_group(float *sums, int64_t left, int64_t right, int32_t columns, int32_t form, int32_t site) {
  simulator::running->multiplyGroup(sums, uint64_t(left), uint64_t(right), columns, form, site);
}
void kiln_simulator_commit_products() { simulator::running->commitProducts(); }
void kiln_simulator_finish_products(int32_t but) { simulator::running->finishProducts(but); }
int32_t kiln_simulator_word(int32_t i) { return simulator::running->word(i); }
void kiln_simulator_copy(char *to, char *from, int32_t bytes) { simulator::running->copy(to, from, bytes); }
void kiln_simulator_commit() { simulator::running->commit(); }
void kiln_simulator_arrive(int32_t but) { simulator::running->arrive(but); }
void kiln_simulator_access(char *at, int64_t bytes, int32_t alignment, int32_t isWrite) {
  simulator::running->access(at, bytes, alignment, isWrite);
}
}
