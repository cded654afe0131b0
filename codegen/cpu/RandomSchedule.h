// Legal schedules by chance, for tests.
#pragma once

#include "codegen/cpu/Schedule.h"

#include <random>

namespace kiln::cpu {

/// A schedule that fits the kernel and its layouts; the usual one where none is drawn.
ir::ScheduleAttr randomSchedule(ir::KernelOp kernel, const KernelLayout &layout, const Target &target, std::mt19937_64 &random);

} // namespace kiln::cpu
