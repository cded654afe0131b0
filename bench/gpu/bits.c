// Checksums of float32 results that do not depend on order; one for each run of 2^20 values. Nan counts as one value.
#include <stdint.h>

static uint64_t mix(uint64_t x) {
  x ^= x >> 31;
  x *= 0x9e3779b97f4a7c15u;
  x ^= x >> 29;
  x *= 0xbf58476d1ce4e5b9u;
  return x ^ x >> 32;
}

void checksums(const uint32_t *values, uint64_t count, uint64_t first, uint64_t *sums) {
  for (uint64_t run = 0; run < count >> 20; ++run) {
    uint64_t sum = 0;
    for (uint64_t i = run << 20; i < (run + 1) << 20; ++i) {
      uint32_t v = (values[i] & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : values[i];
      sum += mix((first + i) << 32 | v);
    }
    sums[run] = sum;
  }
}
