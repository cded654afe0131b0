// What a program is at a question, as far as it matters for how it goes on: where each of its frames is, and what they hold. Two equal
// moments of one call go on alike as long as they are told the same, whatever their arrays hold.
#pragma once

#include "frontend/frames/Frame.h"
#include "frontend/frames/Place.h"
#include "frontend/frames/Reader.h"
#include "frontend/frames/Values.h"
#include "frontend/Recorder.h"

#include <tuple>
#include <vector>

namespace kiln::py {

/// A number, or what counts, that moments of one place may differ in.
struct Counter {
  enum Kind : uint8_t { Integer, Float, Range, Position } kind = Integer;
  size_t word = 0;    // of the moment: the first of those that say its value
  int frame = 0;      // from the innermost one
  int slot = 0;       // of its variables, then of its stack
  bool isOwn = false; // it stands there itself, not inside of something else
  bool operator==(const Counter &) const = default;
};

struct Moment {
  std::vector<int64_t> words;
  std::vector<Held> objects;     // that words name by identity
  std::vector<Counter> counters; // in the order of their words
  std::vector<int32_t> order;    // of what is handed on: words name it by its place in here
  std::vector<int32_t> integers; // places of kept integers in that order
  size_t meant = 0;              // how many of these words name; nothing reads the others
  std::string why;               // it cannot be compared; empty: it can
};

/// What a moment is read from besides frames.
class MomentContext {
public:
  virtual ~MomentContext() = default;
  virtual const Array &arrayOf(PyObject *array) = 0;
  /// Where the next piece finds what the cell of an array holds, and its type.
  virtual std::optional<std::pair<Source, TensorType>> handedOnOf(const Array &array) = 0;
  /// Whether what an object holds cannot change unseen: stores to it are noted.
  virtual bool isCovered(PyObject *o) = 0;
  /// A range or an iterator over a vector that is kept; null for others.
  virtual const Reader::CarriedRange *rangeOf(PyObject *iterator) = 0;
  /// The array that a number is kept as; null for others.
  virtual const Array *carriedAs(PyObject *number) = 0;
  /// The formula of a number; -1 for others.
  virtual int formulaOf(PyObject *number) = 0;
};

/// The places of the frames from the innermost one to `end`, which is none of them: code and instruction of each. Empty where the question
/// comes from C, or from the package.
std::vector<int64_t> placesOfFrames(Frame end);
/// What they hold, and `others`. `asked`: the array that is asked for; null: in another way than by a truth value. `isApart`: nothing of
/// the program holds it. `live`: how many values are handed on, the first of which are contents of arguments.
Moment readMoment(Frame end, const Array *asked, bool isApart, std::span<PyObject *const> others, size_t written, size_t live,
                  Values &values, MomentContext &context);
/// The instruction that the question under way goes on to if the answer is no, and if it is yes; -1: not known.
std::pair<int, int> goesTo();
/// The loop of the bytecode that the question under way is the condition of: from which instruction to which, and the answer that goes on
/// with it. None: it is no such.
struct LoopOfCode {
  int first, last;
  bool goesOnIf;
};
std::optional<LoopOfCode> loopAskedFor();
/// That a counter changes, for a person; while its frame runs.
std::string describeCounter(const Counter &counter);
/// Its place among the variables, or on the stack.
PyObject **placeOfCounter(const Counter &counter);
/// Whether it stands in a variable that the program can name.
bool isVariable(const Counter &counter);

} // namespace kiln::py
