// What libraries of C functions for RISC-V are made of.
#include "codegen/cpu/InstructionSet.h"

namespace kiln::cpu {

/// What Linux says in AT_HWCAP: a bit a letter.
static constexpr FeatureBit kBits[] = {{"m", 0, 12}, {"a", 0, 0}, {"f", 0, 5}, {"d", 0, 3}, {"c", 0, 2}, {"v", 0, 21}};

static constexpr unsigned char kSupport[] = {
#include "kiln/Support.riscv64-linux-gnu.inc"
};
static constexpr unsigned char kFourier[] = {
#include "kiln/Fourier.riscv64-linux-gnu.inc"
};
static constexpr unsigned char kDecompositions[] = {
#include "kiln/Decompositions.riscv64-linux-gnu.inc"
};

const LibraryParts kRiscVLibrary = {.triples = "riscv64-linux-gnu",
                                    .cpu = "generic-rv64",
                                    .least = "generic-rv64",
                                    .features = "+m,+a,+f,+d,+c",
                                    .bits = kBits,
                                    .support = kSupport,
                                    .fourier = kFourier,
                                    .decompositions = kDecompositions};

} // namespace kiln::cpu
