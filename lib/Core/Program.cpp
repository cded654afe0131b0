// Writes program files; ReadProgram.cpp reads them.
#include "lib/Core/ProgramFile.h"

#include <algorithm>
#include <unordered_map>

namespace kiln {
namespace {

using namespace file;

/// Numbers in order as 64-bit words, least significant byte first; texts with their length in front.
class Bytes {
public:
  std::vector<uint8_t> bytes;
  void number(int64_t n) {
    for (int i = 0; i < 8; ++i) bytes.push_back(uint8_t(uint64_t(n) >> 8 * i));
  }
  void list(std::span<const int64_t> numbers) {
    number(int64_t(numbers.size()));
    for (int64_t n : numbers) number(n);
  }
  void shape(const Shape &sizes) {
    number(sizes.rank);
    for (Size size : sizes) number(size.word());
  }
  void text(std::string_view text) {
    number(int64_t(text.size()));
    bytes.insert(bytes.end(), text.begin(), text.end());
  }
  void section(std::string_view name, const Bytes &contents, int64_t flags) {
    text(name);
    number(flags);
    number(int64_t(contents.bytes.size()));
    bytes.insert(bytes.end(), contents.bytes.begin(), contents.bytes.end());
  }
};

/// Names by first use, and the numbers that stand for them.
class Table {
public:
  std::vector<std::string> names;
  int64_t of(std::string_view name) {
    if (!isName(name)) malformed("names of a-z, 0-9 and _ . : -", "'" + std::string(name) + "'");
    auto [found, isNew] = numbers.try_emplace(std::string(name), int64_t(names.size()));
    if (isNew) names.push_back(found->first);
    return found->second;
  }

private:
  std::unordered_map<std::string, int64_t> numbers;
};

class Writer {
public:
  std::vector<uint8_t> run(const Trace &trace) {
    Bytes program, opTable, stringTable, file;
    write(trace, program, 0);
    opTable.number(int64_t(ops.names.size()));
    for (size_t i = 0; i < ops.names.size(); ++i) {
      opTable.number(strings.of(ops.names[i]));
      opTable.number(versions[i]);
    }
    stringTable.number(int64_t(strings.names.size()));
    for (const std::string &name : strings.names) stringTable.text(name);
    file.bytes.assign(kMagic.begin(), kMagic.end());
    bool replaces = !trace.replaces.empty(), hasMore = replaces || trace.isFast; // else the file is one of minor version 0
    for (int64_t n : {kProgramVersion, int64_t(hasMore), int64_t(3 + replaces + trace.isFast)}) file.number(n);
    file.section(kStrings, stringTable, kRequired);
    file.section(kOps, opTable, kRequired);
    file.section(kProgram, program, kRequired);
    Bytes list;
    list.list(trace.replaces);
    if (replaces) file.section(kReplaces, list, 0);
    if (trace.isFast) file.section(kFast, Bytes(), 0);
    return std::move(file.bytes);
  }

private:
  Table strings, ops;
  std::vector<int64_t> versions; // by op

  void write(const Trace &trace, Bytes &to, int depth) {
    if (depth > kMostNested) malformed("at most " + std::to_string(kMostNested) + " bodies inside one another", "more");
    to.number(int64_t(trace.bodies.size()));
    for (const auto &body : trace.bodies) write(*body, to, depth + 1);
    to.number(trace.symbols | trace.given << kGivenShift);
    size_t slot = 0, input = 0, count = to.bytes.size();
    int64_t entries = 0;
    to.number(0);
    for (size_t at = 0; at < trace.words.size(); ++entries) {
      TraceOp entry = Trace::decode(trace.words, at);
      if (entry.op == Op::Input) writeInput(entry, trace.deviceOf(input++), to);
      else writeOp(trace, entry, slot, to);
      slot += entry.results;
    }
    for (int i = 0; i < 8; ++i) to.bytes[count + size_t(i)] = uint8_t(uint64_t(entries) >> 8 * i);
    to.list(trace.outputs);
  }

  void writeInput(const TraceOp &entry, std::string_view device, Bytes &to) {
    size_t layout = 2 + size_t(entry.words[1]);
    to.number(kInputNumber);
    to.number(strings.of(kiln::info(DType(entry.words[0])).name));
    to.number(strings.of(device));
    to.list(entry.words.subspan(2, layout - 2));
    to.list(entry.words.subspan(layout + 1)); // strides; none: row-major
  }

  void writeOp(const Trace &trace, const TraceOp &entry, size_t slot, Bytes &to) {
    const OpInfo &record = info(entry.op, entry.words);
    int64_t number = ops.of(record.name);
    if (size_t(number) == versions.size()) versions.push_back(record.version);
    std::vector<WordGroup> groups = groupsOf(record, entry.words);
    std::erase_if(groups, [](const WordGroup &group) { return group.kind == 'o'; });
    to.number(number);
    to.list(entry.operands);
    to.number(int64_t(groups.size()));
    for (const WordGroup &group : groups) {
      StoredAttribute::Form form = formOf(group.kind);
      to.number(strings.of(group.name));
      to.number(form);
      std::span<const int64_t> rest = group.words;
      if (form == StoredAttribute::Scalar || form == StoredAttribute::Type) {
        to.number(strings.of(kiln::info(DType(rest[0])).name));
        rest = rest.subspan(1);
      }
      for (int64_t word : rest) to.number(word);
    }
    to.number(int64_t(entry.results));
    for (size_t i = slot; trace.isOpen() && i < slot + entry.results; ++i) to.shape(trace.types[i].shape);
  }
};

} // namespace

std::vector<uint8_t> packProgram(const Trace &trace) { return Writer().run(trace); }

} // namespace kiln
