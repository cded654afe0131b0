#include "lib/Core/RollStack.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace kiln {
namespace {

constexpr size_t kLeastRows = 8;
constexpr int kMostAgain = 4; // operations, one on the other, that are made again

using Place = std::pair<size_t, size_t>; // of a value: its run, and the number of its slot in a trip

/// An operand of lines of one form that is the same value of trips.
struct Reader {
  Place place;
  uint64_t form;
  size_t operand;
  auto operator<=>(const Reader &) const = default;
};

class Stacker {
public:
  Stacker(const Lines &lines, std::vector<Run> given) : lines(lines), result(lines.trace) {
    std::ranges::sort(given, {}, &Run::first);
    runOf.assign(lines.makers.size(), kNone);
    for (const Run &run : given)
      if (runs.empty() || run.first >= runs.back().end()) addRun(run);
    findReaders();
  }

  std::optional<Changed> run() {
    if (stacks.empty() && readers.empty()) return std::nullopt;
    for (size_t p = 0, next = 0; p < lines.size(); ++p) {
      if (next < runs.size() && runs[next].first == p) begin(next++);
      write(p);
    }
    return result.finish();
  }

private:
  static constexpr size_t kNone = size_t(-1);
  const Lines &lines;
  Rewriter result;
  std::vector<Run> runs;            // one after the other
  std::vector<size_t> runOf;        // by slot
  std::map<Reader, size_t> readers; // how many lines each has
  std::map<Place, int64_t> stacks;  // the rows so far
  // What the first trip is handed in the place of a value of the one before; where later lines read it as they read that value, it is the
  // first row.
  std::map<Place, int64_t> handed;
  struct Row {
    Place place;
    int64_t trip, value, of;
  };
  std::vector<Row> near; // that were read last

  void addRun(const Run &run) {
    for (int64_t slot = lines.slots[run.first]; slot < lines.slots[run.at(1)] + int64_t(run.trips - 1) * slotsOfTrip(run); ++slot)
      runOf[size_t(slot)] = runs.size();
    runs.push_back(run);
  }

  int64_t slotsOfTrip(const Run &run) const { return lines.slots[run.at(1)] - lines.slots[run.first]; }
  const TensorType &typeOf(int64_t slot) const { return lines.trace.types[size_t(slot)]; }
  /// Where a value is, and in which trip.
  std::pair<Place, int64_t> placeOf(int64_t slot) const {
    size_t r = runOf[size_t(slot)];
    int64_t distance = slot - lines.slots[runs[r].first], trip = slotsOfTrip(runs[r]);
    return {{r, size_t(distance % trip)}, distance / trip};
  }
  /// That of the second trip.
  int64_t slotOf(const Place &place) const { return lines.slots[runs[place.first].at(1)] + int64_t(place.second); }

  /// Whether line `p` reads a value of a loop that is over.
  bool isReadLater(size_t p, int64_t slot) const {
    return !isOutside(slot) && p >= runs[runOf[size_t(slot)]].end() && typeOf(slot).shape.rank < kMaxRank;
  }
  Reader readerOf(size_t p, size_t operand) const {
    int64_t slot = lines.ops[p].operands[operand];
    return {placeOf(slot).first, lines.forms[p], operand};
  }

  void findReaders() {
    for (size_t p = 0; p < lines.size(); ++p)
      for (size_t i = 0; i < lines.ops[p].operands.size(); ++i)
        if (isReadLater(p, lines.ops[p].operands[i])) ++readers[readerOf(p, i)];
    std::erase_if(readers, [this](const auto &reader) { return reader.second < kLeastRows || !isOfOneType(reader.first.place); });
    for (const auto &[reader, count] : readers) stacks[reader.place] = -1;
    std::set<Place> fixed; // others are made of them
    for (size_t p = 0; p < lines.size(); ++p)
      for (const Part &part : partsOf(p))
        if (part.place) stacks[*part.place] = -1, fixed.insert(*part.place);
    findHanded();
    for (const auto &[place, value] : handed) fixed.insert(place);
    for (const auto &[reader, count] : readers) leaveOut(reader.place, false, fixed);
    for (auto reader = readers.rbegin(); reader != readers.rend(); ++reader) leaveOut(reader->first.place, true, fixed);
  }

