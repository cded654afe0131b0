// A program in every way that it can run: the reference interpreter says what is right.
#include "tools/fuzz/Run.h"

#include "lib/Core/Program.h"

#include <stdexcept>

namespace kiln::fuzz {
namespace {

/// Text and files say the same program.
std::string roundTrips(const Trace &trace) {
  auto words = trace.serialize();
  if (unpackProgram(packProgram(trace)).serialize() != words) return "a program file reads back as another program";
  if (parseIr(printIr(words, "kiln")) != words) return "its text reads back as another program";
  return "";
}

std::string describe(const std::string &what, const Trace &trace) {
  std::string text;
  try {
    text = printIr(trace.serialize(), "kiln");
  } catch (const std::exception &e) { text = e.what(); }
  return what + "\n" + text;
}

/// What code gives in one thread and in two.
std::string checkCode(const char *what, const Run &run, const Outcome &right, const Executable &code) {
  std::string problem = run.difference(what, right, run.compiled(code, 1));
  return problem.empty() ? run.difference(std::string(what) + ", two threads", right, run.compiled(code, 2)) : problem;
}

std::string checkFixed(uint64_t seed, Random &random, const Trace &trace) {
  Run run(random, trace);
  Outcome right = run.interpreted();
  std::string problem = run.difference("replayed", right, run.replayed());
  if (problem.empty()) problem = checkCode("compiled", run, right, *compile(trace));
  if (problem.empty()) problem = run.difference("compiled, another schedule", right, run.compiled(*compileScheduled(trace, seed), 2));
  if (problem.empty()) problem = run.difference("compiled, in place", right, run.compiled(*compileInPlace(trace, random), 2));
  return problem.empty() && seed % 16 == 0 ? roundTrips(trace) : problem;
}

std::string textOf(const std::vector<int64_t> &sizes) {
  std::string text;
  for (int64_t size : sizes) text += (text.empty() ? "" : ",") + std::to_string(size);
  return text;
}

/// One code for several sizes, at each of them.
class AnySize {
public:
  AnySize(uint64_t seed, Random &random, const OpenProgram &program)
      : random(random), open(program.open), usual(compile(open)), scheduled(compileScheduled(open, seed)),
        inPlace(compileInPlace(open, random)) {}

  std::string check(const Trace &recorded) {
    auto instance = instantiate(open, recorded);
    if (!instance) return "a recording is no instance";
    if (specialize(open, instance->symbols).serialize() != recorded.serialize()) return "specialized, it is another program";
    Run run(random, recorded, instance->symbols);
    Outcome right = run.interpreted();
    std::string problem = checkCode("any size", run, right, *usual);
    if (problem.empty()) problem = checkCode("any size, another schedule", run, right, *scheduled);
    if (problem.empty()) problem = run.difference("any size, in place", right, run.compiled(*inPlace, 2));
    return problem.empty() ? "" : problem + ", at the sizes " + textOf(instance->symbols);
  }

private:
  Random &random;
  const Trace &open;
  std::shared_ptr<Executable> usual, scheduled, inPlace;
};

std::string checkAnySize(uint64_t seed, Random &random, const OpenProgram &program) {
  AnySize code(seed, random, program);
  for (const Trace &recorded : program.recordings)
    if (std::string problem = code.check(recorded); !problem.empty()) return problem;
  return "";
}

/// What `check` says is wrong, or what it throws, with the program.
std::string problemOf(const Trace &trace, const std::function<std::string()> &check) {
  std::string problem;
  try {
    problem = check();
  } catch (const std::exception &e) { problem = e.what(); }
  return problem.empty() ? "" : describe(problem, trace);
}

/// What a seed draws: what one stream of numbers is asked for does not change the other.
struct Drawn {
  Random random, sizes;
  Trace trace;
  explicit Drawn(uint64_t seed) : random(seed), sizes(~seed), trace(randomProgram(random)) {}
  /// Of one in four, and where there is one.
  std::optional<OpenProgram> openProgram() { return chance(sizes, 25) ? fuzz::openProgram(sizes, trace) : std::nullopt; }
};

} // namespace

std::string checkProgram(uint64_t seed) {
  Drawn drawn(seed);
  std::string problem = problemOf(drawn.trace, [&] { return checkFixed(seed, drawn.random, drawn.trace); });
  auto program = problem.empty() ? drawn.openProgram() : std::nullopt;
  if (!program) return problem;
  ++opened();
  return problemOf(program->open, [&] { return checkAnySize(seed, drawn.sizes, *program); });
}

std::string showProgram(uint64_t seed) { return printIr(Drawn(seed).trace.serialize(), "kiln"); }

std::string showOpenProgram(uint64_t seed) {
  auto program = Drawn(seed).openProgram();
  if (!program) return "";
  std::string text;
  for (const Trace &recorded : program->recordings)
    if (auto instance = instantiate(program->open, recorded)) text += "// " + textOf(instance->symbols) + "\n";
  return text + printIr(program->open.serialize(), "kiln");
}

} // namespace kiln::fuzz
