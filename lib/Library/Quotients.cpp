#include "lib/Library/Quotients.h"

#include "lib/Library/Library.h"
#include "lib/Library/Sorting.h"
#include "lib/Library/VectorTargets.h"

#include <bit>
#include <cstring>
#include <type_traits>

#ifndef KILN_RECIPROCAL
#define KILN_RECIPROCAL
namespace kiln {
/// Of numbers that are not negative in W: the upper half of their product with `factor`, shifted.
template <typename W> struct Reciprocal {
  W divisor;
  std::make_unsigned_t<W> factor;
  int shift;

  explicit Reciprocal(W divisor) : divisor(divisor) {
    using Wide = unsigned __int128;
    int bits = std::bit_width(uint64_t(divisor) - 1); // the least with 2^bits >= divisor
    factor = std::make_unsigned_t<W>((Wide(1) << (8 * sizeof(W) - 1 + size_t(bits))) / Wide(divisor) + 1);
    shift = bits - 1;
  }
};
} // namespace kiln
#endif

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

/// The upper half of a product; of 64 bits from the products of halves.
template <typename V> V upperProduct(V x, V y) {
  const hn::DFromV<V> d;
  if constexpr (sizeof(hn::TFromV<V>) == 2) return hn::MulHigh(x, y);
  else if constexpr (sizeof(hn::TFromV<V>) == 4) {
    const hn::RepartitionToWide<decltype(d)> wide;
    auto odd = [&](V v) HWY_ATTR { return hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(wide, v))); };
    return hn::OddEven(hn::BitCast(d, hn::MulEven(odd(x), odd(y))), hn::BitCast(d, hn::ShiftRight<32>(hn::MulEven(x, y))));
  } else {
    const hn::Repartition<uint32_t, decltype(d)> halves;
    auto low = [&](V v) HWY_ATTR { return hn::BitCast(halves, v); };
    auto high = [&](V v) HWY_ATTR { return hn::BitCast(halves, hn::ShiftRight<32>(v)); };
    auto carried = opaque(hn::ShiftRight<32>(hn::MulEven(low(x), low(y))));
    auto middle = hn::Add(hn::MulEven(high(x), low(y)), carried);
    auto other = hn::Add(hn::MulEven(low(x), high(y)), hn::And(middle, hn::Set(d, 0xffffffffu)));
    return hn::Add(hn::MulEven(high(x), high(y)), hn::Add(hn::ShiftRight<32>(middle), hn::ShiftRight<32>(other)));
  }
}

/// As many as fill vectors; how many. Of x below 0 the complement is divided, which is not negative, and rounds the other way.
template <typename T, typename W> int64_t divideByVectors(const T *x, Reciprocal<W> by, bool isRest, int64_t n, T *result) {
  const hn::ScalableTag<W> d;
  const hn::RebindToUnsigned<decltype(d)> u;
  const hn::Rebind<T, decltype(d)> narrow;
  const int64_t lanes = int64_t(hn::Lanes(d));
  const auto factors = hn::Set(u, by.factor);
  const auto divisors = hn::Set(d, by.divisor);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::Vec<decltype(d)> value;
    if constexpr (sizeof(T) == sizeof(W)) value = hn::LoadU(d, x + i);
    else value = hn::PromoteTo(d, hn::LoadU(narrow, x + i));
    auto sign = hn::BroadcastSignBit(value);
    auto part = hn::ShiftRightSame(upperProduct(factors, hn::BitCast(u, hn::Xor(value, sign))), by.shift);
    auto quotient = hn::Xor(hn::BitCast(d, part), sign);
    if (isRest) quotient = hn::Sub(value, hn::Mul(quotient, divisors));
    if constexpr (sizeof(T) == sizeof(W)) hn::StoreU(quotient, d, result + i);
    else hn::StoreU(hn::DemoteTo(narrow, quotient), narrow, result + i);
  }
  return i;
}
#else
template <typename T, typename W> int64_t divideByVectors(const T *, Reciprocal<W>, bool, int64_t, T *) { return 0; }
#endif

template <typename T, typename W> void divide(const T *x, Reciprocal<W> by, bool isRest, int64_t n, T *result) {
  for (int64_t i = divideByVectors(x, by, isRest, n, result); i < n; ++i) {
    W value = W(x[i]), quotient = W(value / by.divisor), rest = W(value % by.divisor);
    if (rest < 0) rest = W(rest + by.divisor), --quotient;
    result[i] = T(isRest ? rest : quotient);
  }
}

} // namespace kiln::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kiln {
namespace {

template <typename T, typename W> struct Division {
  const T *x;
  T *result;
  Reciprocal<W> by;
  bool isRest;

  static void run(void *context, void *, int64_t first, int64_t last) {
    auto [x, result, by, isRest] = *static_cast<Division *>(context);
#if defined(__x86_64__)
    hasWideLanes() ? N_AVX3::divide(x + first, by, isRest, last - first, result + first)
                   : N_AVX2::divide(x + first, by, isRest, last - first, result + first);
#else
    HWY_STATIC_DISPATCH(divide)(x + first, by, isRest, last - first, result + first);
#endif
  }
};

template <typename T, typename W> bool divideOf(bool isRest, const void *x, const void *divisor, int64_t n, void *result) {
  constexpr int64_t kShare = 65536;
  T by;
  std::memcpy(&by, divisor, sizeof by);
  if (by < 2) return false;
  Division<T, W> division{static_cast<const T *>(x), static_cast<T *>(result), Reciprocal<W>(W(by)), isRest};
  if (n < kShare) division.run(&division, nullptr, 0, n);
  else runtimeTable()->parallel_for(division.run, &division, nullptr, 0, n, kShare);
  return true;
}

} // namespace

bool divideByNumber(DType dtype, bool isRest, const void *x, const void *divisor, int64_t n, void *result) {
  switch (dtype) {
  case DType::I8: return divideOf<int8_t, int16_t>(isRest, x, divisor, n, result);
  case DType::U8: return divideOf<uint8_t, int16_t>(isRest, x, divisor, n, result);
  case DType::I16: return divideOf<int16_t, int16_t>(isRest, x, divisor, n, result);
  case DType::U16: return divideOf<uint16_t, int32_t>(isRest, x, divisor, n, result);
  case DType::I32: return divideOf<int32_t, int32_t>(isRest, x, divisor, n, result);
  case DType::I64: return divideOf<int64_t, int64_t>(isRest, x, divisor, n, result);
  default: return false;
  }
}

} // namespace kiln
#endif
