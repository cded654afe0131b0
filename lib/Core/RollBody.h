// The body of a rolled loop (Roll.h): what is written of each operation where its numbers are computed, and the loop of a run.
#pragma once

#include "lib/Core/Periods.h"

namespace kiln {

/// A number of an operation: as it is, or one that is computed.
struct Number {
  int64_t fixed = 0;
  int64_t slot = -1; // of rank 0; of a constant of its dtype, else int64
  auto operator<=>(const Number &) const = default;
};

/// Writes the trace of a body.
class BodyWriter {
public:
  Trace trace;

  /// An int64.
  int64_t constant(int64_t value);
  int64_t apply(Op op, std::initializer_list<int64_t> operands, std::span<const int64_t> words = {});
  /// x + n and x * n, of int64.
  int64_t plus(int64_t x, int64_t n) { return n ? apply(Op::Add, {x, constant(n)}) : x; }
  int64_t times(int64_t x, int64_t n) { return n == 1 ? x : apply(Op::Multiply, {x, constant(n)}); }
  int64_t cast(int64_t x, DType dtype);
  /// An operation of `from` over `operands` with these numbers in the place of its own; the slot of its first result, which is as it was.
  int64_t write(const Trace &from, const TraceOp &op, int64_t slot, std::span<const int64_t> operands, std::span<const Number> numbers) {
    return write(from, op, op.words, std::span(from.types).subspan(size_t(slot), op.results), operands, numbers);
  }
  /// The same with other words and results, which have other sizes. Throws Error where they do not fit together.
  int64_t write(const Trace &from, const TraceOp &op, std::span<const int64_t> words, std::span<const TensorType> types,
                std::span<const int64_t> operands, std::span<const Number> numbers);
  /// The place of a body in the trace, which has equal ones once.
  int64_t numberOf(const std::shared_ptr<const Trace> &body);

private:
  std::map<int64_t, int64_t> constants;
  std::map<std::vector<Number>, int64_t> vectors;

  int64_t vectorOf(std::span<const Number> numbers);
  int64_t slice(std::span<const int64_t> words, int64_t x, std::span<const Number> starts);
  int64_t openSlice(int64_t x, std::span<const Number> starts, const Shape &sizes, const Dims &steps);
  int64_t update(std::span<const int64_t> words, int64_t x, int64_t value, std::span<const Number> starts);
};

/// An operand of a loop: an array of the trace, or an int64.
struct Given {
  bool isNumber;
  int64_t value; // the slot, or the number
};

/// A loop that counts its trips from 0: its operands are the count, what is handed on, how many trips there are, and what all trips read.
struct RolledLoop {
  std::shared_ptr<const Trace> condition, body;
  std::vector<int64_t> initial;  // slots of what is handed on, before the first trip
  std::vector<int64_t> produced; // by the same order, its slot in the last trip
  std::vector<Given> reads;
  bool isSized = false; // its trips have other sizes
};

/// How many trips from `trip` on have numbers, and sizes, that follow one rule each: the same, or start + step * trip.
size_t regularTrips(const Lines &lines, const Run &run, size_t trip);

/// The loop of a run of regular trips, whose body makes `joined` of them; none where what the first trip is handed is of another type than
/// what others are, or is not one value, or where operations do not go on with sizes that are computed.
std::optional<RolledLoop> buildLoop(const Lines &lines, const Run &run, size_t joined);

/// A trace that was written anew, and by slot which one of the old trace it stands for.
struct Changed {
  Trace trace;
  std::vector<int64_t> from;
};

/// Writes a trace anew.
class Rewriter {
public:
  explicit Rewriter(const Trace &old);
  std::vector<int64_t> slots; // by slot of the old trace; -1: it is not written

  void copy(const TraceOp &op, int64_t slot);
  std::vector<int64_t> operandsOf(const TraceOp &op) const;
  /// What stands for the place `of` of the old trace.
  int64_t constant(DType dtype, int64_t bits, int64_t of);
  int64_t apply(Op op, std::span<const int64_t> operands, std::span<const int64_t> words, const TensorType &type, int64_t of);
  const TensorType &typeOf(int64_t slot) const { return result.trace.types[size_t(slot)]; }
  int64_t loop(const std::shared_ptr<const Trace> &condition, const std::shared_ptr<const Trace> &body, std::span<const int64_t> operands,
               int64_t of);
  /// A slot of the new trace has what one of the old trace had.
  void replace(int64_t old, int64_t slot) { slots[size_t(old)] = slot, result.from[size_t(slot)] = old; }
  Changed finish();

private:
  const Trace &old;
  Changed result;
  std::vector<std::pair<size_t, int64_t>> bodies; // by hash, those that were added

  int64_t numberOf(const std::shared_ptr<const Trace> &body);
};

/// Gives bodies of one form that differ in numbers alone the numbers as operands, so that the operations that run them are of one form.
/// None where there are none. `ofAnySizes`: such that differ in sizes too, as operands of an operation that computes them.
std::optional<Changed> hoistNumbers(const Trace &trace, bool ofAnySizes);

} // namespace kiln
