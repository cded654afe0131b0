#include "lib/Package/FitSizes.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace kiln {
namespace {

using Step = SizeExpression::Step;
using Points = std::span<const std::vector<int64_t>>;
using Values = std::span<const int64_t>;

constexpr int64_t kMostDivisor = 64, kTriangles = 2; // n * (n + 1) // 2; greater ones would fit whatever there is
constexpr size_t kMostSamples = 512;                 // that factors are estimated from; all are compared

bool agrees(const SizeExpression &expression, Points points, Values values) {
  for (size_t i = 0; i < points.size(); ++i)
    if (evaluate(expression, points[i]) != values[i]) return false;
  return true;
}

/// What a linear form is linear in: sizes and products of two.
struct Features {
  std::vector<SizeExpression> expressions;
  std::vector<std::vector<long double>> columns; // by feature, at the samples

  void add(const SizeExpression &expression, Points samples) {
    expressions.push_back(expression);
    columns.emplace_back();
    for (const auto &sample : samples) columns.back().push_back(static_cast<long double>(evaluate(expression, sample).value_or(0)));
  }
};

/// Factors and a constant that come nearest to the values (least squares, by the normal equations); none where the samples do not tell.
std::optional<std::vector<long double>> estimate(const Features &features, Values values) {
  size_t n = features.columns.size() + 1, rows = values.size();
  auto at = [&](size_t column, size_t row) { return column + 1 == n ? 1.0L : features.columns[column][row]; };
  std::vector<std::vector<long double>> m(n, std::vector<long double>(n + 1));
  for (size_t row = 0; row < rows; ++row)
    for (size_t i = 0; i < n; ++i) {
      for (size_t k = 0; k < n; ++k) m[i][k] += at(i, row) * at(k, row);
      m[i][n] += at(i, row) * static_cast<long double>(values[row]);
    }
  for (size_t i = 0; i < n; ++i) { // Gauss and Jordan, with the greatest pivot
    size_t pivot = i;
    for (size_t k = i + 1; k < n; ++k)
      if (std::fabs(m[k][i]) > std::fabs(m[pivot][i])) pivot = k;
    std::swap(m[i], m[pivot]);
    if (std::fabs(m[i][i]) < 1e-9L) return std::nullopt;
    for (size_t k = 0; k < n; ++k) {
      if (k == i) continue;
      long double factor = m[k][i] / m[i][i];
      for (size_t c = i; c <= n; ++c) m[k][c] -= factor * m[i][c];
    }
  }
  std::vector<long double> factors;
  for (size_t i = 0; i < n; ++i) factors.push_back(m[i][n] / m[i][i]);
  return factors;
}

/// factors * features + constant, rounded down after a division.
SizeExpression linear(const Features &features, std::span<const int64_t> factors, int64_t constant, int64_t divisor) {
  std::optional<SizeExpression> sum;
  auto add = [&](const SizeExpression &term) { sum = sum ? SizeExpression::of(*sum, Step::Add, term) : term; };
  for (size_t i = 0; i < factors.size(); ++i)
    if (factors[i] == 1) add(features.expressions[i]);
    else if (factors[i]) add(SizeExpression::of(SizeExpression::number(factors[i]), Step::Multiply, features.expressions[i]));
  if (constant || !sum) add(SizeExpression::number(constant));
  return divisor == 1 ? *sum : SizeExpression::of(*sum, Step::FloorDivide, SizeExpression::number(divisor));
}

/// (factors * features + constant) // divisor for the least divisor that fits all points.
std::optional<SizeExpression> fitLinear(const Features &features, Points points, Values values, Values sampled,
                                        int64_t most = kMostDivisor) {
  auto slopes = estimate(features, sampled);
  if (!slopes) return std::nullopt;
  size_t n = features.expressions.size();
  if (std::set<int64_t>(values.begin(), values.end()).size() < 3) most = 1; // a step: any would be a quotient
  for (int64_t divisor = 1; divisor <= most; ++divisor) {
    std::vector<int64_t> factors;
    for (size_t i = 0; i < n; ++i) {
      long double factor = (*slopes)[i] * static_cast<long double>(divisor);
      if (!(std::fabs(factor) < 1e15L)) return std::nullopt;
      factors.push_back(int64_t(std::llround(factor)));
    }
    // values * divisor <= factors * features + constant < (values + 1) * divisor
    int64_t least = INT64_MIN, greatest = INT64_MAX;
    SizeExpression without = linear(features, factors, 0, 1);
    bool fits = true;
    for (size_t i = 0; fits && i < points.size(); ++i) {
      auto part = evaluate(without, points[i]);
      int64_t low, high;
      fits = part && !__builtin_mul_overflow(values[i], divisor, &low) && !__builtin_sub_overflow(low, *part, &low) &&
             !__builtin_add_overflow(low, divisor - 1, &high);
      if (!fits) break;
      least = std::max(least, low), greatest = std::min(greatest, high);
      fits = least <= greatest;
    }
    if (!fits) continue;
    int64_t constant = least <= 0 && greatest >= 0 ? 0 : least > 0 ? least : greatest;
    SizeExpression found = linear(features, factors, constant, divisor);
    if (agrees(found, points, values)) return found;
  }
  return std::nullopt;
}

/// Some of the points: the first and last ones, and those at even steps between.
std::vector<size_t> chooseSamples(size_t count) {
  std::vector<size_t> chosen;
  size_t step = std::max<size_t>(1, count / kMostSamples);
  for (size_t i = 0; i < count; i += step) chosen.push_back(i);
  if (count && chosen.back() != count - 1) chosen.push_back(count - 1);
  return chosen;
}

class Fitter {
public:
  Fitter(Points points, Values values) : points(points), values(values), dimensions(points.empty() ? 0 : points[0].size()) {
    for (size_t i : chooseSamples(points.size())) samples.push_back(points[i]), sampled.push_back(values[i]);
  }

