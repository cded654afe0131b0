#include "frontend/Device.h"

#include "frontend/OpsShared.h"

#include <algorithm>
#include <mutex>

namespace kiln {
namespace {

constexpr size_t kMostDevices = 63; // their numbers are part of words of keys

struct Registry {
  std::mutex mutex;
  std::vector<Device *> devices;
};
Registry &registry() {
  static Registry *r = new Registry; // arrays may outlive statics
  return *r;
}

std::string withNumber(std::string name) {
  if (name == "gpu") name = "cuda";
  return name.find(':') == std::string::npos ? name + ":0" : name;
}

[[noreturn]] void failMixed(const char *op, const Device *x, const Device *y, const Device *to) {
  fail(ErrorKind::Device, op, "operands", "arrays of one device (x.to_device('" + nameOf(to) + "') moves one)",
       "some of '" + nameOf(x) + "' and of '" + nameOf(y) + "'");
}

/// The device of operands, of which those of the CPU may be others than it where they `move`. What has no memory yet is a value of a body,
/// of which whoever runs it says where it is.
template <typename Moves> Device *theDevice(const char *op, std::span<const Array *const> operands, const Moves &moves) {
  Device *device = nullptr;
  for (const Array *a : operands) {
    if (!deviceOf(*a)) continue;
    if (device && device != deviceOf(*a)) failMixed(op, device, deviceOf(*a), device);
    device = deviceOf(*a);
  }
  for (const Array *a : operands)
    if (device && !deviceOf(*a) && a->storage->value && !moves(*a)) failMixed(op, device, nullptr, device);
  return device;
}

/// One element along all axes, as of a number that was repeated to a shape.
bool isRepeatedNumber(const Array &x) {
  return std::ranges::all_of(x.strides, [](int64_t stride) { return stride == 0; });
}
bool movesByItself(const Array &x) { return !x.shape.rank || x.storage->pinned || x.storage->isLoose || isRepeatedNumber(x); }

} // namespace

std::atomic<Device *> DefaultDevice::everywhere = nullptr;
[[gnu::tls_model("initial-exec")]] thread_local constinit DefaultDevice::Scope DefaultDevice::here;

void addDevice(Device &device) {
  Registry &r = registry();
  std::lock_guard lock(r.mutex);
  if (r.devices.size() == kMostDevices)
    throw Error(ErrorKind::Device, "devices: expected at most " + std::to_string(kMostDevices) + ", got '" + device.name + "' beside them");
  r.devices.push_back(&device);
  device.number = int(r.devices.size());
}

std::vector<std::string> deviceNames() {
  Registry &r = registry();
  std::lock_guard lock(r.mutex);
  std::vector<std::string> names = {nameOf(nullptr)};
  for (Device *d : r.devices) names.push_back(d->name);
  return names;
}

Device *findDevice(const std::string &name) {
  std::string wanted = withNumber(name);
  if (wanted == "cpu:0") return nullptr;
  {
    Registry &r = registry();
    std::lock_guard lock(r.mutex);
    for (Device *d : r.devices)
      if (d->name == wanted) return d;
  }
  std::string there;
  for (const std::string &n : deviceNames()) there += (there.empty() ? "'" : ", '") + n + "'";
  throw Error(ErrorKind::Device, "device: expected " + there + ", got '" + name + "'");
}

bool isNumber(const Array &x) {
  if (deviceOf(x)) return false;
  for (int i = 0; i < x.shape.rank; ++i)
    if (x.shape[i] != 1 && x.strides[i] != 0) return false; // an axis without elements has a stride unless a number was repeated to it
  return true;
}

Device *commonDevice(const char *op, std::span<const Array *const> operands) { return theDevice(op, operands, movesByItself); }

Device *placeOf(const Operation &o) {
  Device *device = theDevice(info(o.op).name, o.operands, [](const Array &x) { return isNumber(x) || movesByItself(x); });
  return device ? device : o.device;
}

void checkWrite(const char *op, const Device *target, const Array &value) {
  if (deviceOf(value) != target && (deviceOf(value) || !movesByItself(value))) failMixed(op, deviceOf(value), target, target);
}

Array moved(const Array &x, Device *to) {
  if (deviceOf(x) == to) return x;
  if (!x.storage->value) x.failLeaked();
  Paused paused;
  Array whole = withOwnCell(contiguous(x)); // as it is now
  if (deviceOf(x) && to) whole = moved(whole, nullptr);
  Array result = Array::empty(x.dtype, x.shape, to);
  size_t bytes = size_t(x.size() * byteSize(x.dtype));
  if (!bytes) return result;
  if (to) to->copyIn(result.data(), whole.data(), bytes);
  else deviceOf(whole)->copyOut(result.data(), whole.data(), bytes);
  return result;
}

Array toDevice(const Array &x, Device *to) {
  if (deviceOf(x) == to) return x;
  return moved(leave(x, "an array is moved to another device"), to);
}

Together::Together(const char *op, std::span<const Array *const> operands) {
  Device *device = commonDevice(op, operands);
  arrays.reserve(operands.size());
  for (const Array *a : operands) pointers.push_back(&arrays.emplace_back(cast(*a, a->dtype, device)));
}

} // namespace kiln
