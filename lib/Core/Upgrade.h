// How entries of older programs become entries of today: the functions that op records name in `upgrade`.
#pragma once

#include <cstdint>
#include <vector>

namespace kiln {

/// Rewrites the operands and words of an entry of version `from` to those of the op's present version.
using UpgradeFn = void (*)(int from, std::vector<int64_t> &operands, std::vector<int64_t> &words);

} // namespace kiln
