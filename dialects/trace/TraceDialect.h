// The trace dialect in C++.
#pragma once

#include "dialects/kiln/KilnDialect.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

#include "kiln/TraceDialect.h.inc"
#define GET_OP_CLASSES
#include "kiln/TraceOps.h.inc"
