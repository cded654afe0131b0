// Where the memory of arrays is, and who works on it. The CPU is the null pointer, so that what is common stays one comparison; every
// other device has memory of its own, which the host never touches, and kernels of its own.
#pragma once

#include "frontend/Array.h"

#include <span>
#include <string>

namespace kiln {

struct Operation;
class Accelerator;

class Device {
public:
  explicit Device(std::string name) : name(std::move(name)) {}
  virtual ~Device() = default;
  Device(const Device &) = delete;

  const std::string name; // as users write it: "cuda:0"
  int number = 0;         // in keys of calls; 0 until it is added

  /// Throws Error (memory) where there is none.
  virtual void *allocate(size_t bytes) = 0;
  virtual void release(void *memory, size_t bytes) noexcept = 0;
  /// From the host, to the host, and from here to here. The host may use both sides once they return.
  virtual void copyIn(void *to, const void *from, size_t bytes) = 0;
  virtual void copyOut(void *to, const void *from, size_t bytes) = 0;
  virtual void copyWithin(void *to, const void *from, size_t bytes) = 0;

  /// Runs an operation of the op table by kernels of this device, into row-major memory of its own. Operands lie here in any strides, or
  /// are numbers (isNumber) of the host. Views do not come here; a copy comes as a cast to the same dtype.
  virtual Array run(const Operation &operation) = 0;
  /// target[...] = value, of its dtype; `value` repeats to its shape, lies here and apart from the target, or is a number of the host.
  virtual void write(const Array &target, const Array &value) = 0;
  /// What a person wants to know of it; empty: nothing.
  virtual std::string describe() { return ""; }
  /// What segments are compiled for; null: they are interpreted.
  virtual Accelerator *accelerator() { return nullptr; }
};

/// Makes a device known by its name; it lives as long as the process. Throws Error (device) where there are too many.
void addDevice(Device &device);
/// The one of a name; "cuda" stands for "cuda:0" and "gpu" as well. Throws Error (device) that says which there are.
Device *findDevice(const std::string &name);
/// "cpu" first.
std::vector<std::string> deviceNames();

inline const std::string &nameOf(const Device *device) {
  static const std::string cpu = "cpu";
  return device ? device->name : cpu;
}
inline int numberOf(const Device *device) { return device ? device->number : 0; }
inline Device *deviceOf(const Array &x) { return x.storage->device; }

/// Where arrays are made that are made of nothing: in all threads, and in one of them for a while.
class DefaultDevice {
public:
  static Device *get() { return here.isSet ? here.device : everywhere.load(std::memory_order_relaxed); }
  static void set(Device *device) { everywhere = device; }

  /// What a thread has of its own.
  struct Scope {
    bool isSet = false;
    Device *device = nullptr;
  };
  /// Gives this thread a scope; the one before.
  static Scope enter(Scope scope) { return std::exchange(here, scope); }

private:
  static std::atomic<Device *> everywhere;
  [[gnu::tls_model("initial-exec")]] static thread_local constinit Scope here;
};
inline Device *defaultDevice() { return DefaultDevice::get(); }

/// An array of the CPU that shows one element alone, which kernels of any device take by its value.
bool isNumber(const Array &x);
/// The device of the operands of an op. Arrays of the CPU without axes, loose ones, and those whose memory the host shares with others,
/// move there by themselves. Throws Error (device) for any other mixture.
Device *commonDevice(const char *op, std::span<const Array *const> operands);
/// The device that an operation runs on; views of numbers move as well. Throws as commonDevice.
Device *placeOf(const Operation &operation);

/// Throws Error (device) where the value of a write is neither on the device of its target nor moves there by itself.
void checkWrite(const char *op, const Device *target, const Array &value);

/// A row-major copy in the memory of another device, or of the CPU; asks no mode.
Array moved(const Array &x, Device *to);
/// The array on a device: itself where it is there. Leaves a recording otherwise.
Array toDevice(const Array &x, Device *to);

/// The operands of an op, on the one device of theirs.
class Together {
public:
  Together(const char *op, std::initializer_list<const Array *> operands) : Together(op, std::span(operands.begin(), operands.size())) {}
  Together(const char *op, std::span<const Array *const> operands);
  const Array &operator[](size_t i) const { return arrays[i]; }
  std::span<const Array *const> operands() const { return pointers; }

private:
  std::vector<Array> arrays;
  std::vector<const Array *> pointers;
};

/// Whether operands are to be put Together first.
inline bool areMixed(const Array &x, const Array &y) { return deviceOf(x) != deviceOf(y); }
inline bool areMixed(std::span<const Array *const> arrays) {
  for (const Array *a : arrays)
    if (deviceOf(*a) != deviceOf(*arrays[0])) return true;
  return false;
}

} // namespace kiln
