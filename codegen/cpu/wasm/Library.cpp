// What libraries of C functions for WebAssembly are made of.
#include "codegen/cpu/InstructionSet.h"

namespace kiln::cpu {

static constexpr unsigned char kSupport[] = {
#include "kiln/Support.wasm32.inc"
};
static constexpr unsigned char kWhole[] = {
#include "kiln/Support.wasm32-module.inc"
};

// An engine that lacks a feature does not load the module: there are no bits to look at.
const LibraryParts kWasmLibrary = {.triples = "wasm32-wasi",
                                   .cpu = "generic",
                                   .least = "generic",
                                   .features = "+simd128,+bulk-memory,+bulk-memory-opt,+sign-ext,+nontrapping-fptoint",
                                   .bits = {},
                                   .support = kSupport,
                                   .whole = kWhole};

} // namespace kiln::cpu
