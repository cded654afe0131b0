// A stand-in for the CUDA driver, libkiln_cuda_stub.so: devices whose kernels run in the simulator, for tests of what uses
// lib/Runtime/Cuda.h on machines without a GPU (KILN_CUDA_DRIVER names it). Streams are threads, so work is done later than it is asked
// for; memory of a device lies at addresses that nobody in the process can touch. What a driver may answer by luck is an error here:
// handles that are gone, streams of other contexts, calls without a context. The environment, read by each cuInit:
//   KILN_STUB_DEVICES  their number, up to 8; 1
//   KILN_STUB_MEMORY   bytes of each; 4 GiB
//   KILN_STUB_SLOW     microseconds that pass before each piece of work in a stream; 0
//   KILN_STUB_CHIP     what the devices are, ten times the version of their instructions; 90
//   KILN_STUB_FAIL     NAME:COUNT[:CODE],...: that call of the function, counted from 1, gives CODE (2 where it allocates, else 999)
#pragma once

#include "lib/Core/LaunchPlan.h"
#include "lib/Runtime/CudaDriver.h"
#include "test/targets/simulator/Machine.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

// So that each definition is that of the table.
#define KILN_STUB_DECLARE(name, symbol, arguments) extern "C" int symbol arguments;
namespace stub {
using namespace kiln::cuda;
KILN_CUDA_FUNCTIONS(KILN_STUB_DECLARE)
// And what libraries of C functions call beside (codegen/library/support/device.h).
KILN_STUB_DECLARE(contextRelease, cuDevicePrimaryCtxRelease_v2, (int device))
KILN_STUB_DECLARE(contextWait, cuCtxSynchronize, ())
KILN_STUB_DECLARE(poolDestroy, cuMemPoolDestroy, (PoolHandle pool))
KILN_STUB_DECLARE(fillWords, cuMemsetD32Async, (Address to, unsigned word, size_t count, StreamHandle stream))
} // namespace stub

namespace stub {

enum MoreCodes : int {
  NotInitialized = 3,
  InvalidImage = 200,
  InvalidContext = 201,
  InvalidHandle = 400,
  NotFound = 500,
  IllegalAddress = 700,
  LaunchFailed = 719,
  CaptureUnsupported = 900,
  Unknown = 999
};

struct Device {
  int ordinal = 0;
  std::atomic<int> fault = 0; // of a kernel: what each call gives from then on
  size_t reserved = 0;        // bytes of blocks, of all pools; under the lock of memory
  void fail(int code, const std::string &text);
};

//===-- calls -------------------------------------------------------------------------------------------------------===//

struct Settings {
  int devices = 1;
  size_t memory = size_t(4) << 30;
  int64_t slow = 0;
  int chip = 90;
};
Settings settings();
void readSettings();
Device *deviceOf(int ordinal); // null where there is none
/// Counts a call of `name`; what was planted for it, NotInitialized in forks and before cuInit, or Success.
int enter(const char *name);
/// The device of this thread's current context; null where there is none.
Device *current();

template <class Run> int call(const char *name, Run run) {
  int code = enter(name);
  return code ? code : run();
}
/// A call that needs a context, and is lost where a kernel has failed.
template <class Run> int callOn(const char *name, Run run) {
  int code = enter(name);
  if (code) return code;
  Device *device = current();
  if (!device) return InvalidContext;
  return device->fault ? device->fault.load() : run(*device);
}

/// Handles that are in use, and what they stand for: something that was given back is not found.
template <class Handle, class Object> class Handles {
public:
  Handle add(std::shared_ptr<Object> object) {
    std::lock_guard lock(mutex);
    auto handle = reinterpret_cast<Handle>(object.get());
    all[handle] = std::move(object);
    return handle;
  }
  std::shared_ptr<Object> find(Handle handle) {
    std::lock_guard lock(mutex);
    auto found = all.find(handle);
    return found == all.end() ? nullptr : found->second;
  }
  std::vector<std::shared_ptr<Object>> list() {
    std::lock_guard lock(mutex);
    std::vector<std::shared_ptr<Object>> objects;
    for (auto &[handle, object] : all) objects.push_back(object);
    return objects;
  }
  std::shared_ptr<Object> remove(Handle handle) {
    std::lock_guard lock(mutex);
    auto found = all.extract(handle);
    return found ? std::move(found.mapped()) : nullptr;
  }

private:
  std::mutex mutex;
  std::map<Handle, std::shared_ptr<Object>> all;
};

//===-- streams -----------------------------------------------------------------------------------------------------===//

struct Graph;

/// A thread that does what is put into it, in order.
class Queue : public std::enable_shared_from_this<Queue> {
public:
  explicit Queue(Device &device) : device(device) {}
  Device &device;
  std::shared_ptr<Graph> capturing; // what is put in becomes a part of it

  void start();
  /// `isAlways`: also after a kernel has failed.
  void put(std::function<void()> work, bool isAlways = false);
  void finish();
  bool isDone();
  void close(); // the thread ends when all is done

private:
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::pair<std::function<void()>, bool>> waiting;
  bool isBusy = false, isClosed = false;
  void run();
};
/// The queue of a stream of that device, null for others; of no stream, the one that the device has by itself.
std::shared_ptr<Queue> queueOf(StreamHandle stream, const Device &device);
/// Waits for all queues of a device.
void finishAll(const Device &device);
/// Puts work, a copy or a kernel, into a stream or the graph that it captures.
int put(Device &device, StreamHandle stream, std::function<void()> work);

//===-- memory ------------------------------------------------------------------------------------------------------===//

struct Pool;

/// Memory of a device. Addresses are those of pages that cannot be touched; the bytes lie elsewhere.
struct Block {
  Block(Device &device, Pool &pool, size_t bytes, size_t room);
  ~Block();
  Block(const Block &) = delete;

  Device &device;
  Pool &pool;
  size_t bytes, room; // as asked; as counted
  char *outside, *inside;
  bool isHeld = false;   // as the host sees it: between the calls that allocate and free
  size_t bytesThere = 0; // as streams see it, who come to those points later
  int64_t holders = 0;   // between calls that allocate and the points of streams where it is given back
  StreamHandle freedIn = nullptr;
  Address start() const { return reinterpret_cast<Address>(outside); }
};

/// What kernels of a device may touch, for as long as it lives.
struct View {
  struct Seen {
    std::shared_ptr<Block> block;
    size_t bytes;
  };
  std::vector<Seen> blocks;
  std::vector<simulator::Area> areas;
  /// Where the stub has what lies at an address; the address itself where nothing does, or memory of the host.
  void *inside(void *pointer) const;
};
View viewOf(const Device &device);
/// Whether so many bytes lie in a block that the host has.
bool isHeld(Address at, size_t bytes);
/// What pools do at each synchronization.
void releaseBeyondThresholds(Device &device);

//===-- modules and launches ----------------------------------------------------------------------------------------===//

struct Module;

struct Function {
  Device &device;
  std::shared_ptr<Module> module;
  simulator::KernelFunction code;
  kiln::LaunchPlan::Launch launch; // a launch of it in the plan that stands in the module: its pointers and its memory
  int dynamicShared = 48 << 10;
};
std::shared_ptr<Function> functionOf(FunctionHandle handle);

/// A launch with the values of its parameters.
struct Launch {
  std::shared_ptr<Function> function;
  int64_t blocks, threads;
  unsigned sharedBytes;
  std::vector<void *> pointers;
  void run() const;
};
/// Success, or why there can be no such launch.
int makeLaunch(const Device &device, const LaunchNode &node, Launch &launch);

} // namespace stub
