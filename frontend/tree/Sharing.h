// Which code a recording runs: of its own, or for any size, shared with other recordings of the function that differ in sizes and numbers
// alone (lib/Core/Generalize.h).
#pragma once

#include "frontend/tree/Tree.h"

#include <functional>

namespace kiln {

/// When code is made for any size.
enum class Dynamic : uint8_t { WhereSizesVary, Never, Everywhere, Declared };

class Sharing {
public:
  /// A recording of the same call at other sizes; none where there is none, and `why`.
  using Probe = std::function<std::optional<Trace>(std::string &why)>;

  /// Chooses the code of a recorded segment: that of an earlier recording that it is an instance of, of a new program that has both as
  /// instances, or its own. Nothing is compiled. `allowed`: the axes declared open, by
  /// input. Throws Error (trace) where a declaration does not hold.
  void choose(Dynamic dynamic, const OpenAxes &allowed, Segment &segment, std::span<Segment *const> earlier, const Probe &probe);

private:
  std::vector<std::shared_ptr<Code>> open; // programs for any size

  bool share(Segment &segment, const std::shared_ptr<Code> &program) const;
  bool widen(const OpenAxes *allowed, Segment &segment, const Trace &with, Segment *other);
  bool joinEarlier(const OpenAxes *allowed, Segment &segment, std::span<Segment *const> earlier);
};

/// The code of this content: one in the process.
std::shared_ptr<Code> codeOf(const Trace &trace, Accelerator *on = nullptr);

/// Sizes for a second recording that shows what follows from which size: multiples, as programs divide sizes.
class ProbeSizes {
public:
  /// Another size for an axis of `size`; axes of one name, or without names of one size, get one.
  int64_t of(const std::string &name, int64_t size, int64_t low, int64_t high);

private:
  struct Known {
    std::string name;
    int64_t size, probe;
  };
  std::vector<Known> known;
};

} // namespace kiln
