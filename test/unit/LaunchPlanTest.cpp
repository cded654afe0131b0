#include "lib/Core/LaunchPlan.h"
#include "lib/Core/Error.h"

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
  return plan;
}

TEST(LaunchPlanTest, ComesBackAsItWasWritten) {
  LaunchPlan plan = LaunchPlan::read(example().write());
  EXPECT_EQ(plan.code, example().code);
  EXPECT_EQ(plan.programs, example().programs);
  EXPECT_EQ(plan.find("second"), &plan.programs[1]);
  EXPECT_EQ(plan.find("third"), nullptr);
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
  EXPECT_THROW(LaunchPlan::read(changed("program second", "library second")), Error);
}

} // namespace
