#include "test/targets/simulator/Warp.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace simulator {

void shuffleLanes(std::span<Thread> warp) {
  int32_t values[kWarp];
  for (int64_t i = 0; i < kWarp; ++i) {
    enum { Xor, Down, Up, Index }; // as the dialect numbers them
    Thread &t = warp[size_t(i)];
    int64_t from = t.mode == Xor ? i ^ t.by : t.mode == Up ? i - t.by : t.mode == Down ? i + t.by : t.by;
    values[i] = warp[size_t(from < 0 || from >= kWarp ? i : from)].value;
  }
  for (int64_t i = 0; i < kWarp; ++i) warp[size_t(i)].value = values[i];
}

void loadMatrices(std::span<Thread> warp) {
  for (size_t lane = 0; lane < warp.size(); ++lane)
    for (size_t square = 0; square < 4; ++square) {
      uint16_t pair[2];
      for (size_t i = 0; i < 2; ++i) {
        size_t far = lane / 4, near = lane % 4 * 2 + i;
        if (warp[lane].mode) std::swap(far, near);
        std::memcpy(&pair[i], warp[8 * square + far].address + 2 * near, sizeof pair[i]);
      }
      std::memcpy(&warp[lane].words[square], pair, sizeof pair);
    }
}

static float floatOf(uint16_t bits, bool isHalf) {
  if (!isHalf) return std::bit_cast<float>(uint32_t(bits) << 16);
  int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  float size =
      exponent == 31 ? (mantissa ? NAN : INFINITY) : std::ldexp(float(exponent ? mantissa | 1024 : mantissa), std::max(exponent, 1) - 25);
  return bits >> 15 ? -size : size;
}

void multiplyMatrices(std::span<Thread> warp) {
  float x[16][16], y[16][8], sums[16][8];
  auto element = [&](const Thread &t, size_t word, size_t i) { return floatOf(uint16_t(uint32_t(t.words[word]) >> 16 * i), t.mode != 0); };
  for (size_t lane = 0; lane < warp.size(); ++lane)
    for (size_t i = 0; i < 2; ++i) {
      size_t far = lane / 4, near = lane % 4 * 2 + i;
      for (size_t part = 0; part < 4; ++part) x[far + part % 2 * 8][near + part / 2 * 8] = element(warp[lane], part, i);
      for (size_t part = 0; part < 2; ++part) y[near + part * 8][far] = element(warp[lane], 4 + part, i);
      for (size_t part = 0; part < 2; ++part) sums[far + part * 8][near] = std::bit_cast<float>(warp[lane].words[6 + 2 * part + i]);
    }
  for (size_t step = 0; step < 16; ++step)
    for (size_t i = 0; i < 16; ++i)
      for (size_t j = 0; j < 8; ++j) sums[i][j] = std::fma(x[i][step], y[step][j], sums[i][j]);
  for (size_t lane = 0; lane < warp.size(); ++lane)
    for (size_t part = 0; part < 4; ++part)
      warp[lane].words[part] = std::bit_cast<int32_t>(sums[lane / 4 + part / 2 * 8][lane % 4 * 2 + part % 2]);
}

const char *GroupMatrix::at(int64_t line, int64_t step) const {
  constexpr uint64_t kPlaces = 0x3FFFF;
  auto field = [&](int from) { return int64_t(descriptor >> from & 0x3FFF) << 4; };
  int64_t row = isAcross ? step : line, near = isAcross ? line : step;
  uint64_t place = uint64_t(field(0) + (isAcross ? near / 64 * field(16) : 0) + row / 8 * field(32) + row % 8 * 128 + near % 64 * 2);
  place ^= (place >> 7 & 7) << 4;
  return memory + ((place - uintptr_t(memory)) & kPlaces);
}

void multiplyGroup(std::span<float *> sums, int64_t columns, const GroupMatrix &x, const GroupMatrix &y, bool isHalf) {
  constexpr int64_t kSteps = 16;
  auto element = [&](const GroupMatrix &matrix, int64_t line, int64_t step) {
    uint16_t bits;
    std::memcpy(&bits, matrix.at(line, step), sizeof bits);
    return floatOf(bits, isHalf);
  };
  std::vector<float> right(size_t(columns * kSteps));
  for (int64_t j = 0; j < columns; ++j)
    for (int64_t step = 0; step < kSteps; ++step) right[size_t(j * kSteps + step)] = element(y, j, step);
  for (int64_t row = 0; row < 64; ++row) {
    float left[kSteps];
    for (int64_t step = 0; step < kSteps; ++step) left[step] = element(x, row, step);
    for (int64_t j = 0; j < columns; ++j) {
      // A warp has 16 rows; a lane pairs of columns, of two rows eight apart.
      int64_t thread = row / 16 * kWarp + row % 8 * 4 + j % 8 / 2;
      float &sum = sums[size_t(thread)][j / 8 * 4 + row % 16 / 8 * 2 + j % 2];
      for (int64_t step = 0; step < kSteps; ++step) sum = std::fma(left[step], right[size_t(j * kSteps + step)], sum);
    }
  }
}

} // namespace simulator
