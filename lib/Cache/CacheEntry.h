// Files of the cache: checked before they are opened, and dropped when they are too many.
#pragma once

#include "lib/Runtime/Executable.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// Opens an executable; null where it is none.
using Opener = std::function<std::shared_ptr<Executable>(const std::string &path)>;
/// The executable in a file that is a whole entry for `key`; null where there is none, or another user's.
std::shared_ptr<Executable> openEntry(const std::string &path, const std::vector<int64_t> &key, const Opener &open);
/// Opens an executable, through memory where its folder does not allow to run files.
std::shared_ptr<Executable> openAnywhere(const std::string &path);
/// Puts the key and the footer behind a shared object; false where that fails.
bool appendFooter(const std::string &path, const std::vector<int64_t> &key);
/// Whether a folder is the user's or root's, and nobody else may put files into it: what it holds is run.
bool isTrusted(const std::string &folder);
/// Drops drafts of processes that ended while they wrote, and the entries that were used the longest ago, if all are more than `limit`
/// bytes, until there is room for others.
void dropOldEntries(const std::string &folder, int64_t limit);

/// Stands behind the build's name in keys of code for accelerators.
inline constexpr std::string_view kAccelerated = " accelerator ";

/// What a file of the cache is.
struct EntryState {
  bool isWhole = false;   // an entry with the right checksum
  bool isCurrent = false; // made by this build of the compiler, for this processor or for an accelerator
};
EntryState inspectEntry(const std::string &path);

} // namespace kiln