  std::optional<SizeExpression> run() {
    if (points.empty()) return std::nullopt;
    auto constant = SizeExpression::number(values[0]);
    if (agrees(constant, points, values)) return constant;
    for (size_t i = 0; i < dimensions; ++i)
      if (auto found = fit({SizeExpression::dimension(int64_t(i))})) return found;
    std::vector<SizeExpression> features;
    for (size_t i = 0; i < dimensions; ++i) features.push_back(SizeExpression::dimension(int64_t(i)));
    for (size_t i = 0; i < dimensions; ++i)
      for (size_t k = i; k < dimensions; ++k) // one product alone, as of a flat shape
        if (auto found = fit({SizeExpression::of(features[i], Step::Multiply, features[k])})) return found;
    if (dimensions > 1)
      if (auto found = fit(features)) return found;
    for (size_t i = 0; i < dimensions; ++i)
      for (size_t k = i; k < dimensions; ++k) features.push_back(SizeExpression::of(features[i], Step::Multiply, features[k]));
    if (auto found = fit(features, kTriangles)) return found;
    return fitLimited();
  }

private:
  Points points;
  Values values;
  size_t dimensions;
  std::vector<std::vector<int64_t>> samples;
  std::vector<int64_t> sampled;

  std::optional<SizeExpression> fit(const std::vector<SizeExpression> &expressions, int64_t most = kMostDivisor) const {
    Features features;
    for (const SizeExpression &expression : expressions) features.add(expression, samples);
    return fitLinear(features, points, values, sampled, most);
  }

  /// max or min of two linear forms, one of which holds for the least and the other for the greatest sizes of a dimension.
  std::optional<SizeExpression> fitLimited() const {
    for (size_t axis = 0; axis < dimensions; ++axis) {
      std::vector<size_t> order = chooseSamples(points.size());
      std::ranges::sort(order, {}, [&](size_t i) { return std::pair(points[i][axis], i); });
      std::set<int64_t> sizes;
      for (size_t i : order) sizes.insert(points[i][axis]);
      for (size_t part : {size_t(2), sizes.size() / 4, sizes.size() / 2}) {
        if (part < 2 || sizes.size() < 2 * part) continue;
        int64_t low = *std::next(sizes.begin(), ptrdiff_t(part) - 1), high = *std::prev(sizes.end(), ptrdiff_t(part));
        auto a = fitWhere([&](const auto &p) { return p[axis] <= low; }), b = fitWhere([&](const auto &p) { return p[axis] >= high; });
        if (!a || !b) continue;
        for (Step step : {Step::Minimum, Step::Maximum})
          if (auto found = SizeExpression::of(*a, step, *b); agrees(found, points, values)) return found;
      }
    }
    return std::nullopt;
  }

  template <typename Where> std::optional<SizeExpression> fitWhere(const Where &where) const {
    std::vector<std::vector<int64_t>> some;
    std::vector<int64_t> theirs;
    for (size_t i = 0; i < points.size(); ++i)
      if (where(points[i])) some.push_back(points[i]), theirs.push_back(values[i]);
    auto constant = SizeExpression::number(theirs[0]);
    if (agrees(constant, some, theirs)) return constant;
    for (size_t i = 0; i < dimensions; ++i) {
      Features features;
      features.add(SizeExpression::dimension(int64_t(i)), some);
      if (auto found = fitLinear(features, some, theirs, theirs, 1)) return found;
    }
    return std::nullopt;
  }
};

} // namespace

std::optional<SizeExpression> fitSizes(std::span<const std::vector<int64_t>> points, std::span<const int64_t> values) {
  return Fitter(points, values).run();
}

} // namespace kiln
