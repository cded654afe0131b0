/* Functions of libm whose results are defined exactly, for machines whose processors have no instruction for them and that may have no
   libm: under its names, and weak, as a libm in the program gives the same bits. Conversions to integers and integer arithmetic alone; nans
   keep no payload. */
#include <stdint.h>

#define SHARED __attribute__((weak))

typedef struct Parts { /* m * 2^e, m of 53 bits */
  uint64_t m;
  int e, sign;
} Parts;

enum { kBias = 1023, kFractionBits = 52, kMostExponent = 0x7ff };
static const uint64_t kFraction = ((uint64_t)1 << kFractionBits) - 1;

static uint64_t bits_of(double x) {
  uint64_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}
static double double_of(uint64_t bits) {
  double x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}
static int is_finite(double x) { return (bits_of(x) >> kFractionBits & kMostExponent) != kMostExponent; }
static int is_zero(double x) { return !(bits_of(x) << 1); }

/* Of a finite number that is not zero. */
static Parts parts_of(double x) {
  uint64_t bits = bits_of(x);
  Parts p = {bits & kFraction, (int)(bits >> kFractionBits & kMostExponent), (int)(bits >> 63)};
  if (p.e) p.m |= kFraction + 1;
  else {
    int shift = __builtin_clzll(p.m) - 11;
    p.m <<= shift;
    p.e = 1 - shift;
  }
  p.e -= kBias + kFractionBits;
  return p;
}

/* m * 2^e rounded to nearest, ties to even; m is of 63 bits, its last one 1 where bits below it were lost. */
static double rounded(uint64_t m, int e, int sign) {
  int exponent = e + 62 + kBias, shift = 10;
  if (exponent <= 0) shift += 1 - exponent, exponent = 1;
  if (exponent >= kMostExponent) return double_of((uint64_t)sign << 63 | (uint64_t)kMostExponent << kFractionBits);
  if (shift > 63) m = m != 0, shift = 2; /* below half of the least number */
  uint64_t kept = m >> shift, rest = m & (((uint64_t)1 << shift) - 1), middle = (uint64_t)1 << (shift - 1);
  kept += rest > middle || (rest == middle && kept & 1);
  return double_of(((uint64_t)sign << 63) | (((uint64_t)(exponent - 1) << kFractionBits) + kept));
}

typedef struct Wide {
  uint64_t high, low;
} Wide;

static Wide product(uint64_t x, uint64_t y) {
  uint64_t x0 = (uint32_t)x, x1 = x >> 32, y0 = (uint32_t)y, y1 = y >> 32;
  uint64_t low = x0 * y0, a = x0 * y1, b = x1 * y0, middle = (low >> 32) + (uint32_t)a + (uint32_t)b;
  return (Wide){x1 * y1 + (a >> 32) + (b >> 32) + (middle >> 32), middle << 32 | (uint32_t)low};
}

#ifdef __wasm__ /* which LLVM calls for products that may overflow 64 bits */
SHARED __int128 __multi3(__int128 x, __int128 y) {
  uint64_t x1 = (uint64_t)(x >> 64), y1 = (uint64_t)(y >> 64);
  Wide p = product((uint64_t)x, (uint64_t)y);
  p.high += x1 * (uint64_t)y + (uint64_t)x * y1;
  return (__int128)((unsigned __int128)p.high << 64 | p.low);
}
#endif

/* What is shifted out stays in the last bit. */
static Wide shifted_right(Wide x, int by) {
  if (by == 0) return x;
  if (by >= 128) return (Wide){0, (x.high | x.low) != 0};
  if (by >= 64) return (Wide){0, (by == 64 ? x.high : x.high >> (by - 64)) | ((by > 64 && x.high << (128 - by)) || x.low)};
  return (Wide){x.high >> by, x.high << (64 - by) | x.low >> by | (x.low << (64 - by) != 0)};
}
static Wide shifted_left(Wide x, int by) {
  if (by == 0) return x;
  if (by >= 64) return (Wide){x.low << (by - 64), 0};
  return (Wide){x.high << by | x.low >> (64 - by), x.low << by};
}
static int is_less(Wide a, Wide b) { return a.high < b.high || (a.high == b.high && a.low < b.low); }
static Wide sum(Wide a, Wide b) {
  Wide r = {a.high + b.high, a.low + b.low};
  r.high += r.low < a.low;
  return r;
}
static Wide difference(Wide a, Wide b) { return (Wide){a.high - b.high - (a.low < b.low), a.low - b.low}; }

SHARED double fma(double x, double y, double z) {
  if (!is_finite(x) || !is_finite(y) || is_zero(x) || is_zero(y)) return x * y + z;
  if (!is_finite(z)) return z + z;
  if (is_zero(z)) { /* one rounding; where it underflows to nothing, the sign is that of the product */
    double p = x * y;
    return is_zero(p) ? p : p + z;
  }
  Parts a = parts_of(x), b = parts_of(y), c = parts_of(z);
  /* Both as 128 bits with two to spare above and room below: the product from bit 20 on, of 105 or 106 bits. */
  enum { kRoom = 20 };
  int sign = a.sign ^ b.sign, e = a.e + b.e - kRoom;
  Wide p = shifted_left(product(a.m, b.m), kRoom), q = {c.m << 9, 0}; /* bits up to 125 */
  int d = c.e - 73 - e;                                               /* q is at 2^(c.e - 73) */
  if (d > 0) p = shifted_right(p, d), e += d;
  else q = shifted_right(q, -d);
  if (c.sign == sign) p = sum(p, q);
  else if (is_less(p, q)) p = difference(q, p), sign = c.sign;
  else p = difference(p, q);
  if (!(p.high | p.low)) return 0;
  int shift = p.high ? __builtin_clzll(p.high) : 64 + __builtin_clzll(p.low);
  p = shift ? shifted_left(p, shift - 1) : shifted_right(p, 1);
  return rounded(p.high | (p.low != 0), e + 64 - (shift - 1), sign);
}

