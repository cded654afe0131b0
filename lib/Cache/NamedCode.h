// Compiled code under the names of the functions and lines that it was recorded from, for tools that look at the process: perf and
// debuggers find them in the symbols and the line table of the file that is loaded.
#pragma once

#include "lib/Core/Trace.h"

#include <string>

namespace kiln {

/// Where an operation stands in the user's program.
struct SourcePlace {
  std::string function, file; // empty: nobody knows
  int64_t line = 0;
};

/// Writes the shared object at `path` to a file of its own in `folder`, its functions named as "kiln: softmax [model.py:12]"; the file, or
/// empty where that fails. `places` are those of the slots of the trace that it was compiled from.
std::string writeNamed(const std::string &path, const Trace &trace, const std::vector<SourcePlace> &places, const std::string &folder);

} // namespace kiln
