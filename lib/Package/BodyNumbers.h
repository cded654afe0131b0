// Numbers of the bodies of a program, brought to where programs of several sizes are compared.
#pragma once

#include "lib/Core/Trace.h"

namespace kiln {

/// The program with the constants of its bodies in front of what runs them, as further operands: those that follow from sizes are then
/// constants of the program itself. Each operation has bodies of its own.
Trace withNumbersOutside(const Trace &trace);
/// The reverse: operands of branches, and those that loops only read, that are constants stand in the bodies. Equal bodies are one.
Trace withNumbersInside(const Trace &trace);

} // namespace kiln
