#include "lib/Library/Processors.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sched.h>
#include <sstream>

namespace kiln {
namespace {

std::string contentsOf(const std::string &path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A quota over a period, both in microseconds, as processors; `most` for none.
int processorsOf(const std::string &quota, const std::string &period, int most) {
  double time = 0, each = 0;
  if (!(std::istringstream(quota) >> time) || !(std::istringstream(period) >> each) || time <= 0 || each <= 0) return most;
  return std::clamp(int(time / each), 1, most);
}

int quotaOfGroup(const std::string &folder, bool isSecond, int most) {
  if (!isSecond) return processorsOf(contentsOf(folder + "/cpu.cfs_quota_us"), contentsOf(folder + "/cpu.cfs_period_us"), most);
  std::istringstream file(contentsOf(folder + "/cpu.max")); // "<quota or max> <period>"
  std::string quota, period;
  file >> quota >> period;
  return processorsOf(quota, period, most);
}

} // namespace

int quotaProcessors(const std::string &groups, const std::string &root, int most) {
  std::istringstream lines(groups);
  for (std::string line; std::getline(lines, line);) { // number:controllers:path
    size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    std::string controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
    bool isSecond = controllers.empty(), isFirst = ("," + controllers + ",").find(",cpu,") != std::string::npos;
    if (!isSecond && !isFirst) continue;
    std::string mount = isSecond ? root : root + "/" + controllers;
    for (; !path.empty(); path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'))) {
      if (path == "/") break;
      most = quotaOfGroup(mount + path, isSecond, most);
    }
    most = quotaOfGroup(mount, isSecond, most); // in a container, its own group is mounted as the root
  }
  return most;
}

int usableProcessors() {
  cpu_set_t set;
  int count = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
  return quotaProcessors(contentsOf("/proc/self/cgroup"), "/sys/fs/cgroup", count);
}

} // namespace kiln
