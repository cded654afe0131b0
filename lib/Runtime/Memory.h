// Memory of arrays: 64-byte aligned blocks, small ones from free lists of the thread, large ones from a bounded list.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kiln {

/// At least `bytes`, 64-byte aligned, uninitialized. Throws Error (memory) when there is none.
void *allocate(size_t bytes);
/// Gives a block back; `bytes` as it was asked for.
void release(void *block, size_t bytes) noexcept;

struct MemoryStats {
  int64_t inUse = 0; // bytes of arrays and what else was allocated here
  int64_t peak = 0;  // the most that was in use at once in blocks of more than 4 KB
  int64_t kept = 0;  // bytes that wait for the next array of their size
  int64_t keptLimit = 0;
};
MemoryStats memoryStats();
/// Gives the blocks that are kept back to the system.
void releaseKept();

/// Scratch of this thread of at least `bytes`, kept between calls.
void *threadWorkspace(size_t bytes);

/// While one lives, the thread has another workspace: other programs run in the midst of one.
class SetWorkspaceAside {
public:
  SetWorkspaceAside();
  ~SetWorkspaceAside();
  SetWorkspaceAside(const SetWorkspaceAside &) = delete;

private:
  void *block;
  size_t size;
};

} // namespace kiln
