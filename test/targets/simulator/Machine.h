// A GPU in this process: the blocks of a launch one after the other, the threads of a block as coroutines that meet at barriers and
// shuffles. What a real one would do in some order, or not at all, is an Error: threads that touch the same bytes without a barrier
// between them, one of them writing; threads that wait where others do not; accesses outside of what a kernel was given.
#pragma once

#include "lib/Core/LaunchPlan.h"

#include <functional>

namespace simulator {

/// What one thread does, given the pointers of its kernel.
using KernelFunction = void (*)(void *const *arguments);

/// Runs a launch. `pointers`: one for each argument of it. Throws Error (value).
void launch(const kiln::LaunchPlan::Launch &launch, KernelFunction kernel, const std::vector<void *> &pointers);

} // namespace simulator
