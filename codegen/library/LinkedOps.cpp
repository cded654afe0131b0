// Kernels of custom ops become part of a library: the objects that a package has of them.
#include "codegen/library/Parts.h"

#include "lib/Core/Error.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELFObjectFile.h"

#include <algorithm>

using namespace llvm;

namespace kiln::library {

/// Its functions are seen in the whole library, and not outside. Throws Error (compile) for bytes that are no object of the machine.
static Bytes hiddenObject(std::span<const uint8_t> given, const PackageOp &op, const TargetMachine &machine) {
  auto refuse = [&](const std::string &got) {
    fail(ErrorKind::Compile, "library", "object of op '" + op.op.title + "'", "one of " + machine.getTargetTriple().str(), got);
  };
  Bytes bytes(given.begin(), given.end());
  auto object = object::ELFObjectFile<object::ELF64LE>::create(MemoryBufferRef(StringRef(bytes.data(), bytes.size()), "object"));
  if (!object) refuse(toString(object.takeError()));
  if (object->getArch() != machine.getTargetTriple().getArch()) refuse("one of " + op.triple);
  bool isDefined = false;
  for (const object::ELFSymbolRef &symbol : object->symbols()) {
    auto *known = const_cast<object::ELF64LE::Sym *>(cantFail(object->getSymbol(symbol.getRawDataRefImpl())));
    auto name = symbol.getName();
    if (!name) refuse(toString(name.takeError()));
    if (known->getBinding() == ELF::STB_LOCAL || known->st_shndx == ELF::SHN_UNDEF) continue;
    known->setVisibility(ELF::STV_HIDDEN);
    isDefined |= *name == op.symbol;
  }
  if (!isDefined) refuse("one without a function '" + op.symbol + "'");
  return bytes;
}

static constexpr struct {
  Op op;
  const char *name;
  RoutineSet set;
} kRoutines[] = {
#include "kiln/LinkedRoutines.inc"
};

std::set<RoutineSet> routinesIn(const Trace &program) {
  std::set<RoutineSet> sets;
  for (size_t at = 0; at < program.words.size();) {
    Op op = Trace::decode(program.words, at).op;
    for (auto &routine : kRoutines)
      if (routine.op == op) sets.insert(routine.set);
  }
  for (const auto &body : program.bodies) sets.merge(routinesIn(*body));
  return sets;
}

std::set<RoutineSet> routinesIn(const Package &package) {
  std::set<RoutineSet> sets;
  for (const PackageEntry &entry : package.entries) sets.merge(routinesIn(entry.program));
  return sets;
}

LinkedOps linkedOps(const std::string &library, const Package &package, const TargetMachine &machine) {
  LinkedOps linked{supportName(library, "call_op"), {}, {}, {}};
  for (auto &[op, name, set] : kRoutines)
    if (hasRoutines(set, machine.getTargetTriple())) linked.routines.emplace(name, supportName(library, name));
  for (const PackageOp &op : package.ops) {
    if (op.object.empty())
      fail(ErrorKind::Compile, "library", "code of op '" + op.op.title + "'", "an object for " + machine.getTargetTriple().str(), "none");
    Bytes object = hiddenObject(package.file(op.object), op, machine);
    if (std::ranges::find(linked.objects, object) == linked.objects.end()) linked.objects.push_back(std::move(object));
    linked.symbols.emplace(op.op.name, op.symbol);
  }
  return linked;
}

} // namespace kiln::library
