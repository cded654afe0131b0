// Libraries of a device's maker whose routines launch plans call: cuSOLVER and cuFFT, each opened when a program first needs it
// (docs/gpu.md says where they are looked for).
#pragma once

#include "lib/Core/LaunchPlan.h"
#include "lib/Runtime/Cuda.h"
#include "lib/Runtime/CudaLibraryTables.h"

#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace kiln::cuda {

/// The libraries of this process. Throws Error (device) that says what to install where there is none.
const SolverTable &solver();
const TransformTable &transforms();
/// What a person wants to know of both: versions, or why there is none.
std::string describeLibraries();

/// A call as a step of a plan says it.
struct LibraryCall {
  Stream &stream;
  const std::string &routine;
  std::span<const int64_t> words;
  std::span<const Address> pointers;
};

/// Decompositions on one device.
class Solver {
public:
  /// Whether a routine is there.
  static bool has(const std::string &routine);
  void run(const LibraryCall &call);

private:
  class Run;
  std::mutex mutex; // a handle is one thread's
  SolverHandle handle = nullptr;
  SolverParameters parameters = nullptr;
};

/// Transforms on one device.
class Transforms {
public:
  static bool has(const std::string &routine);
  void run(const LibraryCall &call);

private:
  static constexpr size_t kMostPlans = 64;
  struct Plan {
    int handle = 0;
    size_t workBytes = 0;
    TransformType type = C2C;
  };
  std::mutex mutex;
  std::map<std::vector<int64_t>, Plan> plans; // by their words but for the direction

  const Plan &planOf(std::span<const int64_t> words);
};

/// Both, of one device.
class Libraries {
public:
  /// Whether all routines are there. Opens the libraries; throws Error (device) where one is not to be had.
  static bool have(std::span<const std::string> routines);
  /// Puts a call into its stream, behind all that is there. Throws Error (device or memory) where the library says that it failed.
  void run(const LibraryCall &call);

private:
  Solver solver;
  Transforms transforms;
};

/// Memory of a device for the time of a call, in the order of its stream.
class CallMemory {
public:
  CallMemory(Stream &stream, size_t bytes) : stream(stream), start(bytes ? stream.device.allocate(stream, bytes) : 0) {}
  ~CallMemory() {
    if (start) stream.device.release(stream, start);
  }
  CallMemory(const CallMemory &) = delete;
  void *data() const { return reinterpret_cast<void *>(start); }

private:
  Stream &stream;
  Address start;
};

/// Throws Error (device, or memory where the library found none) unless `status` is that of success.
void checkLibrary(int status, const std::string &function, std::span<const char *const> names);

} // namespace kiln::cuda
