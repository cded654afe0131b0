// The reference interpreter: what every op means, element by element, written to be read. The oracle of the other targets.
#pragma once

#include "codegen/reference/Number.h"
#include "lib/Core/Trace.h"

namespace kiln::reference {

/// An array in row-major order.
struct Tensor {
  ArrayType type;
  std::vector<Number> elements;

  static Tensor filled(const ArrayType &type, const Number &element) {
    return {type, std::vector<Number>(size_t(numElements(type.shape)), element)};
  }
  static Tensor read(const ArrayType &type, const void *memory);
  void write(void *memory) const;
};

/// One op of one result on its operands; `words` are its words in a trace. Throws Error (index) for an index outside.
Tensor evaluate(Op op, std::span<const Tensor *const> operands, std::span<const int64_t> words);
/// One op of any number of results; `bodies` are those of its trace.
std::vector<Tensor> evaluateAll(Op op, std::span<const Tensor *const> operands, std::span<const int64_t> words,
                                std::span<const std::shared_ptr<const Trace>> bodies);
/// A trace on its inputs.
std::vector<Tensor> run(const Trace &trace, std::vector<Tensor> inputs);
/// The same of a serialized one.
std::vector<Tensor> run(std::span<const int64_t> serialized, std::vector<Tensor> inputs);

/// The kinds of ops, by file.
Tensor reduce(Op op, const Tensor &x, const Dims &axes);
Tensor argReduce(Op op, const Tensor &x, int axis);
Tensor contract(Op op, const Tensor &x, const Tensor &y, const ArrayType &type, std::span<const int64_t> words);

/// Positions of an array in row-major order.
class Positions {
public:
  explicit Positions(const Dims &shape) : shape(shape), position(shape) {
    for (int i = 0; i < shape.rank; ++i) position[i] = 0;
    isDone = numElements(shape) == 0;
  }
  bool done() const { return isDone; }
  const Dims &operator*() const { return position; }
  void next() {
    for (int i = shape.rank - 1; i >= 0; --i) {
      if (++position[i] < shape[i]) return;
      position[i] = 0;
    }
    isDone = true;
  }

private:
  Dims shape, position;
  bool isDone = false;
};

/// The place of a position in row-major order.
inline size_t placeOf(const Dims &shape, const Dims &position) {
  int64_t place = 0;
  for (int i = 0; i < shape.rank; ++i) place = place * shape[i] + position[i];
  return size_t(place);
}
inline const Number &at(const Tensor &x, const Dims &position) { return x.elements[placeOf(x.type.shape, position)]; }

} // namespace kiln::reference
