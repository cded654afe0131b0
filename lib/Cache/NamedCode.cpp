// The symbols of an executable tell which slot of its trace a function is of ("kiln_entry.kernel_2.slot_7.task_0"), and not where the
// program has it: what a cache holds is of every program with that trace. The format: System V ABI, chapter 4.
#include "lib/Cache/NamedCode.h"

#include "lib/Cache/LineTable.h"
#include "lib/Core/Control.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <elf.h>
#include <filesystem>
#include <fstream>
#include <optional>
#include <unistd.h>

namespace kiln {
namespace {

/// The number behind a mark in a name.
std::optional<size_t> numberBehind(const std::string &name, const std::string &mark) {
  size_t at = name.find(mark);
  if (at == std::string::npos) return std::nullopt;
  return size_t(std::strtoull(name.c_str() + at + mark.size(), nullptr, 10));
}

/// The slot of the operation that runs a body.
std::optional<size_t> slotOfBody(const Trace &trace, size_t body) {
  for (size_t at = 0, slot = 0; at < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, at);
    if (entry.op != Op::Input)
      for (int64_t number : bodyNumbers(info(entry.op, entry.words), entry.words))
        if (size_t(number) == body) return slot;
    slot += entry.results;
  }
  return std::nullopt;
}

/// Functions of an executable by their places in the program.
class Names {
public:
  Names(const Trace &trace, const std::vector<SourcePlace> &places) : trace(trace), places(places) {
    auto isKnown = [](const SourcePlace &p) { return !p.function.empty(); };
    if (auto known = std::ranges::find_if(places, isKnown); known != places.end()) first = *known;
  }

  const SourcePlace &placeOf(const std::string &name) const {
    auto body = numberBehind(name, ".body_");
    auto slot = body ? slotOfBody(trace, *body) : numberBehind(name, ".slot_");
    return slot && *slot < places.size() && !places[*slot].function.empty() ? places[*slot] : first;
  }
  std::string nameOf(const std::string &name) const {
    const SourcePlace &place = placeOf(name);
    std::string text =
        "kiln: " + place.function + " [" + std::filesystem::path(place.file).filename().string() + ":" + std::to_string(place.line) + "]";
    bool isKernel = name.find(".kernel_") != std::string::npos;
    return text + (!isKernel ? " entry" : name.find(".task_") != std::string::npos ? " task" : "");
  }
  bool areKnown() const { return !first.function.empty(); }
  const std::string &function() const { return first.function; }

private:
  const Trace &trace;
  const std::vector<SourcePlace> &places;
  SourcePlace first; // that is known
};

/// A shared object in memory, whose sections are given other content behind its end.
class Object {
public:
  /// Throws nothing; `isWhole` says whether this is an object with symbols.
  explicit Object(std::string content) : bytes(std::move(content)) {
    if (bytes.size() < sizeof header || std::memcmp(bytes.data(), ELFMAG, SELFMAG)) return;
    std::memcpy(&header, bytes.data(), sizeof header);
    size_t size = header.e_shnum * sizeof(Elf64_Shdr);
    if (header.e_shoff > bytes.size() || bytes.size() - header.e_shoff < size || header.e_shstrndx >= header.e_shnum) return;
    sections.resize(header.e_shnum);
    std::memcpy(sections.data(), bytes.data() + header.e_shoff, size);
    for (size_t i = 0; i < sections.size(); ++i)
      if (sections[i].sh_type == SHT_SYMTAB && sections[i].sh_link < sections.size()) symbols = i;
    for (const Elf64_Shdr &s : sections) isWhole &= s.sh_type == SHT_NOBITS || s.sh_offset + s.sh_size <= bytes.size();
    isWhole &= symbols != 0;
  }

  bool isWhole = true;

  /// Gives its functions other names, and the debugger their lines.
  void rename(const Names &names) {
    Elf64_Shdr &table = sections[symbols];
    std::string text(1, '\0'), old = contentOf(sections[table.sh_link]);
    std::vector<PlacedFunction> functions;
    for (uint64_t at = table.sh_offset; at + sizeof(Elf64_Sym) <= table.sh_offset + table.sh_size; at += sizeof(Elf64_Sym)) {
      Elf64_Sym symbol;
      std::memcpy(&symbol, bytes.data() + at, sizeof symbol);
      std::string name = symbol.st_name < old.size() ? old.c_str() + symbol.st_name : "";
      bool isOurs = ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && name.starts_with("kiln_");
      if (const SourcePlace &place = names.placeOf(name); isOurs && symbol.st_size)
        functions.push_back({symbol.st_value, symbol.st_size, place.file, place.line});
      symbol.st_name = name.empty() ? 0 : uint32_t(text.size());
      if (symbol.st_name) text += (isOurs ? names.nameOf(name) : name) + '\0';
      std::memcpy(bytes.data() + at, &symbol, sizeof symbol);
    }
    put(sections[table.sh_link], text);
    addDebug(debugSections(functions));
  }
  /// With all that was put.
  const std::string &finish() {
    Elf64_Shdr &list = sections[header.e_shstrndx];
    put(list, sectionNames);
    align();
    header.e_shoff = bytes.size(), header.e_shnum = uint16_t(sections.size());
    bytes.append(reinterpret_cast<const char *>(sections.data()), sections.size() * sizeof(Elf64_Shdr));
    std::memcpy(bytes.data(), &header, sizeof header);
    return bytes;
  }

private:
  std::string bytes, sectionNames;
  Elf64_Ehdr header{};
  std::vector<Elf64_Shdr> sections;
  size_t symbols = 0; // the section

  std::string contentOf(const Elf64_Shdr &s) const { return bytes.substr(s.sh_offset, s.sh_size); }
  void align() { bytes.resize((bytes.size() + 7) / 8 * 8); }
  void put(Elf64_Shdr &s, const std::string &content) {
    align();
    s.sh_offset = bytes.size(), s.sh_size = content.size();
    bytes += content;
  }
  void addDebug(const DebugSections &debug) {
    sectionNames = contentOf(sections[header.e_shstrndx]);
    for (auto [name, content] :
         {std::pair(".debug_abbrev", &debug.abbreviations), {".debug_info", &debug.info}, {".debug_line", &debug.lines}}) {
      Elf64_Shdr &s = sections.emplace_back();
      s.sh_name = uint32_t(sectionNames.size()), s.sh_type = SHT_PROGBITS, s.sh_addralign = 1;
      sectionNames += std::string(name) + '\0';
      put(s, *content);
    }
  }
};

/// A new file, called after a function.
std::string freshPath(const std::string &folder, std::string function) {
  static std::atomic<int> next = 0;
  for (char &c : function)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return folder + "/" + function + "-" + std::to_string(getpid()) + "-" + std::to_string(next++) + ".so";
}

} // namespace

std::string writeNamed(const std::string &path, const Trace &trace, const std::vector<SourcePlace> &places, const std::string &folder) {
  std::ifstream source(path, std::ios::binary);
  Object object(std::string(std::istreambuf_iterator<char>(source), {}));
  Names names(trace, places);
  if (!object.isWhole || !names.areKnown()) return "";
  object.rename(names);
  std::string named = freshPath(folder, names.function());
  std::ofstream out(named, std::ios::binary);
  return out << object.finish() << std::flush ? named : "";
}

} // namespace kiln
