// How many threads a process may well use.
#pragma once

#include <string>

namespace kiln {

/// Processors that the quotas of the control groups of this process allow, at least 1; `most` where there is no quota. `groups` is what
/// /proc/self/cgroup says, `root` where the control groups are mounted. Both versions: the quota of a group bounds those below it.
int quotaProcessors(const std::string &groups, const std::string &root, int most);

/// Those of the affinity mask, no more than the quotas allow.
int usableProcessors();

} // namespace kiln
