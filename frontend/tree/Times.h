// How long kernels take in the calls of a program, where that is asked for: by code of their own, which tells of each that has run.
#pragma once

#include "frontend/tree/Segment.h"

namespace kiln {

/// kn.config.profile; under the lock of the host.
extern bool isTiming;

/// Of a segment, since timing began.
struct KernelTimes {
  std::shared_ptr<Executable> code; // null: there is none, and segments run untimed
  std::mutex mutex;
  int64_t runs = 0; // under the mutex
  std::vector<int64_t>
      nanoseconds; // likewise: of all runs, by kernel; of a loop without the kernels of its bodies, which are told for themselves
};

/// Finds or compiles the code that is timed, under the lock of the host.
void findTimed(const Segment &segment);
/// Runs the code of a segment and adds the times; its status.
int32_t runTimed(const Segment &segment, void *const *buffers, const int64_t *dims, void *workspace);

} // namespace kiln
