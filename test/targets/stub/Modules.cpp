// Modules: libraries of kernels for this machine, as the target nvptx-sim writes them, where a driver takes its own images.
#include "test/targets/stub/Stub.h"

#include "lib/Core/Error.h"

#include <algorithm>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

namespace stub {

struct Module {
  int file = -1; // open as long as the library, whose name is its number
  void *library = nullptr;
  kiln::LaunchPlan plan;
  std::map<std::string, FunctionHandle> functions;
  ~Module() {
    if (library) dlclose(library);
    if (file >= 0) close(file);
  }
};

namespace {

Handles<ModuleHandle, Module> &modules() {
  static auto *all = new Handles<ModuleHandle, Module>;
  return *all;
}
Handles<FunctionHandle, Function> &functions() {
  static auto *all = new Handles<FunctionHandle, Function>;
  return *all;
}

void say(unsigned count, const int *options, void **values, const std::string &text) {
  char *log = nullptr;
  size_t room = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (options[i] == ErrorLog) log = static_cast<char *>(values[i]);
    if (options[i] == ErrorLogBytes) room = reinterpret_cast<size_t>(values[i]);
  }
  if (!log || !room) return;
  size_t bytes = std::min(room - 1, text.size());
  std::memcpy(log, text.data(), bytes);
  log[bytes] = 0;
}

bool isLibrary(const void *image) { return !std::memcmp(image, ELFMAG, SELFMAG); }

/// Where the last thing ends that the headers of a library name: nobody says how long an image is.
size_t bytesOf(const void *image) {
  auto at = static_cast<const char *>(image);
  auto header = static_cast<const Elf64_Ehdr *>(image);
  size_t end = header->e_shoff + size_t(header->e_shnum) * header->e_shentsize;
  for (int i = 0; i < header->e_shnum; ++i) {
    auto section = reinterpret_cast<const Elf64_Shdr *>(at + header->e_shoff + size_t(i) * header->e_shentsize);
    if (section->sh_type != SHT_NOBITS) end = std::max<size_t>(end, section->sh_offset + section->sh_size);
  }
  for (int i = 0; i < header->e_phnum; ++i) {
    auto segment = reinterpret_cast<const Elf64_Phdr *>(at + header->e_phoff + size_t(i) * header->e_phentsize);
    end = std::max<size_t>(end, segment->p_offset + segment->p_filesz);
  }
  return end;
}

/// Opens an image; what is wrong with it, or nothing.
std::string open(Module &module, const void *image) {
  size_t bytes = bytesOf(image);
  module.file = memfd_create("kiln-cuda-stub", MFD_CLOEXEC);
  if (module.file < 0 || write(module.file, image, bytes) != ssize_t(bytes)) return "no memory for a library";
  simulator::showToKernels();
  module.library = dlopen(("/proc/self/fd/" + std::to_string(module.file)).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!module.library) return dlerror();
  auto plan = static_cast<const char *>(dlsym(module.library, simulator::kPlanSymbol));
  if (!plan && dlsym(module.library, simulator::kOwnSymbol)) return "";
  if (!plan) return std::string("a library without ") + simulator::kPlanSymbol;
  module.plan = kiln::LaunchPlan::read(plan);
  return "";
}

int load(ModuleHandle *handle, const void *image, unsigned count, const int *options, void **values) {
  if (!isLibrary(image)) {
    say(count, options, values, "the simulator takes no PTX, only what the target nvptx-sim writes");
    return InvalidPtx;
  }
  auto module = std::make_shared<Module>();
  std::string wrong;
  try {
    wrong = open(*module, image);
  } catch (const kiln::Error &error) { wrong = error.what(); }
  if (wrong.empty()) return *handle = modules().add(module), Success;
  say(count, options, values, wrong);
  return InvalidImage;
}

int find(Device &device, FunctionHandle *handle, ModuleHandle from, const char *name) {
  auto module = modules().find(from);
  if (!module) return InvalidHandle;
  if (auto known = module->functions.find(name); known != module->functions.end()) return *handle = known->second, Success;
  auto code = reinterpret_cast<simulator::KernelFunction>(dlsym(module->library, name));
  auto know = [&](const kiln::LaunchPlan::Launch &launch) {
    // Held by the table of handles until the module is unloaded: no ring of pointers, as the module knows it by its handle.
    *handle = functions().add(std::make_shared<Function>(device, module, code, launch));
    return module->functions[name] = *handle, Success;
  };
  const kiln::LaunchPlan::Launch *found = nullptr;
  module->plan.forEach([&](const kiln::LaunchPlan::Program &program) {
    for (const auto &launch : program.launches)
      if (launch.kernel == name) found = &launch;
  });
  if (code && found) return know(*found);
  if (auto count = static_cast<const int64_t *>(dlsym(module->library, (std::string(name) + "_parameters").c_str())); code && count) {
    kiln::LaunchPlan::Launch launch;
    launch.kernel = name, launch.arguments.resize(size_t(*count));
    return know(launch);
  }
  return NotFound;
}

int unload(ModuleHandle handle) {
  auto module = modules().remove(handle);
  if (!module) return InvalidHandle;
  for (auto &[name, function] : module->functions) functions().remove(function);
  return Success; // work that was put in before keeps it open
}

struct Link {
  std::vector<int> options;
  std::vector<void *> values;
  std::string image;
};
Handles<LinkHandle, Link> &links() {
  static auto *all = new Handles<LinkHandle, Link>;
  return *all;
}

} // namespace

