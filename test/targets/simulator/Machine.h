// A GPU in this process: the blocks of a launch one after the other, the threads of a block as coroutines that meet at barriers and
// shuffles. What a real one would do in some order, or not at all, is an Error: threads that touch the same bytes without a barrier
// between them, one of them writing; threads that wait where others do not; accesses outside of what a kernel was given.
#pragma once

#include "lib/Core/LaunchPlan.h"

#include <functional>

namespace simulator {

/// What one thread does, given the pointers of its kernel.
using KernelFunction = void (*)(void *const *arguments);

/// Memory of this process that kernels may touch.
struct Area {
  char *begin, *end;
};

/// Runs a launch, whose numbers are constants. `pointers`: one for each argument of it, around which the kernel may touch what the launch
/// says; sizes stand among them as they are. Throws Error (value).
void launch(const kiln::LaunchPlan::Launch &launch, KernelFunction kernel, const std::vector<void *> &pointers);
/// The same in `memory`, of which no two meet, instead of what the launch says.
void launch(const kiln::LaunchPlan::Launch &launch, KernelFunction kernel, const std::vector<void *> &pointers,
            const std::vector<Area> &memory);

/// The name in a library of kernels under which its launch plan stands, as text that ends in a zero: what the kernels take.
inline constexpr const char *kPlanSymbol = "kiln_simulator_plan";
/// Instead of it, in a library of kernels that somebody wrote: NAME_parameters says how many parameters of 64 bits the kernel NAME has.
inline constexpr const char *kOwnSymbol = "kiln_simulator_own";
/// Makes what kernels call visible to libraries of them that are opened from now on.
void showToKernels();

} // namespace simulator
