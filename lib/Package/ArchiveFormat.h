// What the writer and the reader of archives share: the marks and sizes of zip's records (PKWARE's APPNOTE.TXT 6.3.10, 4.3).
#pragma once

#include "lib/Core/Error.h"
#include "lib/Package/Archive.h"

#include <zlib.h>

namespace kiln::zip {

inline constexpr uint32_t kLocalHeader = 0x04034b50, kDirectoryEntry = 0x02014b50, kEnd = 0x06054b50, kLongEnd = 0x06064b50,
                          kLocator = 0x07064b50;
inline constexpr uint16_t kLongSizes = 1, kPadding = 0xd935; // extra fields: zip64, and that of Android's zipalign
inline constexpr uint64_t kLong16 = 0xffff, kLong32 = 0xffffffff;
inline constexpr uint64_t kLocalBytes = 30, kEntryBytes = 46, kEndBytes = 22, kLongEndBytes = 56, kLocatorBytes = 20;
inline constexpr uint64_t kAlignment = 64;

[[noreturn]] inline void malformed(const std::string &expected, const std::string &got) {
  fail(ErrorKind::Package, "package", "file", expected, got);
}

/// CRC-32 of bytes behind those of `before`.
inline uint32_t checksumOf(std::span<const uint8_t> bytes, uint32_t before = 0) {
  return uint32_t(crc32_z(before, bytes.data(), bytes.size()));
}

} // namespace kiln::zip
