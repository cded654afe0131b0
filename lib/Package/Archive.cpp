#include "lib/Package/ArchiveFormat.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <set>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kiln {
namespace {

using namespace zip;

/// Fields of the file, in its order.
class Fields {
public:
  Fields(std::span<const uint8_t> bytes, uint64_t at, const char *what) : bytes(bytes), at(at), what(what) {}
  template <typename T> T next() {
    T value = 0;
    for (uint8_t byte : take(sizeof(T))) value = T(value >> 8 | T(byte) << 8 * (sizeof(T) - 1));
    return value;
  }
  std::span<const uint8_t> take(uint64_t count) {
    if (at > bytes.size() || count > bytes.size() - at) malformed(std::string("a whole ") + what, "the end of the file");
    at += count;
    return bytes.subspan(at - count, count);
  }
  std::string text(uint64_t count) {
    auto span = take(count);
    return {span.begin(), span.end()};
  }
  uint64_t place() const { return at; }

private:
  std::span<const uint8_t> bytes;
  uint64_t at;
  const char *what;
};

/// What a header says of a member, both the one before its data and that of the directory.
struct Header {
  uint16_t flags, method;
  uint32_t checksum;
  uint64_t packed, size, offset = 0;
  std::string name;
};

/// The 64-bit sizes of a header, where its own are too short.
void readExtra(std::span<const uint8_t> extra, Header &header) {
  Fields fields(extra, 0, "extra field");
  while (fields.place() < extra.size()) {
    uint16_t id = fields.next<uint16_t>(), length = fields.next<uint16_t>();
    Fields value(fields.take(length), 0, "extra field");
    if (id != kLongSizes) continue;
    if (header.size == kLong32) header.size = value.next<uint64_t>();
    if (header.packed == kLong32) header.packed = value.next<uint64_t>();
    if (header.offset == kLong32) header.offset = value.next<uint64_t>();
  }
}

Header readHeader(Fields &fields, bool isOfDirectory) {
  Header header;
  if (fields.next<uint32_t>() != (isOfDirectory ? kDirectoryEntry : kLocalHeader)) malformed("the header of a member", "other bytes");
  fields.take(isOfDirectory ? 4 : 2); // versions
  header.flags = fields.next<uint16_t>();
  header.method = fields.next<uint16_t>();
  fields.take(4); // time
  header.checksum = fields.next<uint32_t>();
  header.packed = fields.next<uint32_t>();
  header.size = fields.next<uint32_t>();
  uint16_t name = fields.next<uint16_t>(), extra = fields.next<uint16_t>(), comment = 0;
  if (isOfDirectory) {
    comment = fields.next<uint16_t>();
    fields.take(8); // disk, attributes
    header.offset = fields.next<uint32_t>();
  }
  header.name = fields.text(name);
  readExtra(fields.take(extra), header);
  fields.take(comment);
  return header;
}

struct Directory {
  uint64_t count, size, offset;
};

/// From the end of the file.
Directory findDirectory(std::span<const uint8_t> bytes) {
  if (bytes.size() < kEndBytes) malformed("a file of zip", "fewer bytes");
  uint64_t end = bytes.size() - kEndBytes;
  Fields fields(bytes, end, "end of the directory");
  if (fields.next<uint32_t>() != kEnd) malformed("a file of zip", "other bytes at its end");
  fields.take(6); // disks, entries of this one
  Directory directory{fields.next<uint16_t>(), fields.next<uint32_t>(), fields.next<uint32_t>()};
  if (directory.count == kLong16 || directory.size == kLong32 || directory.offset == kLong32) {
    if (end < kLocatorBytes + kLongEndBytes) malformed("the long end of a directory", "the start of the file");
    Fields locator(bytes, end - kLocatorBytes, "locator");
    if (locator.next<uint32_t>() != kLocator) malformed("the locator of a long directory", "other bytes");
    locator.take(4);
    uint64_t at = locator.next<uint64_t>();
    if (at != end - kLocatorBytes - kLongEndBytes) malformed("the long end of a directory before its locator", "another place");
    Fields longEnd(bytes, at, "long end of the directory");
    if (longEnd.next<uint32_t>() != kLongEnd) malformed("the long end of a directory", "other bytes");
    longEnd.take(28); // its size, versions, disks, entries of this disk
    directory.count = longEnd.next<uint64_t>();
    directory.size = longEnd.next<uint64_t>();
    directory.offset = longEnd.next<uint64_t>();
    end = at;
  }
  if (directory.offset > end || directory.size != end - directory.offset) malformed("a directory up to its end", "another size of it");
  if (directory.count > directory.size / kEntryBytes) malformed("as many members as the directory has", std::to_string(directory.count));
  return directory;
}

} // namespace

Archive::Archive(std::span<const uint8_t> bytes, std::shared_ptr<const void> owner) : owner(std::move(owner)) {
  Directory directory = findDirectory(bytes);
  std::set<std::string> names;
  Fields entries(bytes.first(directory.offset + directory.size), directory.offset, "directory");
  uint64_t last = 0; // members lie one behind another
  for (uint64_t i = 0; i < directory.count; ++i) {
    Header entry = readHeader(entries, true);
    if (entry.offset != last) malformed("members one behind another", "a gap or overlap before '" + entry.name + "'");
    Fields fields(bytes.first(directory.offset), entry.offset, "member");
    Header local = readHeader(fields, false);
    bool isStored = !entry.method && !local.method && !entry.flags && !local.flags && entry.packed == entry.size;
    if (!isStored) malformed("members that are stored as they are", "another form of '" + entry.name + "'");
    bool isSame = local.name == entry.name && local.checksum == entry.checksum && local.size == entry.size && local.packed == entry.packed;
    if (!isSame) malformed("the header of '" + entry.name + "' as the directory has it", "another one");
    if (!names.insert(entry.name).second) malformed("one member '" + entry.name + "'", "two");
    if (fields.place() % kAlignment) malformed("members at multiples of 64 bytes", "'" + entry.name + "' elsewhere");
    auto data = fields.take(entry.size);
    last = fields.place();
    members.push_back({entry.name, data, entry.checksum});
  }
  if (last != directory.offset || entries.place() != directory.offset + directory.size)
    malformed("the directory behind the last member", "other bytes");
}

Archive Archive::open(const std::string &path) {
  auto fail = [&](const char *what) {
    throw Error(ErrorKind::Package, "package: expected a file that can be read at '" + path + "', got: " + what);
  };
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) fail(std::strerror(errno));
  struct stat status;
  bool isFile = !fstat(file, &status) && S_ISREG(status.st_mode);
  size_t size = isFile ? size_t(status.st_size) : 0;
  void *data = size ? mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0) : MAP_FAILED;
  int error = errno;
  ::close(file);
  if (!isFile) fail("it is no file");
  if (!size) malformed("a file of zip", "an empty one");
  if (data == MAP_FAILED) fail(std::strerror(error));
  std::shared_ptr<const void> owner(data, [size](void *mapped) { munmap(mapped, size); });
  return Archive({static_cast<const uint8_t *>(data), size}, owner);
}

const Archive::Member *Archive::find(const std::string &name) const {
  for (const Member &member : members)
    if (member.name == name) return &member;
  return nullptr;
}

void Archive::verify(const Member &member) {
  if (checksumOf(member.bytes) != member.checksum) malformed("the bytes of '" + member.name + "' as they were written", "other bytes");
}

} // namespace kiln
