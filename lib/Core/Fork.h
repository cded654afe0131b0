// Locks that a fork waits for: the child finds them free, and what they guard whole.
#pragma once

#include <mutex>

namespace kiln {

/// In the order in which a thread may take several.
enum class Lock { Compiler, CompileQueue, Pack, Loader, Memory, Settings, Count };

std::mutex &lockOf(Lock lock);

/// Whether this process is the child of a fork that found Lock::Compiler taken: a compilation may take long, and a fork waits for it for a
/// short time only. What the lock guards is not whole here, and must not be used.
bool compilerWasLost();

/// While one lives, its thread is inside a foreign library whose own locks and tables a child must not find half-changed. Many threads may
/// be; a fork waits until they have left.
class InsideLibrary {
public:
  InsideLibrary();
  ~InsideLibrary();
  InsideLibrary(const InsideLibrary &) = delete;
};

} // namespace kiln
