#include "lib/Core/LaunchPlan.h"

#include "lib/Core/Error.h"
#include "lib/Core/Infer.h"
#include "lib/Core/PlanRoutines.h"

#include <algorithm>
#include <sstream>

namespace kiln {
namespace {

using Program = LaunchPlan::Program;
using Step = LaunchPlan::Step;
using Argument = LaunchPlan::Argument;
using Memory = LaunchPlan::Memory;

constexpr const char *kHeader = "kiln-launch-plan 4";
constexpr const char *kMemories[] = {"input", "output", "workspace", "status", "size", "constant"};
constexpr const char *kSteps[] = {"copy", "call", "choose", "while", "repeat", "library"};

[[noreturn]] void refuse(const std::string &expected, const std::string &got) {
  fail(ErrorKind::Compile, "launch plan", "file", expected, "'" + got + "'");
}

/// The place of a word in a list, or as many as there are.
template <size_t N> size_t placeOf(const std::string &word, const char *const (&words)[N]) {
  return size_t(std::find(words, words + N, word) - words);
}

class Reader {
public:
  explicit Reader(const std::string &file) : in(file) {}

  LaunchPlan run() {
    LaunchPlan plan;
    if (next() != kHeader) refuse(kHeader, line);
    for (next(); word() != "code"; next()) {
      if (word() != "program" && word() != "body") refuse("a program, a body or code", line);
      Program &program = (word() == "program" ? plan.programs : plan.bodies).emplace_back();
      program.name = rest(), program.inputs = number(), program.outputs = number();
      std::string workspace = rest();
      program.canFail = number() != 0, program.sizes = number();
      program.workspaceBytes = open(workspace, program);
      readSteps(program);
    }
    int64_t bytes = number();
    if (bytes < 0) refuse("a number of bytes", line);
    plan.code.resize(size_t(bytes));
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
  std::vector<int64_t> numbers() {
    std::vector<int64_t> values;
    while (!(words >> std::ws).eof()) values.push_back(number());
    return values;
  }

  /// A number that may follow from the sizes of a program.
  PlanNumber open(const std::string &text, const Program &program) const {
    auto result = PlanNumber::parse(text, program.sizes);
    if (!result || (!program.sizes && !result->isConstant()))
      refuse("a number, or one that follows from " + std::to_string(program.sizes) + " sizes", line);
    return *result;
  }

  void readArgument(Argument &argument, const Program &program) {
    size_t memory = placeOf(word(), kMemories);
    if (memory == std::size(kMemories)) refuse("a launch, a step, an argument of one, or end", line);
    argument.memory = Memory(memory);
    for (PlanNumber *each : {&argument.number, &argument.low, &argument.high}) *each = open(rest(), program);
    bool isNumbered = argument.memory != Memory::Workspace && argument.memory != Memory::Constant;
    int64_t count = argument.memory == Memory::Input    ? program.inputs
                    : argument.memory == Memory::Output ? program.outputs
                    : argument.memory == Memory::Size   ? program.sizes
                                                        : 1;
    bool isOne = argument.number.isConstant() && argument.number.constant() >= 0 && argument.number.constant() < count;
    if (isNumbered && !isOne) refuse("one of " + std::to_string(count), line);
  }

  void readSteps(Program &program) {
    std::vector<Argument> *arguments = nullptr; // of the launch or step that was last
    for (next(); word() != "end"; next()) {
      if (word() == "in-place") {
        for (int64_t i = 0; i < program.outputs; ++i) program.inPlace.push_back(number());
      } else if (word() == "launch" || word() == "launch-op") {
        bool isOp = word() == "launch-op";
        program.launches.push_back({rest(), open(rest(), program), number(), number(), {}, isOp});
        arguments = &program.launches.back().arguments;
      } else if (size_t kind = placeOf(word(), kSteps); kind < std::size(kSteps)) {
        program.steps.push_back(readStep(Step::Kind(kind)));
        program.steps.back().at = int64_t(program.launches.size());
        arguments = &program.steps.back().arguments;
      } else {
        if (!arguments) refuse("a launch, a step, an argument of one, or end", line);
        readArgument(arguments->emplace_back(), program);
      }
    }
  }

  Step readStep(Step::Kind kind) {
    Step step;
    step.kind = kind;
    switch (kind) {
    case Step::Kind::Copy: break;
    case Step::Kind::Call: step.bodies = {number()}; break;
    case Step::Kind::Choose: step.bodies = numbers(); break;
    case Step::Kind::While: step.bodies = {number(), number()}, step.carried = number(); break;
    case Step::Kind::Repeat: step.bodies = {number()}, step.carried = number(), step.counter = number(), step.by = number(); break;
    case Step::Kind::Library: step.routine = rest(), step.words = numbers(); break;
    }
    return step;
  }
};

/// What whoever runs a plan relies on.
class Checker {
public:
  explicit Checker(const LaunchPlan &plan) : plan(plan) {}

