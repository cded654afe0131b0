// The code that a package has for this machine, opened: what runs where there is no compiler.
#pragma once

#include "include/kiln/executable.h"
#include "lib/Core/Dlpack.h"
#include "lib/Package/Package.h"

namespace kiln {

/// What code must be for to run here: "x86_64-linux-gnu".
std::string thisMachine();

/// Opened code. Any number of threads may run it.
class NativeCode {
public:
  /// Opens the code of a package, whose weights it reads where they are. Throws Error (package), which says what is missing: code for this
  /// machine, or a processor.
  static std::shared_ptr<NativeCode> open(const Package &package);
  ~NativeCode();
  NativeCode(const NativeCode &) = delete;

  /// Runs an entry: its arguments in the order of the package's inputs, its results in that of the outputs. Arguments that it writes are
  /// written; tensors are row-major. False: it was told to stop, and nothing was written. Throws Error for arguments that do not fit, and
  /// for what is wrong with the data. The shapes of results whose sizes values decide are those that there is room for; they become those
  /// that the results have, also where there is less room: then `isShort` says so where it is given, and nothing was written.
  bool run(const std::string &entry, std::span<dlpack::Tensor *const> inputs, std::span<dlpack::Tensor *const> outputs,
           bool *isShort = nullptr) const;

private:
  NativeCode() = default;
  void *find(const std::string &suffix) const;

  std::string name;
  int file = -1;
  void *library = nullptr, *opened = nullptr;
  std::vector<std::shared_ptr<const void>> owners; // of what it reads
};

/// The sizes of the dimensions of an entry, as its arguments have them; -1 for one that no argument says.
std::vector<int64_t> sizesOf(const PackageEntry &entry, std::span<dlpack::Tensor *const> arguments);
/// The types of its results at some sizes of the dimensions that callers choose; of results whose sizes values decide, the largest that
/// they have there. Throws Error (shape) for sizes that the package is not for.
std::vector<ArrayType> resultsOf(const Package &package, const std::string &entry, std::span<const int64_t> sizes);

} // namespace kiln
