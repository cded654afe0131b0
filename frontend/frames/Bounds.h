// Between which numbers an integer of a recording lies, whatever it is in other calls: so that what is computed of it fits its dtype.
#pragma once

#include "frontend/Recorder.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace kiln::py {

struct Bounds {
  double low = -double(kMostInteger), high = double(kMostInteger);
  bool isOpen = true; // these bounds are not those of the program: it may be beyond them by what others have grown to (growth)

  static Bounds between(double low, double high) { return {low, high, false}; }
  static Bounds of(double number) { return between(number, number); }
  /// By which factor it may be beyond what is handed on.
  double growth() const { return std::max(-low, high) / double(kMostInteger); }
  bool fits(DType dtype) const {
    if (dtype == DType::I64) return true;
    if (!isInteger(dtype) || isOpen) return false;
    int bits = 8 * int(byteSize(dtype));
    return info(dtype).isSigned ? low >= -std::ldexp(1, bits - 1) && high <= std::ldexp(1, bits - 1) - 1
                                : low >= 0 && high <= std::ldexp(1, bits) - 1;
  }

  Bounds operator-() const { return {-high, -low, isOpen}; }
  friend Bounds operator+(Bounds a, Bounds b) { return {a.low + b.low, a.high + b.high, a.isOpen || b.isOpen}; }
  friend Bounds operator-(Bounds a, Bounds b) { return a + -b; }
  friend Bounds operator*(Bounds a, Bounds b) {
    double products[] = {a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high};
    return {*std::min_element(products, products + 4), *std::max_element(products, products + 4), a.isOpen || b.isOpen};
  }
  /// Divided by a number above 0, rounded down.
  Bounds over(double number) const { return {std::floor(low / number), std::floor(high / number), isOpen}; }
  Bounds absolute() const { return {low > 0 ? low : high < 0 ? -high : 0, std::max(-low, high), isOpen}; }
  /// Of both: what a choice between them gives.
  friend Bounds either(Bounds a, Bounds b) { return {std::min(a.low, b.low), std::max(a.high, b.high), a.isOpen || b.isOpen}; }
  /// All numbers of as many bits: what bitwise operations on both give.
  friend Bounds sameBits(Bounds a, Bounds b) {
    Bounds all = either(a, b);
    double end = std::exp2(std::ceil(std::log2(std::max({-all.low, all.high + 1, 1.0}))));
    return {all.low < 0 ? -end : 0, end - 1, all.isOpen};
  }
};

} // namespace kiln::py