std::shared_ptr<Function> functionOf(FunctionHandle handle) { return functions().find(handle); }

extern "C" {
int cuModuleLoadDataEx(ModuleHandle *module, const void *image, unsigned count, int *options, void **values) {
  return callOn(__func__, [&](Device &) { return load(module, image, count, options, values); });
}
int cuModuleUnload(ModuleHandle module) {
  return callOn(__func__, [&](Device &) { return unload(module); });
}
int cuModuleGetFunction(FunctionHandle *function, ModuleHandle module, const char *name) {
  return callOn(__func__, [&](Device &device) { return find(device, function, module, name); });
}

// A linker of one image, which it gives back.
int cuLinkCreate_v2(unsigned count, int *options, void **values, LinkHandle *link) {
  return callOn(__func__, [&](Device &) {
    return *link = links().add(
               std::make_shared<Link>(Link{std::vector<int>(options, options + count), std::vector<void *>(values, values + count), ""})),
           Success;
  });
}
int cuLinkAddData_v2(LinkHandle handle, int, void *data, size_t bytes, const char *, unsigned, int *, void **) {
  return callOn(__func__, [&](Device &) {
    auto link = links().find(handle);
    if (!link) return int(InvalidHandle);
    if (bytes > sizeof(Elf64_Ehdr) && isLibrary(data)) return link->image.assign(static_cast<char *>(data), bytes), int(Success);
    say(unsigned(link->options.size()), link->options.data(), link->values.data(),
        "the simulator takes no PTX, only what the target nvptx-sim writes");
    return int(InvalidPtx);
  });
}
int cuLinkComplete(LinkHandle handle, void **image, size_t *bytes) {
  return callOn(__func__, [&](Device &) {
    auto link = links().find(handle);
    if (!link) return int(InvalidHandle);
    return *image = link->image.data(), *bytes = link->image.size(), int(Success);
  });
}
int cuLinkDestroy(LinkHandle link) {
  return callOn(__func__, [&](Device &) { return links().remove(link) ? int(Success) : int(InvalidHandle); });
}

// Libraries, which are modules of all contexts: here of the one that loads them.
int cuLibraryLoadData(LibraryHandle *library, const void *image, int *options, void **values, unsigned count, int *, void **, unsigned) {
  return callOn(__func__, [&](Device &) { return load(reinterpret_cast<ModuleHandle *>(library), image, count, options, values); });
}
int cuLibraryUnload(LibraryHandle library) {
  return callOn(__func__, [&](Device &) { return unload(reinterpret_cast<ModuleHandle>(library)); });
}
int cuLibraryGetKernel(KernelHandle *kernel, LibraryHandle library, const char *name) {
  return callOn(__func__, [&](Device &device) {
    return find(device, reinterpret_cast<FunctionHandle *>(kernel), reinterpret_cast<ModuleHandle>(library), name);
  });
}
int cuKernelGetFunction(FunctionHandle *function, KernelHandle kernel) {
  return callOn(__func__, [&](Device &) { return *function = reinterpret_cast<FunctionHandle>(kernel), Success; });
}

int cuFuncSetAttribute(FunctionHandle handle, int attribute, int value) {
  return callOn(__func__, [&](Device &) {
    auto function = functionOf(handle);
    if (!function) return int(InvalidHandle);
    if (attribute != MaxDynamicShared || value < 0 || value > 227 << 10) return int(InvalidValue);
    return function->dynamicShared = value, int(Success);
  });
}
int cuFuncGetAttribute(int *value, int attribute, FunctionHandle handle) {
  return callOn(__func__, [&](Device &) {
    auto function = functionOf(handle);
    if (!function) return int(InvalidHandle);
    const std::map<int, int> values = {{MaxThreads, 1024},
                                       {StaticShared, int(function->launch.sharedBytes)},
                                       {Registers, 32},
                                       {MaxDynamicShared, function->dynamicShared}};
    auto found = values.find(attribute);
    return *value = found == values.end() ? 0 : found->second, int(Success);
  });
}
} // extern "C"

} // namespace stub
