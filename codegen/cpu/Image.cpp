// The format: System V ABI, chapters 4 and 5 (sections, segments, the dynamic section and its hash table). Addresses are places in the
// file.
#include "codegen/cpu/Image.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Object/ELF.h"

using namespace llvm;
using namespace llvm::ELF;

namespace kiln::cpu {
namespace {

using Format = object::ELF64LE;
using Section = Format::Shdr;
using Symbol = Format::Sym;

/// A section of an object that is part of the image.
struct Piece {
  const Section *from;
  int section;
  uint64_t address;
};

struct Object {
  object::ELFFile<Format> file;
  Format::ShdrRange sections;
  Format::SymRange symbols;
  StringRef names;
  SmallVector<Piece, 4> pieces;

  const Piece *pieceOf(uint64_t section) const {
    auto found = llvm::find_if(pieces, [&](const Piece &p) { return uint64_t(p.from - sections.begin()) == section; });
    return found == pieces.end() ? nullptr : found;
  }
  StringRef nameOf(const Symbol &symbol) const { return cantFail(symbol.getName(names)); }
};

/// Symbols of the image, and their names behind each other: the first one and its name are empty.
struct Table {
  SmallVector<Symbol, 8> symbols = {Symbol()};
  std::string names = std::string(1, '\0');

  void add(Symbol symbol, StringRef name, const Piece &piece) {
    symbol.st_name = uint32_t(names.size());
    symbol.st_value = symbol.st_value + piece.address;
    symbol.st_shndx = uint16_t(piece.section);
    symbols.push_back(symbol);
    (names += name) += '\0';
  }
};

class Image {
public:
  explicit Image(const InstructionSet &set) : set(set) {}
  /// Each is false where the image has no place for something.
  bool read(ArrayRef<char> object);
  bool layOut();
  SmallVector<char, 0> take() { return std::move(bytes); }

private:
  enum { None, Constants, Text, DynamicTable, DynamicSymbols, DynamicNames, Hash, Symbols, Names, SectionNames, kSections };
  static constexpr uint64_t kPage = 4096, kSegments = 5;
  const InstructionSet &set;
  SmallVector<Object, 1> objects;
  StringMap<uint64_t> addresses; // of what objects give each other
  Table given, functions;        // to the process, to those who look at it
  Section sections[kSections] = {};
  SmallVector<char, 0> bytes;

