// Keys of x[key], taken apart: integers, slices, ellipsis, None, masks and integer arrays in any mixture.
#include "elements.h"

#include "frontend/Indexing.h"

#include <algorithm>
#include <cstring>

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
    uint64_t keeps = 0; // items that are integers which are kept as arrays
    for (Py_ssize_t i = 0; i < n; ++i) {
      PyObject *item = PyTuple_GET_ITEM(items.get(), i);
      if (item == Py_Ellipsis) ++ellipses;
      else if (item == Py_None) ++added;
      else if (const Array *kept = i < 64 ? keptAs(item) : nullptr)
        arrays.push_back({Subscript::Indices, 0, 0, 1, *kept}), keeps |= uint64_t(1) << i, ++used;
      else if (isArrayLike(item) || PyBool_Check(item)) {
        int axes = axesOf(arrays.emplace_back(arrayItem(item)));
        used += axes;
        added += axes == 0; // a condition is an axis of its own
      } else ++used;
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
      else if (isArrayLike(item) || PyBool_Check(item) || (i < 64 && (keeps >> i & 1))) addArray(std::move(arrays[nextArray++]));
      else if (isInteger(item)) addInteger(item);
      else badIndex("an integer, slice, ellipsis, None, mask or integer array", Py_TYPE(item)->tp_name);
    }
    if (!ellipses) addAll(a.shape.rank - used);
    isViewOfElement = ellipses && !subscripts.empty() &&
                      std::all_of(subscripts.begin(), subscripts.end(), [](const Subscript &s) { return s.kind == Subscript::Integer; });
    return std::move(subscripts);
  }

  bool isViewOfElement = false; // `x[i, j, ...]`, where `x[i, j]` is a value

private:
  const Array &a;
  std::vector<Subscript> subscripts;
  int axis = 0;

  /// The array that a recording keeps an integer as; null for others.
  static const Array *keptAs(PyObject *item) {
    return numberInputs && PyLong_CheckExact(item) ? numberInputs->inputOf(item, DType::I64) : nullptr;
  }

  static int axesOf(const Subscript &s) { return s.kind == Subscript::Mask ? s.array.shape.rank : 1; }

  Subscript arrayItem(PyObject *item) const {
    bool isEmptyList = PyList_Check(item) && PyList_GET_SIZE(item) == 0;
    Array index = asArray(item, isEmptyList ? std::optional(DType::I64) : std::nullopt, -1, deviceOf(a));
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
    int64_t n = a.shape[axis], i = integerIn(item);
    if (i < -n || i >= n)
      fail(ErrorKind::Index, "index", "position along axis " + std::to_string(axis),
           "one in [" + std::to_string(-n) + ", " + std::to_string(n) + ")", std::to_string(i));
    ++axis;
    subscripts.push_back({Subscript::Integer, i < 0 ? i + n : i});
  }
};

} // namespace

namespace {

/// Takes one axis of a view by an integer, a slice, or an integer array without axes, which `isPicked` then tells; false for any other
/// item.
bool takeAxis(const Array &a, int axis, PyObject *item, Array &view, bool &isPicked) {
  int64_t n = a.shape[axis], stride = a.strides[axis], i;
  if (!PySlice_Check(item) && positionOf(item, i)) {
    if (i < -n || i >= n) return false; // refused by the full reader
    isPicked |= isArray(item);
    view.offset += (i < 0 ? i + n : i) * stride;
    return true;
  }
  if (!PySlice_Check(item)) return false;
  Py_ssize_t start, stop, step;
  if (PySlice_Unpack(item, &start, &stop, &step)) throw PythonError();
  int64_t count = PySlice_AdjustIndices(n, &start, &stop, step);
  if (count) view.offset += start * stride;
  view.shape.push(count);
  view.strides.push(count ? stride * step : stride);
  return true;
}

/// Keys of integers and slices alone, outside recordings.
bool takeBasic(const Array &a, PyObject *key, Array &view, bool &isPicked) {
  bool isTuple = PyTuple_CheckExact(key);
  Py_ssize_t n = isTuple ? PyTuple_GET_SIZE(key) : 1;
  if (Mode::current() || n > a.shape.rank || a.shape.rank == 0) return false;
  view.storage = a.storage;
  view.dtype = a.dtype;
  view.isRepeated = a.isRepeated;
  view.offset = a.offset;
  for (Py_ssize_t i = 0; i < n; ++i)
    if (!takeAxis(a, int(i), isTuple ? PyTuple_GET_ITEM(key, i) : key, view, isPicked)) return false;
  for (int i = int(n); i < a.shape.rank; ++i) view.shape.push(a.shape[i]), view.strides.push(a.strides[i]);
  view.updateContiguous();
  return true;
}

} // namespace

Array getItem(const Array &a, PyObject *key) {
  if (PyLong_CheckExact(key) || PySlice_Check(key) || PyTuple_CheckExact(key)) {
    Array view;
    bool isPicked = false;
    if (takeBasic(a, key, view, isPicked)) {
      if (view.shape.rank) return isPicked ? copy(view) : view; // as of any array of positions
      if (deviceOf(view)) return copy(view);
      Array element = Array::empty(view.dtype, {}); // a value: `x[i], x[j] = x[j], x[i]` swaps
      std::memcpy(element.data(), view.data(), size_t(byteSize(view.dtype)));
      return element;
    }
  } else if (isArray(key) && kiln::isInteger(arrayOf(key).dtype) && a.shape.rank && a.shape.rank + arrayOf(key).shape.rank <= kMaxRank) {
    return gather(a, arrayOf(key), 0);
  }
  KeyReader reader(a);
  std::vector<Subscript> read = reader.read(key);
  if (!reader.isViewOfElement) return getAt(a, read);
  read.push_back({Subscript::NewAxis});
  return reshape(getAt(a, read), {});
}

void setItem(Array &a, PyObject *key, PyObject *value, Op op) {
  Holder holder;
  Array source;
  if (PyList_Check(value) || PyTuple_Check(value)) {
    source = asArray(value, std::nullopt, -1, deviceOf(a));
  } else {
    Operand operand = requireOperand("assignment", value, holder);
    bool isTruncated = operand.kind == Operand::IsFloat && !isFloat(a.dtype) && !isComplex(a.dtype); // as NumPy does with what is assigned
    DType dtype = isTruncated ? DType::F64 : a.dtype;
    const Array *kept = numberInputs && operand.origin ? numberInputs->inputOf(operand.origin, dtype) : nullptr;
    if (operand.kind == Operand::IsArray) source = *operand.array;
    else source = kept ? *kept : constantArray(dtype, scalarBits(operand, dtype)); // a number that a recording keeps
  }
  if (op == Op::Scatter && !Mode::current() && (PyLong_CheckExact(key) || PySlice_Check(key) || PyTuple_CheckExact(key))) {
    Array view;
    bool isPicked = false,
         isResult = isArray(value) && Py_REFCNT(value) == 1 && arrayOf(value).storage->refs.load() == 2; // its own and `source`
    if (takeBasic(a, key, view, isPicked)) return isResult ? assignResult(view, source) : assign(view, source);
  }
  setAt(a, KeyReader(a).read(key), source, op);
}

} // namespace kiln::py
