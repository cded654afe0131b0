// One function at many sizes: the programs that it is, and which sizes each is for.
#pragma once

#include "lib/Package/Package.h"

#include <functional>

namespace kiln {

using Sizes = std::vector<int64_t>;

/// A function at some sizes: its program, and what else a variant must have in common.
struct SizeRecording {
  Trace program;
  std::string tag;
};

struct SizeVariant {
  Trace program; // its inputs that are no inputs of the recordings stand last
  std::string tag;
  std::vector<SizeExpression> symbols, numbers; // numbers: of these inputs
  std::vector<Sizes> sizes;                     // that it was checked for, in order
};

/// Records a function at all sizes; `record` gives nothing where the function raises an error. Every variant agrees with the recording at
/// each of its sizes: the program, sizes, and numbers that follow from them. Throws Error (trace) where the function is too many programs.
std::vector<SizeVariant> findVariants(const std::vector<Sizes> &sizes,
                                      const std::function<std::optional<SizeRecording>(const Sizes &)> &record);

/// The fewest boxes that are found for a set of sizes.
std::vector<SizeBox> boxesOf(std::vector<Sizes> sizes);

} // namespace kiln
