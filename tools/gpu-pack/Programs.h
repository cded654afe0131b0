// The programs of eager operations on GPUs, in the forms that frontend/AcceleratedForms.h brings operations into.
#pragma once

#include "lib/Core/Trace.h"

#include <string>
#include <vector>

namespace kiln::pack {

struct Entry {
  std::string name; // for people: operation, dtype, form
  Trace trace;      // of any sizes; strides may be open
};

/// All of them, from the op table.
std::vector<Entry> allPrograms();

} // namespace kiln::pack