  void findHanded() {
    for (const Run &run : runs) findHanded(run);
    std::set<Place> read;
    for (size_t p = 0; p < lines.size(); ++p)
      for (size_t i = 0; i < lines.ops[p].operands.size(); ++i)
        if (auto place = handedPlace(p, i)) read.insert(*place);
    std::erase_if(handed, [&](const auto &value) { return !read.contains(value.first); });
  }
  void findHanded(const Run &run) {
    std::set<Place> several;
    for (size_t p = run.at(1); p < run.at(2); ++p)
      for (size_t i = 0; i < lines.ops[p].operands.size(); ++i) {
        int64_t now = lines.ops[p].operands[i], before = lines.ops[p - run.period].operands[i];
        if (isOutside(now) || runs[runOf[size_t(now)]].first != run.first || placeOf(now).second || !isOutside(before)) continue;
        Place place = placeOf(now).first;
        if (!stacks.contains(place) || !(typeOf(before) == typeOf(now))) continue;
        if (handed.try_emplace(place, before).first->second != before) several.insert(place);
      }
    std::erase_if(handed, [&](const auto &value) { return several.contains(value.first); });
  }

  /// The place whose first row an operand is.
  std::optional<Place> handedPlace(size_t p, size_t operand) const {
    int64_t slot = lines.ops[p].operands[operand];
    if (!isOutside(slot)) return std::nullopt;
    for (const auto &[place, value] : handed)
      if (value == slot && p >= runs[place.first].end() && readers.contains({place, lines.forms[p], operand})) return place;
    return std::nullopt;
  }
  int64_t firstRow(const Place &place) const { return handed.contains(place); } // of the first trip

  bool isOfOneType(const Place &place) const {
    const Run &run = runs[place.first];
    for (size_t trip = 0; trip < run.trips; ++trip)
      if (!(typeOf(slotOf(place) + (int64_t(trip) - 1) * slotsOfTrip(run)) == typeOf(slotOf(place)))) return false;
    return true;
  }

  /// Needs no rows for a value that can be made again, if need be of other rows.
  void leaveOut(const Place &place, bool isOfRows, std::set<Place> &fixed) {
    if (fixed.contains(place) || !stacks.contains(place)) return;
    auto rows = stacks.extract(place);
    std::set<Place> of;
    if (isMadeAgain(slotOf(place), kMostAgain, of) && (isOfRows || of.empty())) fixed.merge(of);
    else stacks.insert(std::move(rows));
  }

  /// Whether a value is a source, or simple operations make it of what the loop does not make and of rows: `of`.
  bool isMadeAgain(int64_t slot, int most, std::set<Place> &of) const {
    const TraceOp &op = lines.ops[size_t(lines.makers[size_t(slot)])];
    bool isCheap = info(op.op).kind == Kind::Elementwise && info(op.op).cost <= 1;
    if (!most || !(isMove(op) || isCheap)) return false;
    return std::ranges::all_of(op.operands, [&](int64_t x) {
      if (isOutside(x)) return true;
      auto [place, trip] = placeOf(x);
      if (stacks.contains(place)) return of.insert(place), true;
      bool isOfTripBefore = runOf[size_t(x)] == runOf[size_t(slot)] && trip != placeOf(slot).second;
      return !isOfTripBefore && isMadeAgain(x, most - 1, of);
    });
  }
  bool isOutside(int64_t slot) const { return runOf[size_t(slot)] == kNone; }

