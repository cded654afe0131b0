#include "lib/Library/Quotients.h"

#include "lib/Library/Library.h"
#include "lib/Library/Sorting.h"
#include "lib/Library/VectorTargets.h"

#include <bit>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lib/Library/Quotients.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace kiln::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR
/// Hides where a value comes from: LLVM takes what it knows for the upper half of a product apart into scalars.
template <typename V> V opaque(V v) {
#if defined(__x86_64__)
  asm("" : "+x"(v.raw));
#endif
  return v;
}

/// The upper half of a product, from those of halves.
template <typename V> V upperProduct(V x, V y) {
  const hn::DFromV<V> d;
  const hn::Repartition<uint32_t, decltype(d)> halves;
  auto low = [&](V v) HWY_ATTR { return hn::BitCast(halves, v); };
  auto high = [&](V v) HWY_ATTR { return hn::BitCast(halves, hn::ShiftRight<32>(v)); };
  auto carried = opaque(hn::ShiftRight<32>(hn::MulEven(low(x), low(y))));
  auto middle = hn::Add(hn::MulEven(high(x), low(y)), carried);
  auto other = hn::Add(hn::MulEven(low(x), high(y)), hn::And(middle, hn::Set(d, 0xffffffffu)));
  return hn::Add(hn::MulEven(high(x), high(y)), hn::Add(hn::ShiftRight<32>(middle), hn::ShiftRight<32>(other)));
}

/// As many as fill vectors; how many.
int64_t quotientsByVectors(const int64_t *x, uint64_t factor, int shift, int64_t n, int64_t *result) {
  const hn::ScalableTag<uint64_t> d;
  const hn::RebindToSigned<decltype(d)> s;
  const int64_t lanes = int64_t(hn::Lanes(d));
  const auto factors = hn::Set(d, factor);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    auto value = hn::LoadU(s, x + i);
    auto sign = hn::BitCast(d, hn::BroadcastSignBit(value));
    auto quotient = hn::ShiftRightSame(upperProduct(factors, hn::Xor(hn::BitCast(d, value), sign)), shift);
    hn::StoreU(hn::BitCast(s, hn::Xor(quotient, sign)), s, result + i);
  }
  return i;
}
#else
int64_t quotientsByVectors(const int64_t *, uint64_t, int, int64_t, int64_t *) { return 0; }
#endif

/// Of x below 0 the complement is divided, which is not negative, and rounds the other way.
void quotients(const int64_t *x, uint64_t factor, int shift, int64_t n, int64_t *result) {
  for (int64_t i = quotientsByVectors(x, factor, shift, n, result); i < n; ++i) {
    int64_t sign = x[i] >> 63;
    result[i] = sign ^ int64_t(uint64_t((unsigned __int128)(factor)*uint64_t(sign ^ x[i]) >> 64) >> shift);
  }
}

} // namespace kiln::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kiln {
namespace {

struct Quotients {
  const int64_t *x;
  int64_t *result;
  uint64_t factor;
  int shift;

  static void run(void *context, void *, int64_t first, int64_t last) {
    auto [x, result, factor, shift] = *static_cast<Quotients *>(context);
#if defined(__x86_64__)
    hasWideLanes() ? N_AVX3::quotients(x + first, factor, shift, last - first, result + first)
                   : N_AVX2::quotients(x + first, factor, shift, last - first, result + first);
#else
    HWY_STATIC_DISPATCH(quotients)(x + first, factor, shift, last - first, result + first);
#endif
  }
};

} // namespace

void floorDivide(const int64_t *x, int64_t divisor, int64_t n, int64_t *result) {
  constexpr int64_t kShare = 65536;
  int bits = std::bit_width(uint64_t(divisor) - 1); // the least with 2^bits >= divisor
  uint64_t factor = uint64_t(((unsigned __int128)(1) << (63 + bits)) / uint64_t(divisor)) + 1;
  Quotients quotients = {x, result, factor, bits - 1};
  if (n < kShare) Quotients::run(&quotients, nullptr, 0, n);
  else runtimeTable()->parallel_for(Quotients::run, &quotients, nullptr, 0, n, kShare);
}

} // namespace kiln
#endif
