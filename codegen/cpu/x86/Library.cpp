// What libraries of C functions for x86-64 are made of.
#include "codegen/cpu/InstructionSet.h"

namespace kiln::cpu {

/// Registers of cpuid: ecx of leaf 1; ebx, ecx, edx of leaf 7; eax of leaf 7.1; ecx of leaf 0x80000001. Then those that the system keeps.
/// After Intel's manual, volumes 1 and 2A.
static constexpr FeatureBit kBits[] = {{"sse3", 0, 0},
                                       {"pclmul", 0, 1},
                                       {"ssse3", 0, 9},
                                       {"fma", 0, 12},
                                       {"cx16", 0, 13},
                                       {"sse4.1", 0, 19},
                                       {"sse4.2", 0, 20},
                                       {"movbe", 0, 22},
                                       {"popcnt", 0, 23},
                                       {"aes", 0, 25},
                                       {"avx", 0, 28},
                                       {"f16c", 0, 29},
                                       {"bmi", 1, 3},
                                       {"avx2", 1, 5},
                                       {"bmi2", 1, 8},
                                       {"avx512f", 1, 16},
                                       {"avx512dq", 1, 17},
                                       {"adx", 1, 19},
                                       {"avx512ifma", 1, 21},
                                       {"avx512cd", 1, 28},
                                       {"sha", 1, 29},
                                       {"avx512bw", 1, 30},
                                       {"avx512vl", 1, 31},
                                       {"avx512vbmi", 2, 1},
                                       {"avx512vbmi2", 2, 6},
                                       {"gfni", 2, 8},
                                       {"vaes", 2, 9},
                                       {"vpclmulqdq", 2, 10},
                                       {"avx512vnni", 2, 11},
                                       {"avx512bitalg", 2, 12},
                                       {"avx512vpopcntdq", 2, 14},
                                       {"avx512fp16", 3, 23},
                                       {"avxvnni", 4, 4},
                                       {"avx512bf16", 4, 5},
                                       {"lzcnt", 5, 5},
                                       {"sse4a", 5, 6},
                                       {"xop", 5, 11},
                                       {"fma4", 5, 16},
                                       {"tbm", 5, 21},
                                       {"avx", 7, 1},
                                       {"avx", 7, 2},
                                       {"avx512f", 7, 5},
                                       {"avx512f", 7, 6},
                                       {"avx512f", 7, 7}};

static constexpr unsigned char kSupport[] = {
#include "kiln/Support.x86_64-linux-gnu.inc"
};
static constexpr unsigned char kDevice[] = {
#include "kiln/Support.x86_64-linux-gnu-device.inc"
};
static constexpr unsigned char kFourier[] = {
#include "kiln/Fourier.x86_64-linux-gnu.inc"
};
static constexpr unsigned char kDecompositions[] = {
#include "kiln/Decompositions.x86_64-linux-gnu.inc"
};

const LibraryParts kX86Library = {.triples = "x86_64-linux-gnu",
                                  .cpu = "x86-64-v3",
                                  .least = "x86-64",
                                  .features = "",
                                  .bits = kBits,
                                  .support = kSupport,
                                  .fourier = kFourier,
                                  .decompositions = kDecompositions,
                                  .device = kDevice};

} // namespace kiln::cpu
