#include "lib/Cache/Cache.h"

#include "lib/Cache/CacheEntry.h"
#include "lib/Core/Environment.h"
#include "lib/Core/Error.h"
#include "lib/Core/Fork.h"
#include "lib/Core/Host.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace kiln {
namespace {

/// Stands behind the program in keys of code that is timed.
constexpr int64_t kTimed = 0x64656d6974; // "timed"

/// Folders with colons between them.
std::vector<std::string> split(const std::string &path) {
  std::vector<std::string> folders;
  for (size_t at = 0; at < path.size();) {
    size_t end = std::min(path.find(':', at), path.size());
    if (end > at) folders.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return folders;
}

/// A number of bytes, or of K, M or G of them.
int64_t bytesOf(const std::string &text) {
  if (text.empty()) return CacheConfig().limit;
  char *end = nullptr;
  int64_t number = std::strtoll(text.c_str(), &end, 10);
  int shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;
  if (end == text.c_str() || end[shift > 0] || number < 0 || number > (int64_t(1) << (62 - shift)))
    fail(ErrorKind::Value, "KILN_CACHE_LIMIT", "bytes", "a number, or one with K, M or G behind it", "'" + text + "'");
  return number << shift;
}

bool makeFolder(const std::string &folder) {
  for (size_t at = 1; at != std::string::npos; at = folder.find('/', at + 1)) {
    if (at == 1) continue;
    mkdir(folder.substr(0, at).c_str(), 0755);
  }
  mkdir(folder.c_str(), 0700);
  struct stat status;
  bool isFolder = !stat(folder.c_str(), &status) && S_ISDIR(status.st_mode);
  return isFolder && isTrusted(folder) && !access(folder.c_str(), W_OK | X_OK);
}

/// To a file that `openFor` opens: for an accelerator the plan with its code assembled, which takes longer than to make it.
void compileFor(const CodeUse &use, const std::vector<int64_t> &serialized, const std::string &path, const char *dumpDir,
                const int32_t *cancel) {
  Accelerator *on = use.on;
  std::string made = use.plan;
  if (made.empty()) {
    CompileTarget target = on ? on->target() : CompileTarget();
    target.isTimed = use.isTimed;
    compileTo(serialized, path, dumpDir, cancel, target);
    if (!on) return;
    std::ifstream file(path, std::ios::binary);
    made.assign(std::istreambuf_iterator<char>(file), {});
  }
  LaunchPlan plan = LaunchPlan::read(made);
  if (plan.hasLaunches()) plan.code = on->assemble(plan.code);
  std::ofstream out(path, std::ios::binary);
  if (!(out << plan.write() << std::flush)) throw Error(ErrorKind::Compile, "compile: expected a writable file, got " + path);
}

/// Opens what `compileFor` has written.
std::shared_ptr<Executable> openFor(const CodeUse &use, const std::vector<int64_t> &serialized, const std::string &path) {
  if (use.on) {
    std::ifstream file(path, std::ios::binary);
    return Executable::load(*use.on, {std::istreambuf_iterator<char>(file), {}});
  }
  std::string folder = use.places.empty() ? "" : cacheConfig().perfDir;
  std::string named = folder.empty() ? "" : writeNamed(path, Trace::parse(serialized), use.places, folder);
  return openAnywhere(named.empty() ? path : named);
}

/// Without a folder to write to: the executable lives in memory alone.
std::shared_ptr<Executable> compileInMemory(const std::vector<int64_t> &serialized, const char *dumpDir, const int32_t *cancel,
                                            const CodeUse &use) {
  std::string folder = std::filesystem::temp_directory_path() / "kiln-XXXXXX";
  if (!mkdtemp(folder.data()))
    throw Error(ErrorKind::Compile, "compile: expected a writable folder, the cache or that of temporary files, got " + folder);
  std::string output = folder + "/program.so";
  struct Remove {
    std::string folder, output;
    ~Remove() { unlink(output.c_str()), rmdir(folder.c_str()); }
  } remove{folder, output};
  compileFor(use, serialized, output, dumpDir, cancel);
  return openFor(use, serialized, output);
}

} // namespace

std::string cacheFolder() {
  std::string chosen = cacheConfig().folder;
  if (!chosen.empty()) return chosen;
  std::string base = environment("XDG_CACHE_HOME");
  return (base.empty() ? environment("HOME") + "/.cache" : base) + "/kiln";
}

/// Under Lock::Settings: the compile thread reads while the program may change.
static CacheConfig &theConfig() {
  static CacheConfig config = [] {
    CacheConfig c;
    c.enabled = environment("KILN_CACHE") != "0";
    c.folder = environment("KILN_CACHE_DIR");
    c.dumpDir = environment("KILN_DUMP_DIR");
    c.perfDir = environment("KILN_PERF_DIR");
    c.path = split(environment("KILN_CACHE_PATH"));
    c.limit = bytesOf(environment("KILN_CACHE_LIMIT"));
    return c;
  }();
  return config;
}
CacheConfig cacheConfig() {
  std::lock_guard lock(lockOf(Lock::Settings));
  return theConfig();
}
void setCacheConfig(CacheConfig config) {
  std::lock_guard lock(lockOf(Lock::Settings));
  theConfig() = std::move(config);
}

std::vector<int64_t> cacheKey(const std::vector<int64_t> &serialized, const CodeUse &use) {
  Accelerator *on = use.on;
  std::string head = std::string(kBuildId) + (on ? std::string(kAccelerated) + on->target().target + "-" + on->target().cpu : hostTarget());
  head.resize((head.size() + 7) / 8 * 8);
  std::vector<int64_t> key(head.size() / 8);
  std::memcpy(key.data(), head.data(), head.size());
  key.insert(key.end(), serialized.begin(), serialized.end());
  if (use.isTimed) key.push_back(kTimed);
  return key;
}

std::string entryName(const std::vector<int64_t> &key) {
  XXH128_hash_t hash = XXH3_128bits(key.data(), key.size() * 8);
  char name[40];
  snprintf(name, sizeof name, "%016llx%016llx.so", static_cast<unsigned long long>(hash.high64),
           static_cast<unsigned long long>(hash.low64));
  return name;
}

using Clock = std::chrono::steady_clock;
static double millisecondsSince(Clock::time_point start) { return std::chrono::duration<double, std::milli>(Clock::now() - start).count(); }

std::optional<CompileResult> findExecutable(const std::vector<int64_t> &serialized, const CodeUse &use) {
  CacheConfig config = cacheConfig();
  if (!config.enabled) return std::nullopt;
  auto start = Clock::now();
  std::vector<int64_t> key = cacheKey(serialized, use);
  auto opener = [&](const std::string &path) { return openFor(use, serialized, path); };
  std::string name = entryName(key);
  std::vector<std::string> folders = {cacheFolder()};
  folders.insert(folders.end(), config.path.begin(), config.path.end());
  for (const std::string &folder : folders)
    if (!isTrusted(folder)) continue;
    else if (auto executable = openEntry(folder + "/" + name, key, opener))
      return CompileResult{std::move(executable), true, millisecondsSince(start)};
  return std::nullopt;
}

/// Looks through the folder now and then: at one of 16 programs, by its name, and when this process alone has added much.
static void keepWithin(int64_t limit, const std::string &entry) {
  static std::atomic<int64_t> added = 0; // bytes
  struct stat status;
  if (!stat(entry.c_str(), &status)) added += status.st_size;
  bool isChosen = entry[entry.size() - 4] == '0'; // before ".so": the hash of the program
  if (!isChosen && added <= limit / 16) return;
  added = 0;
  dropOldEntries(cacheFolder(), limit);
}

/// Compiled into the folder of the cache, or into memory where there is none.
static std::shared_ptr<Executable> compile(const std::vector<int64_t> &serialized, const int32_t *cancel, const CodeUse &use) {
  CacheConfig config = cacheConfig();
  const char *dumpDir = config.dumpDir.empty() ? nullptr : config.dumpDir.c_str();
  if (!config.enabled || !makeFolder(cacheFolder())) return compileInMemory(serialized, dumpDir, cancel, use);
  std::vector<int64_t> key = cacheKey(serialized, use);
  std::string path = cacheFolder() + "/" + entryName(key);
  // Beside its place, then renamed: another process sees the whole entry or none.
  std::string draft = path + "." + std::to_string(getpid()) + "-" + std::to_string(uintptr_t(&key)) + ".tmp";
  std::shared_ptr<Executable> executable;
  try {
    compileFor(use, serialized, draft, dumpDir, cancel);
    executable = openFor(use, serialized, draft);
  } catch (...) {
    unlink(draft.c_str());
    throw;
  }
  if (!appendFooter(draft, key) || rename(draft.c_str(), path.c_str())) unlink(draft.c_str());
  else keepWithin(config.limit, path);
  return executable;
}

CompileResult getExecutable(const std::vector<int64_t> &serialized, const int32_t *cancel, const CodeUse &use) {
  auto start = Clock::now();
  if (auto found = findExecutable(serialized, use)) return std::move(*found);
  auto executable = compile(serialized, cancel, use);
  return {std::move(executable), false, millisecondsSince(start)};
}

} // namespace kiln
