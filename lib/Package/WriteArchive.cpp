#include "lib/Package/ArchiveFormat.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace kiln {
namespace {

using namespace zip;

/// Least significant byte first.
class Record {
public:
  std::vector<uint8_t> bytes;
  template <typename... T> void put(T... values) { (number(values), ...); }
  void text(const std::string &text) { bytes.insert(bytes.end(), text.begin(), text.end()); }

private:
  template <typename T> void number(T value) {
    for (size_t i = 0; i < sizeof(T); ++i) bytes.push_back(uint8_t(value >> 8 * i));
  }
};

/// A file that takes the place of another one when it is whole.
class NewFile {
public:
  explicit NewFile(const std::string &path) : path(path), temporary(path + ".XXXXXX") {
    file = mkostemp(temporary.data(), O_CLOEXEC);
    if (file < 0) fail();
    mode_t mask = umask(0);
    umask(mask);
    fchmod(file, 0666 & ~mask);
  }
  ~NewFile() {
    if (file < 0) return;
    close(file);
    unlink(temporary.c_str());
  }
  void write(std::span<const uint8_t> bytes) {
    while (!bytes.empty()) {
      ssize_t count = ::write(file, bytes.data(), std::min<size_t>(bytes.size(), 1 << 30));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail();
      bytes = bytes.subspan(size_t(count));
    }
  }
  void finish() {
    if (fsync(file) || rename(temporary.c_str(), path.c_str())) fail();
    close(file);
    file = -1;
  }

private:
  std::string path, temporary;
  int file;
  [[noreturn]] void fail() {
    throw Error(ErrorKind::Package, "package: expected a file that can be written at '" + path + "', got: " + std::strerror(errno));
  }
};

/// A member, where it lies and what it is.
struct Placed {
  std::string name;
  uint64_t offset, size = 0;
  uint32_t checksum = 0;
  bool isLong() const { return size >= kLong32; }
};

constexpr uint16_t kVersion = 10, kLongVersion = 45, kUnix = 3 << 8, kFirstDay = 1 << 5 | 1; // 1980-01-01
constexpr uint32_t kAttributes = uint32_t(0100644) << 16;

uint32_t short32(uint64_t value) { return uint32_t(std::min(value, kLong32)); }

/// What both headers of a member have in common.
void putFacts(Record &to, const Placed &member, bool isLong) {
  to.put(isLong ? kLongVersion : kVersion, uint16_t(0), uint16_t(0), uint16_t(0), kFirstDay, member.checksum, short32(member.size),
         short32(member.size), uint16_t(member.name.size()));
}

Record localHeader(const Placed &member) {
  Record extra, header;
  if (member.isLong()) extra.put(kLongSizes, uint16_t(16), member.size, member.size);
  constexpr uint64_t kLeast = 6; // id, length, alignment
  uint64_t end = member.offset + kLocalBytes + member.name.size() + extra.bytes.size() + kLeast;
  uint64_t padding = (kAlignment - end % kAlignment) % kAlignment;
  extra.put(kPadding, uint16_t(2 + padding), uint16_t(kAlignment));
  extra.bytes.resize(extra.bytes.size() + padding);
  header.put(kLocalHeader);
  putFacts(header, member, member.isLong());
  header.put(uint16_t(extra.bytes.size()));
  header.text(member.name);
  header.bytes.insert(header.bytes.end(), extra.bytes.begin(), extra.bytes.end());
  return header;
}

void putEntry(Record &directory, const Placed &member) {
  Record extra;
  bool isFar = member.offset >= kLong32, isLong = isFar || member.isLong();
  if (isLong) extra.put(kLongSizes, uint16_t(8 * (2 * member.isLong() + isFar)));
  if (member.isLong()) extra.put(member.size, member.size);
  if (isFar) extra.put(member.offset);
  directory.put(kDirectoryEntry, uint16_t(kUnix | kLongVersion));
  putFacts(directory, member, isLong);
  directory.put(uint16_t(extra.bytes.size()), uint16_t(0), uint16_t(0), uint16_t(0), kAttributes, short32(member.offset));
  directory.text(member.name);
  directory.bytes.insert(directory.bytes.end(), extra.bytes.begin(), extra.bytes.end());
}

void putEnd(Record &directory, uint64_t count, uint64_t offset) {
  uint64_t size = directory.bytes.size();
  if (count >= kLong16 || size >= kLong32 || offset >= kLong32) {
    directory.put(kLongEnd, uint64_t(kLongEndBytes - 12), uint16_t(kUnix | kLongVersion), kLongVersion, uint32_t(0), uint32_t(0), count,
                  count, size, offset);
    directory.put(kLocator, uint32_t(0), offset + size, uint32_t(1));
  }
  auto few = uint16_t(std::min(count, kLong16));
  directory.put(kEnd, uint16_t(0), uint16_t(0), few, few, short32(size), short32(offset), uint16_t(0));
}

} // namespace

void writeArchive(const std::string &path, std::span<const ArchiveMember> members) {
  NewFile file(path);
  uint64_t at = 0;
  Record directory;
  for (const ArchiveMember &member : members) {
    Placed placed{member.name, at};
    for (auto piece : member.pieces) {
      placed.size += piece.size();
      placed.checksum = checksumOf(piece, placed.checksum);
    }
    Record header = localHeader(placed);
    file.write(header.bytes);
    for (auto piece : member.pieces) file.write(piece);
    at += header.bytes.size() + placed.size;
    putEntry(directory, placed);
  }
  putEnd(directory, members.size(), at);
  file.write(directory.bytes);
  file.finish();
}

} // namespace kiln
