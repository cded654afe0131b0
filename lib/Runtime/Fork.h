// Locks that a fork waits for: the child finds them free, and what they guard whole.
#pragma once

#include <mutex>

namespace kiln {

/// In the order in which a thread may take several.
enum class Lock { Compiler, CompileQueue, Pack, Loader, Memory, Settings, Count };

std::mutex &lockOf(Lock lock);

} // namespace kiln
