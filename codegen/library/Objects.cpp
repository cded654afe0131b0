// Objects become a shared object, one object, or an archive.
#include "codegen/cpu/InstructionSet.h"
#include "codegen/cpu/Link.h"
#include "codegen/cpu/Native.h"
#include "codegen/library/Parts.h"
#include "lib/Core/Error.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Object/ObjectFile.h"

#include <dlfcn.h>
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
const std::set<std::string> kOfMemory = {"bcmp", "memcmp", "memcpy", "memmove", "memset", "strlen"};
const std::set<std::string> kOfMath = {"cos", "fma", "fmaf", "fmod", "fmodf", "sin"};
const std::set<std::string> kOfSystem = {
    "__tls_get_addr", "_setjmp", "aligned_alloc",  "close",        "dlopen",          "dlsym",       "free",
    "getauxval",      "getenv",  "getpid",         "longjmp",      "lseek",           "malloc",      "mmap",
    "munmap",         "open",    "pthread_create", "pthread_join", "pthread_sigmask", "sched_yield", "syscall"};

std::set<std::string> both(std::set<std::string> a, const std::set<std::string> &b) {
  a.insert(b.begin(), b.end());
  return a;
}

/// LAPACK's subroutines for the routines of support/decompositions.cpp, as its users link against them.
SystemLibrary lapack() {
  return {"liblapack.so.3",
          {
#define KILN_LAPACK(real, complex) "s" #real "_", "d" #real "_", "c" #complex "_", "z" #complex "_",
#include "lib/Library/Lapack.inc"
          }};
}

std::vector<SystemLibrary> librariesOf(const Triple &triple) {
  if (triple.isAndroid()) return {{"libc.so", both(kOfMemory, kOfSystem)}, {"libm.so", kOfMath}, {"libdl.so", {"dladdr"}}};
  return {{"libc.so.6", both(both(kOfMemory, kOfSystem), {"dladdr"})}, {"libm.so.6", kOfMath}, lapack()};
}

