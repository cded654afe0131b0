// "DWARF Debugging Information Format", version 4: chapter 7.5 for units, 6.2 for line number programs.
#include "lib/Cache/LineTable.h"

#include <algorithm>
#include <vector>

namespace kiln {
namespace {

/// Bytes of a section, little-endian.
class Writer {
public:
  std::string bytes;

  template <typename T> void number(T value) { bytes.append(reinterpret_cast<const char *>(&value), sizeof value); }
  void byte(int value) { bytes.push_back(char(value)); }
  void text(const std::string &value) { bytes.append(value.c_str(), value.size() + 1); }
  /// LEB128, unsigned, and signed: chapter 7.6.
  void natural(uint64_t value) {
    for (; value >= 0x80; value >>= 7) byte(int(value & 0x7f) | 0x80);
    byte(int(value));
  }
  void integer(int64_t value) {
    bool isMore = true;
    while (isMore) {
      int low = int(value & 0x7f);
      value >>= 7;
      isMore = !((value == 0 && !(low & 0x40)) || (value == -1 && (low & 0x40)));
      byte(low | (isMore ? 0x80 : 0));
    }
  }
  /// With its length, which does not count itself, in front.
  std::string counted() const {
    Writer whole;
    whole.number(uint32_t(bytes.size()));
    return whole.bytes + bytes;
  }
};

constexpr uint16_t kVersion = 4;
constexpr int kUnit = 0x11, kName = 0x03, kLines = 0x10, kLowAddress = 0x11, kHighAddress = 0x12, kLanguage = 0x13; // tag, attributes
constexpr int kText = 0x08, kOffset = 0x17, kAddress = 0x01, kData8 = 0x07, kData2 = 0x05;                          // forms

std::string abbreviations() {
  Writer w;
  for (int value : {1, kUnit, 0, kName, kText, kLines, kOffset, kLowAddress, kAddress, kHighAddress, kData8, kLanguage, kData2, 0, 0, 0})
    w.natural(uint64_t(value));
  return w.bytes;
}

std::string unit(std::span<const PlacedFunction> functions) {
  constexpr uint16_t kC99 = 0x0c; // Python's number came with DWARF 4 as well, but debuggers evaluate nothing in it
  uint64_t low = functions.front().address, high = low;
  for (const PlacedFunction &f : functions) low = std::min(low, f.address), high = std::max(high, f.address + f.bytes);
  Writer w;
  w.number(kVersion), w.number(uint32_t(0)), w.byte(sizeof(uint64_t));
  w.natural(1), w.text(functions.front().file), w.number(uint32_t(0)), w.number(low), w.number(high - low), w.number(kC99);
  return w.counted();
}

std::string lines(std::span<const PlacedFunction> functions) {
  std::vector<std::string> files;
  Writer header, w;
  // The least bytes of an instruction, operations in one, is_stmt, line_base, line_range, opcode_base, and the operands of each opcode.
  for (int value : {1, 1, 1, -5, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1}) header.byte(value);
  header.byte(0); // no folders
  for (const PlacedFunction &f : functions) {
    auto file = std::ranges::find(files, f.file);
    size_t number = size_t(file - files.begin()) + 1;
    if (file == files.end()) {
      files.push_back(f.file);
      header.text(f.file);
      for (int i = 0; i < 3; ++i) header.byte(0);
    }
    constexpr int kExtended = 0, kSetAddress = 2, kEnd = 1, kCopy = 1, kAdvanceAddress = 2, kAdvanceLine = 3, kSetFile = 4;
    w.byte(kExtended), w.byte(1 + sizeof f.address), w.byte(kSetAddress), w.number(f.address);
    w.byte(kSetFile), w.natural(number);
    w.byte(kAdvanceLine), w.integer(f.line - 1);
    w.byte(kCopy);
    w.byte(kAdvanceAddress), w.natural(f.bytes);
    w.byte(kExtended), w.byte(1), w.byte(kEnd);
  }
  header.byte(0);
  Writer whole;
  whole.number(kVersion);
  whole.bytes += header.counted() + w.bytes;
  return whole.counted();
}

} // namespace

DebugSections debugSections(std::span<const PlacedFunction> functions) {
  if (functions.empty()) return {};
  return {abbreviations(), unit(functions), lines(functions)};
}

} // namespace kiln
