// Programs whose code may still be on its way: compiled here and now, or by a thread behind the program's back.
#pragma once

#include "lib/Cache/Cache.h"
#include "lib/Core/Error.h"
#include "lib/Core/Trace.h"

#include <atomic>
#include <functional>

namespace kiln {

struct Code {
  enum State { Recorded, Waiting, Ready, Failed };

  explicit Code(Trace trace, Accelerator *on = nullptr) : trace(std::move(trace)), on(on) {}

  const Trace trace;
  Accelerator *const on;           // null: the CPU
  std::vector<SourcePlace> places; // of its functions' names; set before it is asked for
  std::string plan;                // what the compiler would write, where it is there; likewise
  std::atomic<State> state = Recorded;
  CompileResult result;                // from Ready on
  ErrorKind kind = ErrorKind::Compile; // of what Failed
  std::string error;
  bool isDeclined = false; // of what Failed: it would take too much, or the compiler cannot be used
  int32_t cancel = 0;      // 1: whoever compiles it is to give up
  // For the one who calls:
  int64_t replays = 0; // calls that did without
  bool isCounted = false;
};

/// Looks for the code in the cache; false where it is not there.
bool findCode(Code &code);
/// Compiles, or waits for the thread that does; throws Error (compile), as Declined where the program is to go on without code. With
/// `check` that thread does, and the caller runs `check` every 20 ms: what it throws ends the wait, and the compilation.
void compileNow(const std::shared_ptr<Code> &code, const std::function<void()> &check = {});
/// Has the compile thread do it, once.
void compileLater(const std::shared_ptr<Code> &code);
/// Drops the programs that wait and gives up those that are being compiled, before the process exits. Waits for that for 100 ms at most; a
/// thread that is still inside the compiler then does not come back.
void stopCompileThread();

} // namespace kiln
