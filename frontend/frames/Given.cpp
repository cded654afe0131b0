// What functions of the package are given that run functions and take trees of containers apart: gradients, batches, kn.tree.
#include "frontend/frames/Reader.h"
#include "frontend/frames/Scalars.h"

#include <cstring>

namespace kiln::py {

/// Whether code of a module makes up a function of the package.
static bool isOfModule(PyObject *function, const char *name) {
  static PyObject *const key = PyUnicode_InternFromString("__name__");
  PyObject *module = PyDict_GetItemWithError(PyFunction_GET_GLOBALS(function), key);
  return module && PyUnicode_Check(module) && !PyUnicode_CompareWithASCIIString(module, name);
}

static bool isNamed(PyObject *function, const char *name) {
  return !PyUnicode_CompareWithASCIIString(reinterpret_cast<PyFunctionObject *>(function)->func_name, name);
}

/// Whether a function of the package takes what it is given for trees, and does nothing else with objects of the user.
static bool takesTrees(PyObject *function) {
  for (const char *name : {"kiln._gradients", "kiln._jacobians", "kiln._batches", "kiln._checkpoint", "kiln.tree"})
    if (isOfModule(function, name)) return true;
  return false;
}

/// Arguments of a function of the package, which runs the functions among them and reads nothing else of those.
void Reader::give(PyObject *callee, std::span<PyObject *> args) {
  bool wasGiven = std::exchange(isGivenTrees, takesTrees(callee));
  if (!passOn(callee, args) && !passInputs(callee, args))
    for (PyObject *o : args) giveOne(o);
  isGivenTrees = wasGiven;
}

void Reader::giveOne(PyObject *o) {
  if (PyFunction_Check(o)) enter(o);
  else if (isGivenTrees && isCallable(o)) callObject(o, nullptr, 0, false);
  else deep(o);
}

/// What a derivative of a function is called with, (fun, argnums, has_aux, args, kwargs): the arguments at argnums are looked at; the
/// others go on to the function as they are, which is one whose code is judged.
bool Reader::passOn(PyObject *callee, std::span<PyObject *const> args) {
  bool isOfOne = isOfModule(callee, "kiln._gradients") && isNamed(callee, "_value_and_grad");
  bool isOfAll = isOfModule(callee, "kiln._jacobians") && (isNamed(callee, "_jacrev") || isNamed(callee, "_jacfwd"));
  if ((!isOfOne && !isOfAll) || args.size() != 5 || !PyTuple_CheckExact(args[3]) || !PyDict_CheckExact(args[4])) return false;
  PyObject *inner = values.known(args[0]) == Known::Jitted ? package().unjitted(args[0]) : args[0];
  if (PyMethod_Check(inner)) inner = PyMethod_GET_FUNCTION(inner);
  if (!PyFunction_Check(inner)) return false;
  std::vector<PyObject *> looked;
  Py_ssize_t count = PyTuple_GET_SIZE(args[3]);
  bool isTuple = PyTuple_CheckExact(args[1]);
  for (Py_ssize_t i = 0, n = isTuple ? PyTuple_GET_SIZE(args[1]) : 1; i < n; ++i) {
    std::optional<int64_t> at = wholeOf(isTuple ? PyTuple_GET_ITEM(args[1], i) : args[1]);
    if (!at || *at < -count || *at >= count) return false;
    looked.push_back(PyTuple_GET_ITEM(args[3], *at < 0 ? *at + count : *at));
  }
  for (PyObject *o : args.first(3)) giveOne(o);
  for (PyObject *o : looked) deep(o);
  return true;
}

/// A number of which an array is made before anything looks at it, or another object.
void Reader::pass(PyObject *o, Expected &call) {
  auto number = tagged.find(o);
  if (number == tagged.end() || isLateNumber(o)) return deep(o);
  call.of.push_back(number->second);
  call.operands.push_back(o);
}

/// The same of what lists and tuples hold.
void Reader::passAll(PyObject *o, Expected &call) {
  if (!PyList_CheckExact(o) && !PyTuple_CheckExact(o)) return pass(o, call);
  constexpr Py_ssize_t kMost = 64; // more become an array at once, of Python's numbers
  if (PySequence_Fast_GET_SIZE(o) > kMost) return deep(o);
  walk(o);
  pinItems(o);
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i) passAll(PySequence_Fast_GET_ITEM(o, i), call);
}

