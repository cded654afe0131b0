// Recording: under jit, operations are appended to a trace. A recorder has the modes below compute each of them as well, so that the call
// that is recorded is an eager one like any other; or it puts them off, until a value is needed, and has them computed as one piece; or it
// is abstract: arrays that it makes have no values.
#pragma once

#include "frontend/CellTable.h"
#include "frontend/Mode.h"
#include "lib/Core/Trace.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

namespace kiln {

/// Thrown where an abstract recording needs a value.
struct LeaveRecording {
  std::string why;
};

/// Where in the user's program an operation is: the code object and the instruction, resolved when needed.
struct Location {
  void *code = nullptr;
  int32_t instruction = 0;
  bool isForeign = false; // in code that is no part of the call: a finalizer, the handler of a signal
  bool operator==(const Location &) const = default;
};

/// Where a segment of a path finds a value: among the inputs of the call, among what the segments before it handed on, or it is its own.
struct Source {
  enum Kind : int32_t { Entry, Live, Output } kind = Output;
  int32_t index = 0;
  bool operator==(const Source &) const = default;
};

/// Operations that repeat in a recording, as Repetition has them.
struct Repeated {
  Location at; // of the first one
  size_t trips, lines;
  std::string why; // that they are not a loop; empty: they are
};

/// The most of an integer that a loop hands on: it is left where one is beyond. And by which factor such a one may be beyond that within a
/// trip, so that int64 has it.
inline constexpr int64_t kMostInteger = int64_t(1) << 40;
inline constexpr double kMostGrowth = double(1 << 22);

/// A segment of a recording. All but the last ended where Python asked for a value.
struct Piece {
  Trace trace;
  std::vector<Source> inputs; // of the trace
  std::vector<Location> locations;
  std::vector<Device *> places;
  std::vector<Source> live; // what is handed on: contents of inputs that were written, and of cells that someone holds
  std::vector<TensorType> liveTypes;
  Source asked;
  DType askedType = DType::Bool;
  std::string value;        // the bits that Python was told
  std::string why;          // it asked
  int64_t question = -1;    // which of the call's it ends with; -1: one that Python is not told another answer to
  bool isOfNumbers = false; // it compares numbers of Python's
  Location at;
  std::vector<Repeated> loops;               // what repeats in it
  size_t ops = 0;                            // that were recorded, of one that was rolled
  int64_t moment = -1;                       // what the program is behind it, by number: at equal ones it goes on alike; -1: not known
  int32_t goesTo[2] = {-1, -1};              // the instruction behind the question, by its answer; -1: not known
  std::vector<int32_t> numbers;              // integers of the program that are handed on, which a loop keeps in bounds
  double growth = 1;                         // by which factor integers of the program may be beyond those bounds within it
  bool isKnown = false;                      // it could be compared
  size_t meant = 0;                          // then: how many values that are handed on are more than memory that nothing reads
  bool stands = false;                       // for any number of pieces like those before it, which were dropped
  std::shared_ptr<const struct LoopOf> loop; // of one that runs others (frontend/tree/Folding.h)
  std::shared_ptr<const Piece> firstOfLoop;  // the first of them
};

class Recorder final : public Mode {
public:
  enum Values { Computed, Deferred, Abstract };
  /// Computes what was put off: the outputs of a piece, row-major in new memory.
  using RunPiece = std::function<std::vector<Array>(Piece &&piece, std::span<const Array *const> inputs)>;
  explicit Recorder(Values values);
  ~Recorder() override;