  void run() {
    for (const Program &program : plan.programs) check(program, -1);
    for (size_t i = 0; i < plan.bodies.size(); ++i) check(plan.bodies[i], int64_t(i));
  }

private:
  const LaunchPlan &plan;
  const Program *program = nullptr;

  void expect(bool holds, const std::string &expected) const {
    if (!holds) fail(ErrorKind::Compile, "launch plan", program->name, expected, "another");
  }

  void check(const Program &checked, int64_t number) {
    program = &checked;
    constexpr int64_t kMostArrays = 1 << 24;
    auto isCount = [](int64_t n) { return n >= 0 && n < kMostArrays; };
    expect(isCount(checked.inputs) && isCount(checked.outputs), "as many arrays as there can be");
    auto isKnown = [](const PlanNumber &n) { return n.isConstant(); };
    expect(!isKnown(checked.workspaceBytes) || checked.workspaceBytes.constant() >= 0, "a workspace of at least 0 bytes");
    expect(checked.steps.empty() || !checked.sizes, "steps in programs of fixed sizes alone");
    for (int64_t input : checked.inPlace) expect(input >= -1 && input < checked.inputs, "outputs in the memory of inputs");
    for (const LaunchPlan::Launch &launch : checked.launches) {
      bool hasBlocks = !isKnown(launch.blocks) || launch.blocks.constant() > 0;
      expect(hasBlocks && launch.threads > 0 && launch.sharedBytes >= 0, "launches of at least a block and a thread");
      for (const Argument &a : launch.arguments) {
        if (a.memory == Memory::Constant) expect(launch.isOp, "constants for kernels of ops alone");
        else checkPointer(a);
      }
    }
    for (const Step &step : checked.steps) check(step, number);
  }

  void checkPointer(const Argument &a) const {
    bool isPointer = a.memory != Memory::Size;
    if (program->sizes || !isPointer) return; // when the sizes are known
    int64_t number = a.number.constant(), low = a.low.constant(), high = a.high.constant(), bytes = program->workspaceBytes.constant();
    bool isThere = a.memory == Memory::Status || (a.memory == Memory::Input && number < program->inputs) ||
                   (a.memory == Memory::Output && number < program->outputs) ||
                   (a.memory == Memory::Workspace && number <= bytes && high <= bytes - number);
    expect(isThere && number >= 0, "pointers to arrays that it has, or into its workspace");
    expect(low <= high, "bytes of pointers from the lower to the higher");
  }

  void checkRoutine(const Step &step) const {
    const PlanRoutine *routine = findPlanRoutine(step.routine);
    expect(routine, "a routine of a library that is known");
    bool isFull = step.words.size() == routine->words || (routine->isTransform && step.words.size() > routine->words);
    expect(isFull && step.arguments.size() == routine->pointers, "as many words and pointers as a routine has");
    for (int64_t word : step.words) expect(word >= 0, "words of a routine of at least 0");
    auto isNumber = [](int64_t word) {
      return word == int64_t(DType::F32) || word == int64_t(DType::F64) || word == int64_t(DType::C64) || word == int64_t(DType::C128);
    };
    expect(isNumber(step.words[0]) && (!routine->isTransform || isNumber(step.words[1])), "float32, float64, or complex numbers of these");
    for (const Argument &a : step.arguments) checkPointer(a);
  }

  void check(const Step &step, int64_t number) const {
    if (step.kind == Step::Kind::Library) return checkRoutine(step);
    expect(!step.bodies.empty() || step.kind == Step::Kind::Copy, "a body for each step that runs one");
    for (int64_t body : step.bodies) expect(body > number && body < int64_t(plan.bodies.size()), "bodies of the plan that stand behind it");
    size_t numbers = step.kind == Step::Kind::Repeat ? 2 : 0;
    for (const Argument &a : step.arguments) {
      if (a.memory == Memory::Constant) expect(&a < step.arguments.data() + numbers, "constants as numbers of trips alone");
      else checkPointer(a);
    }
    if (step.kind == Step::Kind::Copy) return expect(step.arguments.size() == 2, "copies to a place from another");
    expect(step.arguments.size() >= step.firstArray(), "a workspace, and what decides, for each step that runs a body");
    int64_t arrays = int64_t(step.arguments.size() - step.firstArray());
    if (step.kind == Step::Kind::Choose) {
      int64_t bytes = step.arguments[0].high.constant();
      expect(bytes == 1 || bytes == 8, "numbers of bodies in 1 or 8 bytes");
    }
    if (step.isLoop()) return checkLoop(step, arrays);
    for (int64_t body : step.bodies) expect(arrays == arraysOf(body), "as many arrays as its bodies have");
  }

