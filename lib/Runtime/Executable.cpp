#include "lib/Runtime/Executable.h"

#include "lib/Core/Error.h"
#include "lib/Core/Fork.h"
#include "lib/Core/Host.h"
#include "lib/Core/Registry.h"

#include <atomic>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <fstream>
#include <mutex>
#include <sys/mman.h>
#include <unistd.h>
#include <unordered_map>

namespace kiln {

static std::string &theLibraryFolder() {
  static std::string folder;
  return folder;
}
void setLibraryFolder(const std::string &folder) { theLibraryFolder() = folder; }
const std::string &libraryFolder() { return theLibraryFolder(); }

static std::string lastDlError() {
  const char *text = dlerror();
  return text ? text : "unknown error";
}

static std::atomic<int64_t> executables = 0;
Executable::Executable() { ++executables; }
int64_t Executable::count() { return executables; }

std::shared_ptr<Executable> Executable::open(const std::string &path) {
  std::shared_ptr<Executable> result(new Executable); // before the lock: its destructor takes it
  std::lock_guard lock(lockOf(Lock::Loader));
  result->handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!result->handle) throw Error(ErrorKind::Package, "executable: expected a shared object that loads: " + lastDlError());
  auto *info = static_cast<kiln_executable_info *>(dlsym(result->handle, "kiln_info"));
  result->entry = reinterpret_cast<kiln_entry_fn>(dlsym(result->handle, "kiln_entry"));
  if (info && info->workspace_bytes < 0) result->workspace = reinterpret_cast<kiln_workspace_fn>(dlsym(result->handle, "kiln_workspace"));
  if (!info || !result->entry || info->version != KILN_EXECUTABLE_VERSION || (info->workspace_bytes < 0 && !result->workspace))
    throw Error(ErrorKind::Package,
                "executable: expected the symbols of version " + std::to_string(KILN_EXECUTABLE_VERSION) + " in " + path);
  result->info = *info;
  auto *inPlace = static_cast<const int64_t *>(info->in_place ? dlsym(result->handle, "kiln_in_place") : nullptr);
  if (info->in_place && !inPlace) throw Error(ErrorKind::Package, "executable: expected the symbol kiln_in_place in " + path);
  if (inPlace) result->inPlace = {inPlace, size_t(info->in_place)};
  return result;
}

size_t Executable::workspaceBytes(const int64_t *symbols) const {
  if (program) return program->plan.workspaceFor({symbols, size_t(program->plan.sizes)});
  int64_t bytes = workspace ? workspace(symbols) : info.workspace_bytes;
  if (bytes < 0) throw Error(ErrorKind::Memory, "workspace: expected sizes whose arrays fit into memory, got larger ones");
  return size_t(bytes);
}

std::shared_ptr<Executable> Executable::openCopy(const std::string &path) {
  std::ifstream source(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(source), {}};
  int made = memfd_create("kiln-executable", MFD_CLOEXEC);
  if (!source || made < 0) return nullptr;
  static std::atomic<int> next{512}; // the loader knows libraries by path: a number that no other one has had
  int file = fcntl(made, F_DUPFD_CLOEXEC, next++);
  close(made);
  if (file < 0) return nullptr;
  try {
    if (write(file, bytes.data(), bytes.size()) != ssize_t(bytes.size())) throw Error(ErrorKind::Memory, "no memory for an executable");
    auto result = open("/proc/self/fd/" + std::to_string(file));
    result->file = file;
    return result;
  } catch (const Error &) {
    close(file);
    return nullptr;
  }
}

std::shared_ptr<Executable> Executable::load(Accelerator &on, const std::string &plan) {
  std::shared_ptr<Executable> result(new Executable);
  LaunchPlan read = LaunchPlan::read(plan);
  read.forEach([&](const LaunchPlan::Program &program) { result->info.kernels += int64_t(program.launches.size()); });
  result->program = on.load(std::move(read));
  const LaunchPlan::Program &program = result->program->plan;
  result->info.version = KILN_EXECUTABLE_VERSION;
  result->info.workspace_bytes = program.workspaceBytes.isConstant() ? program.workspaceBytes.constant() : -1; // as those of the CPU
  result->inPlace = program.inPlace;
  return result;
}

