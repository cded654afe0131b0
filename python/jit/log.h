// What KILN_LOG asks for: lines on sys.stderr while a program runs.
#pragma once

#include "jit.h"

namespace kiln::py {

enum class Log : uint8_t { Compile, Cache, Guards };

/// Which are written: one bit each. Under the lock of the interpreter.
extern unsigned logged;
inline bool logs(Log kind) { return logged >> unsigned(kind) & 1; }
/// Writes a line about a jitted function. No error is set where that fails.
void writeLog(Log kind, const JitState &state, const std::string &text);

std::string milliseconds(double seconds);

/// Why none of a function's trees fits a call: what is other than it was at the last one.
std::string describeDifference(const JitState &state, const Arguments &arguments);

} // namespace kiln::py
