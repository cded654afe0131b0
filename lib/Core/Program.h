// Programs in files: a trace with ops, attributes and devices by name, so that it reads back in any later version.
// docs/formats/program.md has the layout.
#pragma once

#include "lib/Core/Trace.h"

#include <span>

namespace kiln {

/// Of files: a reader takes any minor version of its major one (docs/formats/program.md says what may be added).
inline constexpr int64_t kProgramVersion = 3, kProgramMinor = 1;

/// The bytes of a program. Throws Error (package) for one that no file can hold: bodies nested too deeply, names of devices that are none.
std::vector<uint8_t> packProgram(const Trace &trace);
/// A trace from such bytes. Older entries are brought to the present versions of their ops. Throws Error (package) for bytes
/// that are no program, are cut short, name what this version does not know, or do not fit together.
Trace unpackProgram(std::span<const uint8_t> bytes);
/// Whether bytes start as those of a program do.
bool isProgramFile(std::span<const uint8_t> bytes);
/// A trace from its serialization in words (Trace::serialize).
inline Trace parseTrace(std::span<const int64_t> serialized) { return Trace::parse(serialized); }

} // namespace kiln
