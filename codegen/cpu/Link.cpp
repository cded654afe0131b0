// lld as a library.
#include "codegen/cpu/Link.h"

#include "codegen/cpu/Image.h"
#include "codegen/cpu/InstructionSet.h"
#include "codegen/cpu/Native.h"
#include "lib/Core/Error.h"
#include "lld/Common/Driver.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"

#include <csignal>
#include <filesystem>
#include <mutex>
#include <sys/mman.h>
#include <unistd.h>

LLD_HAS_DRIVER(elf)
LLD_HAS_DRIVER(wasm)

using namespace llvm;

namespace kiln::cpu {

/// LLVM takes over the signals of the process when it first writes a file, and keeps to that. Here it does so at once, and the
/// program's own actions are put back, so that they are missing for some microseconds once.
static void keepSignals() {
  static const bool once = [] {
    constexpr int kSignals = 32;
    struct sigaction actions[kSignals];
    stack_t stack; // of the handlers in this thread
    sigaltstack(nullptr, &stack);
    for (int s = 1; s < kSignals; ++s) sigaction(s, nullptr, &actions[s]);
    sys::RemoveFileOnSignal("/proc/none");
    sys::DontRemoveFileOnSignal("/proc/none");
    for (int s = 1; s < kSignals; ++s)
      if (s != SIGKILL && s != SIGSTOP) sigaction(s, &actions[s], nullptr);
    sigaltstack(&stack, nullptr);
    return true;
  }();
  (void)once;
}

/// Whether an object calls anything outside itself, as LLVM makes of long copies and fills.
static bool callsOutside(ArrayRef<char> bytes) {
  MemoryBufferRef buffer(StringRef(bytes.data(), bytes.size()), "object");
  auto object = cantFail(object::ObjectFile::createELFObjectFile(buffer));
  return llvm::any_of(object->symbols(), [](const object::SymbolRef &symbol) {
    return cantFail(symbol.getFlags()) & object::SymbolRef::SF_Undefined && !cantFail(symbol.getName()).empty();
  });
}

MemoryFile::MemoryFile(ArrayRef<char> bytes) : file(memfd_create("kiln-object", MFD_CLOEXEC)) {
  if (file < 0 || write(file, bytes.data(), bytes.size()) != ssize_t(bytes.size()))
    throw Error(ErrorKind::Compile, "no memory for an object file");
}

MemoryFile::~MemoryFile() {
  if (file >= 0) close(file);
}

void runLinker(ArrayRef<std::string> arguments, Linker linker) {
  static std::mutex mutex; // lld is not re-entrant
  std::lock_guard lock(mutex);
  keepSignals();
  static bool canRunAgain = true;
  if (!canRunAgain) throw Error(ErrorKind::Compile, "the linker has failed before and cannot be used again");
  std::vector<const char *> pointers = {linker == Linker::Wasm ? "wasm-ld" : "ld.lld"};
  for (const std::string &a : arguments) pointers.push_back(a.c_str());
  std::string messages;
  raw_string_ostream out(messages);
  const lld::DriverDef drivers[] = {{lld::Gnu, &lld::elf::link}, {lld::Wasm, &lld::wasm::link}};
  lld::Result result = lld::lldMain(pointers, out, out, drivers);
  canRunAgain = result.canRunAgain;
  if (result.retCode) throw Error(ErrorKind::Compile, "linking failed: " + messages);
}

static void write(const std::string &path, ArrayRef<char> bytes) {
  std::error_code error;
  raw_fd_ostream file(path, error);
  if (!error) {
    file.write(bytes.data(), bytes.size());
    file.close();
    error = file.error();
    file.clear_error();
  }
  if (error) throw Error(ErrorKind::Compile, "linking failed: cannot write " + path + ": " + error.message());
}

void linkShared(ArrayRef<ArrayRef<char>> objects, const TargetMachine &machine, const std::string &path) {
  // lld takes 0.9 ms, a fifth of what a small kernel takes from its recording to its code; most kernels do without.
  const InstructionSet &set = instructionSetOf(machine.getTargetTriple());
  if (auto image = layOut(objects, set)) return write(path, *image);
  std::vector<std::string> args = {"-shared",         "--threads=1", "-z", "relro", "--hash-style=gnu",
                                   "--build-id=none", "--as-needed", "-o", path};
  std::vector<MemoryFile> files;
  for (ArrayRef<char> object : objects) args.push_back(files.emplace_back(object).path());
  // Reading libc's symbols takes longer than the rest of a small link.
  if (llvm::any_of(objects, callsOutside))
    for (const char *library : set.hostLibraries)
      if (std::filesystem::exists(library)) args.push_back(library);
  runLinker(args);
}

} // namespace kiln::cpu