  void checkLoop(const Step &step, int64_t arrays) const {
    expect(step.carried >= 0 && arrays >= 2 * step.carried, "two places for each value that a loop hands on");
    const Program &body = plan.bodies[size_t(step.bodies.back())];
    expect(body.outputs == step.carried && body.inputs == arrays - step.carried, "as many arrays as the body of the loop has");
    if (step.kind == Step::Kind::While) {
      const Program &condition = plan.bodies[size_t(step.bodies[0])];
      expect(condition.outputs == 1 && condition.inputs == body.inputs, "a condition that takes what the body takes, and gives a flag");
    } else {
      expect(step.counter >= 0 && step.counter < step.carried && (step.by == 1 || step.by == -1),
             "a counter among the values of the loop, up or down by 1");
    }
  }

  int64_t arraysOf(int64_t body) const { return plan.bodies[size_t(body)].inputs + plan.bodies[size_t(body)].outputs; }
};

void writeArguments(std::ostream &out, const std::vector<Argument> &arguments) {
  for (const Argument &a : arguments)
    out << kMemories[size_t(a.memory)] << " " << a.number.text() << " " << a.low.text() << " " << a.high.text() << "\n";
}

void writeStep(std::ostream &out, const Step &step) {
  out << kSteps[size_t(step.kind)];
  for (int64_t body : step.bodies) out << " " << body;
  if (step.kind == Step::Kind::Library) out << " " << step.routine;
  for (int64_t word : step.words) out << " " << word;
  if (step.isLoop()) out << " " << step.carried;
  if (step.kind == Step::Kind::Repeat) out << " " << step.counter << " " << step.by;
  out << "\n";
  writeArguments(out, step.arguments);
}

void writeProgram(std::ostream &out, const char *kind, const Program &program) {
  out << kind << " " << program.name << " " << program.inputs << " " << program.outputs << " " << program.workspaceBytes.text() << " "
      << program.canFail << " " << program.sizes << "\n";
  if (!program.inPlace.empty()) {
    out << "in-place";
    for (int64_t input : program.inPlace) out << " " << input;
    out << "\n";
  }
  for (size_t number = 0; number <= program.steps.size(); ++number) {
    for (const LaunchPlan::Launch &launch : program.part(number)) {
      out << (launch.isOp ? "launch-op " : "launch ") << launch.kernel << " " << launch.blocks.text() << " " << launch.threads << " "
          << launch.sharedBytes << "\n";
      writeArguments(out, launch.arguments);
    }
    if (number < program.steps.size()) writeStep(out, program.steps[number]);
  }
  out << "end\n";
}

} // namespace

const LaunchPlan::Program *LaunchPlan::find(const std::string &name) const {
  for (const Program &program : programs)
    if (program.name == name) return &program;
  return nullptr;
}

std::vector<std::pair<int64_t, int64_t>> LaunchPlan::extentsOf(const Program &program) {
  std::vector<std::pair<int64_t, int64_t>> extents(size_t(program.inputs + program.outputs));
  auto note = [&](const Argument &a) {
    if (a.memory != Memory::Input && a.memory != Memory::Output) return;
    auto &[low, high] = extents[size_t(a.number.constant() + (a.memory == Memory::Output ? program.inputs : 0))];
    low = std::min(low, a.low.constant()), high = std::max(high, a.high.constant());
  };
  for (const Launch &launch : program.launches) std::ranges::for_each(launch.arguments, note);
  for (const Step &step : program.steps) std::ranges::for_each(step.arguments, note);
  return extents;
}

std::string LaunchPlan::write() const {
  std::ostringstream out;
  out << kHeader << "\n";
  for (const Program &program : programs) writeProgram(out, "program", program);
  for (const Program &body : bodies) writeProgram(out, "body", body);
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

LaunchPlan LaunchPlan::read(const std::string &file) {
  LaunchPlan plan = Reader(file).run();
  Checker(plan).run();
  return plan;
}

} // namespace kiln
