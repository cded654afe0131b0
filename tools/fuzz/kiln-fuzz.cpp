// kiln-fuzz modules|programs|packages|compiled|entries [--count=N] [--first=SEED] [--jobs=N]: random programs in every way that they can
// run, and damaged program files, packages (interpreted, or compiled) and cache entries for the loaders. Ends with 1 where one was wrong,
// crashed, or took more than a minute. kiln-fuzz show --first=SEED [--count=N] prints the program of a seed, as kiln-reduce and kiln-run
// take it; or of several, with lines of
// `// -----` between them. `kiln-fuzz sizes` prints the program for any size of a seed, where it has one, and the sizes that are tried.
#include "tools/fuzz/Fuzz.h"

#include "lib/Cache/Cache.h"
#include "lib/Core/Error.h"
#include "lib/Runtime/Executable.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

using namespace kiln;

namespace {

bool hasFlag(int argc, char **argv, const char *name) {
  std::string flag = std::string("--") + name + "=";
  return std::any_of(argv + std::min(argc, 2), argv + argc, [&](char *given) { return !std::strncmp(given, flag.c_str(), flag.size()); });
}

int64_t number(int argc, char **argv, const char *name, int64_t otherwise) {
  std::string flag = std::string("--") + name + "=";
  for (int i = 2; i < argc; ++i)
    if (!std::strncmp(argv[i], flag.c_str(), flag.size())) return std::strtoll(argv[i] + flag.size(), nullptr, 10);
  return otherwise;
}

/// Ops of which too few were drawn say that the generator misses them.
int64_t countMissing(int64_t least) {
  int64_t missing = fuzz::opened() < 200 * least; // one in ten
  if (missing) std::printf("kiln-fuzz: %lld programs for any size were drawn\n", static_cast<long long>(fuzz::opened()));
  for (int i = 0; i < int(Op::Count); ++i)
    if (fuzz::drawn()[i] < least)
      std::printf("kiln-fuzz: %s was drawn %lld times\n", info(Op(i)).name, static_cast<long long>(fuzz::drawn()[i])), ++missing;
  return missing;
}

} // namespace

int main(int argc, char **argv) {
  std::string what = argc > 1 ? argv[1] : "";
  int64_t count = number(argc, argv, "count", 1000), first = number(argc, argv, "first", 0), jobs = number(argc, argv, "jobs", 1);
  setLibraryFolder(std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "lib");
  CacheConfig config = cacheConfig();
  config.enabled = false;
  setCacheConfig(config);
  if (what == "show" || what == "sizes") {
    for (int64_t seed = first; seed < first + (hasFlag(argc, argv, "count") ? count : 1); ++seed) {
      if (seed > first) std::puts("// -----");
      std::puts((what == "show" ? fuzz::showProgram(uint64_t(seed)) : fuzz::showOpenProgram(uint64_t(seed))).c_str());
    }
    return 0;
  }
  std::string (*body)(uint64_t) = what == "modules"    ? fuzz::checkProgram
                                  : what == "programs" ? fuzz::checkProgramFile
                                  : what == "packages" ? fuzz::checkPackageFile
                                  : what == "compiled" ? fuzz::checkCompiledPackage
                                  : what == "entries"  ? fuzz::checkCacheEntry
                                                       : nullptr;
  if (!body || count < 1 || jobs < 1) {
    std::fprintf(stderr, "usage: kiln-fuzz modules|programs|packages|compiled|entries|show|sizes [--count=N] [--first=SEED] [--jobs=N]\n");
    return 2;
  }
  int64_t wrong = fuzz::runAll(what.c_str(), uint64_t(first), count, int(jobs), body);
  std::printf("kiln-fuzz %s: seeds %lld to %lld, %lld wrong\n", what.c_str(), static_cast<long long>(first),
              static_cast<long long>(first + count - 1), static_cast<long long>(wrong));
  if (what == "modules") std::printf("kiln-fuzz modules: %lld of them also for any size\n", static_cast<long long>(fuzz::opened()));
  if (what == "compiled") std::printf("kiln-fuzz compiled: %lld programs were\n", static_cast<long long>(fuzz::opened()));
  if (what == "modules" && count >= 2000) wrong += countMissing(count / 2000);
  return wrong ? 1 : 0;
}
