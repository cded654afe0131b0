// Loops over the float32 functions of libm (one element at a time), libmvec and SLEEF (eight lanes): what `make accuracy` compares with.
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#ifdef KILN_SLEEF
#include <sleef.h>
#endif

#define FUNCTIONS(X)                                                                                                                       \
  X(exp) X(exp2) X(expm1) X(log) X(log2) X(log10) X(log1p) X(sin) X(cos) X(tan) X(asin) X(acos) X(atan) X(sinh) X(cosh) X(tanh) X(asinh) \
  X(acosh) X(atanh) X(erf) X(erfc)

#define SCALAR(fn)                                                                                                                          \
  void libm_##fn(float *to, const float *from, int64_t n) {                                                                                 \
    for (int64_t i = 0; i < n; ++i) to[i] = fn##f(from[i]);                                                                                 \
  }
#define LIBMVEC(fn)                                                                                                                         \
  __m256 _ZGVdN8v_##fn##f(__m256);                                                                                                          \
  void libmvec_##fn(float *to, const float *from, int64_t n) {                                                                              \
    for (int64_t i = 0; i < n; i += 8) _mm256_storeu_ps(to + i, _ZGVdN8v_##fn##f(_mm256_loadu_ps(from + i)));                               \
  }
#define SLEEF(fn)                                                                                                                           \
  void sleef_##fn(float *to, const float *from, int64_t n) {                                                                                \
    for (int64_t i = 0; i < n; i += 8) _mm256_storeu_ps(to + i, SLEEF_NAME(fn)(_mm256_loadu_ps(from + i)));                                 \
  }
#define Sleef_erfcf8_u10avx2 Sleef_erfcf8_u15avx2
#define SLEEF_NAME(fn) Sleef_##fn##f8_u10avx2

FUNCTIONS(SCALAR)
FUNCTIONS(LIBMVEC)
#ifdef KILN_SLEEF
FUNCTIONS(SLEEF)
#endif
