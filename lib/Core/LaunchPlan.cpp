#include "lib/Core/LaunchPlan.h"

#include "lib/Core/Error.h"
#include "lib/Core/Infer.h"

#include <sstream>

namespace kiln {
namespace {

constexpr const char *kHeader = "kiln-launch-plan 3";
constexpr const char *kMemories[] = {"input", "output", "workspace", "status", "size"};

[[noreturn]] void refuse(const std::string &expected, const std::string &got) {
  fail(ErrorKind::Compile, "launch plan", "file", expected, "'" + got + "'");
}

class Reader {
public:
  explicit Reader(const std::string &file) : in(file) {}

  LaunchPlan run() {
    LaunchPlan plan;
    if (next() != kHeader) refuse(kHeader, line);
    for (next(); word() != "code"; next()) {
      if (word() != "program") refuse("a program or code", line);
      LaunchPlan::Program &program = plan.programs.emplace_back();
      program.name = rest(), program.inputs = number(), program.outputs = number();
      std::string workspace = rest();
      program.canFail = number() != 0, program.sizes = number();
      program.workspaceBytes = open(workspace, program);
      readLaunches(program);
    }
    plan.code.resize(size_t(number()));
    if (!in.read(plan.code.data(), std::streamsize(plan.code.size())))
      refuse("code of " + std::to_string(plan.code.size()) + " bytes", "less");
    return plan;
  }

private:
  std::istringstream in, words;
  std::string line, first;

  /// The next line; its words follow from `rest` and `number`.
  const std::string &next() {
    if (!std::getline(in, line)) refuse("a further line", "the end");
    words = std::istringstream(line);
    first = rest();
    return line;
  }
  const std::string &word() const { return first; }
  std::string rest() {
    std::string text;
    words >> text;
    return text;
  }
  int64_t number() {
    int64_t value = 0;
    if (!(words >> value)) refuse("a number", line);
    return value;
  }

  /// A number that may follow from the sizes of a program.
  PlanNumber open(const std::string &text, const LaunchPlan::Program &program) const {
    auto result = PlanNumber::parse(text, program.sizes);
    if (!result) refuse("a number, or one that follows from " + std::to_string(program.sizes) + " sizes", line);
    return *result;
  }

  void readArgument(LaunchPlan::Argument &argument, const LaunchPlan::Program &program) {
    size_t memory = 0;
    while (memory < std::size(kMemories) && word() != kMemories[memory]) ++memory;
    if (memory == std::size(kMemories)) refuse("a launch, an argument of one, or end", line);
    argument.memory = LaunchPlan::Memory(memory);
    for (PlanNumber *each : {&argument.number, &argument.low, &argument.high}) *each = open(rest(), program);
    bool isNumbered = argument.memory != LaunchPlan::Memory::Workspace;
    int64_t count = argument.memory == LaunchPlan::Memory::Input    ? program.inputs
                    : argument.memory == LaunchPlan::Memory::Output ? program.outputs
                    : argument.memory == LaunchPlan::Memory::Size   ? program.sizes
                                                                    : 1;
    bool isOne = argument.number.isConstant() && argument.number.constant() >= 0 && argument.number.constant() < count;
    if (isNumbered && !isOne) refuse("one of " + std::to_string(count), line);
  }

  void readLaunches(LaunchPlan::Program &program) {
    for (next(); word() != "end"; next()) {
      if (word() == "in-place") {
        for (int64_t i = 0; i < program.outputs; ++i) program.inPlace.push_back(number());
        continue;
      }
      if (word() == "launch") {
        program.launches.push_back({rest(), open(rest(), program), number(), number(), {}});
        continue;
      }
      if (program.launches.empty()) refuse("a launch, an argument of one, or end", line);
      readArgument(program.launches.back().arguments.emplace_back(), program);
    }
  }
};

} // namespace

const LaunchPlan::Program *LaunchPlan::find(const std::string &name) const {
  for (const Program &program : programs)
    if (program.name == name) return &program;
  return nullptr;
}

std::string LaunchPlan::write() const {
  std::ostringstream out;
  out << kHeader << "\n";
  for (const Program &program : programs) {
    out << "program " << program.name << " " << program.inputs << " " << program.outputs << " " << program.workspaceBytes.text() << " "
        << program.canFail << " " << program.sizes << "\n";
    if (!program.inPlace.empty()) {
      out << "in-place";
      for (int64_t input : program.inPlace) out << " " << input;
      out << "\n";
    }
    for (const Launch &launch : program.launches) {
      out << "launch " << launch.kernel << " " << launch.blocks.text() << " " << launch.threads << " " << launch.sharedBytes << "\n";
      for (const Argument &a : launch.arguments)
        out << kMemories[size_t(a.memory)] << " " << a.number.text() << " " << a.low.text() << " " << a.high.text() << "\n";
    }
    out << "end\n";
  }
  out << "code " << code.size() << "\n" << code;
  return out.str();
}

size_t LaunchPlan::Program::workspaceFor(std::span<const int64_t> given) const {
  if (int64_t(given.size()) != sizes)
    fail(ErrorKind::Value, "launch plan", "sizes", std::to_string(sizes) + " of '" + name + "'", std::to_string(given.size()));
  int64_t bytes = workspaceBytes.at(given);
  if (bytes < 0 || bytes > kMostWorkspace)
    fail(ErrorKind::Memory, "launch plan", "workspace", "sizes whose arrays fit into memory", "larger ones");
  return size_t(bytes);
}

LaunchPlan::Program LaunchPlan::Program::at(std::span<const int64_t> given) const {
  Program result = *this;
  result.workspaceBytes = int64_t(workspaceFor(given));
  for (Launch &launch : result.launches) {
    launch.blocks = launch.blocks.at(given);
    for (Argument &a : launch.arguments) a.number = a.number.at(given), a.low = a.low.at(given), a.high = a.high.at(given);
  }
  return result;
}

LaunchPlan LaunchPlan::read(const std::string &file) { return Reader(file).run(); }

} // namespace kiln