  /// The arrays of the rows of a loop, before it.
  void begin(size_t run) {
    int64_t of = lines.slots[runs[run].first];
    for (auto it = stacks.lower_bound({run, 0}); it != stacks.end() && it->first.first == run; ++it) {
      TensorType type = rowsOf(of + int64_t(it->first.second), int64_t(runs[run].trips) + firstRow(it->first));
      bool isOfTwo = isComplex(type.dtype); // constants are real
      int64_t zero = result.constant(isOfTwo ? DType::F32 : type.dtype, 0, of), dtype = int64_t(type.dtype);
      if (isOfTwo) zero = result.apply(Op::Cast, {&zero, 1}, {&dtype, 1}, {type.dtype, {}}, of);
      std::vector<int64_t> words = {0};
      appendWords(words, type.shape);
      it->second = result.apply(Op::Broadcast, {&zero, 1}, words, type, of);
      if (auto value = handed.find(it->first); value != handed.end()) put(it->second, 0, value->second, of);
    }
  }

  /// Rows of the shape of a value.
  TensorType rowsOf(int64_t slot, int64_t rows) const {
    TensorType type{typeOf(slot).dtype, {rows}};
    for (Size size : typeOf(slot).shape) type.shape.push(size);
    return type;
  }
  /// Where row `trip` starts, and steps.
  static std::array<Dims, 2> rowAt(int64_t trip, int rank) {
    std::array<Dims, 2> at;
    for (int i = 0; i < rank; ++i) at[0].push(i ? 0 : trip), at[1].push(1);
    return at;
  }
  int64_t reshape(int64_t x, const TensorType &type, int64_t of) {
    std::vector<int64_t> words;
    appendWords(words, type.shape);
    return result.apply(Op::Reshape, {&x, 1}, words, type, of);
  }

  /// Operands of a concatenation: as they are, or the same value of trips one after the other, which is rows.
  struct Part {
    size_t first, count;
    std::optional<Place> place = std::nullopt;
    int64_t trip = 0; // the first
  };

  /// The value that an operand is with an axis of one row in front.
  std::optional<int64_t> rowBehind(size_t p, int64_t operand) const {
    int64_t maker = lines.makers[size_t(operand)];
    if (maker < 0 || lines.ops[size_t(maker)].op != Op::Reshape) return std::nullopt;
    int64_t slot = lines.ops[size_t(maker)].operands[0];
    if (isOutside(slot) || !isReadLater(p, slot) || !(typeOf(operand) == rowsOf(slot, 1))) return std::nullopt;
    return slot;
  }

  /// Those of a concatenation along the first axis that has rows; else none.
  std::vector<Part> partsOf(size_t p) const {
    const TraceOp &op = lines.ops[p];
    if (op.op != Op::Concat || op.words[0] != 0) return {};
    std::vector<Part> parts;
    bool isAny = false;
    for (size_t i = 0; i < op.operands.size();) {
      Part part{i, 1};
      if (auto slot = rowBehind(p, op.operands[i])) {
        auto [place, trip] = placeOf(*slot);
        int64_t next = *slot, step = slotsOfTrip(runs[place.first]);
        while (i + part.count < op.operands.size() && rowBehind(p, op.operands[i + part.count]) == next + step) next += step, ++part.count;
        if (part.count >= kLeastRows && isOfOneType(place)) isAny = true, part.place = place, part.trip = trip;
        else part.count = 1;
      }
      i += part.count;
      parts.push_back(part);
    }
    return isAny ? parts : std::vector<Part>();
  }

  void concatenate(size_t p, std::span<const Part> parts) {
    int64_t of = lines.slots[p];
    std::vector<int64_t> operands;
    for (const Part &part : parts) {
      int64_t operand = lines.ops[p].operands[part.first];
      operands.push_back(part.place ? rows(*part.place, part.trip, int64_t(part.count), of) : result.slots[size_t(operand)]);
    }
    bool isAll = operands.size() == 1;
    result.slots[size_t(of)] = isAll ? operands[0] : result.apply(Op::Concat, operands, lines.ops[p].words, typeOf(of), of);
    keep(of);
  }

