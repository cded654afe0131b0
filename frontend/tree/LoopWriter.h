// The program of a loop (Folding.h): what is handed on from trip to trip, the ways through a trip as branches, and what stands around.
#pragma once

#include "frontend/tree/Folding.h"

namespace kiln {

/// By what is handed on to a trip, where the first one finds it; none: it takes no such.
using Handed = std::vector<std::optional<Source>>;

/// Whether a piece does what another one does. `given`, where it is there, gets where it finds what the other one is handed; else they find
/// the same.
bool matches(const Piece &piece, const Piece &of, Handed *given = nullptr);

/// Whether operations may fail on their values, or take as long as they like.
bool hasRisks(const Trace &trace);

/// A piece that ends a trip.
const Piece &headOf(const LoopOf &loop);

/// The piece that runs a loop, whose first trip begins with `first`. None where that is given values of other types.
std::optional<Piece> writeLoop(const std::shared_ptr<const LoopOf> &loop, const Piece &first, const Handed &given);

} // namespace kiln
