// All records of the kiln dialect.
include "dialects/kiln/ops/Arithmetic.td"
include "dialects/kiln/ops/Comparison.td"
include "dialects/kiln/ops/Math.td"
include "dialects/kiln/ops/Special.td"
include "dialects/kiln/ops/Shape.td"
include "dialects/kiln/ops/Sequence.td"
include "dialects/kiln/ops/Reduction.td"
include "dialects/kiln/Kernel.td"
