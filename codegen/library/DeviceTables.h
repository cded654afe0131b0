// What a library for a device has in its tables instead of functions: launches, and the code of kernels.
#pragma once

#include "codegen/library/Constants.h"
#include "codegen/library/Parts.h"

namespace kiln::library {

/// The code of a device. Kernels have numbers of their own for each processor, by program and name.
class DeviceTables {
public:
  explicit DeviceTables(Constants &c) : c(c) {}

  /// A record of Code.
  llvm::Constant *launchesOf(size_t processor, const Code &code) {
    const LaunchPlan::Program &program = code.plan.programs.at(0);
    llvm::SmallVector<llvm::Constant *> launches;
    for (const LaunchPlan::Launch &launch : program.launches) {
      llvm::SmallVector<int64_t> arguments; // kinds as support/library.h has them
      for (const LaunchPlan::Argument &a : launch.arguments) arguments.append({int64_t(a.memory), a.number.constant()});
      launches.push_back(c.record({c.number(numberOf(processor, code, launch)), c.number(launch.blocks.constant()),
                                   c.number(launch.threads), c.number(int64_t(launch.arguments.size())), c.numbers(arguments)}));
    }
    return c.record(
        {c.number(code.bytes), c.numbers(code.inPlace), c.number(program.canFail), c.number(int64_t(launches.size())), c.list(launches)});
  }

  /// The last fields of a Processor, of all programs; `codes` has for each program one for each of `processors`.
  llvm::SmallVector<llvm::Constant *> codeOf(size_t processor, llvm::ArrayRef<Code> codes, size_t processors) {
    llvm::SmallVector<llvm::Constant *> modules, kernels;
    for (size_t i = processor; i < codes.size(); i += processors) {
      const Code &code = codes[i];
      for (const LaunchPlan::Launch &launch : code.plan.programs.at(0).launches) {
        if (numberOf(processor, code, launch) < int64_t(kernels.size())) continue;
        int64_t more = launch.sharedBytes > kDeclaredShared ? launch.sharedBytes : 0;
        kernels.push_back(c.record({c.text(launch.kernel), c.number(int64_t(modules.size())), c.number(more)}));
      }
      modules.push_back(c.record({code.image.empty() ? c.none() : bytes(code.image), bytes(code.plan.code)}));
    }
    return {c.number(int64_t(modules.size())), c.list(modules), c.number(int64_t(kernels.size())), c.list(kernels)};
  }

private:
  Constants &c;
  std::map<size_t, std::map<std::pair<const Code *, std::string>, int64_t>> numbers; // of kernels, by processor

  int64_t numberOf(size_t processor, const Code &code, const LaunchPlan::Launch &launch) {
    auto &known = numbers[processor];
    return known.try_emplace({&code, launch.kernel}, int64_t(known.size())).first->second;
  }
  /// With a zero behind, as PTX has to end with one.
  llvm::Constant *bytes(const std::string &code) { return c.bytes({reinterpret_cast<const uint8_t *>(code.c_str()), code.size() + 1}); }
};

} // namespace kiln::library
