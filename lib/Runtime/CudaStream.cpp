#include "lib/Runtime/CudaInternal.h"
#include "lib/Runtime/CudaStaging.h"

#include <utility>

namespace kiln::cuda {

//===-- streams and memory ------------------------------------------------------------------------------------------===//

static StreamHandle makeStream(const Driver &driver) {
  constexpr unsigned kNonBlocking = 1; // does not wait for the default stream, which other libraries use
  StreamHandle result = nullptr;
  check(driver, driver.streamCreate(&result, kNonBlocking), "stream", "a new one");
  return result;
}

Stream::Stream(Device &device) : device(device), handle((Current(device), makeStream(device.functions))) {}
Stream::~Stream() {
  quietly(device, [&] { device.functions.streamDestroy(handle); });
}

void Stream::synchronize() {
  Current current(device);
  check(device.functions, device.functions.streamSynchronize(handle), "stream", "work that succeeds");
}
bool Stream::isDone() {
  Current current(device);
  int code = device.functions.streamQuery(handle);
  if (code == NotReady) return false;
  check(device.functions, code, "stream", "work that succeeds");
  return true;
}
void Stream::copyIn(Address to, const void *from, size_t bytes) {
  Current current(device);
  if (device.staging->helps(from, bytes) && device.staging->copyIn(*this, to, static_cast<const char *>(from), bytes)) return;
  if (bytes) check(device.functions, device.functions.copyIn(to, from, bytes, handle), "copy", "one from the host to the device");
}
void Stream::copyOut(void *to, Address from, size_t bytes) {
  Current current(device);
  if (device.staging->helps(to, bytes) && device.staging->copyOut(*this, static_cast<char *>(to), from, bytes)) return;
  if (bytes) check(device.functions, device.functions.copyOut(to, from, bytes, handle), "copy", "one from the device to the host");
}
void Stream::copy(Address to, Address from, size_t bytes) {
  Current current(device);
  if (bytes) check(device.functions, device.functions.copy(to, from, bytes, handle), "copy", "one on the device");
}
void Stream::fillBytes(Address to, uint8_t value, size_t bytes) {
  Current current(device);
  if (bytes) check(device.functions, device.functions.fillBytes(to, value, bytes, handle), "fill", "one on the device");
}

Address Device::allocate(Stream &stream, size_t bytes) const {
  Current current(*this);
  Address start = 0;
  int code = functions.allocateAsync(&start, bytes, pool, stream.handle);
  if (code == OutOfMemory) { // blocks of other sizes may wait in the pool, or for work that has yet to end
    stream.synchronize();
    trim();
    code = functions.allocateAsync(&start, bytes, pool, stream.handle);
  }
  check(functions, code, "memory", "room for " + std::to_string(bytes) + " bytes on " + facts.name);
  return start;
}
void Device::release(Stream &stream, Address start) const noexcept {
  quietly(*this, [&] { functions.freeAsync(start, stream.handle); });
}

Buffer::Buffer(std::shared_ptr<Stream> owner, size_t bytes) : bytes(bytes), stream(std::move(owner)) {
  if (bytes) start = stream->device.allocate(*stream, bytes);
}
Buffer::Buffer(Buffer &&other) noexcept : bytes(other.bytes), stream(std::move(other.stream)), start(std::exchange(other.start, 0)) {}
Buffer::~Buffer() {
  if (start) stream->device.release(*stream, start);
}

PinnedMemory::PinnedMemory(Device &device, size_t bytes) : device(device) {
  Current current(device);
  constexpr unsigned kPortable = 1; // in every context
  check(device.functions, device.functions.hostAllocate(&data, bytes ? bytes : 1, kPortable), "memory", "pinned memory of the host");
}
PinnedMemory::~PinnedMemory() {
  quietly(device, [&] { device.functions.hostFree(data); });
}

//===-- modules and launches ----------------------------------------------------------------------------------------===//

/// Room for what the driver's compiler says.
struct Log {
  std::string text = std::string(16 << 10, '\0');
  int options[3] = {ErrorLog, ErrorLogBytes, OptimizationLevel};
  void *values[3] = {text.data(), reinterpret_cast<void *>(text.size()), nullptr};

