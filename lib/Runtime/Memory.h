// Memory of arrays: 64-byte aligned blocks, small ones from free lists of the thread, large ones from a bounded list.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kiln {

/// At least `bytes`, 64-byte aligned, uninitialized. Throws Error (memory) when there is none.
void *allocate(size_t bytes);
/// Gives a block back; `bytes` as it was asked for.
void release(void *block, size_t bytes) noexcept;

/// Scratch of this thread of at least `bytes`, kept between calls.
void *threadWorkspace(size_t bytes);

} // namespace kiln
