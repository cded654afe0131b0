// Plain and non-temporal copies: what memory-bound code is measured against.
#include <immintrin.h>
#include <stdint.h>

void copy_plain(float *to, const float *from, int64_t n) {
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) _mm256_storeu_ps(to + i, _mm256_loadu_ps(from + i));
  for (; i < n; ++i) to[i] = from[i];
}

void copy_streaming(float *to, const float *from, int64_t n) {
  int64_t i = 0;
  for (; i < n && ((uintptr_t)(to + i) & 31); ++i) to[i] = from[i];
  for (; i + 8 <= n; i += 8) _mm256_stream_ps(to + i, _mm256_loadu_ps(from + i));
  for (; i < n; ++i) to[i] = from[i];
  _mm_sfence();
}
