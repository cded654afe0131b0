// Launches of a program that follow each other, prepared: one is a launch, several are a graph that is made once and given its pointers for
// each call, as that costs the host 0.15 to 0.34 us a kernel instead of 3 to 4 (docs/decisions/0010). What follows from sizes is computed
// where they are others than those of the call before.
#pragma once

#include "lib/Core/LaunchPlan.h"
#include "lib/Runtime/Cuda.h"

#include <functional>
#include <mutex>
#include <span>

namespace kiln::cuda {

class Launches {
public:
  /// `inputs`: how many arrays of a call come before the outputs; `isOpen`: they are of a program for any size.
  Launches(Device &device, std::span<const LaunchPlan::Launch> launches, int64_t inputs, bool isOpen,
           const std::function<Kernel(const LaunchPlan::Launch &)> &kernelOf);
  ~Launches();
  Launches(const Launches &) = delete;

  /// Puts them into a stream. By any threads. `sizes`: those that the program has.
  void put(Stream &stream, const Address *arrays, Address workspace, Address status, std::span<const int64_t> sizes);

private:
  /// Where a value that a kernel gets comes from: an array of the call, or what is written here.
  struct Pointer {
    enum Special : int64_t { Workspace = -1, Status = -2, Number = -3 };
    int64_t array;
    PlanNumber number; // bytes into the workspace, or the number itself
    Address offset;    // what it is with the sizes at hand
  };
  struct Step {
    LaunchNode node; // but for the arguments; no block: it does nothing
    PlanNumber blocks;
    size_t first, count;
  };

  Device &device;
  const bool isOpen;             // a program for any size
  std::vector<Pointer> pointers; // of all steps
  std::vector<Step> steps;
  std::vector<int64_t> sizes; // at hand, of an open program: under the mutex

  // The graph, and the pointers that it has now.
  std::mutex mutex;
  GraphHandle graph = nullptr;
  RunnableGraphHandle runnable = nullptr;
  std::vector<NodeHandle> nodes;
  std::vector<Address> values;
  std::vector<unsigned> blocks;
  std::vector<void *> arguments; // which point to the values

  Address valueOf(const Pointer &pointer, const Address *arrays, Address workspace, Address status) const {
    const Address special[] = {workspace, status, 0};
    return (pointer.array >= 0 ? arrays[pointer.array] : special[-1 - pointer.array]) + pointer.offset;
  }
  void fit(std::span<const int64_t> given);
  void launchOneByOne(Stream &stream, const Address *arrays, Address workspace, Address status) const;
  int makeGraph();
  void forgetGraph();
  void setPointers(const Address *arrays, Address workspace, Address status);
};

} // namespace kiln::cuda
