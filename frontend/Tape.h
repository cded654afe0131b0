// A mode that notes operations, and walks back over them for gradients.
#pragma once

#include "frontend/Few.h"
#include "frontend/Transform.h"

namespace kiln {

class Tape final : public Transform {
public:
  Tape();
  /// An array whose gradient can be asked for.
  Array watch(const Array &array);
  /// What the walk back gives the gradient of a function.
  struct Given {
    std::span<const rules::Maybe> cotangents; // of its results
    std::span<const Array> kept;
    std::span<const rules::Maybe> sums; // by operand, of one that is added to: what it has so far
  };
  /// Gradients of what a function took; of operands that are added to, with what they had.
  using Backward = std::function<std::vector<rules::Maybe>(const Given &given)>;
  /// The derivative of a function, and what it needs of the call.
  struct Function {
    Backward backward;
    std::vector<Array> kept = {};
    std::vector<char> isAddedTo = {}; // by operand; empty: none is
  };
  /// The results of a function that ran below, as arrays of this mode with a derivative of their own.
  std::vector<Array> liftResults(std::span<const Item> taken, std::span<const Array> results, Backward backward);
  /// The gradients of watched arrays, by their order, for cotangents of results; none of those that they do not depend on. Where there are
  /// `sums`, they are added to those. The tape has ended.
  std::vector<rules::Maybe> gradients(std::span<const Item> results, std::span<const rules::Maybe> cotangents,
                                      std::span<const rules::Maybe> sums = {}) const;
  /// A result without axes as a value, and its gradients by watched arrays. Ends the tape.
  std::pair<Array, std::vector<rules::Maybe>> finish(const Array &result);

  Array apply(const Operation &operation) override;
  bool applySmall(Op op, std::span<const Operand> operands, const SmallResult &make) override;
  std::optional<Array> applyTotal(Op op, const Array &x) override;

protected:
  Item perform(const Operation &operation, std::span<const Item> items) override;
  std::vector<Item> performAll(const Operation &operation, std::span<const Item> items) override;
  Item itemOfNote(int64_t note) override;
  void beforeWrite(const Array &target) override;

private:
  /// An operation whose operands and result are arrays.
  struct Node {
    Op op;
    std::vector<Array> operands;
    std::vector<int64_t> words, notes;
    Array result;
    Backward backward = nullptr; // of a function, of whose results this is the first; what it keeps are the operands
    std::vector<char> isAddedTo; // by note, likewise
    int64_t results = 1;
    bool isPart = false; // a further result
    std::string place;   // in the program, where nans are looked for
  };
  /// What was noted, in order: an array that is watched (Input), or an operation. One over few numbers, of the CPU and with no mode
  /// below, is all here, its memory in the arena: what derivatives of it run over, and what its array stands for.
  struct Note {
    Op op;
    DType dtype;
    int32_t node = -1; // of all others, in `nodes`
    int32_t shape = 0; // in `shapes`
    int32_t count = 0;
    int32_t from[2] = {-1, -1}; // the notes of its operands; -1 is a constant
    bool isNumber[2] = {};      // an operand that is `number`
    const void *operands[2] = {}, *result = nullptr;
    int64_t number = 0; // its bits

    Few operand(size_t i) const { return isNumber[i] ? Few{&number, true} : Few{operands[i], false}; }
  };
  struct Short;
  class Walk;
  std::vector<Note> notes;
  std::vector<Node> nodes;
  std::vector<Dims> shapes;
  std::vector<int64_t> watched;
  Arena arena;
  bool isLowest = false; // no mode is below

  Node &addNode(Op op);
  std::vector<Item> noteResults(std::span<const Item> taken, std::span<const Array> results, Function function);
  std::vector<Item> performLoop(const Operation &operation, std::span<const Item> items);
  std::vector<Item> performBranch(const Operation &operation, std::span<const Item> items);
  int32_t addShape(const Dims &shape);
  Note &addFew(Op op, DType dtype, int32_t shape, int32_t count);
  Array arrayOfNote(int64_t note, const Dims &shape);
  bool find(const Array &x, Short &given);
  const Array *findAll(Op op, std::span<const Operand> operands, Short *all);
  void noteFew(Op op, std::span<const Operand> operands, const Short *all, const Array &like);
};

} // namespace kiln
