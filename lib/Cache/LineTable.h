// The tables of a debugger for code whose functions have a line each: DWARF, version 4.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace kiln {

/// A function of an object, and where it stands in a program.
struct PlacedFunction {
  uint64_t address, bytes;
  std::string file;
  int64_t line;
};

/// Sections by their names in ELF.
struct DebugSections {
  std::string abbreviations, info, lines;
};
DebugSections debugSections(std::span<const PlacedFunction> functions);

} // namespace kiln
