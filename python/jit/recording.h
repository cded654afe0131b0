// Calls that are recorded: what a call reads of Python is watched, and the path that it takes becomes one of its tree.
#pragma once

#include "jit.h"

#include <chrono>

namespace kiln::py {

using Clock = std::chrono::steady_clock;
/// A run that takes longer has its code compiled at once.
inline constexpr auto kLongRun = std::chrono::milliseconds(1);

/// A call that is recorded, into a tree of the function or a new one.
PyObject *callRecording(JitState &state, const std::shared_ptr<Tree> &tree, bool isNew, const Call &call, Arguments &arguments);
/// A call that Python drives: its operations are put off until a value is needed, and run as segments then.
PyObject *callDriven(JitState &state, const std::shared_ptr<Tree> &tree, const Call &call, const Arguments &arguments);

} // namespace kiln::py
