// Tiles of products as functions that several products call.
#pragma once

#include "codegen/cpu/Emit.h"
#include "codegen/cpu/Schedule.h"

namespace kiln::cpu {

/// Where a tile lies; distances in elements.
struct TileOperands {
  Value a;
  Index aRow, aStep;
  Value b;
  Index bStep, depth;
  Value c;
  Index cRow, before; // steps whose sums the result holds already
};

/// Calls the function of a form, and emits it into the module where it is not there yet.
void callTile(Emitter &e, const TileForm &form, const TileOperands &tile);

} // namespace kiln::cpu
