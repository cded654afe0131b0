// Programs for any size. Recording costs little and compiling much, so every new combination of sizes is recorded, and code is
// shared between recordings that differ in sizes and numbers alone: where they differ, the open program has symbols and inputs.
// A recording that is an instance of it runs its code with the values that stand in these places. What Python decided by a size
// is in the recording, so nothing has to be guarded; after G. Plotkin's least general generalization (1970).
#pragma once

#include "lib/Core/Trace.h"

#include <optional>

namespace kiln {

/// What an open program needs to be one of its instances.
struct Instance {
  std::vector<int64_t> symbols; // sizes, by symbol; then the strides of inputs that it leaves open, in order
  std::vector<int64_t> numbers; // the bits of constants that are inputs, in the order of the inputs
};

/// The first words of what keeps two recordings from having one program, for a person.
struct Difference {
  std::string why;
};

/// The axes whose sizes may become symbols: a bit an axis, for each input in order.
using OpenAxes = std::vector<uint32_t>;

/// The most special open program that has both as instances: `a` may be open itself. None where the two differ in more than sizes
/// and numbers, in another axis than the `allowed` ones, or where an op has no code for open sizes; `difference` then says so.
std::optional<Trace> generalize(const Trace &a, const Trace &b, Difference *difference = nullptr, const OpenAxes *allowed = nullptr);

/// By symbol, the least number that it stands for: 2 where it is the size of an array anywhere, as smaller ones broadcast or do nothing; 0
/// where it is a position alone.
std::vector<int64_t> leastOf(const Trace &open);

/// The program of fixed sizes that an open one is for these sizes of its symbols: each op is checked by its rule, as if it were recorded.
/// Throws Error (shape, or that of the rule) where they do not fit. Its numbers stay inputs.
Trace specialize(const Trace &open, std::span<const int64_t> symbols);

/// A body of computed sizes (Op::Sized) for these values of them, which are 2 at least: a program of the symbols that are left.
Trace atSizes(const Trace &body, std::span<const int64_t> sizes);
/// What a program without open sizes says of its symbols: 0 where it computes sizes, or a body of it does, else that it has fixed sizes.
int64_t leastSymbols(const Trace &trace);

/// The least sizes that symbols stand for: 2 where the open program was found from others, as those of smaller ones broadcast, or do
/// nothing; 1 where it was written to be right for that, too, and for any strides in the place of open ones.
enum class Least { Two, One };
/// The values that make `open` the program `recorded`; none where it is no instance.
std::optional<Instance> instantiate(const Trace &open, const Trace &recorded, Least least = Least::Two);

} // namespace kiln