  uint64_t place(int section, uint64_t size, uint64_t align);
  template <typename T> void put(int section, ArrayRef<T> values, uint64_t align) {
    uint64_t at = place(section, values.size() * sizeof(T), align);
    if (!values.empty()) memcpy(bytes.data() + at, values.data(), values.size() * sizeof(T));
  }
  void placePieces(int section);
  bool define(const Object &object);
  bool refer(const Object &object);
  std::optional<uint64_t> addressOf(const Object &object, const Symbol &symbol) const;
  void writeTables();
  void writeSections();
  void writeSegments();
};

bool Image::read(ArrayRef<char> data) {
  auto file = object::ELFFile<Format>::create(StringRef(data.data(), data.size()));
  if (!file) return consumeError(file.takeError()), false;
  Object &o = objects.emplace_back(Object{*file, cantFail(file->sections()), {}, {}, {}});
  for (const Section &s : o.sections) {
    StringRef name = cantFail(o.file.getSectionName(s));
    if (s.sh_type == SHT_SYMTAB) o.symbols = cantFail(o.file.symbols(&s)), o.names = cantFail(o.file.getStringTableForSymtab(s));
    if (s.sh_type == SHT_GROUP || name.starts_with(".debug") || name == ".eh_frame") return false;
    if (!(s.sh_flags & SHF_ALLOC) || !s.sh_size) continue;
    if (s.sh_type != SHT_PROGBITS || s.sh_flags & (SHF_WRITE | SHF_TLS)) return false;
    o.pieces.push_back({&s, s.sh_flags & SHF_EXECINSTR ? Text : Constants, 0});
  }
  return true;
}

bool Image::layOut() {
  bytes.resize(sizeof(Format::Ehdr) + kSegments * sizeof(Format::Phdr));
  for (int section : {Constants, Text}) {
    placePieces(section);
    bytes.resize(alignTo(bytes.size(), kPage));
  }
  auto defines = [&](const Object &o) { return define(o); };
  auto refers = [&](const Object &o) { return refer(o); };
  if (!llvm::all_of(objects, defines) || !llvm::all_of(objects, refers)) return false;
  writeTables();
  writeSegments();
  return true;
}

/// Room at the end of the image for a section, or for more of it.
uint64_t Image::place(int section, uint64_t size, uint64_t align) {
  Section &s = sections[section];
  uint64_t at = alignTo(bytes.size(), std::max<uint64_t>(align, 1));
  bytes.resize(at + size);
  if (!s.sh_offset) s.sh_offset = at;
  s.sh_size = at + size - s.sh_offset;
  s.sh_addralign = std::max<uint64_t>(align, s.sh_addralign);
  return at;
}

void Image::placePieces(int section) {
  place(section, 0, 1);
  for (Object &o : objects)
    for (Piece &p : o.pieces) {
      if (p.section != section) continue;
      p.address = place(section, p.from->sh_size, p.from->sh_addralign);
      llvm::copy(cantFail(o.file.getSectionContents(*p.from)), bytes.begin() + p.address);
    }
}

/// The symbols of an object, with their addresses.
bool Image::define(const Object &o) {
  for (const Symbol &symbol : o.symbols) {
    if (symbol.st_shndx == SHN_UNDEF || symbol.getType() == STT_FILE) continue;
    const Piece *piece = symbol.st_shndx < SHN_LORESERVE ? o.pieceOf(symbol.st_shndx) : nullptr;
    bool isLocal = symbol.getBinding() == STB_LOCAL;
    if (!isLocal && (!piece || symbol.getBinding() != STB_GLOBAL)) return false;
    if (!isLocal && !addresses.try_emplace(o.nameOf(symbol), piece->address + symbol.st_value).second) return false;
    if (!isLocal && symbol.getVisibility() == STV_DEFAULT) given.add(symbol, o.nameOf(symbol), *piece);
    if (piece && symbol.getType() == STT_FUNC) { // all as local ones, which stand first in a table
      functions.add(symbol, o.nameOf(symbol), *piece);
      functions.symbols.back().setBindingAndType(STB_LOCAL, STT_FUNC);
    }
  }
  return true;
}

std::optional<uint64_t> Image::addressOf(const Object &o, const Symbol &symbol) const {
  if (symbol.st_shndx == SHN_UNDEF) {
    auto found = addresses.find(o.nameOf(symbol));
    return found == addresses.end() ? std::nullopt : std::optional(found->second);
  }
  const Piece *piece = symbol.st_shndx < SHN_LORESERVE ? o.pieceOf(symbol.st_shndx) : nullptr;
  return piece ? std::optional(piece->address + symbol.st_value) : std::nullopt;
}

/// Writes the addresses that the code and constants of an object hold.
bool Image::refer(const Object &o) {
  for (const Section &s : o.sections) {
    if (s.sh_type == SHT_REL) return false;
    const Piece *piece = s.sh_type == SHT_RELA ? o.pieceOf(s.sh_info) : nullptr;
    if (!piece) continue;
    for (const Format::Rela &reference : cantFail(o.file.relas(s))) {
      auto address = addressOf(o, o.symbols[reference.getSymbol(false)]);
      uint64_t at = piece->address + reference.r_offset;
      if (!address || !set.refer(reference.getType(false), *address + uint64_t(reference.r_addend) - at, bytes.data() + at)) return false;
    }
  }
  return true;
}

uint32_t hashOf(StringRef name) {
  uint32_t h = 0;
  for (unsigned char c : name) {
    h = (h << 4) + c;
    h = (h ^ (h >> 24 & 0xf0)) & 0x0fffffff;
  }
  return h;
}

/// Buckets, and chains through the symbols of each.
SmallVector<uint32_t> hashTable(const Table &table) {
  auto count = uint32_t(table.symbols.size());
  SmallVector<uint32_t> words(2 + 2 * size_t(count), 0);
  words[0] = words[1] = count;
  for (uint32_t i = 1; i < count; ++i) {
    uint32_t &first = words[2 + hashOf(table.names.c_str() + table.symbols[i].st_name) % count];
    words[2 + count + i] = first;
    first = i;
  }
  return words;
}

void Image::writeTables() {
  constexpr int kEntries = 6;
  place(DynamicTable, kEntries * sizeof(Format::Dyn), 8);
  put<Symbol>(DynamicSymbols, given.symbols, 8);
  put<char>(DynamicNames, ArrayRef(given.names.data(), given.names.size()), 1);
  put<uint32_t>(Hash, hashTable(given), 8);
  const uint64_t entries[kEntries][2] = {{DT_HASH, sections[Hash].sh_offset},
                                         {DT_SYMTAB, sections[DynamicSymbols].sh_offset},
                                         {DT_STRTAB, sections[DynamicNames].sh_offset},
                                         {DT_STRSZ, given.names.size()},
                                         {DT_SYMENT, sizeof(Symbol)},
                                         {DT_NULL, 0}};
  memcpy(bytes.data() + sections[DynamicTable].sh_offset, entries, sizeof(entries));
  put<Symbol>(Symbols, functions.symbols, 8);
  put<char>(Names, ArrayRef(functions.names.data(), functions.names.size()), 1);
  writeSections();
}

void Image::writeSections() {
  struct Kind {
    StringRef name;
    uint32_t type, flags, link, info;
    uint64_t entry;
  };
  const Kind kinds[kSections] = {{"", SHT_NULL, 0, 0, 0, 0},
                                 {".rodata", SHT_PROGBITS, SHF_ALLOC, 0, 0, 0},
                                 {".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0, 0, 0},
                                 {".dynamic", SHT_DYNAMIC, SHF_ALLOC | SHF_WRITE, DynamicNames, 0, sizeof(Format::Dyn)},
                                 {".dynsym", SHT_DYNSYM, SHF_ALLOC | SHF_WRITE, DynamicNames, 1, sizeof(Symbol)},
                                 {".dynstr", SHT_STRTAB, SHF_ALLOC | SHF_WRITE, 0, 0, 0},
                                 {".hash", SHT_HASH, SHF_ALLOC | SHF_WRITE, DynamicSymbols, 0, sizeof(uint32_t)},
                                 {".symtab", SHT_SYMTAB, 0, Names, uint32_t(functions.symbols.size()), sizeof(Symbol)},
                                 {".strtab", SHT_STRTAB, 0, 0, 0, 0},
                                 {".shstrtab", SHT_STRTAB, 0, 0, 0, 0}};
  std::string names;
  for (int i = 0; i < kSections; ++i) {
    Section &s = sections[i];
    const Kind &kind = kinds[i];
    s.sh_name = uint32_t(names.size()), (names += kind.name) += '\0';
    s.sh_type = kind.type, s.sh_flags = kind.flags, s.sh_link = kind.link, s.sh_info = kind.info, s.sh_entsize = kind.entry;
    s.sh_addr = kind.flags ? uint64_t(s.sh_offset) : 0;
  }
  put<char>(SectionNames, ArrayRef(names.data(), names.size()), 1);
}

void Image::writeSegments() {
  Format::Ehdr header = objects.front().file.getHeader();
  header.e_type = ET_DYN;
  header.e_phoff = sizeof(header), header.e_phentsize = sizeof(Format::Phdr), header.e_phnum = kSegments;
  header.e_shoff = alignTo(bytes.size(), 8), header.e_shnum = kSections, header.e_shstrndx = SectionNames;
  bytes.resize(header.e_shoff + sizeof(sections));
  memcpy(bytes.data() + header.e_shoff, sections, sizeof(sections));
  Format::Phdr segments[kSegments] = {};
  auto add = [&, next = segments](uint32_t type, uint32_t flags, uint64_t from, uint64_t to, uint64_t align) mutable {
    Format::Phdr &s = *next++;
    s.p_type = type, s.p_flags = flags, s.p_align = align;
    s.p_offset = from, s.p_vaddr = from, s.p_paddr = from, s.p_filesz = to - from, s.p_memsz = to - from;
  };
  auto endOf = [&](int section) { return uint64_t(sections[section].sh_offset + sections[section].sh_size); };
  uint64_t text = sections[Text].sh_offset, tables = sections[DynamicTable].sh_offset;
  add(PT_LOAD, PF_R, 0, endOf(Constants), kPage);
  add(PT_LOAD, PF_R | PF_X, text, endOf(Text), kPage);
  add(PT_LOAD, PF_R | PF_W, tables, endOf(Hash), kPage);
  add(PT_DYNAMIC, PF_R | PF_W, tables, endOf(DynamicTable), 8);
  add(PT_GNU_STACK, PF_R | PF_W, 0, 0, 16);
  memcpy(bytes.data() + sizeof(header), segments, sizeof(segments));
  memcpy(bytes.data(), &header, sizeof(header));
}

} // namespace

std::optional<SmallVector<char, 0>> layOut(ArrayRef<ArrayRef<char>> objects, const InstructionSet &set) {
  if (!set.refer) return std::nullopt;
  Image image(set);
  auto reads = [&](ArrayRef<char> object) { return image.read(object); };
  if (!llvm::all_of(objects, reads) || !image.layOut()) return std::nullopt;
  return image.take();
}

} // namespace kiln::cpu
