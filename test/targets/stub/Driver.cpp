// Starting, devices, contexts and errors.
#include "test/targets/stub/Stub.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <unistd.h>

namespace stub {
namespace {

constexpr int kMostDevices = 8;

struct Planted {
  int64_t count;
  int code;
};

/// What the process has; never destroyed, as threads of streams use it until the process ends.
struct World {
  std::mutex mutex;
  pid_t process = 0; // that called cuInit
  Settings settings;
  std::map<std::string, int64_t> calls;
  std::map<std::string, Planted> planted;
  Device devices[kMostDevices];
};
World &world() {
  static auto *one = new World;
  return *one;
}
thread_local std::vector<Device *> contexts;

int64_t numberOf(const char *name, int64_t otherwise) {
  const char *text = getenv(name);
  return text && *text ? atoll(text) : otherwise;
}

ContextHandle handleOf(Device *device) { return reinterpret_cast<ContextHandle>(device); }

} // namespace

void readSettings() {
  World &w = world();
  std::lock_guard lock(w.mutex);
  w.process = getpid();
  Settings standard;
  w.settings.devices = int(std::min<int64_t>(numberOf("KILN_STUB_DEVICES", standard.devices), kMostDevices));
  w.settings.memory = size_t(numberOf("KILN_STUB_MEMORY", int64_t(standard.memory)));
  w.settings.slow = numberOf("KILN_STUB_SLOW", 0);
  w.settings.chip = int(numberOf("KILN_STUB_CHIP", standard.chip));
  for (int i = 0; i < kMostDevices; ++i) w.devices[i].ordinal = i;
  w.planted.clear();
  const char *faults = getenv("KILN_STUB_FAIL");
  std::istringstream all(faults ? faults : "");
  for (std::string one; std::getline(all, one, ',');) {
    std::string name = one.substr(0, one.find(':'));
    Planted planted{1, name.find("Alloc") == std::string::npos ? Unknown : int(OutOfMemory)};
    if (name.size() < one.size()) sscanf(one.c_str() + name.size() + 1, "%ld:%d", &planted.count, &planted.code);
    planted.count += w.calls[name];
    w.planted[name] = planted;
  }
}

Settings settings() {
  std::lock_guard lock(world().mutex);
  return world().settings;
}
Device *deviceOf(int ordinal) { return ordinal >= 0 && ordinal < settings().devices ? &world().devices[ordinal] : nullptr; }

int enter(const char *name) {
  World &w = world();
  if (w.process && w.process != getpid()) return NotInitialized; // no lock: a fork may have found it taken
  std::lock_guard lock(w.mutex);
  int64_t count = ++w.calls[name];
  auto planted = w.planted.find(name);
  if (planted != w.planted.end() && planted->second.count == count) return planted->second.code;
  bool isEarly = !strcmp(name, "cuInit") || !strncmp(name, "cuGetError", 10) || !strcmp(name, "cuDriverGetVersion");
  return w.process || isEarly ? Success : int(NotInitialized);
}

Device *current() { return contexts.empty() ? nullptr : contexts.back(); }

void Device::fail(int code, const std::string &text) {
  fault = code;
  fprintf(stderr, "kiln-cuda-stub: %s\n", text.c_str());
}

//===-- the driver's functions --------------------------------------------------------------------------------------===//

extern "C" {
/// How often a function was called.
int64_t kiln_stub_calls(const char *name) {
  std::lock_guard lock(world().mutex);
  return world().calls[name];
}

int cuInit(unsigned) {
  int code = enter(__func__);
  if (!code) readSettings();
  return code;
}
int cuDriverGetVersion(int *version) {
  return call(__func__, [&] { return *version = 12080, Success; });
}

struct ErrorName {
  int code;
  const char *name, *text;
};
static const ErrorName kErrors[] = {
    {Success, "CUDA_SUCCESS", "no error"},
    {InvalidValue, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {OutOfMemory, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {NotInitialized, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {NoDevice, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {InvalidImage, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"},
    {InvalidContext, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {InvalidPtx, "CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"},
    {InvalidHandle, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {NotFound, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {NotReady, "CUDA_ERROR_NOT_READY", "device not ready"},
    {IllegalAddress, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {LaunchFailed, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {CaptureUnsupported, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "operation not permitted when stream is capturing"},
    {Unknown, "CUDA_ERROR_UNKNOWN", "unknown error"},
};
static int textOf(int code, const char **text, const char *ErrorName::*part) {
  *text = nullptr;
  for (const ErrorName &error : kErrors)
    if (error.code == code) return *text = error.*part, Success;
  return InvalidValue;
}
int cuGetErrorName(int code, const char **text) { return textOf(code, text, &ErrorName::name); }
int cuGetErrorString(int code, const char **text) { return textOf(code, text, &ErrorName::text); }

int cuDeviceGetCount(int *count) {
  return call(__func__, [&] { return *count = settings().devices, Success; });
}
int cuDeviceGet(int *device, int ordinal) {
  return call(__func__, [&] { return *device = ordinal, deviceOf(ordinal) ? Success : 101; });
}
int cuDeviceGetName(char *name, int bytes, int) {
  return call(__func__, [&] { return snprintf(name, size_t(bytes), "Kiln simulator"), Success; });
}
int cuDeviceGetUuid(DeviceId *id, int device) {
  return call(__func__, [&] {
    std::memcpy(id->bytes, "Kiln simulator ", sizeof id->bytes);
    return id->bytes[15] = char(device), Success;
  });
}
int cuDeviceTotalMem_v2(size_t *bytes, int) {
  return call(__func__, [&] { return *bytes = settings().memory, Success; });
}
int cuDeviceGetAttribute(int *value, int attribute, int device) {
  return call(__func__, [&] {
    static const std::map<int, int> values = {
        {1, 1024},  {2, 1024}, {5, 0x7fffffff}, {8, 48 << 10},   {10, 32},        {Multiprocessors, 132},
        {39, 2048}, {41, 1},   {81, 228 << 10}, {97, 227 << 10}, {MemoryPools, 1}};
    int chip = settings().chip;
    if (attribute == Major || attribute == Minor) return *value = attribute == Major ? chip / 10 : chip % 10, Success;
    auto found = values.find(attribute);
    return *value = found == values.end() ? 0 : found->second, deviceOf(device) ? Success : InvalidValue;
  });
}

int cuDevicePrimaryCtxRetain(ContextHandle *context, int device) {
  return call(__func__, [&] { return *context = handleOf(deviceOf(device)), *context ? Success : InvalidValue; });
}
int cuDevicePrimaryCtxRelease_v2(int device) {
  return call(__func__, [&] { return deviceOf(device) ? Success : InvalidValue; });
}
int cuCtxSynchronize() {
  return callOn(__func__, [&](Device &device) { return finishAll(device), device.fault.load(); });
}
int cuCtxGetCurrent(ContextHandle *context) {
  return call(__func__, [&] { return *context = handleOf(current()), Success; });
}
int cuCtxPushCurrent_v2(ContextHandle context) {
  return call(__func__, [&] {
    if (!context) return int(InvalidContext);
    return contexts.push_back(reinterpret_cast<Device *>(context)), int(Success);
  });
}
int cuCtxPopCurrent_v2(ContextHandle *context) {
  return call(__func__, [&] {
    if (contexts.empty()) return int(InvalidContext);
    *context = handleOf(contexts.back());
    return contexts.pop_back(), int(Success);
  });
}
} // extern "C"

} // namespace stub
