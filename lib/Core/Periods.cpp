#include "lib/Core/Periods.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace kiln {

Echoes::Echoes(std::span<const uint64_t> sequence) {
  constexpr uint64_t kBase = 0x100000001b3u;
  for (size_t k = 0; k < std::size(kLengths); ++k) {
    back[k].assign(sequence.size(), 0);
    std::unordered_map<uint64_t, size_t> last; // by the hash of a window, where it ended
    last.reserve(sequence.size() / 4);
    uint64_t hash = 0, leaving = 1;
    for (size_t i = 0; i < kLengths[k]; ++i) leaving *= kBase;
    for (size_t p = 0; p < sequence.size(); ++p) {
      hash = hash * kBase + sequence[p];
      if (p >= kLengths[k]) hash -= leaving * sequence[p - kLengths[k]];
      if (p + 1 < kLengths[k]) continue;
      auto [known, isNew] = last.try_emplace(hash, p);
      if (!isNew) back[k][p] = int32_t(p - std::exchange(known->second, p));
    }
  }
}

std::vector<size_t> Echoes::at(size_t place) const {
  std::vector<size_t> distances;
  for (const std::vector<int32_t> &list : back)
    if (size_t d = size_t(list[place]); d && (distances.empty() || distances.back() < d)) distances.push_back(d);
  return distances;
}

Stretch stretchAround(const Lines &lines, size_t seed, size_t distance, size_t lowest) {
  Stretch stretch{seed, seed, distance, {}};
  std::vector<uint64_t> behind; // from the seed back
  auto isAsBefore = [&](uint64_t same, size_t ahead) { return ahead < distance || behind[ahead - distance] == same; };
  for (size_t p = seed; p > lowest + distance; --p) {
    auto same = lines.relate(p - 1, distance);
    if (!same || !isAsBefore(*same, seed - p)) break;
    behind.push_back(*same);
    stretch.begin = p - 1;
  }
  stretch.same.assign(behind.rbegin(), behind.rend());
  for (size_t p = seed; p < lines.size(); ++p) {
    auto same = lines.relate(p, distance);
    size_t at = p - stretch.begin;
    if (!same || (at >= distance && stretch.same[at - distance] != *same)) break;
    stretch.same.push_back(*same);
    stretch.end = p + 1;
  }
  return stretch;
}

namespace {

/// Chooses among the places where the trips of a stretch may begin, for a period of one or several distances.
class Aligner {
public:
  Aligner(const Lines &lines, const Stretch &stretch, size_t period, size_t lowest)
      : lines(lines), stretch(stretch), period(period), lowest(lowest) {
    findEarliest();
  }

  std::optional<Run> run() {
    if (earliest + 2 * period > stretch.end) return std::nullopt;
    invalid.assign(2 * period + 1, 0);
    weight.assign(2 * period + 1, 0);
    findCosts();
    std::optional<size_t> best;
    double least = 0, sum = 0;
    int64_t bad = 0;
    std::vector<double> weights(period);
    std::vector<int64_t> bads(period);
    for (size_t i = 0; i < 2 * period; ++i) {
      weights[i % period] += sum += weight[i];
      bads[i % period] += bad += invalid[i];
    }
    for (size_t i = 0; i < period; ++i)
      if (!bads[i] && (!best || weights[i] < least)) best = i, least = weights[i];
    if (!best) return std::nullopt;
    size_t first = earliest + *best;
    return Run{first, period, (stretch.end - first) / period};
  }

private:
  const Lines &lines;
  const Stretch &stretch;
  const size_t period, lowest;
  size_t earliest = 0;
  // Differences along two periods: of places before which trips cannot begin, and of what is handed on there.
  std::vector<int64_t> invalid;
  std::vector<double> weight;
  std::map<int64_t, int64_t> values; // a slot of each name of a value

  bool isSame(size_t p, size_t operand) const { return stretch.same[p - stretch.begin] >> operand & 1; }
  /// The last line of the stretch that has the place of `p` in its trip.
  size_t lastLike(size_t p) const { return stretch.end - period + (p + period * 2 - stretch.end % period) % period; }

  /// Adds to the places [from + 1, from + count], counted from the earliest, round and round.
  template <typename T> void addTo(std::vector<T> &list, size_t from, size_t count, T what) {
    size_t start = (from + 1) % period;
    list[start] += what;
    list[start + std::min(count, period)] -= what;
  }

  void findCosts() {
    std::map<int64_t, size_t> farthest; // by slot of the last trip but one, how far on it is read
    for (size_t p = stretch.end - period; p < stretch.end; ++p) {
      const TraceOp &op = lines.ops[p];
      for (size_t i = 0; i < op.operands.size(); ++i) {
        if (isSame(p, i)) continue;
        size_t reach = lines.reach(p, op.operands[i]), place = (p - earliest) % period;
        int64_t maker = int64_t(p - reach), result = op.operands[i] - lines.slots[size_t(maker)];
        int64_t name = int64_t((size_t(maker) + 64 * period - earliest) % period) << 16 | result; // of the value, in every trip
        size_t &far = farthest[name];
        far = std::max(far, reach);
        values[name] = op.operands[i];
        if (reach > period) addTo<int64_t>(invalid, place + period - (std::min(reach - period, period)), reach - period, 1);
      }
    }
    for (auto [name, reach] : farthest) addTo<double>(weight, size_t(name >> 16), reach, 64.0 + double(lines.bytesOf(values[name])));
  }
  /// Where the first trip may begin. What it is handed may be anything from before it.
  void findEarliest() {
    size_t known = stretch.begin - stretch.distance, low = lowest; // what the stretch relates, and where it cannot begin earlier
    for (size_t p = stretch.end - period; p < stretch.end; ++p)
      for (size_t i = 0; i < lines.ops[p].operands.size(); ++i)
        if (isSame(p, i)) low = std::max(low, size_t(lines.makers[size_t(lines.ops[p].operands[i])] + 1));
    earliest = std::max(known, low);
    for (size_t p = earliest; p > low && p <= known && known - p + 1 < period; --p) {
      size_t then = low;
      if (!mayBegin(p - 1, then) || then > p - 1) break;
      earliest = p - 1;
      low = then;
    }
  }

  /// Whether a line before the stretch may be of the first trip, which then begins at `low` or later.
  bool mayBegin(size_t p, size_t &low) const {
    size_t next = p + period, like = lastLike(p);
    if (next >= lines.size() || !lines.isLike(p, next)) return false;
    int64_t shift = lines.slots[next] - lines.slots[p];
    for (size_t i = 0; i < lines.ops[p].operands.size(); ++i) {
      int64_t x = lines.ops[p].operands[i], y = lines.ops[next].operands[i];
      if (isSame(like, i)) {
        if (x != y) return false;
        continue;
      }
      if (y - x == shift) continue;
      size_t reach = lines.reach(like, lines.ops[like].operands[i]);
      low = std::max({low, p + 1 - std::min(reach, p + 1), size_t(lines.makers[size_t(x)] + 1)});
    }
    return true;
  }
};

} // namespace

std::optional<Run> alignRun(const Lines &lines, const Stretch &stretch, size_t lowest, std::string &why) {
  constexpr size_t kMostJoined = 4;
  for (size_t joined = 1; joined <= kMostJoined; ++joined) {
    size_t period = joined * stretch.distance;
    if (stretch.end - stretch.begin < 2 * period) break;
    if (auto run = Aligner(lines, stretch, period, lowest).run()) return run;
  }
  why = "values are used by trips that come much later";
  return std::nullopt;
}

} // namespace kiln
