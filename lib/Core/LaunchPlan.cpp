#include "lib/Core/LaunchPlan.h"

#include "lib/Core/Error.h"

#include <sstream>

namespace kiln {
namespace {

constexpr const char *kHeader = "kiln-launch-plan 2";
constexpr const char *kMemories[] = {"input", "output", "workspace", "status"};

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
      plan.programs.push_back({rest(), number(), number(), number(), {}, number() != 0, {}});
      readLaunches(plan.programs.back());
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

  void readLaunches(LaunchPlan::Program &program) {
    for (next(); word() != "end"; next()) {
      if (word() == "in-place") {
        for (int64_t i = 0; i < program.outputs; ++i) program.inPlace.push_back(number());
        continue;
      }
      if (word() == "launch") {
        program.launches.push_back({rest(), number(), number(), number(), {}});
        continue;
      }
      size_t memory = 0;
      while (memory < std::size(kMemories) && word() != kMemories[memory]) ++memory;
      if (memory == std::size(kMemories) || program.launches.empty()) refuse("a launch, an argument of one, or end", line);
      program.launches.back().arguments.push_back({LaunchPlan::Memory(memory), number(), number(), number()});
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
    out << "program " << program.name << " " << program.inputs << " " << program.outputs << " " << program.workspaceBytes << " "
        << program.canFail << "\n";
    if (!program.inPlace.empty()) {
      out << "in-place";
      for (int64_t input : program.inPlace) out << " " << input;
      out << "\n";
    }
    for (const Launch &launch : program.launches) {
      out << "launch " << launch.kernel << " " << launch.blocks << " " << launch.threads << " " << launch.sharedBytes << "\n";
      for (const Argument &a : launch.arguments)
        out << kMemories[size_t(a.memory)] << " " << a.number << " " << a.low << " " << a.high << "\n";
    }
    out << "end\n";
  }
  out << "code " << code.size() << "\n" << code;
  return out.str();
}

LaunchPlan LaunchPlan::read(const std::string &file) { return Reader(file).run(); }

} // namespace kiln