  void write(size_t p) {
    if (auto parts = partsOf(p); !parts.empty()) return concatenate(p, parts);
    std::map<int64_t, int64_t> own; // of operands, while they are rows
    for (size_t i = 0; i < lines.ops[p].operands.size(); ++i) {
      int64_t slot = lines.ops[p].operands[i], of = lines.slots[p];
      auto first = handedPlace(p, i);
      if (own.contains(slot) || !(first || (isReadLater(p, slot) && readers.contains(readerOf(p, i))))) continue;
      int64_t row = first ? rowOf(*first, -1, slot, of) : rowFor(slot, of);
      own[slot] = std::exchange(result.slots[size_t(slot)], row);
    }
    result.copy(lines.ops[p], lines.slots[p]);
    for (auto [slot, before] : own) result.slots[size_t(slot)] = before;
    for (size_t i = 0; i < lines.ops[p].results; ++i) keep(lines.slots[p] + int64_t(i));
  }

  int64_t rowFor(int64_t slot, int64_t of) {
    auto [place, trip] = placeOf(slot);
    if (std::set<Place> ignored; !stacks.contains(place)) {
      if (!isMadeAgain(slot, kMostAgain, ignored)) return result.slots[size_t(slot)];
      const TraceOp &op = lines.ops[size_t(lines.makers[size_t(slot)])];
      std::vector<int64_t> operands;
      for (int64_t x : op.operands) operands.push_back(isOutside(x) ? result.slots[size_t(x)] : rowFor(x, of));
      return result.apply(op.op, operands, op.words, typeOf(slot), of);
    }
    return rowOf(place, trip, slot, of);
  }

  /// A row as a value. Of lines near to each other it is one value, as trips that lack the first of them have it, too.
  int64_t rowOf(const Place &place, int64_t trip, int64_t like, int64_t of) {
    constexpr int64_t kNear = 8;
    std::erase_if(near, [of](const Row &r) { return of - r.of > kNear; });
    auto known = std::ranges::find_if(near, [&](const Row &r) { return r.place == place && r.trip == trip; });
    if (known == near.end()) known = near.insert(near.end(), {place, trip, reshape(rows(place, trip, 1, of), typeOf(like), of), of});
    known->of = of;
    return known->value;
  }

  int64_t rows(const Place &place, int64_t first, int64_t count, int64_t of) {
    int64_t stack = stacks.at(place);
    TensorType type = rowsOf(slotOf(place), count);
    if (type == result.typeOf(stack)) return stack;
    auto [starts, steps] = rowAt(first + firstRow(place), type.shape.rank);
    std::vector<int64_t> words;
    appendWords(words, starts), appendWords(words, type.shape), appendWords(words, steps);
    return result.apply(Op::Slice, {&stack, 1}, words, type, of);
  }

  void keep(int64_t slot) {
    if (isOutside(slot)) return;
    auto [place, trip] = placeOf(slot);
    auto stack = stacks.find(place);
    if (stack != stacks.end()) put(stack->second, trip + firstRow(place), slot, slot);
  }

  /// Writes a value into a row.
  void put(int64_t &stack, int64_t row, int64_t slot, int64_t of) {
    TensorType type = result.typeOf(stack);
    auto [starts, steps] = rowAt(row, type.shape.rank);
    std::vector<int64_t> words;
    appendWords(words, starts), appendWords(words, steps);
    int64_t operands[] = {stack, reshape(result.slots[size_t(slot)], rowsOf(slot, 1), of)};
    stack = result.apply(Op::Update, operands, words, type, of);
  }
};

} // namespace

bool isMove(const TraceOp &op) {
  Kind kind = info(op.op).kind;
  return kind == Kind::Index || kind == Kind::Source;
}

std::optional<Changed> stackRows(const Lines &lines, std::vector<Run> runs) { return Stacker(lines, std::move(runs)).run(); }

} // namespace kiln
