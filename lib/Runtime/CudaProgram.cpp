#include "lib/Runtime/CudaProgram.h"

#include "lib/Core/Error.h"

namespace kiln::cuda {

LoadedPlan::LoadedPlan(Device &device, LaunchPlan given) : plan(std::move(given)), module(device, plan.code) {
  for (const LaunchPlan::Program &program : plan.programs)
    for (const LaunchPlan::Launch &launch : program.launches)
      if (!kernels.contains(launch.kernel))
        kernels[launch.kernel] = module.kernel(launch.kernel, launch.sharedBytes > kDeclaredShared ? size_t(launch.sharedBytes) : 0);
}

const LaunchPlan::Program &LoadedPlan::program(const std::string &name) const {
  if (const LaunchPlan::Program *found = plan.find(name)) return *found;
  fail(ErrorKind::Value, "launch plan", "program", "one of the plan", "'" + name + "'");
}

void LoadedPlan::launch(Stream &stream, const LaunchPlan::Program &program, const std::vector<Address> &arrays, Address workspace,
                        Address status) const {
  using Memory = LaunchPlan::Memory;
  for (const LaunchPlan::Launch &each : program.launches) {
    std::vector<Address> values;
    for (const LaunchPlan::Argument &a : each.arguments) {
      if (a.memory == Memory::Status) values.push_back(status);
      else if (a.memory == Memory::Workspace) values.push_back(workspace + Address(a.number));
      else values.push_back(arrays[size_t(a.number + (a.memory == Memory::Output ? program.inputs : 0))]);
    }
    std::vector<void *> pointers;
    for (Address &value : values) pointers.push_back(&value);
    cuda::launch(stream, kernels.at(each.kernel), {unsigned(each.blocks)}, {unsigned(each.threads)}, pointers.data());
  }
}

} // namespace kiln::cuda
