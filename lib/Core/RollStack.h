// Rows for what the trips of a loop leave behind: values that later operations read trip by trip, as a gradient reads those of its
// function.
#pragma once

#include "lib/Core/RollBody.h"

namespace kiln {

/// Whether it computes nothing: a source, or elements of its operand.
bool isMove(const TraceOp &op);

/// The trace with such values of `runs` written into rows of arrays, and read from there, so that the loops hand them on. Sources, and
/// parts of what a loop does not make, are made again where they are read. None where nothing is read so.
std::optional<Changed> stackRows(const Lines &lines, std::vector<Run> runs);

} // namespace kiln
