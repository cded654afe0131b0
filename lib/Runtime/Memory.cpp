#include "lib/Runtime/Memory.h"

#include "lib/Core/Error.h"

#include <bit>
#include <cstdlib>
#include <mutex>
#include <sys/mman.h>
#include <vector>

namespace kiln {
namespace {

constexpr size_t kAlignment = 64, kSmallLimit = 4096, kMostPerClass = 64;
constexpr size_t kLargeLimit = 32 << 10, kUnit = 16 << 10; // from here on blocks are kept, in multiples of a unit
constexpr size_t kHugeLimit = 1 << 20, kHugePage = 2 << 20, kMostLarge = size_t(512) << 20, kMostBlocks = 256;

/// Small blocks by powers of two, of one thread: no lock, and no constructor on the way to them.
struct SmallList {
  void *head;
  int32_t count;
};
constexpr int kClasses = 7; // 64 .. 4096
[[gnu::tls_model("initial-exec")]] constinit thread_local SmallList smallLists[kClasses] = {};
/// Blocks kept a class; 0 once the thread ends, since arrays may outlive its lists.
[[gnu::tls_model("initial-exec")]] constinit thread_local int32_t keptPerClass = 0;

struct EndOfThread {
  EndOfThread() { keptPerClass = int32_t(kMostPerClass); }
  ~EndOfThread() {
    keptPerClass = -1;
    for (SmallList &list : smallLists)
      for (void *p = list.head, *next; p; p = next) next = *static_cast<void **>(p), free(p);
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
  size_t unit = bytes >= kHugeLimit ? kHugePage : bytes >= kLargeLimit ? kUnit : kAlignment;
  return (bytes + unit - 1) / unit * unit;
}

/// Larger blocks waiting for the next array of about their size: fresh pages cost more than most operations on them, and malloc gives
/// pages back to the system again and again.
struct LargeList {
  std::mutex mutex;
  std::vector<std::pair<size_t, void *>> blocks;
  size_t total = 0;

  void *take(size_t bytes) {
    std::lock_guard lock(mutex);
    for (size_t i = blocks.size(); i-- > 0;)
      if (blocks[i].first == bytes) {
        void *p = blocks[i].second;
        blocks.erase(blocks.begin() + long(i));
        total -= bytes;
        return p;
      }
    return nullptr;
  }
  bool keep(size_t bytes, void *p) {
    std::lock_guard lock(mutex);
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
    if (void *p = list.head; p && keptPerClass > 0) {
      list.head = *static_cast<void **>(p);
      --list.count;
      return p;
    }
  } else if (bytes >= kLargeLimit) {
    if (void *p = largeList().take(size)) return p;
  }
  void *p = aligned_alloc(size >= kHugePage ? kHugePage : kAlignment, size);
  if (!p) throw Error(ErrorKind::Memory, "out of memory: expected " + std::to_string(bytes) + " free bytes");
  if (size >= kHugePage) madvise(p, size, MADV_HUGEPAGE);
  return p;
}

void release(void *block, size_t bytes) noexcept {
  if (bytes == 0) bytes = 1;
  size_t size = roundedSize(bytes);
  if (bytes <= kSmallLimit) {
    if (keptPerClass == 0) startLists();
    SmallList &list = smallLists[classOf(bytes)];
    if (list.count < keptPerClass) {
      *static_cast<void **>(block) = list.head;
      list.head = block;
      ++list.count;
      return;
    }
  } else if (bytes >= kLargeLimit && largeList().keep(size, block)) {
    return;
  }
  free(block);
}

void *threadWorkspace(size_t bytes) {
  struct Workspace {
    void *block = nullptr;
    size_t size = 0;
    ~Workspace() { free(block); }
  };
  thread_local Workspace workspace;
  if (workspace.size < bytes) {
    free(workspace.block);
    workspace.size = 0;
    size_t size = (bytes + 4095) / 4096 * 4096;
    workspace.block = aligned_alloc(kAlignment, size);
    if (!workspace.block) throw Error(ErrorKind::Memory, "out of memory: expected " + std::to_string(bytes) + " bytes of workspace");
    workspace.size = size;
  }
  return workspace.block;
}

} // namespace kiln
