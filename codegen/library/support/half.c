/* Conversions of float16 for processors that have none, under the names by which LLVM calls them; rounded to nearest, ties to even. */
#include <stdint.h>

#define SHARED __attribute__((weak)) /* another library in the program may have them too */

#if defined(__wasm__) /* as integers */
typedef uint32_t Half;
#define kExtend __extendhfsf2
#define kShorten __truncsfhf2
#elif defined(__arm__)
typedef uint16_t Half;
#define kExtend __aeabi_h2f
#define kShorten __aeabi_f2h
#else
typedef _Float16 Half;
#define kExtend __extendhfsf2
#define kShorten __truncsfhf2
#endif

enum { kSign = 0x8000, kInfinity = 0x7c00, kFraction = 0x3ff, kQuiet = 0x200, kBiasGap = 112 };

static float float_of(uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

SHARED float kExtend(Half given) {
  uint16_t half;
  __builtin_memcpy(&half, &given, sizeof half); /* of little-endian machines */
  uint32_t sign = (uint32_t)(half & kSign) << 16, exponent = half >> 10 & 31, fraction = half & kFraction;
  if (exponent == 31) return float_of(sign | 0x7f800000 | fraction << 13 | (fraction ? kQuiet << 13 : 0));
  if (exponent == 0) { /* subnormal: a multiple of 2^-24 */
    float magnitude = (float)fraction * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  return float_of(sign | (exponent + kBiasGap) << 23 | fraction << 13);
}

/* Without its lowest `shift` bits, rounded. */
static uint32_t shortened(uint32_t bits, uint32_t shift) {
  uint32_t kept = bits >> shift, rest = bits & ((1u << shift) - 1), middle = 1u << (shift - 1);
  return kept + (rest > middle || (rest == middle && kept & 1));
}

static uint32_t half_of(uint32_t magnitude) {
  if (magnitude > 0x7f800000) return kInfinity | kQuiet | (magnitude >> 13 & kFraction);
  if (magnitude >= 0x477ff000) return kInfinity;                                   /* 65520 and above */
  if (magnitude < 0x33000000) return 0;                                            /* below 2^-25 */
  if (magnitude >= 0x38800000) return shortened(magnitude - (kBiasGap << 23), 13); /* from 2^-14 */
  return shortened((magnitude & 0x7fffff) | 0x800000, 126 - (magnitude >> 23));
}

SHARED Half kShorten(float given) {
  uint32_t bits;
  __builtin_memcpy(&bits, &given, sizeof bits);
  uint16_t half = (uint16_t)((bits >> 16 & kSign) | half_of(bits & 0x7fffffff));
  Half result = 0;
  __builtin_memcpy(&result, &half, sizeof result);
  return result;
}