  const int64_t id;
  Trace trace;
  std::vector<Location> locations;     // by slot
  std::vector<Device *> places;        // by slot, up to the last that says more than the operands: where it is made
  std::string left;                    // why it was given up; empty: it was not
  std::vector<Piece> pieces;           // before what is in `trace`
  Location (*locate)() = nullptr;      // where the program is now
  std::string (*describe)() = nullptr; // the same as text, for a person
  RunPiece runPiece;                   // of a Deferred one
  bool isFast = false;                 // fast_math, for its code
  /// Of a call that is recorded for its path alone, which ends where it is given up: which of the arrays that exist before it are written.
  std::optional<std::set<int>> writable;
  /// What Python asked for, and was told.
  struct Answered {
    Location at;
    TensorType type;
    std::string bits;
    bool isOfNumbers = false; // they are compared
    bool operator==(const Answered &) const = default;
    bool isTruth() const { return type.dtype == DType::Bool && bits.size() == 1; }
  };
  std::vector<Answered> *answered = nullptr;    // gets them
  const std::vector<Answered> *given = nullptr; // of another recording: Python is told these, whatever arrays hold; others end the call
  std::set<int64_t> flips;                      // questions for a truth value, by number, that Python is told the other answer to
  const Array *askedNow = nullptr;              // while `cutBehind` looks: what is asked for; null: in another way than by its truth value
  bool isAskedApart = false;                    // nothing of the program asks for it: it was made for a question about numbers
  std::function<void(Piece &)> cutBehind;       // after a cut, when the next piece has begun; it may drop pieces
  /// Of an Abstract one: a value that Python asks for, at the end of the piece that computes it. Null: asking gives up.
  std::function<Array(const Piece &piece, const TensorType &asked)> answer;

  /// A value that Python was told, without a cut: nothing is known to depend on it yet.
  struct Told {
    Array array; // that holds it; empty where nobody needs it any more
    const char *why;
    Location at;
  };
  bool isAside = false; // what runs is no part of the call
  /// A copy of what an array is now, which stays that.
  Array asItIs(const Array &array);
  bool tells = false;     // the next number without axes that Python asks for is told without a cut
  std::vector<Told> told; // so far
  /// Cuts here, where Python goes on by a truth value of the recording; what it is told.
  bool ask(const Array &answer, const char *why);
  std::function<void()> cutBefore; // before a cut
  /// Cuts here, by a value that was told.
  void cutBy(Told &value);

  /// Of a body: any other array that it meets becomes an input as well, and is in `captured`. The recording is given up where one of these
  /// is written.
  void captureOthers() { ownInputs = declared; }
  std::vector<Array> captured;
  /// A mode that carries derivatives or a batch is around: the body will be run by it, as it is recorded.
  bool isFollowed = false;
  static Recorder *followed(); // the innermost mode, if it is one

  /// Declares the next of the arrays that exist before the call: its arguments, then captured ones.
  void addInput(const Array &array);
  /// The arrays that are inputs of the trace, in its order.
  std::vector<int> inputs() const;

  Array apply(const Operation &operation) override;
  std::vector<Array> applyAll(const Operation &operation) override;
  void noteView(const Array &from, Array &view, Op op, std::span<const int64_t> words) override;
  void write(Array &target, const Array &value) override;
  Array leave(const Array &value, const char *why, Leaving how) override;
  std::optional<int64_t> toldCount(const Array &mask) override;
  void noteCount(const Array &mask, int64_t count) override;
  /// Computes what was put off, and writes what is to be written.
  void settle();
  /// Nothing of the recording is used. The call goes on, computed as it was; throws LeaveRecording where it is abstract.
  void giveUp(const std::string &why);

  /// Has a slot handed out at the end of the recording.
  Source output(int64_t slot);
  /// All pieces, when the outputs are named.
  std::vector<Piece> finish();

  /// An int64 without axes that the recording says, where it is put off the one that it has.
  std::optional<int64_t> knownNumber(const Array &array);

