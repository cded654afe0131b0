// The disk cache of executables: content-addressed, each entry one file that holds the whole key.
//
//   entry := shared object, key words, footer {magic, object bytes, key words, checksum of both}
//
// The hash of the key only finds a file; a hit compares the key word for word and checks the sum.
#pragma once

#include "lib/Cache/NamedCode.h"
#include "lib/Runtime/Executable.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace kiln {

struct CacheConfig {
  bool enabled = true;
  std::string folder; // empty: $XDG_CACHE_HOME/kiln or ~/.cache/kiln
  std::string dumpDir;
  std::string perfDir;              // where code is loaded from, under the names of what it was recorded from; empty: under none
  std::vector<std::string> path;    // further folders to read from
  int64_t limit = int64_t(4) << 30; // of the folder, in bytes
};
CacheConfig cacheConfig();
void setCacheConfig(CacheConfig config);

struct CompileResult {
  std::shared_ptr<Executable> executable;
  bool fromCache = false;
  double milliseconds = 0; // to look up, compile and load
};

/// What code is made for.
struct CodeUse {
  Accelerator *on = nullptr;            // where it runs; null: the CPU
  bool isTimed = false;                 // it tells of each kernel that has run
  std::vector<SourcePlace> places = {}; // by slot, where its functions are to have names; empty: they are not
  std::string plan = {};                // of an accelerator, what the compiler would write; empty: it is asked
};

/// The executable of a program from the cache, where it is there.
std::optional<CompileResult> findExecutable(const std::vector<int64_t> &serialized, const CodeUse &use = {});
/// The same, or compiled and stored there.
CompileResult getExecutable(const std::vector<int64_t> &serialized, const int32_t *cancel = nullptr, const CodeUse &use = {});

/// The key of a program: compiler build, target, program.
std::vector<int64_t> cacheKey(const std::vector<int64_t> &serialized, const CodeUse &use = {});
/// The name of a key's file.
std::string entryName(const std::vector<int64_t> &key);
/// The folder that entries are stored in.
std::string cacheFolder();

} // namespace kiln
