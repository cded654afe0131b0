// Where the ways through a trip of a loop come together again.
#pragma once

#include "frontend/tree/Folding.h"

namespace kiln {

/// What ways do up to a moment that they have in common, and from there on.
struct Joint {
  LoopOf::Ways until;                // its ends ask at the moment
  LoopOf::Ways behind;               // what is next there; its own piece is none
  std::vector<TensorType> liveTypes; // there
  std::vector<int32_t> passed;       // by what is handed on there: what all ways were handed as, in its place; -1: they make it
};

/// The first moment that all ways from a question on come to before they end, where their answers are known up to there, and they go on
/// alike from it. None: there is none.
std::optional<Joint> jointOf(const LoopOf::Ways &node);

/// What pieces hand on, as what the first of them is given; -1 for what they make.
int32_t through(std::span<const Piece> pieces, int32_t number);

} // namespace kiln
