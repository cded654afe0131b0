// Modes that carry derivatives and batches through a program by the rules of its ops: a tape (Tape.h), tangents, a batch. Their arrays have
// no memory: each stands for one that the modes below know. So they nest, and stand above a recorder.
#pragma once

#include "frontend/CellTable.h"
#include "frontend/Groups.h"
#include "frontend/Mode.h"
#include "frontend/rules/Rules.h"

namespace kiln {

class Transform : public Mode {
public:
  /// What an array of this mode stands for.
  struct Item {
    Array below;
    rules::Maybe tangent;   // of Tangents: none is 0
    int64_t node = -1;      // of a Tape: the note of what made it; -1 is a constant
    bool isBatched = false; // of a Batch: `below` has one axis more, the first

    /// Whether the mode has something to do for it.
    bool isActive() const { return node >= 0 || tangent || isBatched; }
  };

  Transform();
  ~Transform() override;

  /// An array of this mode.
  Array lift(Item item);
  /// What an array stands for: one that this mode does not know is a constant.
  Item itemOf(const Array &array);
  /// The same of a result, which later writes do not reach.
  Item resultOf(const Array &array);
  /// Whether this mode made an array.
  bool isMine(const Array &array) const;
  /// All that the cell of an array of this mode holds.
  Array wholeOf(const Array &array);
  using Mode::end;
  /// Arrays that outlive the mode, which is over, become what they stand for; those of a batch cannot, and say so, and where
  /// it was over.
  void settle(std::string (*place)() = nullptr);

  Array apply(const Operation &operation) override;
  /// Of loops and branches. Throws LeaveRecording where their bodies have to be run operation by operation, as Python does.
  std::vector<Array> applyAll(const Operation &operation) override;
  void noteView(const Array &from, Array &view, Op op, std::span<const int64_t> words) override;
  void write(Array &target, const Array &value) override;
  Array leave(const Array &value, const char *why, Leaving how) override;

protected:
  /// The result of an operation; the modes below are asked.
  virtual Item perform(const Operation &operation, std::span<const Item> items) = 0;
  /// What an array stands for that this mode did not make.
  virtual Item itemOfOther(const Array &array) { return {array, std::nullopt, -1, false}; }
  /// The same view of another array, taken by the modes below.
  Array viewOf(const Array &whole, const Array &view);
  /// The results of a loop or a branch, some of whose operands are active; likewise.
  virtual std::vector<Item> performAll(const Operation &operation, std::span<const Item> items) = 0;
  /// An array that this mode does not know is about to be written; the modes below are asked.
  virtual void beforeWrite(const Array &) {}

  /// What a note stands for, once it is asked for as an array (of a Tape).
  virtual Item itemOfNote(int64_t) { return {}; }
  /// A cell that stands for a note.
  Ref<Storage> cellOfNote(int64_t note);
  /// The note that all of an array of this mode stands for; -1 where that is an item, or the array a view.
  int64_t noteOf(const Array &array) const {
    return array.storage->cell < 0 && !array.view ? kFirstNote - int64_t(array.storage->cell) : -1;
  }
  Item &cellItem(const Array &array);
  /// What an array of this mode stands for; null for a view of a cell that was written since.
  const Item *knownItem(const Array &array);

private:
  static constexpr int32_t kFirstNote = -2; // the cell of note 0; that of note 1 is one less
  struct Cells;
  struct View;
  const int64_t id;
  Cells *cells;

  Item performBelow(Op op, std::span<const Item> items, std::span<const int64_t> words);
};

/// A mode of which each operation is other operations below: so a body is one body.
class Mapping : public Transform {
protected:
  std::vector<Item> performAll(const Operation &operation, std::span<const Item> items) override;

  /// A mode of the same kind, for what is within a body.
  virtual std::unique_ptr<Mapping> another() const = 0;
  /// What stands for arrays below, if those that are active do so: their types; of arrays themselves; and back.
  virtual std::vector<TensorType> typesBelow(std::span<const TensorType> types, std::span<const char> active) const = 0;
  virtual std::vector<Array> arraysBelow(std::span<const Item> items, std::span<const char> active) const = 0;
  virtual std::vector<Item> itemsOf(std::span<const Array> below, std::span<const char> active) const = 0;

private:
  struct Image;
  Image imageOf(const Trace &body, std::span<const TensorType> types, std::span<const char> active, size_t carried,
                std::span<const char> wanted) const;
  std::vector<Item> performLoop(const Operation &operation, std::span<const Item> items, std::span<const TensorType> types);
  std::vector<Item> performBranch(const Operation &operation, std::span<const Item> items, std::span<const TensorType> types);
};

/// Carries a tangent with each array.
class Tangents final : public Mapping {
public:
  Array watch(const Array &array, const Array &tangent) { return lift({array, tangent, -1, false}); }

protected:
  Item perform(const Operation &operation, std::span<const Item> items) override;
  std::unique_ptr<Mapping> another() const override;
  std::vector<TensorType> typesBelow(std::span<const TensorType> types, std::span<const char> active) const override;
  std::vector<Array> arraysBelow(std::span<const Item> items, std::span<const char> active) const override;
  std::vector<Item> itemsOf(std::span<const Array> below, std::span<const char> active) const override;
};

/// Runs a function of one example for many.
class Batch final : public Mapping {
public:
  explicit Batch(int64_t size, std::optional<Array> rows = {}) : size(size), rows(std::move(rows)) {}
  const int64_t size;
  const std::optional<Array> rows; // which examples these are, of a group of them; none: all, in their order
  /// An array whose first axis is the batch.
  Array watch(const Array &array) { return lift({array, std::nullopt, -1, true}); }
  /// The groups of examples that agree on what Python asked for, where not all of them do. The function has to run for each.
  const std::optional<Answers> &disputed() const { return asked; }

  Array leave(const Array &value, const char *why, Leaving how) override;

protected:
  Item perform(const Operation &operation, std::span<const Item> items) override;
  std::unique_ptr<Mapping> another() const override;
  std::vector<TensorType> typesBelow(std::span<const TensorType> types, std::span<const char> active) const override;
  std::vector<Array> arraysBelow(std::span<const Item> items, std::span<const char> active) const override;
  std::vector<Item> itemsOf(std::span<const Array> below, std::span<const char> active) const override;

private:
  std::optional<Answers> asked;
};

/// The type of what stands for the arrays of an operation.
std::vector<TensorType> typesOf(std::span<const Transform::Item> items);
/// As it is now: a write of the host into the same memory goes elsewhere. A mode below has its own cells.
Array kept(const Array &x);
/// In a cell of its own, row by row from the start; memory is shared until it is written.
Array rowByRow(const Array &x);
/// Runs an operation over what its operands stand for, by the modes below.
std::vector<const Array *> operandsOf(std::span<const Transform::Item> items);
Array runOver(const Operation &o, std::span<const Array *const> operands);

/// Whether a mode carries derivatives of what runs.
bool carriesDerivatives();
/// How many modes that carry derivatives or a batch there are, up to the one that made an array; of none, all of them.
int64_t levelOf(const Array *array);

/// The array without its derivatives, for every mode that carries them.
Array stopGradient(const Array &x);

} // namespace kiln