/* The sum of the exact product in double is rounded to odd: then the second rounding is that of the exact sum (Boldo and Melquiond, 2008).
 */
SHARED float fmaf(float x, float y, float z) {
  double p = (double)x * y, s = p + z, other = s - p, lost = (p - (s - other)) + (z - other);
  uint64_t bits = bits_of(s);
  if (lost != 0 && is_finite(s) && !(bits & 1)) s = double_of(bits + ((lost > 0) == (s > 0) ? 1 : -(uint64_t)1));
  return (float)s;
}

SHARED double fmod(double x, double y) {
  if (!is_finite(x) || is_zero(y) || y != y) return (x * y) / (x * y);
  if (!is_finite(y) || is_zero(x)) return x;
  Parts a = parts_of(x), b = parts_of(y);
  if (a.e < b.e || (a.e == b.e && a.m < b.m)) return x;
  uint64_t m = a.m % b.m;
  for (int left = a.e - b.e; left > 0 && m;) { /* eleven bits at once */
    int step = left < 11 ? left : 11;
    m = (m << step) % b.m;
    left -= step;
  }
  if (!m) return double_of((uint64_t)a.sign << 63);
  int shift = __builtin_clzll(m) - 1;
  return rounded(m << shift, b.e - shift, a.sign);
}
SHARED float fmodf(float x, float y) { return (float)fmod(x, y); }

#ifdef KILN_BARE
/* Bits below the point, of a finite number whose size is below 2^52; `up` says where to. */
static double integral(double x, int up) {
  int exponent = (int)(bits_of(x) >> kFractionBits & kMostExponent) - kBias;
  if (exponent >= kFractionBits) return x;
  uint64_t bits = bits_of(x), sign = bits & (uint64_t)1 << 63;
  if (exponent < 0) return is_zero(x) || !up ? double_of(sign) : double_of(sign | bits_of(1));
  uint64_t below = kFraction >> exponent;
  if (!(bits & below)) return x;
  return double_of((bits & ~below) + (up ? below + 1 : 0));
}
SHARED double trunc(double x) { return integral(x, 0); }
SHARED double floor(double x) { return integral(x, x < 0); }
SHARED double ceil(double x) { return integral(x, x > 0); }
SHARED double roundeven(double x) {
  double whole = integral(x, 0), rest = x - whole, size = rest < 0 ? -rest : rest;
  int is_odd = whole != 0 && integral(whole / 2, 0) * 2 != whole;
  return x != x || !is_finite(x) ? x : size > 0.5 || (size == 0.5 && is_odd) ? integral(x, 1) : whole;
}
SHARED float truncf(float x) { return (float)trunc(x); }
SHARED float floorf(float x) { return (float)floor(x); }
SHARED float ceilf(float x) { return (float)ceil(x); }
SHARED float roundevenf(float x) { return (float)roundeven(x); }
SHARED double rint(double x) { return roundeven(x); }
SHARED float rintf(float x) { return (float)roundeven(x); }

/* Nan where one is; 0 is above -0. */
SHARED double fmaximum(double x, double y) { return x != x ? x : y != y ? y : x == y ? (bits_of(x) >> 63 ? y : x) : x < y ? y : x; }
SHARED double fminimum(double x, double y) { return x != x ? x : y != y ? y : x == y ? (bits_of(x) >> 63 ? x : y) : x < y ? x : y; }
SHARED float fmaximumf(float x, float y) { return (float)fmaximum(x, y); }
SHARED float fminimumf(float x, float y) { return (float)fminimum(x, y); }

/* Bit by bit. */
SHARED double sqrt(double x) {
  if (is_zero(x) || x != x || (!is_finite(x) && x > 0)) return x;
  if (x < 0) return (x - x) / (x - x);
  Parts p = parts_of(x);
  if (p.e & 1) p.m <<= 1, --p.e;
  Wide rest = shifted_left((Wide){0, p.m}, 64), root = {0, 0};
  for (int i = 60; i >= 0; --i) { /* the root of m * 2^64 has up to 59 bits */
    Wide bit = shifted_left((Wide){0, 1}, 2 * i), tried = sum(root, bit);
    root = shifted_right(root, 1);
    if (!is_less(rest, tried)) rest = difference(rest, tried), root = sum(root, bit);
  }
  int shift = __builtin_clzll(root.low) - 1;
  return rounded(root.low << shift | ((rest.high | rest.low) != 0), p.e / 2 - 32 - shift, 0);
}
SHARED float sqrtf(float x) { return (float)sqrt(x); } /* a root of 24 bits is not near the middle of two floats */
#endif
