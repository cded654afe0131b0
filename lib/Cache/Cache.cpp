#include "lib/Cache/Cache.h"

#include "lib/Core/Error.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kiln {
namespace {

constexpr uint64_t kMagic = 0x3165686361636e6bull; // "kncache1"

struct Footer {
  uint64_t magic, objectBytes, keyWords, checksum;
};

/// A file descriptor that closes itself.
struct File {
  int fd;
  explicit File(int fd) : fd(fd) {}
  ~File() {
    if (fd >= 0) close(fd);
  }
  File(const File &) = delete;
};

uint64_t checksum(const void *object, size_t bytes, const std::vector<int64_t> &key) {
  return XXH3_64bits_withSeed(key.data(), key.size() * 8, XXH3_64bits(object, bytes));
}

/// Whether the open file is a whole entry for `key`.
bool isEntry(int fd, const std::vector<int64_t> &key) {
  struct stat status;
  if (fstat(fd, &status) || status.st_size < off_t(sizeof(Footer))) return false;
  if (status.st_uid != geteuid() && status.st_uid != 0) return false; // another user's code is not ours to run
  size_t size = size_t(status.st_size);
  void *data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (data == MAP_FAILED) return false;
  auto *bytes = static_cast<const char *>(data);
  Footer footer;
  std::memcpy(&footer, bytes + size - sizeof(Footer), sizeof(Footer));
  bool good = footer.magic == kMagic && footer.keyWords == key.size() && footer.objectBytes < size &&
              footer.objectBytes + key.size() * 8 + sizeof(Footer) == size &&
              !std::memcmp(bytes + footer.objectBytes, key.data(), key.size() * 8) &&
              footer.checksum == checksum(bytes, footer.objectBytes, key);
  munmap(data, size);
  return good;
}

bool appendFooter(const std::string &path, const std::vector<int64_t> &key) {
  File file(open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC));
  struct stat status;
  if (file.fd < 0 || fstat(file.fd, &status)) return false;
  size_t size = size_t(status.st_size);
  void *data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (data == MAP_FAILED) return false;
  Footer footer{kMagic, size, key.size(), checksum(data, size, key)};
  munmap(data, size);
  return write(file.fd, key.data(), key.size() * 8) == ssize_t(key.size() * 8) &&
         write(file.fd, &footer, sizeof footer) == ssize_t(sizeof footer);
}

std::string environment(const char *name) {
  const char *value = getenv(name);
  return value ? value : "";
}

bool makeFolder(const std::string &folder) {
  for (size_t at = 1; at != std::string::npos; at = folder.find('/', at + 1)) {
    if (at == 1) continue;
    mkdir(folder.substr(0, at).c_str(), 0755);
  }
  mkdir(folder.c_str(), 0700);
  struct stat status;
  return !stat(folder.c_str(), &status) && S_ISDIR(status.st_mode) && !access(folder.c_str(), W_OK | X_OK);
}

std::string cacheFolder() {
  if (!cacheConfig().folder.empty()) return cacheConfig().folder;
  std::string base = environment("XDG_CACHE_HOME");
  return (base.empty() ? environment("HOME") + "/.cache" : base) + "/kiln";
}

/// Without a folder to write to: the executable lives in memory alone.
std::shared_ptr<Executable> compileInMemory(const std::vector<int64_t> &serialized, const char *dumpDir) {
  std::string folder = std::filesystem::temp_directory_path() / "kiln-XXXXXX";
  if (!mkdtemp(folder.data()))
    throw Error(ErrorKind::Compile, "compile: expected a writable folder, the cache or that of temporary files, got " + folder);
  std::string output = folder + "/program.so";
  struct Remove {
    std::string folder, output;
    ~Remove() { unlink(output.c_str()), rmdir(folder.c_str()); }
  } remove{folder, output};
  compileTo(serialized, output, dumpDir);
  return Executable::open(output);
}

} // namespace

CacheConfig &cacheConfig() {
  static CacheConfig config = [] {
    CacheConfig c;
    c.enabled = environment("KILN_CACHE") != "0";
    c.folder = environment("KILN_CACHE_DIR");
    c.dumpDir = environment("KILN_DUMP_DIR");
    return c;
  }();
  return config;
}

std::vector<int64_t> cacheKey(const std::vector<int64_t> &serialized) {
  std::string head = std::string(kBuildId) + hostTarget();
  head.resize((head.size() + 7) / 8 * 8);
  std::vector<int64_t> key(head.size() / 8);
  std::memcpy(key.data(), head.data(), head.size());
  key.insert(key.end(), serialized.begin(), serialized.end());
  return key;
}

std::string cachePath(const std::vector<int64_t> &key) {
  XXH128_hash_t hash = XXH3_128bits(key.data(), key.size() * 8);
  char name[40];
  snprintf(name, sizeof name, "%016llx%016llx.so", static_cast<unsigned long long>(hash.high64),
           static_cast<unsigned long long>(hash.low64));
  return cacheFolder() + "/" + name;
}

CompileResult getExecutable(const std::vector<int64_t> &serialized) {
  auto start = std::chrono::steady_clock::now();
  CompileResult result;
  auto finish = [&] {
    result.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    return result;
  };
  const char *dumpDir = cacheConfig().dumpDir.empty() ? nullptr : cacheConfig().dumpDir.c_str();
  if (!cacheConfig().enabled) {
    result.executable = compileInMemory(serialized, dumpDir);
    return finish();
  }
  std::vector<int64_t> key = cacheKey(serialized);
  std::string path = cachePath(key);
  {
    File file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.fd >= 0 && isEntry(file.fd, key)) {
      // By its own name: the loader takes two files for one that it knows by the same path, as of a descriptor.
      result.executable = Executable::open(path);
      result.fromCache = true;
      return finish();
    }
  }
  if (!makeFolder(cacheFolder())) {
    result.executable = compileInMemory(serialized, dumpDir);
    return finish();
  }
  // Beside its place, then renamed: another process sees the whole entry or none.
  std::string draft = path + "." + std::to_string(getpid()) + "-" + std::to_string(uintptr_t(&result)) + ".tmp";
  try {
    compileTo(serialized, draft, dumpDir);
    result.executable = Executable::open(draft);
  } catch (...) {
    unlink(draft.c_str());
    throw;
  }
  if (!appendFooter(draft, key) || rename(draft.c_str(), path.c_str())) unlink(draft.c_str());
  return finish();
}

} // namespace kiln
