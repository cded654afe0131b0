#include "lib/Cache/CacheEntry.h"

#include "lib/Cache/Cache.h"
#include "lib/Core/Error.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kiln {
namespace {

constexpr time_t kLongestDraft = 3600;             // seconds: no compilation takes that long
constexpr uint64_t kMagic = 0x3165686361636e6bull; // "kncache1"

struct Footer {
  uint64_t magic, objectBytes, keyWords, checksum;
};

uint64_t checksum(const void *object, size_t bytes, const void *key, size_t words) {
  return XXH3_64bits_withSeed(key, words * 8, XXH3_64bits(object, bytes));
}

/// A file descriptor that closes itself.
struct File {
  int fd;
  explicit File(int fd) : fd(fd) {}
  ~File() {
    if (fd >= 0) close(fd);
  }
  File(const File &) = delete;
};

bool isOurs(const struct stat &status) { return status.st_uid == geteuid() || status.st_uid == 0; }

/// A whole file of ours in memory.
struct Mapped {
  const char *bytes = nullptr;
  size_t size = 0;

  explicit Mapped(const File &file) {
    struct stat status;
    if (file.fd < 0 || fstat(file.fd, &status) || status.st_size <= 0) return;
    if (!isOurs(status)) return; // another user's code is not ours to run
    void *data = mmap(nullptr, size_t(status.st_size), PROT_READ, MAP_PRIVATE, file.fd, 0);
    if (data != MAP_FAILED) bytes = static_cast<const char *>(data), size = size_t(status.st_size);
  }
  ~Mapped() {
    if (bytes) munmap(const_cast<char *>(bytes), size);
  }
  Mapped(const Mapped &) = delete;

  /// The footer of a whole entry; with `magic` 0 where this is none.
  Footer footer() const {
    Footer f{};
    if (size < sizeof(Footer)) return f;
    size_t rest = size - sizeof(Footer);
    std::memcpy(&f, bytes + rest, sizeof(Footer));
    bool fits = f.magic == kMagic && f.objectBytes < rest && (rest - f.objectBytes) % 8 == 0 && f.keyWords == (rest - f.objectBytes) / 8;
    if (!fits || f.checksum != checksum(bytes, f.objectBytes, bytes + f.objectBytes, f.keyWords)) f.magic = 0;
    return f;
  }
};

bool isEntry(const File &file, const std::vector<int64_t> &key) {
  Mapped entry(file);
  Footer f = entry.footer();
  return f.magic && f.keyWords == key.size() && !std::memcmp(entry.bytes + f.objectBytes, key.data(), key.size() * 8);
}

/// Says that an entry was used, at most once an hour.
void touch(const File &file) {
  struct stat status;
  if (!fstat(file.fd, &status) && status.st_mtime + 3600 < time(nullptr)) (void)futimens(file.fd, nullptr);
}

} // namespace

bool appendFooter(const std::string &path, const std::vector<int64_t> &key) {
  File file(open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC));
  Footer footer{kMagic, 0, key.size(), 0};
  {
    Mapped object(file);
    if (!object.bytes) return false;
    footer.objectBytes = object.size;
    footer.checksum = checksum(object.bytes, object.size, key.data(), key.size());
  }
  return write(file.fd, key.data(), key.size() * 8) == ssize_t(key.size() * 8) &&
         write(file.fd, &footer, sizeof footer) == ssize_t(sizeof footer);
}

std::shared_ptr<Executable> openAnywhere(const std::string &path) {
  try {
    return Executable::open(path);
  } catch (const Error &) {
    if (auto copy = Executable::openCopy(path)) return copy;
    throw;
  }
}

std::shared_ptr<Executable> openEntry(const std::string &path, const std::vector<int64_t> &key, const Opener &open) {
  File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd < 0 || !isEntry(file, key)) return nullptr;
  touch(file);
  return open(path); // by its own name: docs/decisions/0004
}

EntryState inspectEntry(const std::string &path) {
  File file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  Mapped entry(file);
  Footer f = entry.footer();
  if (!f.magic) return {};
  std::vector<int64_t> head = cacheKey({});
  bool isOfHost = f.keyWords >= head.size() && !std::memcmp(entry.bytes + f.objectBytes, head.data(), head.size() * 8);
  std::string_view key(entry.bytes + f.objectBytes, f.keyWords * 8);
  return {true, isOfHost || key.starts_with(kBuildId + std::string(kAccelerated))}; // which ones there are is not looked up
}

bool isTrusted(const std::string &folder) {
  struct stat status;
  return !stat(folder.c_str(), &status) && isOurs(status) && !(status.st_mode & S_IWOTH);
}

void dropOldEntries(const std::string &folder, int64_t limit) {
  struct Found {
    std::string path;
    int64_t used, bytes;
  };
  std::vector<Found> entries;
  int64_t total = 0;
  DIR *directory = opendir(folder.c_str());
  if (!directory) return;
  while (dirent *file = readdir(directory)) {
    std::string path = folder + "/" + file->d_name;
    struct stat status;
    if (stat(path.c_str(), &status)) continue;
    if (path.ends_with(".tmp") && status.st_mtime + kLongestDraft < time(nullptr)) unlink(path.c_str());
    if (!path.ends_with(".so")) continue;
    entries.push_back({path, status.st_mtime, status.st_size});
    total += status.st_size;
  }
  closedir(directory);
  if (total <= limit) return;
  std::sort(entries.begin(), entries.end(), [](auto &a, auto &b) { return a.used < b.used; });
  for (const Found &entry : entries) {
    if (total <= limit / 10 * 9) break;
    if (!unlink(entry.path.c_str())) total -= entry.bytes;
  }
}

} // namespace kiln
