// Recorded programs, run operation by operation through the eager kernels: the results before optimized code is there.
#pragma once

#include "frontend/Array.h"
#include "lib/Core/Trace.h"

namespace kiln {

/// The outputs of a trace of fixed sizes for inputs of its types, each row-major in memory of its own. `between` is called after each
/// operation. `places`: by slot, the devices of what is made without operands of theirs (Recorder.h). Throws Error where an operation fails
/// on data; the inputs are as before.
std::vector<Array> interpret(const Trace &trace, std::span<const Array *const> inputs, void (*between)() = nullptr,
                             std::span<Device *const> places = {});

} // namespace kiln
