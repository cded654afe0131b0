// What eager operations and segments of accelerators share.
#pragma once

#include "frontend/Ops.h"
#include "lib/Core/Generalize.h"
#include "lib/Runtime/Executable.h"

namespace kiln {

/// Other threads of the host run meanwhile.
struct Released {
  void *state = longWork().begin ? longWork().begin() : nullptr;
  ~Released() {
    if (longWork().end) longWork().end(state);
  }
};

/// What an input is to a program: its memory, or the bytes of a number.
inline AcceleratorProgram::Argument argumentOf(const Array &x) {
  return {x.data(), deviceOf(x) || !x.size() ? 0 : size_t(byteSize(x.dtype))};
}

/// The numbers of an instance of code for any size, behind its arrays.
inline void addNumbers(std::vector<AcceleratorProgram::Argument> &arguments, const Instance &values) {
  for (const int64_t &number : values.numbers) arguments.push_back({const_cast<int64_t *>(&number), sizeof number});
}

/// The status of a program: others run while it is waited for.
inline int32_t startProgram(const Executable &code, std::span<const AcceleratorProgram::Argument> arguments,
                            std::span<const int64_t> sizes = {}) {
  if (!code.program->waits()) return code.program->run(arguments, sizes);
  Released released;
  return code.program->run(arguments, sizes);
}

} // namespace kiln
