// Modes that carry derivatives and batches through a program by the rules of its ops: a tape, tangents, a batch. Their arrays have no
// memory: each stands for one that the modes below know. So they nest, and stand above a recorder.
#pragma once

#include "frontend/CellTable.h"
#include "frontend/Mode.h"
#include "frontend/rules/Rules.h"

#include <functional>

namespace kiln {

class Transform : public Mode {
public:
  /// What an array of this mode stands for.
  struct Item {
    Array below;
    rules::Maybe tangent;   // of Tangents: none is 0
    int64_t node = -1;      // of a Tape: what made it; -1 is a constant
    bool isBatched = false; // of a Batch: `below` has one axis more, the first
  };

  Transform();
  ~Transform() override;

  /// An array of this mode.
  Array lift(Item item);
  /// What an array stands for: one that this mode does not know is a constant.
  Item itemOf(const Array &array);
  /// The same of a result, which later writes do not reach.
  Item resultOf(const Array &array);
  using Mode::end;

  Array apply(const Operation &operation) override;
  /// Throws Error (trace): the rules are those of the operations of bodies, one by one.
  std::vector<Array> applyAll(const Operation &operation) override;
  void noteView(const Array &from, Array &view, Op op, std::span<const int64_t> words) override;
  void write(Array &target, const Array &value) override;
  Array leave(const Array &value, const char *why, Leaving how) override;

protected:
  /// The result of an operation; the modes below are asked.
  virtual Item perform(const Operation &operation, std::span<const Item> items) = 0;
  /// An array that this mode does not know is about to be written; the modes below are asked.
  virtual void beforeWrite(const Array &) {}

private:
  struct Cells;
  struct View;
  const int64_t id;
  Cells *cells;

  bool isMine(const Array &array) const;
  Item &cellItem(const Array &array);
  Item performBelow(Op op, std::span<const Item> items, std::span<const int64_t> words);
};

/// Notes operations, and walks back over them.
class Tape final : public Transform {
public:
  /// An array whose gradient can be asked for.
  Array watch(const Array &array);
  /// Gradients of what a function took, for cotangents of its results.
  using Backward = std::function<std::vector<rules::Maybe>(std::span<const rules::Maybe> cotangents)>;
  /// The results of a function that ran below, as arrays of this mode with a derivative of their own.
  std::vector<Array> liftResults(std::span<const Item> taken, std::span<const Array> results, Backward backward);
  /// The gradients of watched arrays, by their order, for cotangents of results; none of those that they do not depend on. The tape has
  /// ended.
  std::vector<rules::Maybe> gradients(std::span<const Item> results, std::span<const rules::Maybe> cotangents) const;

protected:
  Item perform(const Operation &operation, std::span<const Item> items) override;
  void beforeWrite(const Array &target) override;

private:
  struct Node {
    Op op;
    std::vector<Array> operands;
    std::vector<int64_t> words, nodes;
    Array result;
    Backward backward = nullptr; // of a function, of whose results this is the first
    int64_t results = 1;
    bool isPart = false; // a further result
    std::string place;   // in the program, where nans are looked for
  };
  std::vector<Node> nodes;
  std::vector<int64_t> watched;
};

/// Carries a tangent with each array.
class Tangents final : public Transform {
public:
  Array watch(const Array &array, const Array &tangent) { return lift({array, tangent, -1, false}); }

protected:
  Item perform(const Operation &operation, std::span<const Item> items) override;
};

/// Runs a function of one example for many.
class Batch final : public Transform {
public:
  explicit Batch(int64_t size) : size(size) {}
  const int64_t size;
  /// An array whose first axis is the batch.
  Array watch(const Array &array) { return lift({array, std::nullopt, -1, true}); }
  /// What Python asked for, and examples do not agree on: of the host, their axis first. The function has to run for each group of them
  /// that do.
  const std::optional<Array> &disputed() const { return asked; }

  Array leave(const Array &value, const char *why, Leaving how) override;

protected:
  Item perform(const Operation &operation, std::span<const Item> items) override;

private:
  std::optional<Array> asked;
};
/// Groups of the examples of a batch whose values are the same bits, in the order of their first ones.
std::vector<std::vector<int64_t>> groupsOf(const Array &values);

/// The array without its derivatives, for every mode that carries them.
Array stopGradient(const Array &x);

} // namespace kiln
