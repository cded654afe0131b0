// The gradient of a function outside of all modes, the common call: trees of arrays taken apart and put together here. Other calls go
// by kiln/_gradients.py.
#include "transforms.h"

#include "frontend/Tape.h"
#include "frontend/frames/Reader.h"

namespace kiln::py {
namespace {

constexpr int kMostDepth = 64;

/// The structure of a tree of lists, tuples and dicts (by sorted keys), as it was: what the function does to its arguments does not show.
class Structure {
public:
  /// Adds the arrays of a tree to `leaves`; false where something else is in it.
  bool take(PyObject *o, std::vector<Object> &leaves, int depth = 0) {
    if (isArray(o)) {
      DType dtype = arrayOf(o).dtype;
      leaves.push_back(Object::borrow(o));
      return !isStorage(dtype) && (isFloat(dtype) || isComplex(dtype));
    }
    bool isList = PyList_CheckExact(o), isDict = PyDict_CheckExact(o);
    if (depth == kMostDepth || !(isList || isDict || PyTuple_CheckExact(o))) return false;
    kind = isList ? List : isDict ? Dict : Tuple;
    if (isDict) {
      keys = Object(check(PyDict_Keys(o)));
      if (PyList_Sort(keys.get())) throw PythonError();
    }
    PyObject *items = isDict ? keys.get() : o;
    for (Py_ssize_t i = 0; i < Py_SIZE(items); ++i) { // comparing keys may have changed anything
      PyObject *item = PyTuple_CheckExact(items) ? PyTuple_GET_ITEM(items, i) : PyList_GET_ITEM(items, i);
      Object child = Object::borrow(isDict ? PyDict_GetItemWithError(o, item) : item);
      if (PyErr_Occurred()) throw PythonError();
      if (!child || !children.emplace_back().take(child.get(), leaves, depth + 1)) return false;
    }
    return true;
  }
  /// The tree of other leaves, which `next` walks over.
  PyObject *with(Object *&next) const {
    if (kind == Leaf) return (next++)->release();
    auto n = Py_ssize_t(children.size());
    Object made(check(kind == List ? PyList_New(n) : kind == Dict ? PyDict_New() : PyTuple_New(n)));
    for (Py_ssize_t i = 0; i < n; ++i) {
      Object child(children[size_t(i)].with(next));
      if (kind == List) PyList_SET_ITEM(made.get(), i, child.release());
      else if (kind == Tuple) PyTuple_SET_ITEM(made.get(), i, child.release());
      else if (PyDict_SetItem(made.get(), PyList_GET_ITEM(keys.get(), i), child.get())) throw PythonError();
    }
    return made.release();
  }

private:
  enum : uint8_t { Leaf, List, Tuple, Dict } kind = Leaf;
  Object keys; // of a dict, sorted
  std::vector<Structure> children;
};

/// The positions of the arguments that are asked for: an int, or a tuple of several. False for others, and for ones outside.
bool positionsOf(PyObject *argnums, Py_ssize_t count, std::vector<Py_ssize_t> &positions) {
  bool isTuple = PyTuple_CheckExact(argnums);
  for (Py_ssize_t i = 0, n = isTuple ? PyTuple_GET_SIZE(argnums) : 1; i < n; ++i) {
    PyObject *number = isTuple ? PyTuple_GET_ITEM(argnums, i) : argnums;
    if (!PyLong_CheckExact(number)) return false;
    Py_ssize_t at = PyLong_AsSsize_t(number);
    if (at == -1 && PyErr_Occurred()) return PyErr_Clear(), false;
    if (at < 0) at += count;
    if (at < 0 || at >= count) return false;
    positions.push_back(at);
  }
  return true;
}

PyObject *call(PyObject *function, std::vector<PyObject *> &stack, PyObject *kwargs) {
  size_t n = stack.size() - 1; // behind a place that the call may use
  if (!PyDict_GET_SIZE(kwargs)) return check(PyObject_Vectorcall(function, &stack[1], n | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr));
  Object all(check(PyTuple_New(Py_ssize_t(n))));
  for (size_t i = 0; i < n; ++i) PyTuple_SET_ITEM(all.get(), Py_ssize_t(i), Py_NewRef(stack[1 + i]));
  return check(PyObject_Call(function, all.get(), kwargs));
}

bool isRealNumber(PyObject *o) { return isArray(o) && !arrayOf(o).shape.rank && isFloat(arrayOf(o).dtype); }

/// The same objects of what the tape found; zeros where the result does not depend on an array.
std::vector<Object> wrapGradients(std::span<const rules::Maybe> found, std::span<const Object> leaves) {
  std::vector<Object> gradients;
  gradients.reserve(found.size());
  for (size_t i = 0; i < found.size(); ++i) {
    const Array &x = arrayOf(leaves[i].get());
    gradients.emplace_back(wrap(found[i] ? owned(*found[i]) : full(x.shape, x.dtype, Scalar(), deviceOf(x))));
  }
  return gradients;
}

/// (function, args, kwargs, argnums, number) -> (value, gradients) of a function outside of all modes, by arguments that are trees of
/// arrays; None for all other calls. `number` makes an array without axes of another result, or raises.
PyObject *gradient(PyObject *, PyObject *const *given, Py_ssize_t) {
  return guarded([&]() -> PyObject * {
    PyObject *function = given[0], *args = given[1], *argnums = given[3];
    std::vector<Py_ssize_t> positions;
    if (Mode::current() || !positionsOf(argnums, PyTuple_GET_SIZE(args), positions)) Py_RETURN_NONE;
    std::vector<Structure> structures(positions.size());
    std::vector<Object> leaves, lifted, trees;
    for (size_t i = 0; i < positions.size(); ++i)
      if (!structures[i].take(PyTuple_GET_ITEM(args, positions[i]), leaves)) Py_RETURN_NONE;
    Tape tape;
    for (const Object &leaf : leaves) lifted.emplace_back(wrap(tape.watch(arrayOf(leaf.get()))));
    std::vector<PyObject *> stack = {nullptr};
    stack.insert(stack.end(), PySequence_Fast_ITEMS(args), PySequence_Fast_ITEMS(args) + PyTuple_GET_SIZE(args));
    Object *next = lifted.data();
    for (size_t i = 0; i < positions.size(); ++i) {
      stack[size_t(1 + positions[i])] = trees.emplace_back(structures[i].with(next)).get();
      if (!isArray(trees.back().get())) Reader::noteMade(trees.back().get());
    }
    Object result(call(function, stack, given[2]));
    if (!isRealNumber(result.get())) result = Object(check(PyObject_CallFunctionObjArgs(given[4], function, result.get(), nullptr)));
    auto [value, found] = tape.finish(arrayOf(result.get()));
    result = Object(), lifted.clear(), trees.clear();
    tape.settle();
    std::vector<Object> gradients = wrapGradients(found, leaves);
    next = gradients.data();
    bool isTuple = PyTuple_CheckExact(argnums);
    Object all(isTuple ? check(PyTuple_New(Py_ssize_t(structures.size()))) : structures[0].with(next)), first(wrap(std::move(value)));
    for (size_t i = 0; isTuple && i < structures.size(); ++i) PyTuple_SET_ITEM(all.get(), Py_ssize_t(i), structures[i].with(next));
    return check(PyTuple_Pack(2, first.get(), all.get()));
  });
}

PyMethodDef functions[] = {{"gradient", reinterpret_cast<PyCFunction>(reinterpret_cast<void *>(gradient)), METH_FASTCALL, nullptr},
                           {nullptr, nullptr, 0, nullptr}};

} // namespace

void defineGradient(pybind11::module_ &m) {
  if (PyModule_AddFunctions(m.ptr(), functions)) throw pybind11::error_already_set();
}

} // namespace kiln::py
