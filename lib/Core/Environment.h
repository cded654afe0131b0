#pragma once

#include <cstdlib>
#include <string>

namespace kiln {

/// A variable of the environment; empty where there is none.
inline std::string environment(const char *name) {
  const char *value = std::getenv(name);
  return value ? value : "";
}

} // namespace kiln
