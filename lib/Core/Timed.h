// What code needs of the runtime that was compiled to be timed.
#pragma once

#include "include/kiln/executable.h"

namespace kiln {

/// The table that such code is called with, in the place of a kiln_rt.
struct TimedRuntime {
  kiln_rt rt;
  KILN_SLOT void (*tick)(int64_t kernel); // the kernel of the program has run
};

} // namespace kiln
