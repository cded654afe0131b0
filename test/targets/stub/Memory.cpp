// Memory of devices and of the host, and pools of it.
#include "test/targets/stub/Memory.h"

#include <algorithm>
#include <cstring>
#include <sys/mman.h>

namespace stub {

Memory &memory() {
  static auto *one = new Memory;
  return *one;
}
std::shared_ptr<Block> Memory::around(Address at) {
  auto next = blocks.upper_bound(at);
  if (next == blocks.begin()) return nullptr;
  auto block = std::prev(next)->second;
  return at <= block->start() + block->room ? block : nullptr;
}
std::shared_ptr<Pinned> Memory::pinnedAround(const void *at, size_t bytes) {
  auto next = pinned.upper_bound(static_cast<const char *>(at));
  if (next == pinned.begin()) return nullptr;
  auto block = std::prev(next)->second;
  return static_cast<const char *>(at) + bytes <= block->data.data() + block->data.size() ? block : nullptr;
}
void Memory::trim(Pool &pool, size_t keep) {
  std::erase_if(pool.free, [&](const std::shared_ptr<Block> &block) {
    if (pool.reserved <= keep || block->holders) return false;
    pool.reserved -= block->room, pool.device.reserved -= block->room;
    blocks.erase(block->start());
    return true;
  });
}

namespace {

Handles<PoolHandle, Pool> &pools() {
  static auto *all = new Handles<PoolHandle, Pool>;
  return *all;
}
std::vector<std::shared_ptr<Pool>> &everyPool() {
  static auto *all = new std::vector<std::shared_ptr<Pool>>; // under the lock of memory
  return *all;
}

char *mapPages(size_t bytes, int protection) {
  void *block = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return block == MAP_FAILED ? nullptr : static_cast<char *>(block);
}
size_t pagesOf(size_t bytes) { return (bytes + 4095) / 4096 * 4096 + 4096; } // one more, so that no two blocks meet

/// A block of the pool that the stream may have next; null where there is none.
std::shared_ptr<Block> reuse(Pool &pool, size_t room, StreamHandle stream) {
  auto found = std::find_if(pool.free.begin(), pool.free.end(), [&](const std::shared_ptr<Block> &block) {
    return block->room == room && (block->freedIn == stream || !block->holders);
  });
  if (found == pool.free.end()) return nullptr;
  auto block = *found;
  pool.free.erase(found);
  return block;
}

int allocate(Address *address, size_t bytes, Pool &pool, Queue &queue, StreamHandle stream) {
  size_t room = (bytes + 511) / 512 * 512;
  std::shared_ptr<Block> block;
  {
    std::lock_guard lock(memory().mutex);
    block = reuse(pool, room, stream);
    if (!block) {
      if (pool.device.reserved + room > settings().memory) return OutOfMemory;
      block = std::make_shared<Block>(pool.device, pool, bytes, room);
      if (!block->outside || !block->inside) return OutOfMemory;
      pool.reserved += room, pool.device.reserved += room;
      memory().blocks[block->start()] = block;
    }
    pool.used += room;
    block->isHeld = true, block->bytes = bytes, ++block->holders;
  }
  queue.put([block, bytes] {
    std::lock_guard lock(memory().mutex);
    block->bytesThere = bytes;
    std::memset(block->inside, 0xCD, std::min<size_t>(bytes, 1 << 20)); // what was there before is of use to nobody
  });
  return *address = block->start(), Success;
}

} // namespace

Block::Block(Device &device, Pool &pool, size_t bytes, size_t room)
    : device(device), pool(pool), bytes(bytes), room(room), outside(mapPages(pagesOf(room), PROT_NONE)),
      inside(mapPages(pagesOf(room), PROT_READ | PROT_WRITE)) {}
Block::~Block() {
  if (outside) munmap(outside, pagesOf(room));
  if (inside) munmap(inside, pagesOf(room));
}

View viewOf(const Device &device) {
  View view;
  std::lock_guard lock(memory().mutex);
  for (auto &[start, block] : memory().blocks) {
    if (!block->bytesThere || &block->device != &device) continue;
    view.blocks.push_back({block, block->bytesThere});
    view.areas.push_back({block->inside, block->inside + block->bytesThere});
  }
  for (auto &[start, block] : memory().pinned) view.areas.push_back({block->data.data(), block->data.data() + block->data.size()});
  return view;
}
void *View::inside(void *pointer) const {
  auto at = reinterpret_cast<Address>(pointer);
  for (const auto &[block, bytes] : blocks)
    if (at >= block->start() && at <= block->start() + bytes) return block->inside + (at - block->start());
  return pointer;
}

void releaseBeyondThresholds(Device &device) {
  std::lock_guard lock(memory().mutex);
  for (const auto &pool : everyPool())
    if (&pool->device == &device && pool->reserved > pool->threshold) memory().trim(*pool, size_t(pool->threshold));
}

extern "C" {
int cuMemPoolCreate(PoolHandle *handle, const PoolProperties *properties) {
  return callOn(__func__, [&](Device &) {
    Device *device = deviceOf(properties->ordinal);
    if (!device || properties->allocation != 1 || properties->location != 1) return int(InvalidValue);
    auto pool = std::make_shared<Pool>(*device);
    std::lock_guard lock(memory().mutex);
    everyPool().push_back(pool);
    return *handle = pools().add(pool), int(Success);
  });
}
int cuMemPoolDestroy(PoolHandle handle) {
  return callOn(__func__, [&](Device &) {
    auto pool = pools().remove(handle);
    if (!pool) return int(InvalidValue);
    std::lock_guard lock(memory().mutex);
    if (pool->used) return int(InvalidValue); // a driver keeps it until all is given back: here it is a leak
    memory().trim(*pool, 0);
    return std::erase(everyPool(), pool), int(Success);
  });
}
int cuMemPoolSetAttribute(PoolHandle handle, int attribute, void *value) {
  return callOn(__func__, [&](Device &) {
    auto pool = pools().find(handle);
    if (!pool || attribute != ReleaseThreshold) return int(InvalidValue);
    return pool->threshold = *static_cast<uint64_t *>(value), int(Success);
  });
}
int cuMemPoolGetAttribute(PoolHandle handle, int attribute, void *value) {
  return callOn(__func__, [&](Device &) {
    auto pool = pools().find(handle);
    std::lock_guard lock(memory().mutex);
    if (!pool || (attribute != Used && attribute != Reserved)) return int(InvalidValue);
    return *static_cast<uint64_t *>(value) = attribute == Used ? pool->used : pool->reserved, int(Success);
  });
}
int cuMemPoolTrimTo(PoolHandle handle, size_t keep) {
  return callOn(__func__, [&](Device &) {
    auto pool = pools().find(handle);
    if (!pool) return int(InvalidValue);
    std::lock_guard lock(memory().mutex);
    return memory().trim(*pool, keep), int(Success);
  });
}
int cuMemGetInfo_v2(size_t *free, size_t *total) {
  return callOn(__func__, [&](Device &device) {
    *total = settings().memory;
    std::lock_guard lock(memory().mutex);
    return *free = *total - std::min(*total, device.reserved), Success;
  });
}

int cuMemAllocFromPoolAsync(Address *address, size_t bytes, PoolHandle handle, StreamHandle stream) {
  return callOn(__func__, [&](Device &device) {
    auto pool = pools().find(handle);
    auto queue = queueOf(stream, device);
    if (!pool || !queue) return int(InvalidHandle);
    if (queue->capturing) return int(CaptureUnsupported);
    return bytes ? allocate(address, bytes, *pool, *queue, stream) : int(InvalidValue);
  });
}
int cuMemFreeAsync(Address address, StreamHandle stream) {
  return callOn(__func__, [&](Device &device) {
    auto queue = queueOf(stream, device);
    if (!queue) return int(InvalidHandle);
    if (queue->capturing) return int(CaptureUnsupported);
    std::lock_guard lock(memory().mutex);
    auto block = memory().around(address);
    if (!block || block->start() != address || !block->isHeld) return int(InvalidValue);
    block->isHeld = false, block->freedIn = stream;
    block->pool.used -= block->room;
    block->pool.free.push_back(block);
    queue->put([block] {
      std::lock_guard inner(memory().mutex);
      block->bytesThere = 0, --block->holders;
    });
    return int(Success);
  });
}

int cuMemHostAlloc(void **block, size_t bytes, unsigned) {
  return callOn(__func__, [&](Device &) {
    auto pinned = std::make_shared<Pinned>(bytes);
    std::lock_guard lock(memory().mutex);
    memory().pinned[pinned->data.data()] = pinned;
    return *block = pinned->data.data(), Success;
  });
}
int cuMemFreeHost(void *block) {
  return callOn(__func__, [&](Device &) {
    std::lock_guard lock(memory().mutex);
    return memory().pinned.erase(static_cast<char *>(block)) ? Success : InvalidValue;
  });
}
} // extern "C"

} // namespace stub