  /// The slot of what an array holds now; -1, and the recording is given up, for one that is not known.
  int64_t slotOf(const Array &array);
  /// An input whose cell was written, with the last slot of that.
  struct Written {
    int input;
    int64_t slot;
  };
  std::vector<Written> written() const;
  /// The first input that shares its cell with an array, or -1.
  int inputOf(const Array &array) const;
  /// Cells made in this recording that someone holds.
  std::vector<Cell> liveCells() const;
  /// The slot that a cell of this recording holds now; -1 for other cells.
  int64_t cellSlot(const Storage *storage) const;
  /// Behind a cut: where the next piece finds what a cell holds, and its type; none for a cell that the recording does not know.
  std::optional<std::pair<Source, TensorType>> handedOnOf(const Array &array);
  /// Gives what the last piece hands on another order; behind a cut.
  void reorderLive(std::span<const int32_t> order);
  /// How many inputs were written, and how many values are handed on to the piece that has begun: those come first.
  size_t countWritten() const { return size_t(std::ranges::count(entries, true, &Input::isWritten)); }
  size_t countLive() const { return size_t(std::ranges::count(sources, Source::Live, &Source::kind)); }

private:
  struct Input {
    Array array; // as it was declared: what views of its cell are told apart by
    int place;   // among the arrays that were declared
    int32_t slot, version = 0;
    int next = -1; // another input of its cell
    bool isWritten = false;
    Ref<Value> content = {}; // of the cell when what is put off read it first; on the first input of the cell
    uint64_t readAt = 0;
  };
  const Values values;
  CellTable *table;
  int64_t questions = 0; // so far
  int declared = 0;      // arrays
  int ownInputs = -1;    // before those that are captured; -1: none are
  std::vector<Input> entries;
  std::unordered_multimap<size_t, int64_t> bodyNumbers; // by hash
  std::unordered_map<const Storage *, int> inputOfCell; // the first one
  std::vector<Source> sources;                          // of the inputs of the trace
  std::vector<int32_t> inputSlots;                      // theirs: arrays may be declared when operations are recorded already
  std::vector<int32_t> held;                            // cells made before the piece that someone held when it began
  size_t firstCell = 0;                                 // made in the piece
  struct Counted {
    int32_t cell;
    int64_t offset, size, count;
  };
  std::vector<Counted> counted; // masks of cells of the recording
  bool mayCount(const Array &mask) const;
  std::vector<Array> handed; // what Live sources stand for, of a Deferred one
  bool isRebound = false;    // a cell was, in the piece

  int64_t append(Op op, std::span<const int64_t> operands, std::span<const int64_t> words, const Location &at);
  void declare(const Array &array, int32_t slot);
  int64_t capture(const Array &array);
  bool isCaptured(int input) const { return ownInputs >= 0 && input >= 0 && entries[size_t(input)].place >= ownInputs; }
  int64_t numberOf(const std::shared_ptr<const Trace> &body);
  bool findSlots(const Operation &operation, const Location &at, int64_t *slots);
  void rebind(Array &result, int64_t slot);
  Array instead(const Array &host, const Location &at) const;
  bool endsWhenLeft() const { return values == Abstract || writable; }
  bool isMine(const Array &array) const { return array.mark.recorder == id; }
  bool knows(const Storage *storage) const { return storage->recording == table || inputOfCell.contains(storage); }
  Location here() const {
    Location at = locate ? locate() : Location();
    at.isForeign |= isAside;
    return at;
  }
  /// The slot and version of an array's cell; null where it is none of this recording.
  std::pair<int32_t *, int32_t *> cellOf(const Array &array);
  int64_t slotOfView(const Array &array, int64_t cellSlot);
  int entryOf(const Array &array) const;
  void holdContent(const Array &array);
  /// Ends the piece where a value is asked for, of an Abstract recording one without memory; what Python is told.
  Array cut(int64_t asked, const Array &value, const char *why, const Location &at);
  Piece takePiece();
  /// What a piece hands on: where its slots are kept, and what they hold. Written inputs come first, then the cells of `held`.
  struct HandedOn {
    std::vector<int32_t *> slots;
    std::vector<TensorType> types;
    std::vector<Device *> devices;
    size_t written = 0;
  };
  Piece endPiece(HandedOn &on, int64_t asked);
  std::vector<Array> asRead();
  Array computeApart(const Operation &operation);
  std::vector<Array> computeAllApart(const Operation &operation);
  void handOn(Array &result);
  void startPiece(std::span<int32_t *const> slots, std::span<const TensorType> types, std::span<Device *const> devices);
  int32_t addEntry(const Array &array);
  /// Which input of the trace a slot is; -1 for none.
  int inputAt(int64_t slot) const;
  Array placeholder(const Operation &operation) const;
  static void ownCell(Array &result);
  /// By the modes below.
  template <typename Run> auto compute(const Run &run) {
    try {
      return run();
    } catch (...) {
      giveUp("an operation fails on its values");
      throw;
    }
  }
};

} // namespace kiln
