// Comes before Highway's headers: what stands between HWY_BEFORE_NAMESPACE and its end is compiled for these targets, of which one is
// chosen while the program runs (hasWideLanes in Sorting.h); of other processors than x86's for the one that all of Kiln is compiled for.
#pragma once

#if defined(__x86_64__)
#define HWY_DISABLED_TARGETS (~(HWY_AVX2 | HWY_AVX3))
#else
#define HWY_COMPILE_ONLY_STATIC
#endif
