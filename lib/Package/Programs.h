// Programs brought into the form that packages have.
#pragma once

#include "lib/Core/Trace.h"

namespace kiln {

/// The types of the inputs of a program.
std::vector<TensorType> inputTypesOf(const Trace &trace);

/// The program with these of its inputs, in this order, before all operations; each is row-major. The others must be unused: `usedInputs`
/// tells. No output is in the place of an input.
Trace withInputs(const Trace &trace, std::span<const size_t> order);
/// By input, whether an operation reads it or it is a result.
std::vector<char> usedInputs(const Trace &trace);

} // namespace kiln
