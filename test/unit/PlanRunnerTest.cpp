#include "lib/Core/PlanRunner.h"

#include <cstring>
#include <gtest/gtest.h>

using namespace kiln;

namespace {

using Memory = LaunchPlan::Memory;
using Kind = LaunchPlan::Step::Kind;
using Argument = LaunchPlan::Argument;

Argument input(int64_t i) { return {Memory::Input, i, 0, 8}; }
Argument output(int64_t i) { return {Memory::Output, i, 0, 8}; }
Argument workspace(int64_t at) { return {Memory::Workspace, at, 0, 8}; }
Argument constant(int64_t n) { return {Memory::Constant, n, 0, 0}; }

/// Kernels on words of this process: "add" puts the sum of two pointers' words into a third, "less" whether the first is less.
class Host final : public PlanRunner {
public:
  using PlanRunner::PlanRunner;
  int reads = 0, copies = 0, launches = 0, calls = 0, stopsAfter = -1;

private:
  static int64_t &at(Address address) { return *reinterpret_cast<int64_t *>(address); }
  void launch(const LaunchPlan::Program &program, size_t number, const Frame &frame) override {
    for (const LaunchPlan::Launch &each : program.part(number)) {
      ++launches;
      auto word = [&](size_t i) -> int64_t & { return at(addressOf(program, each.arguments[i], frame)); };
      if (each.kernel == "add") word(2) = word(0) + word(1);
      else word(2) = word(0) < word(1);
    }
  }
  void copy(Address to, Address from, int64_t bytes) override {
    ++copies;
    std::memcpy(&at(to), &at(from), size_t(bytes));
  }
  void callLibrary(const LaunchPlan::Step &step, std::span<const Address> pointers) override {
    ++calls;
    at(pointers[1]) = at(pointers[0]) + step.words.back();
  }
  std::optional<int64_t> read(Address from, int64_t bytes) override {
    ++reads;
    return bytes == 1 ? at(from) & 1 : at(from);
  }
  bool stops() override { return stopsAfter >= 0 && stopsAfter-- == 0; }
};

/// f(x, step, n): x + step + step + ..., as often as a loop says; the counter is the second value that it hands on.
LaunchPlan sums(Kind kind, std::vector<Argument> numbers, int64_t by) {
  LaunchPlan plan;
  LaunchPlan::Program program{"f", 3, 2, 128, {}, false, {}, {}};
  program.steps = {{Kind::Copy, 0, {}, 0, -1, 0, {output(0), input(0)}}, {Kind::Copy, 0, {}, 0, -1, 0, {output(1), workspace(0)}}};
  LaunchPlan::Step loop{kind, 0, {1}, 2, 1, by, std::move(numbers)};
  if (kind == Kind::While) loop.bodies = {0, 1}, loop.counter = -1, loop.by = 0;
  for (const Argument &a : {workspace(64), output(0), output(1), workspace(16), workspace(24), input(1), input(2)})
    loop.arguments.push_back(a);
  program.steps.push_back(loop);
  plan.programs = {program};
  plan.bodies = {{"less", 4, 1, 0, {{"less", 1, 1, 0, {input(1), input(3), output(0)}}}, false, {}, {}},
                 {"body",
                  4,
                  2,
                  0,
                  {{"add", 1, 1, 0, {input(0), input(2), output(0)}}, {"add", 1, 1, 0, {input(1), input(2), output(1)}}},
                  false,
                  {},
                  {}}};
  return plan;
}

struct Words {
  int64_t x = 100, step = 1, n = 5, sum = 0, count = 0;
  int64_t workspace[16] = {};
  static uint64_t of(int64_t *word) { return reinterpret_cast<uint64_t>(word); }
  PlanRunner::Frame frame() { return {{of(&x), of(&step), of(&n), of(&sum), of(&count)}, of(workspace)}; }
};

TEST(PlanRunner, LoopsAskAndCount) {
  Words words;
  LaunchPlan plan = sums(Kind::While, {workspace(8)}, 0);
  Host asked(plan);
  EXPECT_TRUE(asked.run(plan.programs[0], words.frame()));
  EXPECT_EQ(words.sum, 105);
  EXPECT_EQ(words.count, 5);
  EXPECT_EQ(asked.reads, 6);
  EXPECT_EQ(asked.launches, 16);
  EXPECT_EQ(asked.copies, 4) << "an odd number of trips ends in the other places";

  words = Words();
  plan = sums(Kind::Repeat, {constant(0), input(2)}, 1);
  Host counted(plan);
  EXPECT_TRUE(counted.run(plan.programs[0], words.frame()));
  EXPECT_EQ(words.sum, 105);
  EXPECT_EQ(counted.reads, 1) << "how often, once";

  words = Words();
  Host known(plan);
  PlanRunner::Frame frame = words.frame();
  frame.numbers = {std::nullopt, std::nullopt, 4};
  EXPECT_TRUE(known.run(plan.programs[0], frame));
  EXPECT_EQ(words.sum, 104) << "as the host knows it";
  EXPECT_EQ(known.reads, 0);
  EXPECT_EQ(known.copies, 2);
}

TEST(PlanRunner, TripsOfNoneToManyNumbers) {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min(), kMost = std::numeric_limits<int64_t>::max();
  for (auto [low, high, trips] : {std::tuple<int64_t, int64_t, int>{3, 3, 0},
                                  {4, 3, 0},
                                  {-2, 1, 3},
                                  {kMost, kLeast, 0},
                                  {kMost - 2, kMost, 2},
                                  {kLeast, kLeast + 2, 2}})
    for (int64_t by : {1, -1}) {
      Words words;
      LaunchPlan plan = sums(Kind::Repeat, {constant(low), constant(high)}, by);
      EXPECT_TRUE(Host(plan).run(plan.programs[0], words.frame()));
      EXPECT_EQ(words.sum, 100 + trips) << low << " " << high;
    }
}

TEST(PlanRunner, CountersAreKnownInside) {
  // Each trip of the outer loop runs an inner one to where the outer one counts.
  LaunchPlan plan = sums(Kind::Repeat, {constant(0), constant(4)}, 1);
  LaunchPlan::Program inner = plan.bodies[1];
  plan.bodies.push_back(inner);
  LaunchPlan::Program &outer = plan.bodies[1];
  outer.workspaceBytes = 64;
  outer.launches = {outer.launches[1]};
  outer.steps = {{Kind::Copy, 0, {}, 0, -1, 0, {output(0), input(0)}},
                 {Kind::Copy, 0, {}, 0, -1, 0, {workspace(0), input(3)}},
                 {Kind::Repeat,
                  0,
                  {2},
                  2,
                  1,
                  1,
                  {constant(0), input(1), workspace(48), output(0), workspace(0), workspace(16), workspace(24), input(2), input(3)}}};
  Words words;
  Host host(plan);
  EXPECT_TRUE(host.run(plan.programs[0], words.frame()));
  EXPECT_EQ(words.sum, 100 + 0 + 1 + 2 + 3);
  EXPECT_EQ(host.reads, 0);
}

TEST(PlanRunner, ChoosesTheNearestBody) {
  LaunchPlan plan;
  LaunchPlan::Program program{"f", 1, 1, 64, {}, false, {}, {}};
  program.steps = {{Kind::Choose, 0, {0, 1, 2}, 0, -1, 0, {input(0), workspace(0), input(0), output(0)}}};
  plan.programs = {program};
  auto times = [](size_t n) {
    LaunchPlan::Program body{std::to_string(n), 1, 1, 0, {}, false, {}, {}};
    body.launches.assign(n, {"add", 1, 1, 0, {output(0), input(0), output(0)}});
    return body;
  };
  plan.bodies = {times(0), times(1), times(2)};
  for (auto [n, want] : {std::pair<int64_t, int64_t>{-7, 0}, {0, 0}, {1, 1}, {2, 4}, {9, 18}}) {
    int64_t result = 0, room[8] = {};
    EXPECT_TRUE(Host(plan).run(plan.programs[0], {{Words::of(&n), Words::of(&result)}, Words::of(room)}));
    EXPECT_EQ(result, want) << n;
  }
}

TEST(PlanRunner, StopsBetweenTrips) {
  for (Kind kind : {Kind::While, Kind::Repeat}) {
    Words words;
    LaunchPlan plan = sums(kind, kind == Kind::While ? std::vector{workspace(8)} : std::vector{constant(0), input(2)}, 1);
    Host host(plan);
    host.stopsAfter = 2;
    EXPECT_FALSE(host.run(plan.programs[0], words.frame()));
    EXPECT_EQ(host.launches, kind == Kind::While ? 7 : 4);
  }
}

TEST(PlanRunner, CallsRoutines) {
  LaunchPlan plan;
  plan.programs.push_back({"f", 1, 1, 8, {}, false, {}, {}});
  plan.programs[0].steps.push_back({Kind::Library, 0, {}, 0, -1, 0, {input(0), workspace(0)}, "potrf", {40}});
  plan.programs[0].steps.push_back({Kind::Copy, 0, {}, 0, -1, 0, {output(0), workspace(0)}});
  int64_t x = 2, y = 0, memory = 0;
  Host host(plan);
  EXPECT_TRUE(
      host.run(plan.programs[0], {{reinterpret_cast<uint64_t>(&x), reinterpret_cast<uint64_t>(&y)}, reinterpret_cast<uint64_t>(&memory)}));
  EXPECT_EQ(y, 42);
  EXPECT_EQ(host.calls, 1);
}

} // namespace
