#include "frontend/frames/Watch.h"

#include <bit>

namespace kiln::py {
namespace {

bool sameValue(PyObject *a, PyObject *b) {
  if (a == b) return true;
  if (!a || !b || Py_TYPE(a) != Py_TYPE(b)) return false;
  auto sameBits = [](double x, double y) { return std::bit_cast<int64_t>(x) == std::bit_cast<int64_t>(y); };
  if (PyFloat_CheckExact(a)) return sameBits(PyFloat_AS_DOUBLE(a), PyFloat_AS_DOUBLE(b));
  if (PyComplex_CheckExact(a)) {
    Py_complex x = PyComplex_AsCComplex(a), y = PyComplex_AsCComplex(b);
    return sameBits(x.real, y.real) && sameBits(x.imag, y.imag);
  }
  if (PyLong_CheckExact(a) || PyUnicode_CheckExact(a) || PyBytes_CheckExact(a)) return PyObject_RichCompareBool(a, b, Py_EQ) == 1;
  if (!PyTuple_CheckExact(a) || PyTuple_GET_SIZE(a) != PyTuple_GET_SIZE(b)) return false;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(a); ++i)
    if (!sameValue(PyTuple_GET_ITEM(a, i), PyTuple_GET_ITEM(b, i))) return false;
  return true;
}

/// Changes with every attribute of a type or of its bases; 0 where CPython has no number left.
uint64_t versionOf(PyObject *type) {
  auto *t = reinterpret_cast<PyTypeObject *>(type);
#if PY_VERSION_HEX >= 0x030c0000
  return PyUnstable_Type_AssignVersionTag(t) ? t->tp_version_tag : 0;
#else
  static PyObject *const anyName = PyUnicode_InternFromString("__kiln__");
  _PyType_Lookup(t, anyName); // gives it a number
  return PyType_HasFeature(t, Py_TPFLAGS_VALID_VERSION_TAG) ? t->tp_version_tag : 0;
#endif
}

bool isPartial(PyObject *o) { return Py_TYPE(o) == package().partial; }

PyObject **attributeOf(PyObject *function, PyObject *name) {
  auto *f = reinterpret_cast<PyFunctionObject *>(function);
  if (!PyUnicode_CompareWithASCIIString(name, "__code__")) return &f->func_code;
  return !PyUnicode_CompareWithASCIIString(name, "__defaults__") ? &f->func_defaults : &f->func_kwdefaults;
}

} // namespace

Object Place::read() const {
  PyObject *of = container.get();
  if (PyType_Check(of)) return container;
  if (!key) return Object::borrow(PyCell_GET(of));
  if (isPartial(of)) return Object(PyObject_GetAttr(of, key.get())); // of a plain type: no code of the user runs
  if (PyFunction_Check(of)) return Object::borrow(*attributeOf(of, key.get()));
  PyObject *found = PyDict_GetItemWithError(of, key.get());
  if (!found) PyErr_Clear();
  return Object::borrow(found);
}

std::string Place::describe() const {
  if (PyType_Check(container.get())) return std::string("class ") + reinterpret_cast<PyTypeObject *>(container.get())->tp_name;
  if (!key) return "closure variable";
  const char *name = PyUnicode_Check(key.get()) ? PyUnicode_AsUTF8(key.get()) : nullptr;
  return "name '" + std::string(name ? name : "?") + "'";
}

Guard::Guard(Place at, Object value) : place(std::move(at)), expected(std::move(value)) {
  PyObject *of = place.container.get(), *key = place.key.get();
  if (PyType_Check(of)) version = versionOf(of);
  else if (!key) field = &reinterpret_cast<PyCellObject *>(of)->ob_ref;
  else if (PyFunction_Check(of)) field = attributeOf(of, key);
  else if (PyDict_Check(of) && PyUnicode_CheckExact(key)) hash = PyObject_Hash(key);
}

bool Guard::holdsByValue() const {
  if (PyType_Check(place.container.get())) return version && versionOf(place.container.get()) == version;
  return sameValue(place.read().get(), expected.get());
}

std::string PythonState::find(PyObject *function, std::span<PyObject *const> classes, std::span<PyObject *const> values) {
  auto listOf = [](std::span<PyObject *const> objects) {
    Object list(check(PyList_New(0)));
    for (PyObject *o : objects)
      if (PyList_Append(list.get(), o)) throw PythonError();
    return list;
  };
  Object classList = listOf(classes), valueList = listOf(values);
  Object reads(check(PyObject_CallFunctionObjArgs(package().analyze, function, classList.get(), valueList.get(), nullptr)));
  PyObject *places, *why, *analysed;
  if (!PyArg_ParseTuple(reads.get(), "O!OO!", &PyList_Type, &places, &why, &PyTuple_Type, &analysed)) throw PythonError();
  if (why != Py_None) return PyUnicode_AsUTF8(why);
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(analysed); ++i) {
    held.push_back(Object::borrow(PyTuple_GET_ITEM(analysed, i)));
    codes.insert(held.back().get());
  }
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(places); ++i) {
    PyObject *pair = PyList_GET_ITEM(places, i), *key = PyTuple_GET_ITEM(pair, 1);
    Place place{Object::borrow(PyTuple_GET_ITEM(pair, 0)), key == Py_None ? Object() : Object::borrow(key)};
    Object value = place.read();
    bool isType = PyType_Check(place.container.get());
    if (value && isArray(value.get())) arrays.push_back(place);
    else guards.emplace_back(place, value);
    if (isType && !guards.back().version) return "a class is read whose changes CPython does not number any more";
  }
  return "";
}

int PythonState::visit(visitproc visit, void *arg) const {
  for (const Guard &g : guards) {
    Py_VISIT(g.place.container.get());
    Py_VISIT(g.place.key.get());
    Py_VISIT(g.expected.get());
  }
  for (const Place &p : arrays) {
    Py_VISIT(p.container.get());
    Py_VISIT(p.key.get());
  }
  for (const Object &code : held) Py_VISIT(code.get());
  return 0;
}

} // namespace kiln::py
