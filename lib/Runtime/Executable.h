// Loaded programs, the pack of eager kernels, and the compiler library, which is opened on the first need.
#pragma once

#include "include/kiln/compiler.h"
#include "include/kiln/executable.h"
#include "lib/Core/Trace.h"
#include "lib/Library/Library.h"
#include "lib/Runtime/Accelerator.h"

#include <map>
#include <memory>
#include <span>
#include <string>

namespace kiln {

extern const char *const kBuildId;

/// A shared object with its entry, closed with the last reference; or a program that an accelerator has taken.
class Executable {
public:
  /// Opens an executable; throws Error (package) if it is none of this version.
  static std::shared_ptr<Executable> open(const std::string &path);
  /// The same from a copy in memory, where files of its folder must not be run; null where that fails.
  static std::shared_ptr<Executable> openCopy(const std::string &path);
  /// The program of a launch plan, on an accelerator. Throws Error (compile).
  static std::shared_ptr<Executable> load(Accelerator &on, const std::string &plan);
  ~Executable();
  Executable(const Executable &) = delete;

  kiln_entry_fn entry = nullptr;               // of the CPU
  std::shared_ptr<AcceleratorProgram> program; // null: of the CPU
  kiln_executable_info info{};
  /// Bytes of the workspace; `symbols` are the sizes of a program for any size. Throws Error (memory) where they are more than there can
  /// be.
  size_t workspaceBytes(const int64_t *symbols) const;

  /// By output: the input in whose memory it lies, or -1; empty where there is none.
  std::span<const int64_t> inPlace;
  /// For a caller who wants to keep its inputs: those that would be written over become copies in the memory of the outputs. `buffers` are
  /// as the entry takes them, `inputs` is how many of them are inputs, and `bytes` says how large outputs are.
  void keepInputs(std::span<void *> buffers, size_t inputs, std::span<const size_t> bytes) const;

  /// How many are loaded.
  static int64_t count();

private:
  Executable();
  void *handle = nullptr;
  int file = -1; // the copy in memory
  kiln_workspace_fn workspace = nullptr;
};

/// The most workspace that a kernel of the pack may ask for; the pack's compiler checks it.
inline constexpr size_t kPackWorkspace = size_t(8) << 20;
/// The eager kernel `name` of the pack; throws Error (package) when the pack or the kernel is missing.
kiln_entry_fn packKernel(const std::string &name);

/// The folder of the installed libraries, set once at import.
void setLibraryFolder(const std::string &folder);
const std::string &libraryFolder();
bool compilerIsOpen();
/// Opens the compiler library; throws Error (package) where there is none.
void openCompiler();
/// Whether the process may end while a thread is inside the compiler library, which is open.
bool compilerOutlivesExit();
/// Compiles a serialized trace to `path`, for this CPU unless another target is named; opens the compiler library if need be. Throws
/// Declined where that takes more than the budget of a program (KILN_COMPILE_SECONDS of the thread's time), when `cancel` becomes 1, and in
/// the child of a fork that found a thread in the compiler.
void compileTo(const std::vector<int64_t> &serialized, const std::string &path, const char *dumpDir, const int32_t *cancel = nullptr,
               const CompileTarget &target = {});
/// The serialized trace of a module of kiln ops, as MLIR text or bytecode.
std::vector<int64_t> parseIr(std::string_view source);
/// Makes a library of C functions from a package; options are named as in kiln_library_request, and may be missing. Throws Error: what the
/// compiler says.
void makeLibrary(const std::string &input, const std::string &output, const std::map<std::string, std::string> &options);
/// Makes a shared object of an object, without a compiler of the machine. Throws Error (compile).
void linkObject(const std::string &object, const std::string &output);
/// Runs a serialized trace in the reference interpreter, on row-major memory.
void interpret(const std::vector<int64_t> &serialized, const void *const *inputs, void *const *outputs);
/// The program at a stage, as text; for this CPU unless another target is named.
std::string printIr(const std::vector<int64_t> &serialized, const std::string &stage, const CompileTarget &target = {});

} // namespace kiln
