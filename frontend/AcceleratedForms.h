// Forms of eager operations on accelerators. Arrays of many shapes are the same to an operation: axes are joined where they can be, moves
// are those of unsigned integers as wide, and what has one element has no axes. So few kernels serve all, which may be made at build time
// (tools/gpu-pack/Programs.cpp names them).
#pragma once

#include "frontend/AcceleratedShared.h"

namespace kiln {

/// A program of few operations under construction, with what it is to be run on.
struct Small {
  Trace trace;
  std::vector<AcceleratorProgram::Argument> arguments;
  bool isOwn = false; // its code is to know its sizes: kernels for any size would be markedly slower

  /// An array of the device in any strides, or a number of the host, repeated to its shape.
  int64_t add(const Array &x);
  /// An array that is row by row, or its memory as if it were.
  int64_t addWhole(const Array &x, const TensorType &type);
  /// One element, repeated to a shape.
  int64_t addNumber(const Array &x, const TensorType &type);
  /// An array in strides that are part of the program's values, not of the program.
  int64_t addStrided(const Array &x, const TensorType &type, const Dims &strides);
  void finish(Op op, std::span<const int64_t> slots, std::span<const int64_t> words, const TensorType &type) {
    trace.outputs = {trace.append(op, slots, words, type)};
  }

  std::vector<int64_t> key() const;
};

/// Of products of matrices and lines in the order of matmul, one or many; none for others.
std::optional<Small> productForm(const Operation &o);
/// The program of an operation whose operands have elements, in its form.
Small formOf(const Operation &o);

/// The operand in strides that is to be a copy row by row first, so that a form fits; none where all may stay.
std::optional<size_t> operandToCopy(const Operation &o);
/// Whether a reduction runs over axes that do not all lie beside each other.
bool hasSeveralRuns(const Operation &o);

} // namespace kiln
