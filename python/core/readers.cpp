// Small readers of what Python gives.
#include "core.h"

namespace kiln::py {

const Array &arrayIn(PyObject *o, Holder &holder) {
  if (isArray(o)) return arrayOf(o);
  holder.array = asOperand(o);
  return *holder.array;
}

int64_t integerIn(PyObject *o) {
  Object index(check(PyNumber_Index(o)));
  int64_t value = PyLong_AsLongLong(index.get());
  if (value == -1 && PyErr_Occurred()) throw PythonError();
  return value;
}

bool truthOf(PyObject *o) {
  int truth = PyObject_IsTrue(o);
  if (truth < 0) throw PythonError();
  return truth;
}

Op opIn(PyObject *o) {
  Py_ssize_t size;
  const char *name = PyUnicode_AsUTF8AndSize(o, &size);
  if (!name) throw PythonError();
  if (auto found = findOp({name, size_t(size)})) return *found;
  throw Error(ErrorKind::Value, "op: expected the name of one, got '" + std::string(name) + "'");
}

Device *deviceNamed(PyObject *name) {
  if (!PyUnicode_Check(name))
    fail(ErrorKind::Device, "device", "name", "a str, as 'cpu'", textOf(Object(check(PyObject_Repr(name))).get()));
  return findDevice(std::string(textOf(name)));
}

Dims sizesIn(const char *op, PyObject *o) {
  Dims shape = toDims(op, o);
  for (int64_t d : shape)
    if (d < 0) fail(ErrorKind::Shape, op, "shape", "sizes of at least 0", toString(shape));
  return shape;
}

} // namespace kiln::py
