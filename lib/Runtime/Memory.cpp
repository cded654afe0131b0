#include "lib/Runtime/Memory.h"

#include "lib/Core/Error.h"
#include "lib/Core/Fork.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdlib>
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>
#include <utility>
#include <vector>

namespace kiln {
namespace {

constexpr size_t kAlignment = 64, kSmallLimit = 4096, kMostPerClass = 64;
constexpr size_t kLargeLimit = 32 << 10, kUnit = 16 << 10; // from here on blocks are kept, in multiples of a unit,
constexpr size_t kStepsOfDoubling = 4;                     // or in so many sizes up to the double, for arrays whose size changes a little
constexpr size_t kHugeLimit = 1 << 20, kHugePage = 2 << 20, kMostLarge = size_t(512) << 20, kMostBlocks = 256;

/// Small blocks by powers of two, of one thread: no lock, and no constructor on the way to them.
struct SmallList {
  void *head;
  std::atomic<int32_t> count; // written by its thread alone, read for the statistics
  void add(int32_t n) { count.store(count.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
};
constexpr int kClasses = 7; // 64 .. 4096
[[gnu::tls_model("initial-exec")]] constinit thread_local SmallList smallLists[kClasses] = {};
/// Blocks kept a class; 0 once the thread ends, since arrays may outlive its lists.
[[gnu::tls_model("initial-exec")]] constinit thread_local int32_t keptPerClass = 0;

/// The lists of all threads, under Lock::Memory.
std::vector<SmallList *> &allLists() {
  static auto *all = new std::vector<SmallList *>;
  static const int once = pthread_atfork(nullptr, nullptr, [] { // the threads of the others do not exist in the child
    std::erase_if(*all, [](SmallList *lists) { return lists != smallLists; });
  });
  (void)once;
  return *all;
}
/// Of small blocks that malloc has given; those in lists are among them.
std::atomic<int64_t> smallTaken = 0;
std::atomic<int64_t> largeInUse = 0, largePeak = 0;
void countLarge(int64_t bytes) {
  int64_t now = largeInUse.fetch_add(bytes, std::memory_order_relaxed) + bytes, peak = largePeak.load(std::memory_order_relaxed);
  while (now > peak && !largePeak.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {}
}

void emptySmallLists() {
  for (int c = 0; c < kClasses; ++c) {
    SmallList &list = smallLists[c];
    for (void *p = list.head, *next; p; p = next) next = *static_cast<void **>(p), free(p);
    smallTaken -= int64_t(list.count) * int64_t(kAlignment << c);
    list.head = nullptr;
    list.count = 0;
  }
}

struct EndOfThread {
  EndOfThread() {
    keptPerClass = int32_t(kMostPerClass);
    std::lock_guard lock(lockOf(Lock::Memory));
    allLists().push_back(smallLists);
  }
  ~EndOfThread() {
    keptPerClass = -1;
    emptySmallLists();
    std::lock_guard lock(lockOf(Lock::Memory));
    std::erase(allLists(), smallLists);
  }
};
void startLists() {
  if (keptPerClass == 0) {
    thread_local EndOfThread end;
    (void)end;
  }
}

size_t classOf(size_t bytes) { return size_t(std::bit_width((bytes - 1) / kAlignment)); }
size_t roundedSize(size_t bytes) {
  if (bytes <= kSmallLimit) return kAlignment << classOf(bytes);
  size_t large = std::max(kUnit, std::bit_floor(bytes) / kStepsOfDoubling); // what is not touched takes no memory
  size_t unit = bytes >= kHugeLimit ? kHugePage : bytes >= kLargeLimit ? large : kAlignment;
  return (bytes + unit - 1) / unit * unit;
}

/// Larger blocks waiting for the next array of about their size: fresh pages cost more than most operations on them, and malloc gives
/// pages back to the system again and again.
struct LargeList {
  std::vector<std::pair<size_t, void *>> blocks;
  size_t total = 0, spare = 0; // bytes; the least that there were for some time

  void *take(size_t bytes) {
    std::lock_guard lock(lockOf(Lock::Memory));
    for (size_t i = blocks.size(); i-- > 0;)
      if (blocks[i].first == bytes) {
        void *p = blocks[i].second;
        blocks.erase(blocks.begin() + long(i));
        total -= bytes;
        spare = std::min(spare, total);
        return p;
      }
    return nullptr;
  }
  bool keep(size_t bytes, void *p) {
    std::lock_guard lock(lockOf(Lock::Memory));
    if (bytes > kMostLarge) return false;
    while (total + bytes > kMostLarge || blocks.size() >= kMostBlocks) {
      total -= blocks.front().first;
      free(blocks.front().second);
      blocks.erase(blocks.begin());
    }
    blocks.emplace_back(bytes, p);
    total += bytes;
    return true;
  }
  /// Frees what no array took since it was called last.
  void freeSpare() {
    bool isAny = false;
    std::lock_guard lock(lockOf(Lock::Memory));
    for (; !blocks.empty() && blocks.front().first <= spare; isAny = true) { // the oldest ones
      spare -= blocks.front().first, total -= blocks.front().first;
      free(blocks.front().second);
      blocks.erase(blocks.begin());
    }
    spare = total;
    if (isAny) malloc_trim(0);
  }
};
LargeList &largeList() {
  static LargeList *list = new LargeList; // outlives every static destructor
  return *list;
}

} // namespace

void *allocate(size_t bytes) {
  if (bytes == 0) bytes = 1;
  size_t size = roundedSize(bytes);
  if (size < bytes) throw Error(ErrorKind::Memory, "array of " + std::to_string(bytes) + " bytes: expected a size that fits in memory");
  if (bytes <= kSmallLimit) {
    SmallList &list = smallLists[classOf(bytes)];
    if (void *p = list.head) {
      list.head = *static_cast<void **>(p);
      list.add(-1);
      return p;
    }
  } else if (bytes >= kLargeLimit) {
    if (void *p = largeList().take(size)) return countLarge(int64_t(size)), p;
  }
  void *p = aligned_alloc(size >= kHugePage ? kHugePage : kAlignment, size);
  if (!p) throw Error(ErrorKind::Memory, "out of memory: expected " + std::to_string(bytes) + " free bytes");
  if (size >= kHugePage) madvise(p, size, MADV_HUGEPAGE);
  if (bytes <= kSmallLimit) smallTaken += int64_t(size);
  else countLarge(int64_t(size));
  return p;
}

void release(void *block, size_t bytes) noexcept {
  if (bytes == 0) bytes = 1;
  size_t size = roundedSize(bytes);
  if (bytes <= kSmallLimit) {
    if (keptPerClass == 0) startLists();
    SmallList &list = smallLists[classOf(bytes)];
    if (list.count.load(std::memory_order_relaxed) < keptPerClass) {
      *static_cast<void **>(block) = list.head;
      list.head = block;
      list.add(1);
      return;
    }
    smallTaken -= int64_t(size);
  } else {
    countLarge(-int64_t(size));
    if (bytes >= kLargeLimit && largeList().keep(size, block)) return;
  }
  free(block);
}

MemoryStats memoryStats() {
  LargeList &large = largeList();
  std::lock_guard lock(lockOf(Lock::Memory));
  int64_t small = smallTaken;
  for (SmallList *lists : allLists())
    for (int c = 0; c < kClasses; ++c) small -= lists[c].count.load(std::memory_order_relaxed) * int64_t(kAlignment << c);
  return {small + largeInUse, largePeak, int64_t(large.total), int64_t(kMostLarge)};
}

void releaseKept() {
  emptySmallLists();
  LargeList &large = largeList();
  {
    std::lock_guard lock(lockOf(Lock::Memory));
    for (auto &[bytes, block] : large.blocks) free(block);
    large.blocks.clear();
    large.total = large.spare = 0;
  }
  malloc_trim(0);
}

namespace {
struct Workspace {
  void *block = nullptr;
  size_t size = 0;
  ~Workspace() { free(block); }
};
thread_local Workspace workspace;
} // namespace

void *threadWorkspace(size_t bytes) {
  constexpr int kBetween = 16; // runs of programs that need much: what was computed op by op before, as a recording is, took more
  constexpr auto kLeastTime = std::chrono::milliseconds(200); // so that blocks which are needed again and again are not
  thread_local int runs = 0;
  thread_local std::chrono::steady_clock::time_point last;
  if (bytes >= kHugeLimit && ++runs % kBetween == 0) {
    auto now = std::chrono::steady_clock::now();
    if (now - last >= kLeastTime) last = now, largeList().freeSpare();
  }
  if (workspace.size < bytes) {
    free(workspace.block);
    workspace.size = 0;
    size_t size = (bytes / 4096 + 1) * 4096;
    workspace.block = size > bytes ? aligned_alloc(kAlignment, size) : nullptr;
    if (!workspace.block) throw Error(ErrorKind::Memory, "out of memory: expected " + std::to_string(bytes) + " bytes of workspace");
    workspace.size = size;
  }
  return workspace.block;
}

SetWorkspaceAside::SetWorkspaceAside() : block(std::exchange(workspace.block, nullptr)), size(std::exchange(workspace.size, 0)) {}
SetWorkspaceAside::~SetWorkspaceAside() {
  free(std::exchange(workspace.block, block));
  workspace.size = size;
}

} // namespace kiln
