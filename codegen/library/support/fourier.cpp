// Fourier transforms of libraries: those of lib/Library/Transforms.cpp, which give the same bits, without the library of C++.
#include "routine.h"

#define throw Thrown() =
#include "lib/Library/Fourier.h"
#undef throw

#if __LDBL_MANT_DIG__ == 113
/// What angles take of numbers of 128 bits, which the machine does not have: of positive and normal ones, rounded once.
namespace quad {

using Bits = unsigned __int128;
constexpr int kFraction = 112, kBias = 16383;
constexpr Bits kOne = Bits(1) << kFraction;

inline Bits bitsOf(long double x) { return __builtin_bit_cast(Bits, x); }
inline long double make(int exponent, Bits mantissa) {
  return __builtin_bit_cast(long double, (Bits(exponent) << kFraction) + (mantissa & (kOne - 1)));
}
inline int exponentOf(long double x) { return int(bitsOf(x) >> kFraction); }
inline Bits mantissaOf(long double x) { return (bitsOf(x) & (kOne - 1)) | kOne; }

} // namespace quad

extern "C" {
[[gnu::used]] long double __floatunditf(unsigned long x) {
  int top = 63 - __builtin_clzl(x | 1);
  return x ? quad::make(quad::kBias + top, quad::Bits(x) << (quad::kFraction - top)) : 0;
}
[[gnu::used]] long double __divtf3(long double a, long double b) {
  quad::Bits rest = quad::mantissaOf(a), by = quad::mantissaOf(b), q = 0;
  int exponent = quad::exponentOf(a) - quad::exponentOf(b) + quad::kBias;
  if (rest < by) rest <<= 1, --exponent;
  for (int bit = 0; bit < quad::kFraction + 2; ++bit, rest <<= 1) { // one more than the result has
    q = q << 1 | (rest >= by);
    if (rest >= by) rest -= by;
  }
  quad::Bits mantissa = (q >> 1) + (q & (rest != 0 || q >> 1 & 1));
  return quad::make(exponent + (mantissa >> (quad::kFraction + 1) ? 1 : 0), mantissa);
}
[[gnu::used]] double __trunctfdf2(long double x) {
  constexpr int kDropped = quad::kFraction - 52;
  uint64_t mantissa = uint64_t(quad::mantissaOf(x) >> kDropped);
  quad::Bits rest = quad::mantissaOf(x) & ((quad::Bits(1) << kDropped) - 1), half = quad::Bits(1) << (kDropped - 1);
  mantissa += rest > half || (rest == half && mantissa & 1);
  uint64_t exponent = uint64_t(quad::exponentOf(x) - quad::kBias + 1023);
  return __builtin_bit_cast(double, (exponent << 52) + (mantissa - (uint64_t(1) << 52)));
}
}
#endif

extern "C" {
int32_t kiln_fft(const kiln_tensor *tensors, const int64_t *words) { return run<kiln::fourier::fft>(tensors, words); }
int32_t kiln_rfft(const kiln_tensor *tensors, const int64_t *words) { return run<kiln::fourier::rfft>(tensors, words); }
int32_t kiln_irfft(const kiln_tensor *tensors, const int64_t *words) { return run<kiln::fourier::irfft>(tensors, words); }
}