/// What is given to kn.asarray, kn.full and the like, and the arguments of a batch, (fun, in_axes, out_axes, axis_size, args, kwargs).
bool Reader::passInputs(PyObject *callee, std::span<PyObject *> args) {
  bool isOfCreation = isOfModule(callee, "kiln._creation");
  bool isOfArray = args.size() && isOfCreation && (isNamed(callee, "asarray") || isNamed(callee, "array"));
  size_t positional = args.size() - size_t(argumentNames ? PyTuple_GET_SIZE(argumentNames) : 0);
  bool isOfValue = positional > 1 && isOfCreation && (isNamed(callee, "full") || isNamed(callee, "full_like"));
  bool isOfBatch = args.size() == 6 && isOfModule(callee, "kiln._batches") && isNamed(callee, "_vmap");
  if (!isOfArray && !isOfValue && (!isOfBatch || !PyTuple_CheckExact(args[4]) || !PyDict_CheckExact(args[5]))) return false;
  Expected call{live.back().frame, live.back().next, -1, {}, {}, {}};
  call.isPassed = isOfBatch;
  PyObject *key, *value;
  if (isOfArray) {
    if (PyList_CheckExact(args[0]) || PyTuple_CheckExact(args[0])) takenAtOnce(&args[0]);
    passAll(args[0], call);
    for (PyObject *o : args.subspan(1)) deep(o);
  } else if (isOfValue) {
    pass(args[1], call);
    for (PyObject *&o : args)
      if (&o != &args[1]) deep(o);
  } else {
    for (PyObject *o : args.first(4)) giveOne(o);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args[4]); ++i) pass(PyTuple_GET_ITEM(args[4], i), call);
    for (Py_ssize_t at = 0; PyDict_Next(args[5], &at, &key, &value);) pass(value, call);
  }
  if (call.of.empty()) return true;
  asked.clear();
  expected = std::move(call);
  return true;
}

/// Whether it is a method, a jitted function, a partial object, or an object of the user that is called as one.
bool Reader::isCallable(PyObject *o) {
  if (Py_TYPE(o) == package().partial) return true;
  Sort sort = values.sortOf(o);
  if (sort != Sort::Instance) return sort == Sort::Method || (sort == Sort::Other && values.known(o) == Known::Jitted);
  static PyObject *const name = PyUnicode_InternFromString("__call__");
  return _PyType_Lookup(Py_TYPE(o), name);
}

/// An object of a class that kn.tree knows: its functions run, or those of its fields. False for other objects.
bool Reader::takeApart(PyObject *o, int depth) {
  PyTypeObject *type = Py_TYPE(o);
  Object trees(check(PyImport_ImportModule("kiln.tree"))), registered(check(PyObject_GetAttrString(trees.get(), "_registered")));
  PyObject *functions = PyDict_GetItemWithError(registered.get(), asObject(type));
  static PyObject *const fieldsName = PyUnicode_InternFromString("__dataclass_fields__");
  PyObject *fields = _PyType_Lookup(type, fieldsName);
  if (!functions && !(fields && PyDict_CheckExact(fields))) return false;
  coverClass(o);
  bool isOfUser = false, isOfMethods = false;
  for (Py_ssize_t i = 0; functions && i < PyTuple_GET_SIZE(functions); ++i) {
    PyObject *function = PyTuple_GET_ITEM(functions, i);
    if (!PyFunction_Check(function)) fail(std::string("takes a ") + type->tp_name + " apart in an unknown way");
    if (Values::isOfPackage(function)) continue;
    isOfUser = true;
    if (originOf(function) == Origin::Unknown) setOrigin(function, Origin::Covered); // it stays: a class is registered once
    enter(function);
    if (i) rebuilding.insert(reinterpret_cast<PyCodeObject *>(PyFunction_GET_CODE(function)));
  }
  for (const char *method : {"tree_flatten", "tree_unflatten"}) {
    Object name(check(PyUnicode_InternFromString(method)));
    PyObject *found = functions && !isOfUser ? _PyType_Lookup(type, name.get()) : nullptr;
    if (!found) continue;
    isOfMethods = true;
    Object inner = PyFunction_Check(found) ? Object::borrow(found) : Object(check(PyObject_GetAttrString(found, "__func__")));
    member(type, name.get(), inner.get());
    enter(inner.get());
    if (!std::strcmp(method, "tree_unflatten")) rebuilding.insert(reinterpret_cast<PyCodeObject *>(PyFunction_GET_CODE(inner.get())));
  }
  if (isOfUser || isOfMethods) return true;
  PyObject *name, *field;
  for (Py_ssize_t at = 0; PyDict_Next(fields, &at, &name, &field);) {
    attributeOfInstance(o, name);
    Object value = placeOf(Place::Attribute, o, name).read(); // none of a property, which runs
    if (value) deep(value.get(), depth + 1);
  }
  callClass(type, nullptr, 0);
  return true;
}

} // namespace kiln::py
