// Programs in files: a trace with ops and dtypes by name, so that it reads back in any later version. docs/formats/program.md
// has the layout.
#pragma once

#include "lib/Core/Trace.h"

#include <span>

namespace kiln {

inline constexpr int64_t kProgramVersion = 1;

/// The bytes of a program.
std::vector<uint8_t> packProgram(const Trace &trace);
/// A trace from such bytes. Older entries are brought to the present versions of their ops. Throws Error (package) for bytes
/// that are no program, are cut short, name what this version does not know, or do not fit together.
Trace unpackProgram(std::span<const uint8_t> bytes);
/// A trace from its serialization in words (Trace::serialize).
Trace parseTrace(std::span<const int64_t> serialized);

} // namespace kiln
