// Programs whose code may still be on its way: compiled here and now, or by a thread behind the program's back.
#pragma once

#include "lib/Cache/Cache.h"
#include "lib/Core/Error.h"
#include "lib/Core/Trace.h"

#include <atomic>

namespace kiln {

struct Code {
  enum State { Recorded, Waiting, Ready, Failed };

  explicit Code(Trace trace) : trace(std::move(trace)) {}

  const Trace trace;
  std::atomic<State> state = Recorded;
  CompileResult result;                // from Ready on
  ErrorKind kind = ErrorKind::Compile; // of what Failed
  std::string error;
  // For the one who calls:
  int64_t replays = 0; // calls that did without
  bool isCounted = false;
};

/// Looks for the code in the cache; false where it is not there.
bool findCode(Code &code);
/// Compiles, or waits for the thread that does; throws Error (compile).
void compileNow(const std::shared_ptr<Code> &code);
/// Has the compile thread do it, once.
void compileLater(const std::shared_ptr<Code> &code);
/// Waits for the program that is being compiled, drops those that wait, and ends the compile thread: before the process exits.
void stopCompileThread();

} // namespace kiln
