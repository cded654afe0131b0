// Exact remainders of floats with the sign of the dividend, in integers: x = m 2^e, y = n 2^f, and m 2^(e - f) mod n by steps that fit into
// 64 bits. At most 7 steps for float, 187 for double; mostly one.
typedef unsigned int u32;
typedef unsigned long long u64;

#define REMAINDER(name, type, whole, mantissa, step)                                                                                       \
  type name(type x, type y) {                                                                                                              \
    const int width = 8 * sizeof(whole);                                                                                                   \
    const whole hidden = (whole)1 << mantissa, sign = (whole)1 << (width - 1), infinity = sign - hidden;                                   \
    whole bx, by;                                                                                                                          \
    __builtin_memcpy(&bx, &x, sizeof x);                                                                                                   \
    __builtin_memcpy(&by, &y, sizeof y);                                                                                                   \
    whole a = bx & ~sign, b = by & ~sign;                                                                                                  \
    if (a >= infinity || b > infinity || b == 0) return __builtin_nan("");                                                                 \
    if (a < b) return x;                                                                                                                   \
    int e = (int)(a >> mantissa), f = (int)(b >> mantissa);                                                                                \
    u64 m = a & (hidden - 1), n = b & (hidden - 1);                                                                                        \
    if (e) m |= hidden;                                                                                                                    \
    else e = 1;                                                                                                                            \
    if (f) n |= hidden;                                                                                                                    \
    else f = 1;                                                                                                                            \
    u64 r = m % n;                                                                                                                         \
    for (int left = e - f; left > 0 && r;) {                                                                                               \
      int by = left < step ? left : step;                                                                                                  \
      r = (r << by) % n;                                                                                                                   \
      left -= by;                                                                                                                          \
    }                                                                                                                                      \
    whole bits = 0;                                                                                                                        \
    if (r) {                                                                                                                               \
      int up = __builtin_clzll(r) - (63 - mantissa);                                                                                       \
      bits = f > up ? ((whole)(f - up) << mantissa) + (((whole)r << up) - hidden) : (whole)r << (f - 1);                                   \
    }                                                                                                                                      \
    bits |= bx & sign;                                                                                                                     \
    __builtin_memcpy(&x, &bits, sizeof x);                                                                                                 \
    return x;                                                                                                                              \
  }

REMAINDER(kiln_fmod_f32, float, u32, 23, 40)
REMAINDER(kiln_fmod_f64, double, u64, 52, 11)