void Executable::keepInputs(std::span<void *> buffers, size_t inputs, std::span<const size_t> bytes) const {
  for (size_t i = 0; i < inPlace.size(); ++i)
    if (inPlace[i] >= 0) buffers[size_t(inPlace[i])] = std::memcpy(buffers[inputs + i], buffers[size_t(inPlace[i])], bytes[i]);
}

Executable::~Executable() {
  --executables;
  if (handle) {
    std::lock_guard lock(lockOf(Lock::Loader));
    dlclose(handle);
  }
  if (file >= 0) close(file);
}

//===-- the pack ----------------------------------------------------------------------------------------------------===//

namespace {
struct Packs {
  void *all, *heavy = nullptr; // the second, for wider registers, holds the kernels that they make faster

  Packs() {
    PackLevels levels = hostPackLevels();
    all = open(levels.all);
    if (!all) throw Error(ErrorKind::Package, "eager kernels: expected the pack of the installation: " + lastDlError());
    if (levels.heavy) heavy = open(levels.heavy);
  }
  void *find(const std::string &name) const {
    void *found = heavy ? dlsym(heavy, name.c_str()) : nullptr;
    return found ? found : dlsym(all, name.c_str());
  }

private:
  static void *open(const char *level) {
    return dlopen((libraryFolder() + "/libkiln_pack_" + level + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
  }
};
} // namespace

kiln_entry_fn packKernel(const std::string &name) {
  static std::unordered_map<std::string, kiln_entry_fn> known;
  std::lock_guard lock(lockOf(Lock::Pack));
  auto found = known.find(name);
  if (found != known.end()) return found->second;
  static const Packs packs;
  auto fn = reinterpret_cast<kiln_entry_fn>(packs.find(name));
  if (!fn) throw Error(ErrorKind::Package, "eager kernels: expected '" + name + "' in the pack, which has none");
  return known[name] = fn;
}

//===-- the compiler ------------------------------------------------------------------------------------------------===//

namespace {
struct Compiler {
  decltype(&kiln_compiler_compile) compile;
  decltype(&kiln_compiler_print) print;
  decltype(&kiln_compiler_library) library;
  decltype(&kiln_compiler_link) link;
  decltype(&kiln_compiler_interpret) interpret;
  decltype(&kiln_compiler_parse) parse;
  decltype(&kiln_compiler_free) free;
  decltype(&kiln_compiler_outlives_exit) outlivesExit;
};
std::atomic<bool> isOpen = false;

/// To be held around calls of the compiler: its tables are whole then.
std::unique_lock<std::mutex> lockCompiler() {
  std::unique_lock lock(lockOf(Lock::Compiler));
  if (compilerWasLost()) throw Declined("the process was forked while the compiler was at work, which the child cannot use");
  return lock;
}

const Compiler &compiler() {
  static const Compiler library = [] {
    std::lock_guard lock(lockOf(Lock::Loader)); // the dynamic linker's own lock is not free in the child of a fork
    std::string path = libraryFolder() + "/libkiln_compiler.so";
    void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) throw Error(ErrorKind::Package, "compiler: expected the library of the installation: " + lastDlError());
    auto abi = reinterpret_cast<decltype(&kiln_compiler_abi)>(dlsym(handle, "kiln_compiler_abi"));
    if (!abi || abi() != KILN_COMPILER_ABI)
      throw Error(ErrorKind::Package,
                  "compiler: expected ABI " + std::to_string(KILN_COMPILER_ABI) + ", got " + std::to_string(abi ? abi() : 0));
    if (auto use = reinterpret_cast<decltype(&kiln_compiler_use_registry)>(dlsym(handle, "kiln_compiler_use_registry"))) use(registry());
    isOpen = true;
    return Compiler{reinterpret_cast<decltype(&kiln_compiler_compile)>(dlsym(handle, "kiln_compiler_compile")),
                    reinterpret_cast<decltype(&kiln_compiler_print)>(dlsym(handle, "kiln_compiler_print")),
                    reinterpret_cast<decltype(&kiln_compiler_library)>(dlsym(handle, "kiln_compiler_library")),
                    reinterpret_cast<decltype(&kiln_compiler_link)>(dlsym(handle, "kiln_compiler_link")),
                    reinterpret_cast<decltype(&kiln_compiler_interpret)>(dlsym(handle, "kiln_compiler_interpret")),
                    reinterpret_cast<decltype(&kiln_compiler_parse)>(dlsym(handle, "kiln_compiler_parse")),
                    reinterpret_cast<decltype(&kiln_compiler_free)>(dlsym(handle, "kiln_compiler_free")),
                    reinterpret_cast<decltype(&kiln_compiler_outlives_exit)>(dlsym(handle, "kiln_compiler_outlives_exit"))};
  }();
  return library;
}

void check(int32_t status, char *error) {
  if (!status) return;
  std::string text = error ? error : "no text";
  compiler().free(error);
  if (status == KILN_COMPILER_DECLINED) throw Declined(text);
  throw Error(ErrorKind(status - 1), text);
}
} // namespace

bool compilerIsOpen() { return isOpen; }
void openCompiler() {
  auto lock = lockCompiler();
  compiler();
}
bool compilerOutlivesExit() { return compiler().outlivesExit(); }

/// Of the compile thread's own time, for one program.
static double mostSeconds() {
  constexpr double kSeconds = 30;
  const char *given = getenv("KILN_COMPILE_SECONDS");
  double seconds = given ? strtod(given, nullptr) : kSeconds;
  return seconds > 0 ? seconds : kSeconds;
}

void compileTo(const std::vector<int64_t> &serialized, const std::string &path, const char *dumpDir, const int32_t *cancel,
               const CompileTarget &target) {
  auto lock = lockCompiler();
  kiln_compile_request request{};
  request.words = serialized.data(), request.count = serialized.size();
  request.output_path = path.c_str(), request.dump_dir = dumpDir;
  request.cancel = cancel, request.seconds = mostSeconds(), request.timed = target.isTimed;
  if (!target.target.empty()) request.target = target.target.c_str(), request.cpu = target.cpu.c_str();
  char *error = nullptr;
  check(compiler().compile(&request, &error), error);
}

void interpret(const std::vector<int64_t> &serialized, const void *const *inputs, void *const *outputs) {
  if (compilerWasLost()) lockCompiler(); // says why
  kiln_compile_request request{};
  request.words = serialized.data(), request.count = serialized.size();
  char *error = nullptr;
  check(compiler().interpret(&request, inputs, outputs, &error), error);
}

void makeLibrary(const std::string &input, const std::string &output, const std::map<std::string, std::string> &options) {
  auto option = [&](const char *name) {
    auto found = options.find(name);
    return found == options.end() ? nullptr : found->second.c_str();
  };
  auto lock = lockCompiler();
  kiln_library_request request{};
  request.input_path = input.c_str(), request.output_path = output.c_str();
  request.header_path = option("header"), request.project_dir = option("project"), request.name = option("name");
  request.emit = option("emit"), request.weights = option("weights");
  request.triple = option("target"), request.cpu = option("cpu"), request.features = option("features");
  if (const char *threads = option("threads")) request.threads = std::atoi(threads);
  char *error = nullptr;
  check(compiler().library(&request, &error), error);
}

void linkObject(const std::string &object, const std::string &output) {
  auto lock = lockCompiler();
  char *error = nullptr;
  check(compiler().link(object.c_str(), output.c_str(), &error), error);
}

std::vector<int64_t> parseIr(std::string_view source) {
  auto lock = lockCompiler();
  int64_t *words = nullptr;
  size_t count = 0;
  char *error = nullptr;
  check(compiler().parse(source.data(), source.size(), &words, &count, &error), error);
  std::vector<int64_t> result(words, words + count);
  compiler().free(words);
  return result;
}

std::string printIr(const std::vector<int64_t> &serialized, const std::string &stage, const CompileTarget &target) {
  auto lock = lockCompiler();
  kiln_compile_request request{};
  request.words = serialized.data(), request.count = serialized.size();
  if (!target.target.empty()) request.target = target.target.c_str(), request.cpu = target.cpu.c_str();
  char *text = nullptr, *error = nullptr;
  check(compiler().print(&request, stage.c_str(), &text, &error), error);
  std::string result = text;
  compiler().free(text);
  return result;
}

} // namespace kiln
