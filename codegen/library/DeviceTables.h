// What a library for a device has in its tables instead of functions: launches, steps, and the code of kernels.
#pragma once

#include "codegen/library/Constants.h"
#include "codegen/library/Parts.h"

namespace kiln::library {

/// The code of a device. Kernels have numbers of their own for each processor, by program and name.
class DeviceTables {
public:
  explicit DeviceTables(Constants &c) : c(c) {}

  /// A record of Code.
  llvm::Constant *codeOf(size_t processor, const Code &code) {
    llvm::SmallVector<llvm::Constant *> programs, fields = number(code.plan.programs.at(0).workspaceBytes);
    code.plan.forEach([&](const LaunchPlan::Program &program) { programs.push_back(programOf(processor, code, program)); });
    fields.append({c.numbers(code.inPlace), c.number(code.plan.programs[0].canFail), c.list(programs)});
    return c.record(fields);
  }

  /// The last fields of a Processor, of all programs; `codes` has for each program one for each of `processors`.
  llvm::SmallVector<llvm::Constant *> kernelsOf(size_t processor, llvm::ArrayRef<Code> codes, size_t processors) {
    llvm::SmallVector<llvm::Constant *> modules, kernels;
    std::map<std::string, int64_t> asked; // most bytes of shared memory that launches of an op ask for
    auto forEach = [&](auto visit) {
      for (size_t i = processor; i < codes.size(); i += processors)
        codes[i].plan.forEach([&](const LaunchPlan::Program &program) {
          for (const LaunchPlan::Launch &launch : program.launches) visit(codes[i], launch);
        });
    };
    forEach([&](const Code &, const LaunchPlan::Launch &l) { asked[l.kernel] = std::max(asked[l.kernel], l.isOp ? l.askedBytes() : 0); });
    std::map<const Code *, int64_t> own; // modules
    for (size_t i = processor; i < codes.size(); i += processors) {
      own[&codes[i]] = int64_t(modules.size());
      modules.push_back(moduleOf(codes[i].image, codes[i].plan.code));
    }
    forEach([&](const Code &code, const LaunchPlan::Launch &launch) {
      if (numberOf(processor, code, launch) < int64_t(kernels.size())) return;
      const DeviceOp *op = launch.isOp ? &code.ops.at(launch.kernel) : nullptr;
      if (op) modules.push_back(moduleOf(op->image, op->code));
      kernels.push_back(c.record({c.text(op ? op->symbol : launch.kernel), c.number(op ? int64_t(modules.size()) - 1 : own[&code]),
                                  c.number(op ? asked[launch.kernel] : launch.askedBytes())}));
    });
    return {c.number(int64_t(modules.size())), c.list(modules), c.number(int64_t(kernels.size())), c.list(kernels)};
  }

private:
  Constants &c;
  std::map<size_t, std::map<std::pair<const Code *, std::string>, int64_t>> numbers; // of kernels, by processor
  std::map<std::string, llvm::Constant *> expressions;

  /// That of an op is one in all programs.
  int64_t numberOf(size_t processor, const Code &code, const LaunchPlan::Launch &launch) {
    auto &known = numbers[processor];
    return known.try_emplace({launch.isOp ? nullptr : &code, launch.kernel}, int64_t(known.size())).first->second;
  }
  llvm::Constant *moduleOf(const std::string &image, const std::string &code) {
    return c.record({image.empty() ? c.none() : bytes(image), bytes(code)});
  }

  /// An Expression, and each once.
  llvm::SmallVector<llvm::Constant *> number(const PlanNumber &number) {
    // SizeExpression::Step, and its Quotient of support/sizes.c, by PlanNumber::Kind.
    enum : int64_t { Number, Dimension, Add, Multiply, FloorDivide, Maximum, Minimum, Quotient };
    constexpr int64_t kSteps[] = {Number, Dimension, Add, Multiply, Quotient, Minimum, Maximum};
    llvm::SmallVector<int64_t> items;
    for (PlanNumber::Word word : number.all()) items.append({kSteps[word.kind], word.value});
    llvm::Constant *&known = expressions[number.text()];
    if (!known) known = c.numbers(items);
    return {c.number(int64_t(number.all().size())), known};
  }
  llvm::Constant *places(llvm::ArrayRef<LaunchPlan::Argument> arguments, bool isOfStep) {
    llvm::SmallVector<llvm::Constant *> all;
    for (const LaunchPlan::Argument &a : arguments) {
      llvm::SmallVector<llvm::Constant *> fields{c.number(int64_t(a.memory))};
      fields.append(number(a.number));
      fields.push_back(c.number(isOfStep ? a.high.constant() : 0));
      all.push_back(c.record(fields));
    }
    return c.list(all);
  }
  llvm::Constant *launchOf(size_t processor, const Code &code, const LaunchPlan::Launch &launch) {
    llvm::SmallVector<llvm::Constant *> fields{c.number(numberOf(processor, code, launch))};
    fields.append(number(launch.blocks));
    fields.append({c.number(launch.threads), c.number(launch.askedBytes()), c.number(int64_t(launch.arguments.size())),
                   places(launch.arguments, false)});
    return c.record(fields);
  }
  llvm::Constant *stepOf(const LaunchPlan::Step &step) {
    llvm::SmallVector<int64_t> bodies;
    for (int64_t body : step.bodies) bodies.push_back(1 + body); // behind the program
    return c.record({c.number(int64_t(step.kind)), c.number(step.at), c.number(int64_t(bodies.size())), c.numbers(bodies),
                     c.number(step.carried), c.number(step.counter), c.number(step.by), c.number(int64_t(step.arguments.size())),
                     places(step.arguments, true)});
  }
  llvm::Constant *programOf(size_t processor, const Code &code, const LaunchPlan::Program &program) {
    llvm::SmallVector<llvm::Constant *> launches, steps;
    for (const LaunchPlan::Launch &launch : program.launches) launches.push_back(launchOf(processor, code, launch));
    for (const LaunchPlan::Step &step : program.steps) steps.push_back(stepOf(step));
    return c.record(
        {c.number(program.inputs), c.number(int64_t(launches.size())), c.list(launches), c.number(int64_t(steps.size())), c.list(steps)});
  }
  /// With a zero behind, as PTX has to end with one.
  llvm::Constant *bytes(const std::string &code) { return c.bytes({reinterpret_cast<const uint8_t *>(code.c_str()), code.size() + 1}); }
};

} // namespace kiln::library