  [[noreturn]] void refuse(const Device &device, int code) const {
    std::string said = text.c_str();
    fail(code == OutOfMemory ? ErrorKind::Memory : ErrorKind::Compile, "cuda", "module", "code for " + device.facts.name,
         describe(device.functions, code) + (said.empty() ? "" : ": " + said));
  }
};

std::string assemble(Device &device, const std::string &ptx, int level) {
  Current current(device);
  const Driver &driver = device.functions;
  Log log;
  log.values[2] = reinterpret_cast<void *>(intptr_t(level));
  LinkHandle link = nullptr;
  check(driver, driver.linkCreate(3, log.options, log.values, &link), "module", "a linker");
  void *image = nullptr;
  size_t bytes = 0;
  int code = driver.linkAdd(link, Ptx, const_cast<char *>(ptx.c_str()), ptx.size() + 1, "kernels", 0, nullptr, nullptr);
  if (code == Success) code = driver.linkComplete(link, &image, &bytes);
  std::string result(static_cast<const char *>(image), code == Success ? bytes : 0); // the linker's own memory
  driver.linkDestroy(link);
  if (code != Success) log.refuse(device, code);
  return result;
}

Module::Module(Device &device, const std::string &image) : device(device) {
  Current current(device);
  Log log;
  int code = device.functions.moduleLoad(&handle, image.c_str(), 2, log.options, log.values);
  if (code != Success) log.refuse(device, code);
}
Module::~Module() {
  quietly(device, [&] { device.functions.moduleUnload(handle); });
}

Kernel Module::kernel(const std::string &name, size_t dynamicShared) const {
  Current current(device);
  Kernel result{nullptr, dynamicShared};
  check(device.functions, device.functions.moduleFunction(&result.handle, handle, name.c_str()), "module", "a kernel " + name);
  constexpr size_t kAlways = 48 << 10; // what launches get without being asked
  if (dynamicShared > kAlways)
    check(device.functions, device.functions.functionSet(result.handle, MaxDynamicShared, int(dynamicShared)), "kernel",
          "room for " + std::to_string(dynamicShared) + " bytes of shared memory");
  return result;
}
int Module::attribute(const Kernel &kernel, FunctionAttribute attribute) const {
  Current current(device);
  int value = 0;
  check(device.functions, device.functions.functionGet(&value, attribute, kernel.handle), "kernel", "its properties");
  return value;
}

void launch(Stream &stream, const Kernel &kernel, Size3 grid, Size3 block, void **arguments) {
  Current current(stream.device);
  const Driver &driver = stream.device.functions;
  check(driver,
        driver.launch(kernel.handle, grid.x, grid.y, grid.z, block.x, block.y, block.z, unsigned(kernel.dynamicShared), stream.handle,
                      arguments, nullptr),
        "launch", "a grid and a block that the device takes");
}

//===-- events ------------------------------------------------------------------------------------------------------===//

Event::Event(Device &device) : device(device) {
  Current current(device);
  check(device.functions, device.functions.eventCreate(&handle, 0), "event", "a new one");
}
Event::~Event() {
  quietly(device, [&] { device.functions.eventDestroy(handle); });
}
void Event::record(StreamHandle stream) {
  Current current(device);
  check(device.functions, device.functions.eventRecord(handle, stream), "event", "a stream of its device");
}
void Event::synchronize() {
  Current current(device);
  check(device.functions, device.functions.eventSynchronize(handle), "event", "work that succeeds");
}
bool Event::isReached() {
  Current current(device);
  int code = device.functions.eventQuery(handle);
  if (code == NotReady) return false;
  check(device.functions, code, "event", "work that succeeds");
  return true;
}
void Event::holdUp(StreamHandle stream) {
  Current current(device);
  check(device.functions, device.functions.streamWaitEvent(stream, handle, 0), "event", "a stream that can wait");
}
double Event::since(const Event &start) const {
  Current current(device);
  float milliseconds = 0;
  check(device.functions, device.functions.eventElapsed(&milliseconds, start.handle, handle), "event", "two that have been reached");
  return double(milliseconds) / 1e3;
}

} // namespace kiln::cuda
