#include "lib/Core/LaunchPlan.h"
#include "lib/Core/Error.h"

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
}

} // namespace
