// Programs for a device: a launch plan (lib/Core/LaunchPlan.h) whose code a device has taken.
#pragma once

#include "lib/Core/LaunchPlan.h"
#include "lib/Runtime/Cuda.h"

#include <map>

namespace kiln::cuda {

class LoadedPlan {
public:
  /// Throws Error (compile) where the driver does not take the code.
  LoadedPlan(Device &device, LaunchPlan plan);

  /// Throws Error (value) for a name that the plan has not.
  const LaunchPlan::Program &program(const std::string &name) const;
  /// Puts the launches of a program into a stream. `arrays`: its inputs, then its outputs. The status word was 0 before, and is bits of
  /// kiln/executable.h after.
  void launch(Stream &stream, const LaunchPlan::Program &program, const std::vector<Address> &arrays, Address workspace,
              Address status) const;

private:
  LaunchPlan plan;
  Module module;
  std::map<std::string, Kernel> kernels;
};

} // namespace kiln::cuda
