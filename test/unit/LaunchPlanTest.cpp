#include "lib/Core/LaunchPlan.h"
#include "lib/Core/Error.h"
#include "lib/Core/Types.h"

#include <functional>
#include <gtest/gtest.h>

using namespace kiln;

namespace {

LaunchPlan example() {
  using Memory = LaunchPlan::Memory;
  LaunchPlan plan;
  plan.code = "code with\nlines and \0 bytes";
  plan.programs.push_back({"first",
                           2,
                           1,
                           512,
                           {{"kernel_0", 4, 256, 0, {{Memory::Input, 1, -16, 64}, {Memory::Status, 0, 0, 4}}},
                            {"kernel_1", 1, 32, 128, {{Memory::Workspace, 256, 0, 8}}}}});
  plan.programs.push_back({"second", 0, 1, 0, {}});
  PlanNumber rows = PlanNumber::size(0), bytes = rows * PlanNumber::size(1) * 4;
  LaunchPlan::Program open{"open", 1, 1, bytes + 64, {}};
  open.sizes = 2;
  PlanNumber low = PlanNumber::least(bytes * -1, 0), high = PlanNumber::greatest(bytes, 8);
  open.launches.push_back(
      {"kernel_2", (rows + 255) / 256, 256, 0, {{Memory::Input, 0, low, high}, {Memory::Workspace, bytes, 0, 8}, {Memory::Size, 1, 0, 0}}});
  plan.programs.push_back(open);
  return plan;
}

ErrorKind kindOf(const std::function<void()> &action) {
  try {
    action();
  } catch (const Error &error) { return error.kind; }
  ADD_FAILURE() << "expected an error";
  return ErrorKind::Value;
}

TEST(LaunchPlanTest, ComesBackAsItWasWritten) {
  LaunchPlan plan = LaunchPlan::read(example().write());
  EXPECT_EQ(plan.code, example().code);
  EXPECT_EQ(plan.programs, example().programs);
  EXPECT_EQ(plan.find("second"), &plan.programs[1]);
  EXPECT_EQ(plan.find("third"), nullptr);
}

TEST(LaunchPlanTest, FollowsFromSizes) {
  LaunchPlan plan = LaunchPlan::read(example().write());
  const LaunchPlan::Program *open = plan.find("open");
  std::vector<int64_t> sizes = {257, 3};
  LaunchPlan::Program fixed = open->at(sizes);
  EXPECT_EQ(fixed.workspaceBytes, 257 * 3 * 4 + 64);
  EXPECT_EQ(open->workspaceFor(sizes), size_t(257 * 3 * 4 + 64));
  EXPECT_EQ(fixed.launches[0].blocks, 2);
  EXPECT_EQ(fixed.launches[0].arguments[0].low, -257 * 3 * 4);
  EXPECT_EQ(fixed.launches[0].arguments[0].high, 257 * 3 * 4);
  EXPECT_EQ(fixed.launches[0].arguments[1].number, 257 * 3 * 4);
  EXPECT_EQ(plan.programs[0].at({}), plan.programs[0]);
  std::vector<int64_t> none, large = {int64_t(1) << 40, int64_t(1) << 40}, tooLarge = {int64_t(1) << 28, int64_t(1) << 28};
  EXPECT_EQ(kindOf([&] { (void)open->at(none); }), ErrorKind::Value);
  EXPECT_EQ(kindOf([&] { (void)open->workspaceFor(none); }), ErrorKind::Value);
  EXPECT_EQ(kindOf([&] { (void)open->at(large); }), ErrorKind::Memory) << "arithmetic that 64 bits do not hold";
  EXPECT_EQ(kindOf([&] { (void)open->workspaceFor(tooLarge); }), ErrorKind::Memory) << "more than any workspace has";
}

TEST(LaunchPlanTest, FoldsNumbers) {
  PlanNumber size = PlanNumber::size(0);
  EXPECT_EQ(size + 0, size);
  EXPECT_EQ(size * 1, size);
  EXPECT_EQ(PlanNumber(6) / 4, 1);
  EXPECT_TRUE((size * 0).isConstant());
  EXPECT_EQ(PlanNumber::least(size, size), size);
  EXPECT_EQ(((size + 63) / 64 * 64).text(), "s0,63,+,64,/,64,*");
  EXPECT_EQ(PlanNumber::parse("s0,63,+,64,/,64,*", 1), (size + 63) / 64 * 64);
  std::vector<int64_t> zero = {0};
  EXPECT_EQ(kindOf([&] { (void)(size / size).at(zero); }), ErrorKind::Memory) << "a quotient by nothing";
  std::string deep = "1";
  for (int i = 0; i < 64; ++i) deep += ",1";
  for (int i = 0; i < 64; ++i) deep += ",+";
  for (const std::string &text :
       {"", "s1", "s-1", "s", "+", "1,+", "1,2", "1,2,-", "1,2,+,", ",1", "1,,2,+", "1x", "1 2", "99999999999999999999", deep.c_str()})
    EXPECT_EQ(PlanNumber::parse(text, 1), std::nullopt) << text;
}

TEST(LaunchPlanTest, RefusesWhatIsNone) {
  std::string text = example().write();
  EXPECT_THROW(LaunchPlan::read("ELF"), Error);
  EXPECT_THROW(LaunchPlan::read(text.substr(0, text.size() - 1)), Error); // less code
  for (size_t size = 0; size < text.find("code "); size += 7) EXPECT_THROW(LaunchPlan::read(text.substr(0, size)), Error);
  auto changed = [&](const std::string &from, const std::string &to) {
    std::string other = text;
    return other.replace(other.find(from), from.size(), to);
  };
  EXPECT_THROW(LaunchPlan::read(changed("launch kernel_0 4", "launch kernel_0 many")), Error);
  EXPECT_THROW(LaunchPlan::read(changed("input 1", "texture 1")), Error);
  EXPECT_THROW(LaunchPlan::read(changed("input 1", "input 2")), Error) << "of two";
  EXPECT_THROW(LaunchPlan::read(changed("size 1", "size 2")), Error) << "of two";
  EXPECT_THROW(LaunchPlan::read(changed("size 1", "size s0")), Error) << "which one is no size itself";
  EXPECT_THROW(LaunchPlan::read(changed("kernel_2 s0", "kernel_2 s2")), Error) << "a size that the program has not";
  EXPECT_THROW(LaunchPlan::read(changed("kernel_2 s0,255,+", "kernel_2 s0,+,255")), Error);
  EXPECT_THROW(LaunchPlan::read(changed("launch kernel_0 4", "launch kernel_0 s0")), Error) << "in a program of fixed sizes";
  EXPECT_THROW(LaunchPlan::read(changed("program second", "library second")), Error);
  EXPECT_THROW(LaunchPlan::read(changed("code " + std::to_string(example().code.size()), "code -1")), Error);
  EXPECT_THROW(LaunchPlan::read(changed("input 1", "input 2")), Error) << "there are two";
  EXPECT_THROW(LaunchPlan::read(changed("input 1", "input -1")), Error);
  EXPECT_THROW(LaunchPlan::read(changed("workspace 256 0 8", "workspace 505 0 8")), Error) << "it has 512 bytes";
  EXPECT_THROW(LaunchPlan::read(changed("input 1 -16", "input 1 65")), Error);
  EXPECT_THROW(LaunchPlan::read(changed("kernel_0 4", "kernel_0 0")), Error);
  EXPECT_THROW(LaunchPlan::read(changed("first 2", "first -2")), Error);
}

/// A launch of a custom op's kernel, with how many elements there are and a number of its own.
LaunchPlan withOp() {
  using Memory = LaunchPlan::Memory;
  PlanNumber count = PlanNumber::size(0) * 3;
  LaunchPlan plan{"code", {{"f", 1, 1, 0, {}}}, {}};
  plan.programs[0].sizes = 1;
  plan.programs[0].launches.push_back(
      {"leaky.h12_1_1",
       (count + 255) / 256,
       256,
       1000,
       {{Memory::Input, 0, 0, count * 4}, {Memory::Output, 0, 0, count * 4}, {Memory::Constant, count, 0, 0}, {Memory::Constant, -5, 0, 0}},
       /*isOp=*/true});
  return plan;
}

TEST(LaunchPlanTest, LaunchesKernelsOfOps) {
  LaunchPlan plan = LaunchPlan::read(withOp().write());
  EXPECT_EQ(plan.programs, withOp().programs);
  std::vector<int64_t> sizes = {100};
  LaunchPlan::Launch launch = plan.programs[0].at(sizes).launches[0];
  EXPECT_EQ(launch.blocks, 2);
  EXPECT_EQ(launch.arguments[2].number, 300);
  EXPECT_EQ(launch.askedBytes(), 1000) << "its kernel declares none of them";
  std::string text = withOp().write();
  EXPECT_THROW(LaunchPlan::read(text.replace(text.find("launch-op"), 9, "launch")), Error) << "constants are for ops alone";
}

/// Two launches, between them a copy, a branch, and two loops.
LaunchPlan withSteps() {
  using Memory = LaunchPlan::Memory;
  using Kind = LaunchPlan::Step::Kind;
  LaunchPlan plan;
  LaunchPlan::Argument x{Memory::Input, 0, 0, 8}, n{Memory::Input, 1, 0, 8}, y{Memory::Output, 0, 0, 8}, other{Memory::Workspace, 64, 0, 8},
      flag{Memory::Workspace, 128, 0, 1}, work{Memory::Workspace, 0, 0, 64}, zero{Memory::Constant, 0, 0, 0};
  LaunchPlan::Launch first{"kernel_0", 1, 32, 0, {x, y}}, second{"kernel_1", 1, 32, 0, {y, other}};
  plan.programs.push_back({"f", 2, 1, 192, {first, second}, false, {}, {}});
  plan.programs[0].steps = {{Kind::Copy, 0, {}, 0, -1, 0, {y, x}},
                            {Kind::While, 1, {1, 2}, 1, -1, 0, {flag, work, y, other, n}},
                            {Kind::Repeat, 1, {2}, 1, 0, -1, {zero, n, work, y, other, n}},
                            {Kind::Choose, 2, {2, 3}, 0, -1, 0, {n, work, y, n, other}},
                            {Kind::Call, 2, {0}, 0, -1, 0, {work, y, n, other}}};
  plan.bodies = {{"calls", 2, 1, 64, {}, false, {}, {}},
                 {"asks", 2, 1, 0, {}, false, {}, {}},
                 {"does", 2, 1, 64, {first}, true, {}, {}},
                 {"else", 2, 1, 0, {}, false, {}, {}}};
  plan.bodies[0].steps = {{Kind::Call, 0, {2}, 0, -1, 0, {work, x, n, y}}};
  plan.programs[0].steps.push_back({Kind::Library, 2, {}, 0, -1, 0, {y, other}, "potrf", {int64_t(DType::F64), 1, 1, 0}});
  plan.code = "code";
  return plan;
}

TEST(LaunchPlanTest, StepsComeBackAsTheyWereWritten) {
  LaunchPlan plan = LaunchPlan::read(withSteps().write());
  EXPECT_EQ(plan.programs, withSteps().programs);
  EXPECT_EQ(plan.bodies, withSteps().bodies);
  const LaunchPlan::Program &program = plan.programs[0];
  EXPECT_EQ(program.part(0).size() + program.part(2).size() + program.part(4).size() + program.part(5).size(), 0u);
  EXPECT_EQ(program.part(1)[0].kernel, "kernel_0");
  EXPECT_EQ(program.part(3)[0].kernel, "kernel_1");
  EXPECT_EQ(plan.find("does"), nullptr) << "a body is no program";
  EXPECT_TRUE(plan.hasLaunches());
}

TEST(LaunchPlanTest, RefusesDamagedSteps) {
  std::string text = withSteps().write();
  for (size_t size = 0; size < text.find("code "); size += 5) EXPECT_THROW(LaunchPlan::read(text.substr(0, size)), Error);
  for (auto [from, to] : {std::pair{"call 0", "call 4"}, // no such body
                          {"call 0", "call -1"},
                          {"call 2", "call 0"}, // a body that runs itself
                          {"call 0", "call"},
                          {"call 0", "recall 0"},
                          {"choose 2 3", "choose"},
                          {"choose 2 3", "choose 2 0 x"},
                          {"choose 2 3\ninput 1 0 8", "choose 2 3\ninput 1 0 4"}, // a number of 4 bytes
                          {"choose 2 3\ninput 1 0 8", "choose 2 3\nconstant 1 0 8"},
                          {"while 1 2 1", "while 1 2 2"}, // values that are not there
                          {"while 1 2 1", "while 1 2 -1"},
                          {"while 1 2 1", "while 2 1 0"},
                          {"while 1 2 1\n", "while 1 2 1\nstatus 0 0 4\n"},
                          {"repeat 2 1 0 -1", "repeat 2 1 1 -1"}, // a counter that is none of the values
                          {"repeat 2 1 0 -1", "repeat 2 1 0 2"},
                          {"repeat 2 1 0 -1", "repeat 2 1 0"},
                          {"constant 0 0 0\n", ""},
                          {"copy\n", "copy\ninput 0 0 8\n"},
                          {"library potrf", "library potrg"},
                          {"library potrf", "library getrf"}, // which has fewer words
                          {"library potrf 12", "library potrf 12 1"},
                          {"library potrf 12", "library potrf 1"}, // of integers
                          {"library potrf 12 1", "library potrf 12 -1"},
                          {"library potrf 12 1 1 0\n", "library potrf 12 1 1 0\ninput 0 0 8\n"},
                          {"library potrf 12 1 1 0\noutput 0 0 8\n", "library potrf 12 1 1 0\n"},
                          {"body does 2 1", "body does 3 1"}}) {
    std::string other = text;
    ASSERT_NE(other.find(from), std::string::npos) << from;
    EXPECT_THROW(LaunchPlan::read(other.replace(other.find(from), std::string(from).size(), to)), Error) << from << " -> " << to;
  }
}

} // namespace
