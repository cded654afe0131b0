// Counters of passes. Our own, since the packaged LLVM compiles Pass::Statistic out.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace kiln {

/// Named counters of one compilation, "pass.counter" -> count. Thread-local, so concurrent compilations do not mix.
inline std::map<std::string, int64_t> &stats() {
  thread_local std::map<std::string, int64_t> counters;
  return counters;
}
inline void count(const std::string &name, int64_t by = 1) { stats()[name] += by; }

} // namespace kiln
