// Keys of x[key], taken apart: integers, slices, ellipsis, None, masks and integer arrays in any mixture.
#include "core.h"

#include "frontend/Indexing.h"

namespace kiln::py {
namespace {

[[noreturn]] void badIndex(const std::string &expected, const std::string &got) { fail(ErrorKind::Index, "index", "key", expected, got); }

bool isInteger(PyObject *o) { return PyLong_Check(o) || (PyIndex_Check(o) && !isArray(o) && !PyObject_CheckBuffer(o)); }
bool isArrayLike(PyObject *o) { return isArray(o) || PyList_Check(o) || (PyObject_CheckBuffer(o) && !PyBytes_Check(o)); }

/// A key over the axes of one array.
class KeyReader {
public:
  explicit KeyReader(const Array &a) : a(a) {}

  std::vector<Subscript> read(PyObject *key) {
    Object items = PyTuple_Check(key) ? Object::borrow(key) : Object(check(PyTuple_Pack(1, key)));
    Py_ssize_t n = PyTuple_GET_SIZE(items.get());
    std::vector<Subscript> arrays; // in order, since their ranks say how many axes the ellipsis stands for
    int used = 0, added = 0, ellipses = 0;
    for (Py_ssize_t i = 0; i < n; ++i) {
      PyObject *item = PyTuple_GET_ITEM(items.get(), i);
      if (item == Py_Ellipsis) ++ellipses;
      else if (item == Py_None) ++added;
      else if (isArrayLike(item) || PyBool_Check(item)) used += axesOf(arrays.emplace_back(arrayItem(item)));
      else ++used;
    }
    if (ellipses > 1) badIndex("at most one ellipsis", std::to_string(ellipses));
    if (used > a.shape.rank) badIndex("at most " + std::to_string(a.shape.rank) + " axes", std::to_string(used));
    if (a.shape.rank + added > kMaxRank)
      badIndex("at most " + std::to_string(kMaxRank) + " axes in the result", std::to_string(a.shape.rank + added));
    size_t nextArray = 0;
    for (Py_ssize_t i = 0; i < n; ++i) {
      PyObject *item = PyTuple_GET_ITEM(items.get(), i);
      if (item == Py_Ellipsis) addAll(a.shape.rank - used);
      else if (item == Py_None) subscripts.push_back({Subscript::NewAxis});
      else if (PySlice_Check(item)) addSlice(item);
      else if (isArrayLike(item) || PyBool_Check(item)) addArray(std::move(arrays[nextArray++]));
      else if (isInteger(item)) addInteger(item);
      else badIndex("an integer, slice, ellipsis, None, mask or integer array", Py_TYPE(item)->tp_name);
    }
    if (!ellipses) addAll(a.shape.rank - used);
    return std::move(subscripts);
  }

private:
  const Array &a;
  std::vector<Subscript> subscripts;
  int axis = 0;

  static int axesOf(const Subscript &s) { return s.kind == Subscript::Mask ? s.array.shape.rank : 1; }

  static Subscript arrayItem(PyObject *item) {
    bool isEmptyList = PyList_Check(item) && PyList_GET_SIZE(item) == 0;
    Array index = asArray(item, isEmptyList ? std::optional(DType::I64) : std::nullopt, -1);
    if (index.dtype == DType::Bool) return {Subscript::Mask, 0, 0, 1, index};
    if (!kiln::isInteger(index.dtype)) badIndex("an array of bool or integers", toString(index.type()));
    return {Subscript::Indices, 0, 0, 1, index};
  }

  void addArray(Subscript s) {
    axis += axesOf(s);
    subscripts.push_back(std::move(s));
  }
  void addAll(int count) {
    for (; count > 0; --count) subscripts.push_back({Subscript::Slice, 0, a.shape[axis++], 1, {}});
  }
  void addSlice(PyObject *slice) {
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(slice, &start, &stop, &step)) throw PythonError();
    int64_t count = PySlice_AdjustIndices(a.shape[axis++], &start, &stop, step);
    subscripts.push_back({Subscript::Slice, start, count, step, {}});
  }
  void addInteger(PyObject *item) {
    int64_t n = a.shape[axis], i = PyLong_AsLongLong(Object(check(PyNumber_Index(item))).get());
    if (PyErr_Occurred()) throw PythonError();
    if (i < -n || i >= n)
      fail(ErrorKind::Index, "index", "position along axis " + std::to_string(axis),
           "one in [" + std::to_string(-n) + ", " + std::to_string(n) + ")", std::to_string(i));
    ++axis;
    subscripts.push_back({Subscript::Integer, i < 0 ? i + n : i});
  }
};

} // namespace

Array getItem(const Array &a, PyObject *key) { return getAt(a, KeyReader(a).read(key)); }

void setItem(Array &a, PyObject *key, PyObject *value, Op op) {
  Holder holder;
  Array source;
  if (PyList_Check(value) || PyTuple_Check(value)) {
    source = asArray(value, std::nullopt, -1);
  } else {
    Operand operand = requireOperand("assignment", value, holder);
    if (operand.kind == Operand::IsArray) source = *operand.array;
    else if (operand.kind == Operand::IsFloat && !isFloat(a.dtype) && !isComplex(a.dtype)) // NumPy truncates numbers that are assigned
      source = constantArray(DType::F64, scalarBits(operand, DType::F64));
    else source = constantArray(a.dtype, scalarBits(operand, a.dtype));
  }
  setAt(a, KeyReader(a).read(key), source, op);
}

} // namespace kiln::py
