#include "lib/Runtime/CudaLibraries.h"

#include "lib/Core/Environment.h"
#include "lib/Core/PlanRoutines.h"
#include "lib/Runtime/CudaInternal.h"

#include <dlfcn.h>
#include <optional>

namespace kiln::cuda {
namespace {

/// The folder of packages in which Kiln is installed: <folder>/kiln/lib/<this>.
std::string besidePackage() {
  Dl_info self;
  if (!dladdr(reinterpret_cast<void *>(&besidePackage), &self)) return {};
  std::string path = self.dli_fname;
  for (int up = 0; up < 3; ++up) path = path.substr(0, path.rfind('/'));
  return path;
}

/// Where a library is looked for. CUDA 13's versions need a driver of it, and have a folder for all libraries in their packages.
std::vector<std::string> pathsOf(const std::string &name, const char *variable) {
  if (std::string chosen = environment(variable); !chosen.empty()) return {chosen};
  std::string packages = besidePackage() + "/nvidia/", of12 = "lib" + name + ".so.11", of13 = "lib" + name + ".so.12";
  int version = 0;
  if (driver().driverVersion(&version) != Success) version = 0;
  std::vector<std::string> paths;
  if (version >= 13000) paths = {packages + "cu13/lib/" + of13, of13};
  paths.insert(paths.end(), {packages + name + "/lib/" + of12, of12});
  return paths;
}

struct Opened {
  void *handle = nullptr;
  std::string why; // there is none

  Opened(const char *title, const std::string &name, const char *variable) {
    for (const std::string &path : pathsOf(name, variable)) {
      handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
      if (handle) return;
      why += (why.empty() ? "" : "; ") + std::string(dlerror());
    }
    why = std::string(title) + ": expected lib" + name + ".so: install the package nvidia-" + name + " (nvidia-" + name +
          "-cu12 for a driver of CUDA 12), or set " + variable + " to the library, got " + why;
  }
  void *find(const char *name) const { return handle ? dlsym(handle, name) : nullptr; }
};

template <typename Table> struct Tabled {
  Opened library;
  Table table = {};
};

/// Tried once: what is missing then is missing as long as the process runs, and never closed.
#define KILN_OPEN(open, Table, FUNCTIONS, title, name, variable)                                                                           \
  const Tabled<Table> &open() {                                                                                                            \
    static const auto *known = [] {                                                                                                        \
      auto *opened = new Tabled<Table>{Opened(title, name, variable)};                                                                     \
      FUNCTIONS(KILN_FIND)                                                                                                                 \
      return opened;                                                                                                                       \
    }();                                                                                                                                   \
    return *known;                                                                                                                         \
  }
#define KILN_FIND(name, symbol, arguments) opened->table.name = reinterpret_cast<int(*) arguments>(opened->library.find(#symbol));
KILN_OPEN(openSolver, SolverTable, KILN_CUSOLVER_FUNCTIONS, "cuSOLVER", "cusolver", "KILN_CUSOLVER")
KILN_OPEN(openTransforms, TransformTable, KILN_CUFFT_FUNCTIONS, "cuFFT", "cufft", "KILN_CUFFT")
#undef KILN_FIND
#undef KILN_OPEN

template <typename Table> const Table &tableOf(const Tabled<Table> &opened) {
  if (!opened.library.handle) throw Error(ErrorKind::Device, opened.library.why);
  return opened.table;
}

/// As both libraries number themselves.
template <typename Table> std::string describe(const char *title, const Tabled<Table> &opened) {
  if (!opened.library.handle) return opened.library.why;
  int version = 0;
  if (!opened.table.version || opened.table.version(&version)) return std::string(title) + " of an unknown version";
  return std::string(title) + " " + std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 100) + "." +
         std::to_string(version % 100);
}

bool isTransform(const std::string &routine) {
  const PlanRoutine *known = findPlanRoutine(routine);
  return known && known->isTransform;
}

} // namespace

const SolverTable &solver() { return tableOf(openSolver()); }
const TransformTable &transforms() { return tableOf(openTransforms()); }
std::string describeLibraries() { return describe("cuSOLVER", openSolver()) + "\n" + describe("cuFFT", openTransforms()); }

void checkLibrary(int status, const std::string &function, std::span<const char *const> names) {
  constexpr int kNoMemory = 2; // of both
  if (!status) return;
  bool isKnown = size_t(status) < names.size() && names[size_t(status)];
  fail(status == kNoMemory ? ErrorKind::Memory : ErrorKind::Device, "cuda", function, "a call that succeeds",
       isKnown ? names[size_t(status)] : "status " + std::to_string(status));
}

bool Libraries::have(std::span<const std::string> routines) {
  bool all = true;
  for (const std::string &routine : routines) all &= isTransform(routine) ? Transforms::has(routine) : Solver::has(routine);
  return all;
}

void Libraries::run(const LibraryCall &call) {
  if (!have({&call.routine, 1})) fail(ErrorKind::Device, "cuda", call.routine, "a library that has it", "an older one");
  Current current(call.stream.device);
  if (isTransform(call.routine)) transforms.run(call);
  else solver.run(call);
}

} // namespace kiln::cuda
