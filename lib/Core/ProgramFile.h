// What the writer and the reader of program files share.
#pragma once

#include "lib/Core/Program.h"
#include "lib/Core/Registry.h"

namespace kiln::file {

inline constexpr std::string_view kMagic = "KILNPROG";
/// Sections by name; a reader skips one that it does not know where it is optional.
inline constexpr std::string_view kStrings = "strings", kOps = "ops", kProgram = "program", kReplaces = "replaces", kFast = "fast_math";
inline constexpr int64_t kRequired = 1; // flag of a section
inline constexpr int64_t kInputNumber = -1;
/// Behind these bits of the number of symbols stands how many of them operands give.
inline constexpr int kGivenShift = 32;

[[noreturn]] inline void malformed(const std::string &expected, const std::string &got) {
  fail(ErrorKind::Package, "program", "contents", expected, got);
}

/// How the words of a letter of OpInfo::words stand in a file.
inline StoredAttribute::Form formOf(char kind) {
  if (isNumber(kind)) return StoredAttribute::Integer;
  if (kind == 's') return StoredAttribute::Scalar;
  if (kind == 'd') return StoredAttribute::Type;
  return kind == 'b' ? StoredAttribute::Body : StoredAttribute::List;
}

/// Lower case letters, digits, and marks between: "add", "mylib.norm", "cuda:0".
inline bool isName(std::string_view text) {
  bool isPlain = !text.empty() && text.size() <= 128;
  for (char c : text) isPlain &= (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == ':' || c == '-';
  return isPlain;
}

} // namespace kiln::file
