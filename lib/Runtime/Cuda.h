// NVIDIA devices through their driver: memory in the order of streams, copies, modules from PTX, launches, events. The driver is opened
// when it is first asked for; nothing is taken from a device before its first use. Every failure is an Error with the driver's name and
// text of it. A child of a process that has used the driver gets an Error as well: the parent's context is of no use there.
#pragma once

#include "lib/Runtime/CudaDriver.h"

#include <memory>
#include <string>
#include <vector>

namespace kiln::cuda {

/// The functions of a library. Throws Error (device) when it does not open or lacks one.
Driver openDriver(const char *library);
/// The driver of this machine, initialized. Throws Error (device) that says why there is none.
const Driver &driver();

struct DeviceFacts {
  int ordinal = 0, major = 0, minor = 0, multiprocessors = 0;
  std::string name;
  int64_t memory = 0;
};
/// Empty where there is no driver.
std::vector<DeviceFacts> devices();

class Stream;
class Staging;
class Libraries;

/// One device, its primary context and a pool of memory that grows on demand. Not destroyed: programs may use it while they exit.
class Device {
public:
  /// The one of that number. Throws Error (device) where there is none.
  static Device &of(int ordinal = 0);
  Device(const Driver &driver, int ordinal);
  ~Device();
  Device(const Device &) = delete;

  const DeviceFacts facts;
  const Driver &functions;
  std::shared_ptr<Stream> stream();
  struct Memory {
    int64_t used, held; // bytes in buffers, and with what waits for the next ones
  };
  Memory memory() const;
  /// Memory that is there from this point of a stream on, and given back at another; `Buffer` does both. Throws Error (memory).
  Address allocate(Stream &stream, size_t bytes) const;
  void release(Stream &stream, Address start) const noexcept;
  /// Gives the device back what is held beyond `keep` bytes and in no buffer.
  void trim(int64_t keep = 0) const;
  /// What calls routines of libraries here (CudaLibraries.h).
  Libraries &libraries() { return *callers; }

private:
  ContextHandle context = nullptr;
  PoolHandle pool = nullptr;
  std::unique_ptr<Staging> staging;
  std::unique_ptr<Libraries> callers;
  friend class Current;
  friend class Buffer;
  friend class Stream;
};

/// A queue of work; what is put into it runs in order, and apart from other queues.
class Stream {
public:
  explicit Stream(Device &device);
  ~Stream();
  Stream(const Stream &) = delete;

  Device &device;
  const StreamHandle handle;
  /// Waits for all that was put in. Errors of kernels show here.
  void synchronize();
  bool isDone();
  /// From memory of the host; once it returns, `from` may change (unless it is pinned).
  void copyIn(Address to, const void *from, size_t bytes);
  /// To memory of the host; it is there once the stream has been synchronized. Large ones to memory that is not pinned wait themselves.
  void copyOut(void *to, Address from, size_t bytes);
  void copy(Address to, Address from, size_t bytes);
  void fillBytes(Address to, uint8_t value, size_t bytes);
};

/// Memory of a device, there from the point of the stream where it was made, and given back at the one where it ends.
class Buffer {
public:
  Buffer(std::shared_ptr<Stream> stream, size_t bytes);
  Buffer(Buffer &&other) noexcept;
  ~Buffer();

  const size_t bytes;
  Address address() const { return start; }

private:
  std::shared_ptr<Stream> stream;
  Address start = 0;
};

/// Memory of the host that devices read and write by themselves.
class PinnedMemory {
public:
  PinnedMemory(Device &device, size_t bytes);
  ~PinnedMemory();
  PinnedMemory(const PinnedMemory &) = delete;
  void *data = nullptr;

private:
  Device &device;
};

/// The image that the driver makes of PTX for a device: to be kept, as it loads a thousand times faster. `level` is how hard it tries, 0
/// to 4. Throws Error (compile) with the log of the driver.
std::string assemble(Device &device, const std::string &ptx, int level = 4);

struct Size3 {
  unsigned x = 1, y = 1, z = 1;
};

/// A function of a module, which it does not outlive.
struct Kernel {
  FunctionHandle handle = nullptr;
  size_t dynamicShared = 0;
};

/// Compiled by the driver.
class Module {
public:
  /// From PTX, or an image that the driver knows. Throws Error (compile) with the log of the driver.
  Module(Device &device, const std::string &image);
  ~Module();
  Module(const Module &) = delete;
  /// With so many bytes of shared memory beyond those that the kernel names itself.
  Kernel kernel(const std::string &name, size_t dynamicShared = 0) const;
  int attribute(const Kernel &kernel, FunctionAttribute attribute) const;

private:
  Device &device;
  ModuleHandle handle = nullptr;
};

/// `arguments` point to the values of the parameters.
void launch(Stream &stream, const Kernel &kernel, Size3 grid, Size3 block, void **arguments);

/// A point of a stream.
class Event {
public:
  explicit Event(Device &device);
  ~Event();
  Event(const Event &) = delete;
  void record(Stream &stream) { record(stream.handle); }
  void record(StreamHandle stream);
  void synchronize();
  bool isReached();
  /// What is put into `stream` from now on waits for this point.
  void holdUp(Stream &stream) { holdUp(stream.handle); }
  void holdUp(StreamHandle stream);
  /// Seconds from `start` to this one; both must have been reached.
  double since(const Event &start) const;

private:
  Device &device;
  EventHandle handle = nullptr;
};

} // namespace kiln::cuda
