#include "lib/Runtime/CudaProgram.h"

#include "lib/Core/Error.h"

#include <map>

namespace kiln::cuda {

LoadedPlan::LoadedPlan(Device &device, LaunchPlan given) : plan(std::move(given)), module(device, plan.code) {
  std::map<std::string, int64_t> asked; // bytes of shared memory beyond what kernels declare
  for (const LaunchPlan::Program &program : plan.programs)
    for (const LaunchPlan::Launch &launch : program.launches)
      asked[launch.kernel] = launch.sharedBytes > kDeclaredShared ? launch.sharedBytes : 0;
  std::map<std::string, Kernel> kernels;
  auto kernelOf = [&](const std::string &name) {
    auto [found, isNew] = kernels.try_emplace(name);
    if (isNew) found->second = module.kernel(name, size_t(asked[name]));
    return found->second;
  };
  for (const LaunchPlan::Program &program : plan.programs) launches.push_back(std::make_unique<Launches>(device, program, kernelOf));
}

const LaunchPlan::Program &LoadedPlan::program(const std::string &name) const {
  if (const LaunchPlan::Program *found = plan.find(name)) return *found;
  fail(ErrorKind::Value, "launch plan", "program", "one of the plan", "'" + name + "'");
}

void LoadedPlan::launch(Stream &stream, const LaunchPlan::Program &program, std::span<const Address> arrays, Address workspace,
                        Address status, std::span<const int64_t> sizes) const {
  if (int64_t(sizes.size()) != program.sizes)
    fail(ErrorKind::Value, "launch plan", program.name, std::to_string(program.sizes) + " sizes", std::to_string(sizes.size()));
  if (arrays.size() != size_t(program.inputs + program.outputs))
    fail(ErrorKind::Value, "launch plan", program.name, std::to_string(program.inputs + program.outputs) + " arrays",
         std::to_string(arrays.size()));
  launches[size_t(&program - plan.programs.data())]->put(stream, arrays.data(), workspace, status, sizes);
}

} // namespace kiln::cuda
