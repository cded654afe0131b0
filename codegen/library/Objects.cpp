// Objects become a shared object, one object, or an archive.
#include "codegen/cpu/Link.h"
#include "codegen/cpu/Native.h"
#include "codegen/library/Parts.h"
#include "lib/Core/Error.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Object/ELFObjectFile.h"

#include <filesystem>
#include <fstream>
#include <set>

using namespace llvm;

namespace kiln::library {
namespace {

/// What a library may call, and where it is: with the versions of glibc's names that have not changed since they were first there.
struct SystemLibrary {
  const char *name;
  std::set<std::string> functions;
};
const SystemLibrary kSystem[] = {{"libc.so.6",
                                  {"aligned_alloc", "bcmp", "close", "dladdr", "free", "getauxval", "lseek", "memcmp", "memcpy", "memmove",
                                   "memset", "mmap", "munmap", "open", "sched_yield", "strlen"}},
                                 {"libm.so.6", {"fma", "fmaf", "fmod", "fmodf"}}};

/// The names that objects use and do not define.
std::set<std::string> undefinedIn(ArrayRef<Bytes> objects) {
  std::set<std::string> used, defined;
  for (const Bytes &bytes : objects) {
    auto object = cantFail(object::ObjectFile::createELFObjectFile(MemoryBufferRef(StringRef(bytes.data(), bytes.size()), "object")));
    for (const object::SymbolRef &symbol : object->symbols()) {
      std::string name = cantFail(symbol.getName()).str();
      bool isUndefined = cantFail(symbol.getFlags()) & object::SymbolRef::SF_Undefined;
      if (!name.empty()) (isUndefined ? used : defined).insert(name);
    }
  }
  for (const std::string &name : defined) used.erase(name);
  used.erase("_GLOBAL_OFFSET_TABLE_"); // the linker makes it
  return used;
}

/// A shared object that looks like a library of the system as far as `names` go, so that none of the target has to be here.
void writeStandIn(const SystemLibrary &library, const std::set<std::string> &names, TargetMachine &machine, const std::string &path) {
  LLVMContext context;
  Module module(library.name, context);
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  IRBuilder<> b(context);
  for (const std::string &name : names) {
    auto fn = llvm::Function::Create(FunctionType::get(b.getVoidTy(), false), GlobalValue::ExternalLinkage, name, module);
    b.SetInsertPoint(BasicBlock::Create(context, "", fn));
    b.CreateRetVoid();
    fn->addFnAttr("target-features", machine.getTargetFeatureString());
  }
  Bytes object = cpu::emitObject(module, machine);
  cpu::MemoryFile file(object);
  cpu::runLinker({"-shared", "--threads=1", "-soname", library.name, "-o", path, file.path()});
}

} // namespace

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "kiln-link-XXXXXX").string();
  if (!mkdtemp(pattern.data())) throw Error(ErrorKind::Compile, "library: expected a writable temporary folder, got '" + pattern + "'");
  path = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

void writeShared(ArrayRef<Bytes> objects, TargetMachine &machine, const std::string &path) {
  TemporaryFolder folder;
  std::string soname = std::filesystem::path(path).filename();
  std::vector<std::string> arguments = {
      "-shared",         "--threads=1",   "-z",          "relro",      "-z",      "now",  "-z", "defs", "--hash-style=gnu",
      "--build-id=none", "--gc-sections", "--as-needed", "-Bsymbolic", "-soname", soname, "-o", path};
  std::vector<cpu::MemoryFile> files;
  for (const Bytes &object : objects) arguments.push_back(files.emplace_back(object).path());
  std::set<std::string> wanted = undefinedIn(objects);
  for (const SystemLibrary &library : kSystem) {
    std::set<std::string> here;
    for (const std::string &name : library.functions)
      if (wanted.erase(name)) here.insert(name);
    if (here.empty()) continue;
    arguments.push_back((folder.path / library.name).string());
    writeStandIn(library, here, machine, arguments.back());
  }
  std::string unknown;
  for (const std::string &name : wanted) unknown += (unknown.empty() ? "" : ", ") + name;
  if (!unknown.empty()) fail(ErrorKind::Compile, "library", "code", "calls of libc and libm alone", unknown);
  cpu::runLinker(arguments);
}

void writeObject(ArrayRef<Bytes> objects, const std::string &path) {
  std::vector<std::string> arguments = {"-r", "--threads=1", "-o", path};
  std::vector<cpu::MemoryFile> files;
  for (const Bytes &object : objects) arguments.push_back(files.emplace_back(object).path());
  cpu::runLinker(arguments);
}

void writeArchive(ArrayRef<Bytes> objects, const TargetMachine &machine, const std::string &path) {
  std::vector<NewArchiveMember> members;
  std::vector<std::string> names;
  names.reserve(objects.size());
  for (auto [i, object] : llvm::enumerate(objects)) {
    names.push_back("part" + std::to_string(i) + ".o");
    members.emplace_back(MemoryBufferRef(StringRef(object.data(), object.size()), names.back()));
  }
  llvm::Error error =
      llvm::writeArchive(path, members, SymtabWritingMode::NormalSymtab, object::Archive::K_GNU, /*Deterministic=*/true, /*Thin=*/false);
  if (error)
    fail(ErrorKind::Compile, "library", "output", "a file that can be written", "'" + path + "': " + llvm::toString(std::move(error)));
}

} // namespace kiln::library
