// The passes that all targets share, in the order of the pipeline.
include "passes/control/InlineBodies/InlineBodies.td"
include "passes/simplify/Simplify/Simplify.td"
include "passes/fuse/Fuse/Fuse.td"
include "passes/memory/PlanMemory/PlanMemory.td"