/// The names that objects use and do not define.
std::set<std::string> undefinedIn(ArrayRef<Bytes> objects) {
  std::set<std::string> used, defined;
  for (const Bytes &bytes : objects) {
    auto opened = object::ObjectFile::createObjectFile(MemoryBufferRef(StringRef(bytes.data(), bytes.size()), "object"));
    if (!opened) fail(ErrorKind::Compile, "library", "object", "one that can be read", toString(opened.takeError()));
    auto object = std::move(*opened);
    for (const object::SymbolRef &symbol : object->symbols()) {
      std::string name = cantFail(symbol.getName()).str();
      bool isUndefined = cantFail(symbol.getFlags()) & object::SymbolRef::SF_Undefined;
      if (!name.empty()) (isUndefined ? used : defined).insert(name);
    }
  }
  for (const std::string &name : defined) used.erase(name);
  // The linker makes them.
  for (const char *name : {"_GLOBAL_OFFSET_TABLE_", "__heap_base", "__indirect_function_table", "__stack_pointer"}) used.erase(name);
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
  Bytes object = cpu::CodeGeneration(machine).run(module);
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

namespace {

[[noreturn]] void refuseCalls(const std::set<std::string> &names, const char *expected) {
  std::string list;
  for (const std::string &name : names) list += (list.empty() ? "" : ", ") + name;
  fail(ErrorKind::Compile, "library", "code", expected, list);
}

/// Throws Error (compile) for objects that call more than a machine without an operating system has.
void checkBare(ArrayRef<Bytes> objects) {
  std::set<std::string> names = undefinedIn(objects);
  std::erase_if(names, [](const std::string &name) { return kOfMemory.contains(name) || name.starts_with("__aeabi_"); });
  if (!names.empty()) refuseCalls(names, "calls of mem* and the target's EABI alone");
}

/// A module that imports nothing, and exports its memory and what is not hidden.
void writeModule(ArrayRef<Bytes> objects, const std::string &path) {
  std::vector<std::string> arguments = {
      "--no-entry", "--export-dynamic", "--gc-sections", "--strip-debug", "--threads=1", "--stack-first", "-z", "stack-size=262144", "-o",
      path};
  std::vector<cpu::MemoryFile> files;
  for (const Bytes &object : objects) arguments.push_back(files.emplace_back(object).path());
  if (std::set<std::string> names = undefinedIn(objects); !names.empty()) refuseCalls(names, "no calls out of the module");
  cpu::runLinker(arguments, cpu::Linker::Wasm);
}

/// What kernels of custom ops call beside: of the libraries of this machine, where it is the one that they are for.
void addSystem(std::set<std::string> wanted, const TargetMachine &machine, std::vector<std::string> &arguments) {
  bool isNative = !cpu::instructionSetOf(machine.getTargetTriple()).host().triple.empty();
  for (const char *name : {"libc.so.6", "libm.so.6", "libstdc++.so.6", "libgcc_s.so.1"}) {
    void *library = isNative && !wanted.empty() ? dlopen(name, RTLD_LAZY | RTLD_LOCAL) : nullptr;
    if (!library) continue;
    std::string path;
    for (auto symbol = wanted.begin(); symbol != wanted.end();) {
      Dl_info place;
      void *found = dlsym(library, symbol->c_str());
      bool isHere = found && dladdr(found, &place) && std::filesystem::path(place.dli_fname).filename() == name;
      if (isHere) path = place.dli_fname;
      symbol = isHere ? wanted.erase(symbol) : std::next(symbol);
    }
    dlclose(library);
    if (path.empty()) continue;
    std::erase_if(arguments, [&](const std::string &standIn) { return std::filesystem::path(standIn).filename() == name; });
    arguments.push_back(path); // which has what the other one was for, too
  }
  std::string unknown;
  for (const std::string &name : wanted) unknown += (unknown.empty() ? "" : ", ") + name;
  if (!unknown.empty()) fail(ErrorKind::Compile, "library", "code", "calls of libc, libm and libstdc++ alone", unknown);
}

} // namespace

void writeShared(ArrayRef<Bytes> objects, const Machines &machines, const std::string &path, bool unwinds) {
  if (machines.system == System::Wasm) return writeModule(objects, path);
  TargetMachine &machine = *machines.any;
  TemporaryFolder folder;
  std::string soname = std::filesystem::path(path).filename();
  std::vector<std::string> arguments = {
      "-shared",         "--threads=1",   "-z",          "relro",      "-z",      "now",  "-z", "defs", "--hash-style=gnu",
      "--build-id=none", "--gc-sections", "--as-needed", "-Bsymbolic", "-soname", soname, "-o", path};
  if (unwinds) arguments.push_back("--eh-frame-hdr");
  if (machine.getTargetTriple().isAndroid()) arguments.insert(arguments.end(), {"-z", "max-page-size=16384"});
  std::vector<cpu::MemoryFile> files;
  for (const Bytes &object : objects) arguments.push_back(files.emplace_back(object).path());
  std::set<std::string> wanted = undefinedIn(objects);
  for (const SystemLibrary &library : librariesOf(machine.getTargetTriple())) {
    std::set<std::string> here;
    for (const std::string &name : library.functions)
      if (wanted.erase(name)) here.insert(name);
    if (here.empty()) continue;
    arguments.push_back((folder.path / library.name).string());
    writeStandIn(library, here, machine, arguments.back());
  }
  if (unwinds) addSystem(wanted, machine, arguments);
  else if (!wanted.empty()) refuseCalls(wanted, "calls of libc and libm alone");
  cpu::runLinker(arguments);
}

void writeObject(ArrayRef<Bytes> objects, const Machines &machines, const std::string &path) {
  if (machines.system == System::None) checkBare(objects);
  std::vector<std::string> arguments = {"-r", "--threads=1", "-o", path};
  std::vector<cpu::MemoryFile> files;
  for (const Bytes &object : objects) arguments.push_back(files.emplace_back(object).path());
  cpu::runLinker(arguments, machines.system == System::Wasm ? cpu::Linker::Wasm : cpu::Linker::Elf);
}

void writeArchive(ArrayRef<Bytes> objects, const Machines &machines, const std::string &path) {
  if (machines.system == System::None) checkBare(objects);
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
