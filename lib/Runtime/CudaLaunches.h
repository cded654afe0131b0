// The launches of a program, prepared: one is a launch, several are a graph that is made once and given its pointers for each call, as
// that costs the host 0.15 to 0.34 us a kernel instead of 3 to 4 (docs/decisions/0010).
#pragma once

#include "lib/Core/LaunchPlan.h"
#include "lib/Runtime/Cuda.h"

#include <functional>
#include <mutex>

namespace kiln::cuda {

class Launches {
public:
  Launches(Device &device, const LaunchPlan::Program &program, const std::function<Kernel(const std::string &)> &kernelOf);
  ~Launches();
  Launches(const Launches &) = delete;

  /// Puts them into a stream. By any threads.
  void put(Stream &stream, const Address *arrays, Address workspace, Address status);

private:
  /// Where a pointer of a kernel comes from: an array of the call, or what is written here.
  struct Pointer {
    enum Special : int64_t { Workspace = -1, Status = -2 };
    int64_t array;
    Address offset;
  };
  struct Step {
    LaunchNode node; // but for the arguments
    size_t first, count;
  };

  Device &device;
  std::vector<Pointer> pointers; // of all steps
  std::vector<Step> steps;

  // The graph, and the pointers that it has now.
  std::mutex mutex;
  GraphHandle graph = nullptr;
  RunnableGraphHandle runnable = nullptr;
  std::vector<NodeHandle> nodes;
  std::vector<Address> values;
  std::vector<void *> arguments; // which point to the values

  Address valueOf(const Pointer &pointer, const Address *arrays, Address workspace, Address status) const {
    Address base = pointer.array >= 0 ? arrays[pointer.array] : pointer.array == Pointer::Workspace ? workspace : status;
    return base + pointer.offset;
  }
  void launchOneByOne(Stream &stream, const Address *arrays, Address workspace, Address status) const;
  int makeGraph();
  void forgetGraph();
  void setPointers(const Address *arrays, Address workspace, Address status);
};

} // namespace kiln::cuda
