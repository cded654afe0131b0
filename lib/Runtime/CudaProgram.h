// Programs for a device: a launch plan (lib/Core/LaunchPlan.h) whose code a device has taken.
#pragma once

#include "lib/Core/PlanRunner.h"
#include "lib/Runtime/CudaLaunches.h"

#include <map>
#include <span>

namespace kiln::cuda {

class LoadedPlan {
public:
  /// Throws Error (compile) where the driver does not take the code.
  LoadedPlan(Device &device, LaunchPlan plan);

  /// Throws Error (value) for a name that the plan has not.
  const LaunchPlan::Program &program(const std::string &name) const;
  /// Whether the libraries have all routines that its steps call. Opens them; throws Error (device) where one is not to be had.
  bool hasRoutines() const;
  /// Puts the launches of a program without steps, which is one of this plan, into a stream. `arrays`: its inputs, then its outputs;
  /// `sizes`: those that it has. The status word was 0 before, and is bits of kiln/executable.h after. By any threads; a program of one
  /// launch of fixed sizes takes no lock, and none of them memory. Throws Error (memory or value) for sizes that are too large.
  void launch(Stream &stream, const LaunchPlan::Program &program, std::span<const Address> arrays, Address workspace, Address status,
              std::span<const int64_t> sizes = {}) const;
  void launch(Stream &stream, const LaunchPlan::Program &program, const std::vector<Address> &arrays, Address workspace, Address status,
              std::span<const int64_t> sizes = {}) const {
    launch(stream, program, std::span<const Address>(arrays), workspace, status, sizes);
  }

  /// The same of any program, also of one with steps: reads the numbers that those depend on, and returns when the host knows how the
  /// program ends. The workspace and the status, which is pinned memory, are this run's alone until all that it puts in has ended, and so
  /// are `word`, 8 bytes of such memory, until it returns. False where it was stopped: by a status, or as the thread's Interruptible says.
  bool run(Stream &stream, const LaunchPlan::Program &program, const PlanRunner::Frame &frame, const volatile int32_t *status,
           void *word) const;

private:
  const LaunchPlan plan;
  Module module;
  std::vector<std::unique_ptr<Module>> ops;                                               // of custom ops that it launches
  std::vector<std::string> routines;                                                      // that its steps call
  std::map<const LaunchPlan::Program *, std::vector<std::unique_ptr<Launches>>> launches; // of each program and body, by part

  friend class StepRun;
};

} // namespace kiln::cuda
