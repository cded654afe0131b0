// Operators of kiln.Array.
#include "array_type.h"
#include "elements.h"

namespace kiln::py {
namespace {

bool isSequence(PyObject *o) { return PyList_Check(o) || PyTuple_Check(o); }

/// An integer without axes: it repeats lists, as NumPy's scalars do.
bool isCount(PyObject *o) { return isArray(o) && arrayOf(o).shape.rank == 0 && kiln::isInteger(arrayOf(o).dtype); }

PyObject *binary(Op op, PyObject *x, PyObject *y) {
  if (hasNoAxes(x) || hasNoAxes(y))
    if (PyObject *result = computeNumbers(op, x, y)) return result;
  return guarded([&]() -> PyObject * {
    if (op == Op::Multiply && ((isSequence(x) && isCount(y)) || (isCount(x) && isSequence(y)))) Py_RETURN_NOTIMPLEMENTED;
    if (isSequence(x) || isSequence(y)) return check(PyObject_CallFunction(side().form, "s(OO){}", info(op).name, x, y));
    Holder a, b;
    if (!toOperand(x, a) || !toOperand(y, b)) Py_RETURN_NOTIMPLEMENTED;
    Operand operands[] = {a.operand, b.operand};
    Object small;
    if (applySmall(op, operands, resultIn(small))) return small.release();
    return wrap(applyElementwise(op, operands));
  });
}
template <Op op> PyObject *binarySlot(PyObject *x, PyObject *y) { return binary(op, x, y); }

template <Op op> PyObject *unarySlot(PyObject *x) {
  if (PyObject *result = computeNumber(op, x)) return result;
  return guarded([&] {
    Operand operand{Operand::IsArray, &arrayOf(x)};
    Object small;
    if (applySmall(op, {&operand, 1}, resultIn(small))) return small.release();
    return wrap(applyElementwise(op, {&operand, 1}));
  });
}

/// Whether a result of dtype `result` may be rounded into an array of dtype `target`: both floats, or both complex.
bool isWider(DType target, DType result) {
  return (isFloat(target) && isFloat(result)) || (isComplex(target) && (isFloat(result) || isComplex(result)));
}

/// x op= y writes into x's memory; the dtype of x stays.
template <Op op> PyObject *inplaceSlot(PyObject *x, PyObject *y) {
  if (computeInPlace(op, x, y)) return Py_NewRef(x);
  return guarded([&]() -> PyObject * {
    Holder b;
    if (isSequence(y)) {
      b.array = asArray(y, std::nullopt, -1);
      b.operand = {Operand::IsArray, &*b.array};
    } else if (!toOperand(y, b)) {
      Py_RETURN_NOTIMPLEMENTED;
    }
    Operand operands[] = {{Operand::IsArray, &arrayOf(x)}, b.operand};
    if (applyInto(op, operands, arrayOf(x))) return Py_NewRef(x);
    Array result = applyElementwise(op, operands);
    if (result.dtype != arrayOf(x).dtype && !isWider(arrayOf(x).dtype, result.dtype))
      fail(ErrorKind::DType, info(op).name, "dtype of an in-place result", info(arrayOf(x).dtype).name, info(result.dtype).name);
    assignResult(arrayOf(x), result);
    return Py_NewRef(x);
  });
}

PyObject *power(PyObject *x, PyObject *y, PyObject *modulus) {
  if (modulus != Py_None) Py_RETURN_NOTIMPLEMENTED;
  return binary(Op::Pow, x, y);
}
PyObject *inplacePower(PyObject *x, PyObject *y, PyObject *) { return inplaceSlot<Op::Pow>(x, y); }
PyObject *divmodSlot(PyObject *x, PyObject *y) {
  Object quotient(binary(Op::FloorDivide, x, y));
  if (!quotient || quotient.get() == Py_NotImplemented) return quotient.release();
  Object rest(binary(Op::Remainder, x, y));
  return rest ? PyTuple_Pack(2, quotient.get(), rest.get()) : nullptr;
}
PyObject *matmulSlot(PyObject *x, PyObject *y) {
  return guarded([&]() -> PyObject * {
    Holder a, b;
    if (!toOperand(x, a) || !toOperand(y, b) || a.operand.kind != Operand::IsArray || b.operand.kind != Operand::IsArray)
      Py_RETURN_NOTIMPLEMENTED;
    return wrap(matmul(*a.operand.array, *b.operand.array));
  });
}

PyObject *inplaceMatmul(PyObject *x, PyObject *y) {
  return guarded([&]() -> PyObject * {
    Holder b;
    if (!toOperand(y, b) || b.operand.kind != Operand::IsArray) Py_RETURN_NOTIMPLEMENTED;
    Array product = matmul(arrayOf(x), *b.operand.array);
    if (!(product.shape == arrayOf(x).shape) || product.dtype != arrayOf(x).dtype)
      fail(ErrorKind::Shape, "matmul", "type of an in-place result", toString(arrayOf(x).type()), toString(product.type()));
    assignResult(arrayOf(x), product);
    return Py_NewRef(x);
  });
}

PyObject *richCompare(PyObject *x, PyObject *y, int how) {
  static constexpr Op ops[] = {Op::Less, Op::LessEqual, Op::Equal, Op::NotEqual, Op::Greater, Op::GreaterEqual};
  if (y == Py_None && (how == Py_EQ || how == Py_NE)) // of every element, as NumPy has it
    return guarded([&] { return wrap(full(arrayOf(x).shape, DType::Bool, {how == Py_NE, 0}, deviceOf(arrayOf(x)))); });
  return binary(ops[how], x, y);
}

} // namespace

std::span<const PyType_Slot> arithmeticSlots() {
  static const PyType_Slot slots[] = {{Py_tp_richcompare, slot(richCompare)},
                                      {Py_nb_add, slot(binarySlot<Op::Add>)},
                                      {Py_nb_subtract, slot(binarySlot<Op::Subtract>)},
                                      {Py_nb_multiply, slot(binarySlot<Op::Multiply>)},
                                      {Py_nb_true_divide, slot(binarySlot<Op::Divide>)},
                                      {Py_nb_floor_divide, slot(binarySlot<Op::FloorDivide>)},
                                      {Py_nb_remainder, slot(binarySlot<Op::Remainder>)},
                                      {Py_nb_divmod, slot(divmodSlot)},
                                      {Py_nb_power, slot(power)},
                                      {Py_nb_lshift, slot(binarySlot<Op::BitwiseLeftShift>)},
                                      {Py_nb_rshift, slot(binarySlot<Op::BitwiseRightShift>)},
                                      {Py_nb_matrix_multiply, slot(matmulSlot)},
                                      {Py_nb_inplace_matrix_multiply, slot(inplaceMatmul)},
                                      {Py_nb_negative, slot(unarySlot<Op::Negative>)},
                                      {Py_nb_positive, slot(unarySlot<Op::Positive>)},
                                      {Py_nb_absolute, slot(unarySlot<Op::Abs>)},
                                      {Py_nb_invert, slot(unarySlot<Op::BitwiseInvert>)},
                                      {Py_nb_and, slot(binarySlot<Op::BitwiseAnd>)},
                                      {Py_nb_or, slot(binarySlot<Op::BitwiseOr>)},
                                      {Py_nb_xor, slot(binarySlot<Op::BitwiseXor>)},
                                      {Py_nb_inplace_add, slot(inplaceSlot<Op::Add>)},
                                      {Py_nb_inplace_subtract, slot(inplaceSlot<Op::Subtract>)},
                                      {Py_nb_inplace_multiply, slot(inplaceSlot<Op::Multiply>)},
                                      {Py_nb_inplace_true_divide, slot(inplaceSlot<Op::Divide>)},
                                      {Py_nb_inplace_floor_divide, slot(inplaceSlot<Op::FloorDivide>)},
                                      {Py_nb_inplace_remainder, slot(inplaceSlot<Op::Remainder>)},
                                      {Py_nb_inplace_power, slot(inplacePower)},
                                      {Py_nb_inplace_lshift, slot(inplaceSlot<Op::BitwiseLeftShift>)},
                                      {Py_nb_inplace_rshift, slot(inplaceSlot<Op::BitwiseRightShift>)},
                                      {Py_nb_inplace_and, slot(inplaceSlot<Op::BitwiseAnd>)},
                                      {Py_nb_inplace_or, slot(inplaceSlot<Op::BitwiseOr>)},
                                      {Py_nb_inplace_xor, slot(inplaceSlot<Op::BitwiseXor>)}};
  return slots;
}

} // namespace kiln::py
