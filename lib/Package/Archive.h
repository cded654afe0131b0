// Files of several members as zip has them: stored, each 64-byte aligned, so that a mapped file is used in place.
// docs/decisions/0017 says why no library writes them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace kiln {

/// A member as it is written: pieces one after another.
struct ArchiveMember {
  std::string name;
  std::vector<std::span<const uint8_t>> pieces;
};

/// Writes a file in the place of an older one at once. Throws Error (package) where that fails.
void writeArchive(const std::string &path, std::span<const ArchiveMember> members);

/// A file that is read.
class Archive {
public:
  struct Member {
    std::string name;
    std::span<const uint8_t> bytes;
    uint32_t checksum; // as the file says
  };
  /// Throws Error (package) for bytes that are no such file, where members overlap, lie outside of it, or have one name.
  Archive(std::span<const uint8_t> bytes, std::shared_ptr<const void> owner);
  /// A mapped file. Throws Error (package) for one that cannot be opened.
  static Archive open(const std::string &path);

  std::vector<Member> members; // in their order
  std::shared_ptr<const void> owner;

  /// Null where there is none.
  const Member *find(const std::string &name) const;
  /// Throws Error (package) for a member whose bytes are not those that were written.
  static void verify(const Member &member);
};

} // namespace kiln
