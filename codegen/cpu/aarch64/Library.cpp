// What libraries of C functions for AArch64 are made of.
#include "codegen/cpu/InstructionSet.h"

namespace kiln::cpu {

/// What Linux says in AT_HWCAP and AT_HWCAP2 (asm/hwcap.h).
static constexpr FeatureBit kBits[] = {{"aes", 0, 3},       {"sha2", 0, 6},  {"crc", 0, 7},      {"lse", 0, 8},
                                       {"fullfp16", 0, 10}, {"rdm", 0, 12},  {"jsconv", 0, 13},  {"complxnum", 0, 14},
                                       {"rcpc", 0, 15},     {"sha3", 0, 17}, {"dotprod", 0, 20}, {"sve", 0, 22},
                                       {"fp16fml", 0, 23},  {"sve2", 1, 1},  {"i8mm", 1, 13},    {"bf16", 1, 14}};

static constexpr unsigned char kSupport[] = {
#include "kiln/Support.aarch64-linux-gnu.inc"
};
static constexpr unsigned char kAndroid[] = {
#include "kiln/Support.aarch64-linux-android.inc"
};
static constexpr unsigned char kDevice[] = {
#include "kiln/Support.aarch64-linux-gnu-device.inc"
};
static constexpr unsigned char kFourier[] = {
#include "kiln/Fourier.aarch64-linux-gnu.inc"
};
static constexpr unsigned char kDecompositions[] = {
#include "kiln/Decompositions.aarch64-linux-gnu.inc"
};

const LibraryParts kAArch64Library = {.triples = "aarch64-linux-gnu, aarch64-linux-android",
                                      .cpu = "generic",
                                      .least = "generic",
                                      .features = "",
                                      .bits = kBits,
                                      .support = kSupport,
                                      .android = kAndroid,
                                      .fourier = kFourier,
                                      .decompositions = kDecompositions,
                                      .device = kDevice};

} // namespace kiln::cpu
