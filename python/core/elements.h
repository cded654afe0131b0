// Operations on arrays without axes and on elements, quickly: each gives null (or false, or -1) and sets no error where it is not such a
// case, and the caller goes the way of all others.
#pragma once

#include "core.h"

namespace kiln::py {

/// A new array without axes with the bits of an element.
PyObject *newElement(DType dtype, const void *bits);

/// For `applySmall`: a new array, kept in an Object.
SmallResult resultIn(Object &object);

inline bool hasNoAxes(PyObject *o) { return isArray(o) && !arrayOf(o).shape.rank; }
/// Of arrays, one of which has no axes, or of one and a number.
PyObject *computeNumbers(Op op, PyObject *x, PyObject *y);
PyObject *computeNumber(Op op, PyObject *x);
/// x op= y.
bool computeInPlace(Op op, PyObject *x, PyObject *y);
/// The value of an integer, or of an integer array without axes of the CPU.
bool positionOf(PyObject *o, int64_t &value);
/// x[key] and x[key] = value for a key of integers alone.
PyObject *readElement(const Array &a, PyObject *key);
bool writeElement(Array &a, PyObject *key, PyObject *value);
/// The bits of a number of Python, or of an array without axes, that is an element of a dtype as it is.
bool elementOf(PyObject *o, DType dtype, void *bits);
/// Whether an array is row-major memory of the CPU that may be read as it is.
inline bool isPlain(const Array &a) { return a.isContiguous && !deviceOf(a) && a.storage->value && !Mode::current(); }
/// Whether the memory that an array shows may be written as it is.
bool mayWrite(const Array &a);
/// x[key] and x[key] = value for a key that is an array of few positions or a mask of few elements (few.cpp).
PyObject *readFew(const Array &a, PyObject *key);
bool writeFew(Array &a, PyObject *key, PyObject *value);
PyObject *numberAsFloat(PyObject *o);
PyObject *numberAsInt(PyObject *o);
int numberAsBool(PyObject *o);

/// What the package calls: operations (calls.cpp), masked writes and orders (few.cpp), few random numbers (draws.cpp), counts and
/// repetitions (counting.cpp).
bool initCalls(PyObject *module);
bool initFew(PyObject *module);
bool initDraws(PyObject *module);
bool initCounting(PyObject *module);

} // namespace kiln::py
