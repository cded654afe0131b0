// What libraries of C functions for microcontrollers are made of.
#include "codegen/cpu/InstructionSet.h"

namespace kiln::cpu {

static constexpr unsigned char kSupport[] = {
#include "kiln/Support.thumb.inc"
};

const LibraryParts kArmLibrary = {
    .triples = "thumbv7em-none-eabi", .cpu = "cortex-m4", .least = "cortex-m4", .features = "", .bits = {}, .support = kSupport};

} // namespace kiln::cpu
