// Indexing: integers, slices, ellipsis and new axes give views; one integer array selects along its axis.
#include "core.h"

#include "lib/Core/Infer.h"

namespace kiln::py {
namespace {

/// A key taken apart: a slice of every axis, then axes dropped and added, then one selection.
struct Selection {
  Dims starts, sizes, steps, shape;
  Array indices;
  int gatherAxis = -1; // in `shape`
  bool isWhole = true, onlyIntegers = true;
};

[[noreturn]] void badIndex(const std::string &expected, const std::string &got) { fail(ErrorKind::Index, "index", "key", expected, got); }

void addInteger(Selection &s, const Array &a, int64_t i) {
  int axis = s.starts.rank;
  int64_t n = a.shape[axis];
  if (i < -n || i >= n)
    fail(ErrorKind::Index, "index", "position along axis " + std::to_string(axis),
         "one in [" + std::to_string(-n) + ", " + std::to_string(n) + ")", std::to_string(i));
  s.starts.push(i < 0 ? i + n : i);
  s.sizes.push(1);
  s.steps.push(1);
}

void addSlice(Selection &s, const Array &a, PyObject *slice) {
  int64_t n = a.shape[s.starts.rank];
  Py_ssize_t start = 0, stop = n, step = 1;
  if (slice && PySlice_Unpack(slice, &start, &stop, &step)) throw PythonError();
  int64_t count = slice ? PySlice_AdjustIndices(n, &start, &stop, step) : n;
  s.starts.push(count ? start : 0);
  s.sizes.push(count);
  s.steps.push(count ? step : 1);
  s.shape.push(count);
}

bool isInteger(PyObject *o) { return PyLong_Check(o) || (PyIndex_Check(o) && !isArray(o) && !PyObject_CheckBuffer(o)); }

Selection parse(const Array &a, PyObject *key) {
  Object items = PyTuple_Check(key) ? Object::borrow(key) : Object(check(PyTuple_Pack(1, key)));
  Py_ssize_t n = PyTuple_GET_SIZE(items.get());
  int used = 0, ellipses = 0, added = 0;
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject *item = PyTuple_GET_ITEM(items.get(), i);
    ellipses += item == Py_Ellipsis;
    used += item != Py_Ellipsis && item != Py_None;
    added += item == Py_None ? 1 : isInteger(item) ? -1 : 0;
  }
  if (ellipses > 1) badIndex("at most one ellipsis", std::to_string(ellipses));
  if (used > a.shape.rank) badIndex("at most " + std::to_string(a.shape.rank) + " axes", std::to_string(used));
  if (a.shape.rank + added > kMaxRank)
    badIndex("at most " + std::to_string(kMaxRank) + " axes in the result", std::to_string(a.shape.rank + added));
  Selection s;
  for (Py_ssize_t i = 0; i <= n; ++i) {
    PyObject *item = i < n ? PyTuple_GET_ITEM(items.get(), i) : Py_Ellipsis;
    bool isLastEllipsis = i == n && !ellipses;
    if (i == n && !isLastEllipsis) break;
    if (item == Py_Ellipsis) {
      for (int k = used; k < a.shape.rank; ++k) addSlice(s, a, nullptr);
      s.onlyIntegers &= used == a.shape.rank && i == n;
    } else if (item == Py_None) {
      s.shape.push(1);
      s.onlyIntegers = false;
    } else if (PySlice_Check(item)) {
      addSlice(s, a, item);
      s.onlyIntegers = false;
    } else if (PyBool_Check(item)) {
      badIndex("an integer, slice, ellipsis, None or integer array", "bool (masks are not supported yet)");
    } else if (isInteger(item)) {
      addInteger(s, a, PyLong_AsLongLong(Object(check(PyNumber_Index(item))).get()));
      if (PyErr_Occurred()) throw PythonError();
    } else if (isArray(item) || PyObject_CheckBuffer(item) || PyList_Check(item)) {
      Array index = asArray(item, std::nullopt, -1);
      if (!kiln::isInteger(index.dtype))
        badIndex("an integer array", toString(index.type()) + (index.dtype == DType::Bool ? " (masks are not supported yet)" : ""));
      if (s.gatherAxis >= 0) badIndex("at most one integer array", "another one (not supported yet)");
      s.indices = index;
      s.gatherAxis = s.shape.rank;
      addSlice(s, a, nullptr);
      s.onlyIntegers = false;
    } else {
      badIndex("an integer, slice, ellipsis, None or integer array", Py_TYPE(item)->tp_name);
    }
  }
  return s;
}

Array viewAt(const Array &a, const Selection &s) {
  Array view = slice(a, s.starts, s.sizes, s.steps);
  if (view.shape == s.shape) return view;
  // Axes of size 1 dropped and added: always a view.
  return reshape(view, s.shape);
}

} // namespace

Array getItem(const Array &a, PyObject *key) {
  Selection s = parse(a, key);
  Array view = viewAt(a, s);
  if (s.gatherAxis >= 0) return gather(view, s.indices, s.gatherAxis);
  // One element is a value: `x[i], x[j] = x[j], x[i]` swaps.
  return s.onlyIntegers && s.shape.rank == 0 && a.shape.rank ? copy(view) : view;
}

void setItem(Array &a, PyObject *key, PyObject *value) {
  Holder holder;
  Operand operand = requireOperand("assignment", value, holder);
  Array source;
  if (operand.kind == Operand::IsArray) {
    source = *operand.array;
  } else {
    if (operand.kind == Operand::IsFloat && !isFloat(a.dtype)) { // NumPy truncates numbers that are assigned
      source = constantArray(DType::F64, scalarBits(operand, DType::F64));
    } else {
      source = constantArray(a.dtype, scalarBits(operand, a.dtype));
    }
  }
  Selection s = parse(a, key);
  if (s.gatherAxis >= 0) badIndex("integers, slices, ellipsis or None for an assignment", "an integer array (not supported yet)");
  bool isAll = s.sizes == a.shape && s.shape == a.shape;
  for (int64_t step : s.steps) isAll &= step > 0;
  if (isAll) return assign(a, source);
  Array view = viewAt(a, s);
  assign(view, source);
}

} // namespace kiln::py
