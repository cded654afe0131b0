// What programs reach through the runtime's table: library routines, and threads (Threads.h).
#pragma once

#include "include/kiln/executable.h"
#include "lib/Core/Ops.h"

#include <cstdint>
#include <string>

namespace kiln {

/// The table that executables are called with.
const kiln_rt *runtimeTable();

/// Throws the Error of a status that an op's routine returned; 0 is none. `words` are the op's.
void checkLibraryStatus(Op op, int32_t status, std::span<const int64_t> words = {});

namespace library {

/// A routine: `tensors` are the operands and then the row-major result. A status of include/kiln/executable.h.
using Routine = int32_t(const kiln_tensor *tensors, const int64_t *words);
Routine cholesky, lu, solve, qr, eigh, eig, svd, fft, rfft, irfft, searchsorted, isin, gcd;
/// What compiled code calls for a row of an op that it has code of its own for as well.
Routine sort, argsort;

/// The routine of an op by its name; null where there is none.
Routine *find(const char *name);

} // namespace library
} // namespace kiln
