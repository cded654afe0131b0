// The order of sorts, which targets share.
#pragma once

#include "codegen/cpu/Emit.h"

namespace kiln::cpu {

/// A number as unsigned bits of the same order; nan is the largest, also of a descending order.
Expr sortKey(Expr x, bool descending);

} // namespace kiln::cpu
