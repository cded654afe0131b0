#include "lib/Runtime/CudaInternal.h"
#include "lib/Runtime/CudaLibraries.h"
#include "lib/Runtime/CudaStaging.h"

#include <atomic>
#include <cstdlib>
#include <dlfcn.h>
#include <map>
#include <mutex>
#include <optional>
#include <pthread.h>

namespace kiln::cuda {

//===-- errors and forks --------------------------------------------------------------------------------------------===//

std::string describe(const Driver &driver, int code) {
  const char *name = nullptr, *text = nullptr;
  driver.errorName(code, &name);
  driver.errorText(code, &text);
  return (name ? name : "error " + std::to_string(code)) + (text ? std::string(" (") + text + ")" : "");
}
void check(const Driver &driver, int code, const char *what, const std::string &expected) {
  if (code != Success) fail(code == OutOfMemory ? ErrorKind::Memory : ErrorKind::Device, "cuda", what, expected, describe(driver, code));
}

/// Whether a driver was opened here, and whether that was in a parent. No lock: one that a fork finds taken would stay so in the child.
static std::atomic<bool> isOpened = false, isChild = false;

static void refuseForks() {
  static const int once = pthread_atfork(nullptr, nullptr, [] {
    if (isOpened) isChild = true;
  });
  (void)once;
  if (isChild)
    fail(ErrorKind::Device, "cuda", "process", "one that was started anew (multiprocessing's \"spawn\")",
         "a fork of a process that had used the driver");
}

//===-- the driver --------------------------------------------------------------------------------------------------===//

Driver openDriver(const char *library) {
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!handle) fail(ErrorKind::Device, "cuda", "driver", std::string(library) + " of an NVIDIA driver", dlerror());
  Driver driver;
  auto find = [&](const char *name) {
    void *symbol = dlsym(handle, name);
    if (!symbol) fail(ErrorKind::Device, "cuda", "driver", "one of CUDA 12 or later", std::string(library) + " without " + name);
    return symbol;
  };
#define KILN_CUDA_FIND(name, symbol, arguments) driver.name = reinterpret_cast<int(*) arguments>(find(#symbol));
  KILN_CUDA_FUNCTIONS(KILN_CUDA_FIND)
#undef KILN_CUDA_FIND
  return driver;
}

const Driver &driver() {
  refuseForks();
  // Tried once: a process does not come by a driver later. Never destroyed, as it is used until the process ends.
  static const auto *opened = [] {
    auto *result = new std::pair<Driver, std::optional<Error>>;
    isOpened = true; // before it is, as a fork may come in between
    const char *chosen = getenv("KILN_CUDA_DRIVER");
    try {
      result->first = openDriver(chosen && *chosen ? chosen : "libcuda.so.1");
      check(result->first, result->first.init(0), "driver", "one that starts");
    } catch (const Error &error) {
      result->second = error;
      isOpened = false; // nothing was started, so children may ask as well
    }
    return result;
  }();
  if (opened->second) throw *opened->second;
  return opened->first;
}

static DeviceFacts factsOf(const Driver &driver, int ordinal) {
  int device = 0, count = 0;
  check(driver, driver.deviceCount(&count), "devices", "their number");
  if (ordinal < 0 || ordinal >= count)
    fail(ErrorKind::Device, "cuda", "device", "a number below " + std::to_string(count), std::to_string(ordinal));
  check(driver, driver.deviceGet(&device, ordinal), "device", "one that can be used");
  DeviceFacts facts;
  facts.ordinal = ordinal;
  char name[256] = "";
  size_t memory = 0;
  check(driver, driver.deviceName(name, sizeof name, device), "device", "its name");
  check(driver, driver.deviceMemory(&memory, device), "device", "its memory");
  facts.name = name;
  facts.memory = int64_t(memory);
  for (auto [attribute, value] : {std::pair{Major, &facts.major}, {Minor, &facts.minor}, {Multiprocessors, &facts.multiprocessors}})
    check(driver, driver.deviceAttribute(value, attribute, device), "device", "its properties");
  return facts;
}

std::vector<DeviceFacts> devices() {
  std::vector<DeviceFacts> result;
  try {
    const Driver &functions = driver();
    int count = 0;
    check(functions, functions.deviceCount(&count), "devices", "their number");
    for (int i = 0; i < count; ++i) result.push_back(factsOf(functions, i));
  } catch (const Error &) {
    if (isChild) throw; // there may be devices, but not for this process
    result.clear();
  }
  return result;
}

//===-- devices -----------------------------------------------------------------------------------------------------===//

Current::Current(const Device &device) : driver(device.functions) {
  refuseForks();
  ContextHandle current = nullptr;
  check(driver, driver.currentContext(&current), "context", "the current one");
  if (current == device.context) return;
  check(driver, driver.pushContext(device.context), "context", "one that can be used");
  isPushed = true;
}
Current::~Current() {
  ContextHandle popped;
  if (isPushed) driver.popContext(&popped);
}
bool isForkOfUser() { return isChild; }

Device::Device(const Driver &driver, int ordinal) : facts(factsOf(driver, ordinal)), functions(driver) {
  refuseForks();
  isOpened = true;
  int device = 0, hasPools = 0;
  check(driver, driver.deviceGet(&device, ordinal), "device", "one that can be used");
  check(driver, driver.deviceAttribute(&hasPools, MemoryPools, device), "device", "its properties");
  if (!hasPools) fail(ErrorKind::Device, "cuda", "device", "one with pools of memory (cuMemAllocAsync)", facts.name);
  check(driver, driver.primaryContext(&context, device), "device", "its primary context");
  Current current(*this);
  PoolProperties properties;
  properties.ordinal = device;
  check(driver, driver.poolCreate(&pool, &properties), "memory", "a pool");
  uint64_t keepAll = ~uint64_t(0); // otherwise each synchronization would give it back
  check(driver, driver.poolSet(pool, ReleaseThreshold, &keepAll), "memory", "a pool that keeps its memory");
  staging = std::make_unique<Staging>(*this);
  callers = std::make_unique<Libraries>();
}
Device::~Device() = default;

Device &Device::of(int ordinal) {
  const Driver &functions = driver();
  static auto *mutex = new std::mutex; // a child does not come here
  static auto *all = new std::map<int, std::unique_ptr<Device>>;
  std::lock_guard lock(*mutex);
  auto &device = (*all)[ordinal];
  if (!device) device = std::make_unique<Device>(functions, ordinal);
  return *device;
}

std::shared_ptr<Stream> Device::stream() { return std::make_shared<Stream>(*this); }

Device::Memory Device::memory() const {
  Current current(*this);
  uint64_t used = 0, held = 0;
  check(functions, functions.poolGet(pool, Used, &used), "memory", "how much is used");
  check(functions, functions.poolGet(pool, Reserved, &held), "memory", "how much is held");
  return {int64_t(used), int64_t(held)};
}

void Device::trim(int64_t keep) const {
  Current current(*this);
  check(functions, functions.poolTrim(pool, size_t(keep)), "memory", "a pool that gives memory back");
}

} // namespace kiln::cuda
