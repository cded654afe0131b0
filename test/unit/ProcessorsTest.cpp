#include "lib/Library/Processors.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using namespace kiln;

namespace {

/// A folder of control groups.
class Groups : public testing::Test {
protected:
  std::string root = std::filesystem::temp_directory_path() / "kiln-groups-XXXXXX";
  void SetUp() override { ASSERT_TRUE(mkdtemp(root.data())); }
  void TearDown() override { std::filesystem::remove_all(root); }
  void write(const std::string &path, const std::string &text) {
    std::filesystem::path whole = root + "/" + path;
    std::filesystem::create_directories(whole.parent_path());
    std::ofstream(whole) << text << "\n";
  }
};

} // namespace

TEST_F(Groups, OfTheSecondVersion) {
  EXPECT_EQ(quotaProcessors("0::/a/b\n", root, 16), 16) << "no quota anywhere";
  write("a/b/cpu.max", "max 100000");
  EXPECT_EQ(quotaProcessors("0::/a/b\n", root, 16), 16);
  write("a/b/cpu.max", "450000 100000");
  EXPECT_EQ(quotaProcessors("0::/a/b\n", root, 16), 4);
  write("a/cpu.max", "200000 100000");
  EXPECT_EQ(quotaProcessors("0::/a/b\n", root, 16), 2) << "a group above is narrower";
  write("cpu.max", "50000 100000");
  EXPECT_EQ(quotaProcessors("0::/a/b\n", root, 16), 1) << "a part of a processor is one thread";
  EXPECT_EQ(quotaProcessors("0::/\n", root, 16), 1);
}

TEST_F(Groups, OfTheFirstVersion) {
  std::string groups = "5:memory:/x\n4:cpu,cpuacct:/x/y\n1:name=systemd:/z\n0::/u\n";
  EXPECT_EQ(quotaProcessors(groups, root, 8), 8);
  write("cpu,cpuacct/x/y/cpu.cfs_quota_us", "-1");
  write("cpu,cpuacct/x/y/cpu.cfs_period_us", "100000");
  EXPECT_EQ(quotaProcessors(groups, root, 8), 8) << "-1 is no quota";
  write("cpu,cpuacct/x/y/cpu.cfs_quota_us", "300000");
  EXPECT_EQ(quotaProcessors(groups, root, 8), 3);
}

TEST_F(Groups, DamagedFilesAreNoQuota) {
  write("a/cpu.max", "much");
  EXPECT_EQ(quotaProcessors("0::/a\n", root, 8), 8);
  write("a/cpu.max", "100000 0");
  EXPECT_EQ(quotaProcessors("0::/a\nnonsense\n::\n", root, 8), 8);
  EXPECT_EQ(quotaProcessors("", root, 8), 8);
  EXPECT_GE(usableProcessors(), 1);
}
