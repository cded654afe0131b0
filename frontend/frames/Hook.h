// Instructions of Python, told one by one before they run: in this thread, in the code objects that are asked for.
#pragma once

#include "frontend/frames/Code.h"
#include "frontend/frames/Frame.h"

#include <memory>

namespace kiln::py {

/// Is told of instructions. It may replace values on the stack, and throws nothing; an error of Python that it sets is raised in the place
/// of the instruction.
class InstructionWatcher {
public:
  virtual ~InstructionWatcher() = default;
  /// Whether it asks for the instructions of code that begins to run, where its hook follows all of it.
  virtual bool follows(PyCodeObject *) { return false; }
  virtual void before(const Frame &frame, const Instruction &instruction, int offset) noexcept = 0;
};

/// Tells a watcher while it lives; one in a thread at a time. How is up to the version of CPython: Hook311.cpp, Hook312.cpp.
class Hook {
public:
  explicit Hook(InstructionWatcher &watcher);
  ~Hook() { stop(); }
  Hook(const Hook &) = delete;

  /// Asks for the instructions of a code object; where frames of it run already, perhaps from their next call on.
  void enter(PyCodeObject *code);
  /// Asks for those of all code that runs from here on, and that the watcher follows.
  void followAll();
  /// Whether it was told all so far: frames read as expected, and nobody has taken its place.
  bool isWhole() const;
  /// Stops it before its end.
  void stop();

private:
  friend struct HookEvents;
  struct State; // of the version
  InstructionWatcher &watcher;
  std::shared_ptr<State> state; // null: it does not run
  bool isBroken = false;

  void tell(const Frame &frame, int offset);
};

/// Whether frames read back as expected in this process: tried once. Without that nothing is told by hooks.
bool isHookProven();

} // namespace kiln::py
