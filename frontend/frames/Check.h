// Whether what hooks tell of frames is so: what an instruction puts on the stack, or takes from it, is compared with where it stands next.
#pragma once

#include "frontend/frames/Hook.h"

namespace kiln::py {

class FrameChecker final : public InstructionWatcher {
public:
  int64_t told = 0, checked = 0;     // instructions, and those with an expectation
  std::vector<std::string> failures; // the first ones
  /// Where set, the value that a local of this name is given is replaced by another one.
  const char *replaced = nullptr;
  PyObject *replacement = nullptr;

  void before(const Frame &frame, const Instruction &instruction, int offset) noexcept override;

private:
  Frame last;
  int expectedAt = -1;            // the offset that the expectations are for
  std::vector<PyObject *> onTop;  // what is expected on top of the stack; not read
  PyObject *inLocal = nullptr;    // and in a local
  int local = -1, topOfBuilt = 0; // or in a tuple or list on top: so many items

  void compare(const Frame &frame, const Instruction &instruction, int offset);
  void expect(const Frame &frame, const Instruction &instruction);
  void fail(const Frame &frame, const Instruction &instruction, int offset, const char *what);
};

} // namespace kiln::py
