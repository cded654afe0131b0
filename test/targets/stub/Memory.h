// All memory of the stub.
#pragma once

#include "test/targets/stub/Stub.h"

namespace stub {

struct Pool {
  explicit Pool(Device &device) : device(device) {}
  Device &device;
  uint64_t threshold = 0;
  size_t reserved = 0, used = 0;
  std::vector<std::shared_ptr<Block>> free; // given back by the host; streams may still use them
};

struct Pinned {
  explicit Pinned(size_t bytes) : data(bytes) {}
  std::vector<char> data;
};

/// All memory; never destroyed.
struct Memory {
  std::mutex mutex;
  std::map<Address, std::shared_ptr<Block>> blocks;
  std::map<const char *, std::shared_ptr<Pinned>> pinned;

  /// The block around an address, its end included; null where there is none.
  std::shared_ptr<Block> around(Address at);
  std::shared_ptr<Pinned> pinnedAround(const void *at, size_t bytes);
  /// Gives blocks of a pool back that no stream uses any more, until it has no more than `keep` bytes.
  void trim(Pool &pool, size_t keep);
};
Memory &memory();

} // namespace stub
