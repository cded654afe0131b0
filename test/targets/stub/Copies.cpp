// Copies and fills, and what an address belongs to.
#include "test/targets/stub/Memory.h"

#include <algorithm>
#include <cstring>

namespace stub {
namespace {

/// The stub's place for bytes of a device, in a stream; the device fails where they are not there.
char *reach(Device &device, Address at, size_t bytes, std::shared_ptr<Block> &block) {
  std::lock_guard lock(memory().mutex);
  block = memory().around(at);
  if (block && at + bytes <= block->start() + block->bytesThere) return block->inside + (at - block->start());
  device.fail(IllegalAddress,
              "a copy or fill of " + std::to_string(bytes) + " bytes of memory that is not there at that point of its stream");
  return nullptr;
}
} // namespace

bool isHeld(Address at, size_t bytes) {
  std::lock_guard lock(memory().mutex);
  auto block = memory().around(at);
  return block && block->isHeld && at + bytes <= block->start() + block->bytes;
}

extern "C" {
int cuMemcpyHtoDAsync_v2(Address to, const void *from, size_t bytes, StreamHandle stream) {
  return callOn(__func__, [&](Device &device) {
    if (!isHeld(to, bytes)) return int(InvalidValue);
    std::shared_ptr<Pinned> pinned;
    {
      std::lock_guard lock(memory().mutex);
      pinned = memory().pinnedAround(from, bytes);
    }
    if (!pinned) pinned = std::make_shared<Pinned>(0); // read at once, as a driver reads what is not pinned
    std::vector<char> copy(static_cast<const char *>(from), static_cast<const char *>(from) + (pinned->data.empty() ? bytes : 0));
    return put(device, stream, [&device, to, from, bytes, pinned, copy = std::move(copy)] {
      std::shared_ptr<Block> block;
      if (char *there = reach(device, to, bytes, block)) std::memcpy(there, copy.empty() ? from : copy.data(), bytes);
    });
  });
}
int cuMemcpyDtoHAsync_v2(void *to, Address from, size_t bytes, StreamHandle stream) {
  return callOn(__func__, [&](Device &device) {
    if (!isHeld(from, bytes)) return int(InvalidValue);
    return put(device, stream, [&device, to, from, bytes] {
      std::shared_ptr<Block> block;
      if (char *there = reach(device, from, bytes, block)) std::memcpy(to, there, bytes);
    });
  });
}
int cuMemcpyDtoDAsync_v2(Address to, Address from, size_t bytes, StreamHandle stream) {
  return callOn(__func__, [&](Device &device) {
    if (!isHeld(to, bytes) || !isHeld(from, bytes)) return int(InvalidValue);
    return put(device, stream, [&device, to, from, bytes] {
      std::shared_ptr<Block> source, target;
      char *read = reach(device, from, bytes, source), *write = reach(device, to, bytes, target);
      if (read && write) std::memmove(write, read, bytes);
    });
  });
}
int cuMemsetD8Async(Address to, unsigned char value, size_t bytes, StreamHandle stream) {
  return callOn(__func__, [&](Device &device) {
    if (!isHeld(to, bytes)) return int(InvalidValue);
    return put(device, stream, [&device, to, value, bytes] {
      std::shared_ptr<Block> block;
      if (char *there = reach(device, to, bytes, block)) std::memset(there, value, bytes);
    });
  });
}
int cuMemsetD32Async(Address to, unsigned word, size_t count, StreamHandle stream) {
  return callOn(__func__, [&](Device &device) {
    size_t bytes = count * sizeof word;
    if (!isHeld(to, bytes) || to % sizeof word) return int(InvalidValue);
    return put(device, stream, [&device, to, word, count, bytes] {
      std::shared_ptr<Block> block;
      if (char *there = reach(device, to, bytes, block)) std::fill_n(reinterpret_cast<unsigned *>(there), count, word);
    });
  });
}

int cuPointerGetAttribute(void *value, int attribute, Address pointer) {
  return callOn(__func__, [&](Device &) {
    std::lock_guard lock(memory().mutex);
    auto block = memory().around(pointer);
    auto pinned = memory().pinnedAround(reinterpret_cast<void *>(pointer), 0);
    bool isDevice = block && block->isHeld;
    if (!isDevice && !pinned) return int(InvalidValue);
    if (attribute == MemoryType) *static_cast<unsigned *>(value) = isDevice ? 2 : 1;
    else if (attribute == DeviceOrdinal) *static_cast<int *>(value) = isDevice ? block->device.ordinal : 0;
    else if (attribute == RangeStart && isDevice) *static_cast<Address *>(value) = block->start();
    else if (attribute == RangeBytes && isDevice) *static_cast<size_t *>(value) = block->bytes;
    else return int(InvalidValue);
    return int(Success);
  });
}
} // extern "C"

} // namespace stub
