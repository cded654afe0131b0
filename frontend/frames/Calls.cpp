// Calls, as a reader judges them: whose code runs for them.
#include "frontend/frames/Builtins.h"
#include "frontend/frames/Reader.h"

#include <algorithm>

namespace kiln::py {
namespace {

/// Methods of builtin containers that change them, and those that look an entry up.
bool changes(std::string_view name) {
  for (const char *n : {"append",
                        "extend",
                        "insert",
                        "pop",
                        "popitem",
                        "remove",
                        "clear",
                        "sort",
                        "reverse",
                        "update",
                        "setdefault",
                        "add",
                        "appendleft",
                        "extendleft",
                        "popleft",
                        "rotate",
                        "discard",
                        "difference_update",
                        "intersection_update",
                        "symmetric_difference_update"})
    if (name == n) return true;
  return false;
}

/// Whether an instruction that calls a special method leaves what that returns, as it is: other methods are asked for a truth value, a size
/// or an iterator.
bool leavesResult(std::string_view name) {
  for (const char *looks : {"__bool__", "__len__", "__contains__", "__iter__", "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__",
                            "__exit__", "__enter__", "__setitem__", "__copy__", "__deepcopy__", "__length_hint__"})
    if (name == looks) return false;
  return true;
}

} // namespace

//===-- code of the user --------------------------------------------------------------------------------------------===//

/// Special methods that an instruction may call.
void Reader::special(PyObject *o, std::initializer_list<const char *> names) {
  bool looked = coverKind(o);
  for (const char *name : names) {
    Object text(check(PyUnicode_InternFromString(name)));
    PyObject *found = _PyType_Lookup(Py_TYPE(o), text.get());
    bool isNeeded =
        (!PyUnicode_CompareWithASCIIString(text.get(), "__contains__") || !PyUnicode_CompareWithASCIIString(text.get(), "__iter__"));
    if (!found && isNeeded) fail(std::string("looks through a ") + Py_TYPE(o)->tp_name);
    if (looked) memberItself(Py_TYPE(o), text.get(), found);
    bool isOfC = found && Py_TYPE(found) == &PyWrapperDescr_Type && PyDescr_TYPE(found) != &PyBaseObject_Type;
    if (isOfC && Py_TYPE(o) == Library::get().nameSpace) fail("compares a types.SimpleNamespace");
    if (!found || Py_TYPE(found) == &PyWrapperDescr_Type || found == Py_None) continue; // what every object has
    if (!PyFunction_Check(found)) fail(std::string("uses ") + name + " of a " + Py_TYPE(o)->tp_name);
    member(Py_TYPE(o), text.get(), found);
    enter(found);
    if (leavesResult(name)) forward(found);
  }
}

/// A function of the user that is about to run.
void Reader::enter(PyObject *f) {
  if (!PyFunction_Check(f)) fail(std::string("calls a ") + Py_TYPE(f)->tp_name + ", which is not known to only compute");
  Origin origin = originOf(f);
  if (origin == Origin::Unknown)
    fail("calls '" + textOf(reinterpret_cast<PyFunctionObject *>(f)->func_name) + "', a function that comes from elsewhere");
  auto *code = reinterpret_cast<PyCodeObject *>(PyFunction_GET_CODE(f));
  if (code->co_flags & (CO_COROUTINE | CO_ASYNC_GENERATOR)) fail("calls a coroutine");
  if (origin == Origin::Covered && coveredFunctions.insert(f).second) coverFunction(f);
  state.addCode(reinterpret_cast<PyObject *>(code));
  hook->enter(code);
}

void Reader::coverFunction(PyObject *f) {
  auto *function = reinterpret_cast<PyFunctionObject *>(f);
  auto part = [&](const char *name) {
    Object key(check(PyUnicode_InternFromString(name)));
    Place place = placeOf(Place::Part, f, key.get());
    edge(place, place.read().get());
  };
  for (const char *name : {"__code__", "__defaults__", "__kwdefaults__"}) part(name);
  if (anchors.contains(f)) { // its names are those of the recording, and its variables its own
    setOrigin(function->func_globals, Origin::Covered), setOrigin(function->func_builtins, Origin::Covered);
    for (const char *name : {"__globals__", "__builtins__", "__closure__"}) part(name);
  }
  if (PyObject *named = function->func_kwdefaults; named && PyDict_CheckExact(named)) snapshot(named);
  for (Py_ssize_t i = 0; function->func_closure && i < PyTuple_GET_SIZE(function->func_closure); ++i) {
    PyObject *variable = PyTuple_GET_ITEM(function->func_closure, i);
    if (!anchors.contains(f)) requireItself(variable);
    setOrigin(variable, Origin::Covered);
  }
}

//===-- calls -------------------------------------------------------------------------------------------------------===//

void Reader::call(const Frame &, const Instruction &i, std::string_view name, PyObject **top) {
  constexpr bool isCalleeFirst = PY_VERSION_HEX >= 0x030d0000; // callee, self or null, arguments; before: null or method, callee or self
  if (name == "CALL_FUNCTION_EX") {
    PyObject *named = i.arg & 1 ? top[-1] : nullptr, *given = top[named ? -2 : -1];
    PyObject *callee = top[(named ? -3 : -2) - isCalleeFirst];
    if (values.sortOf(given) != Sort::Tuple && values.sortOf(given) != Sort::List) fail("spreads a container into arguments");
    takenAtOnce(&top[named ? -2 : -1]);
    given = top[named ? -2 : -1];
    if (named && values.sortOf(named) != Sort::Dict) fail("spreads a container into arguments");
    std::vector<PyObject *> all(PySequence_Fast_ITEMS(given), PySequence_Fast_ITEMS(given) + PySequence_Fast_GET_SIZE(given));
    if (named) snapshot(named);
    argumentNames = nullptr;
    PyObject *key, *value;
    for (Py_ssize_t at = 0; named && PyDict_Next(named, &at, &key, &value);) all.push_back(value);
    forward(PyMethod_Check(callee) ? PyMethod_GET_FUNCTION(callee) : callee);
    return callObject(callee, all.data(), Py_ssize_t(all.size()), named && PyDict_GET_SIZE(named));
  }
  bool isNamed = name == "CALL_KW";
  PyObject **args = top - i.arg - isNamed;
  PyObject *first = args[-2], *second = args[-1];
  bool isMethod = isCalleeFirst ? second != nullptr : first != nullptr;
  PyObject *callee = isCalleeFirst || isMethod ? first : second;
  PyObject *named = isNamed ? top[-1] : std::exchange(names, nullptr);
  argumentNames = named;
  if (!isMethod && print(callee, args, i.arg, named)) return;
  if (!isMethod) return callObject(callee, args, i.arg, named);
  callObject(callee, args - 1, i.arg + 1, named);
}

void Reader::callObject(PyObject *callee, PyObject **args, Py_ssize_t n, bool hasNames) {
  if (callForValue(callee, args, n, hasNames)) return;
  if (!hasNames && (callChoice(callee, {args, size_t(n)}) || callRange(callee, {args, size_t(n)}))) return;
  if (hasNumbers() && (callOnNumbers(callee, args, n, hasNames) || callOperation(callee, args, n, hasNames))) return;
  std::span<PyObject *> all(args, size_t(n));
  if (callOnItems(callee, all, hasNames) || callBuiltin(callee, args, n)) return;
  if (callPairs(callee, all, hasNames) || callMap(callee, all, hasNames)) return;
  if ((!hasNames && callCopy(callee, all)) || callContainer(callee, all, hasNames) || callWrapper(callee, all, hasNames)) return;
  Sort sort = values.sortOf(callee);
  if (sort == Sort::Method) {
    std::vector<PyObject *> all{PyMethod_GET_SELF(callee)};
    all.insert(all.end(), args, args + n);
    if (originOf(callee) == Origin::Covered) requireItself(all[0]);
    bool isTrusted = values.sortOf(all[0]) == Sort::Trusted;
    if (Py_TYPE(all[0]) == Library::get().counter) return callOfCounter(PyMethod_GET_FUNCTION(callee), all[0], {args, size_t(n)});
    if (!isTrusted) return callObject(PyMethod_GET_FUNCTION(callee), all.data(), n + 1, hasNames);
    for (PyObject *given : std::span(args, size_t(n))) deep(given);
    return;
  }
  Known kind = values.known(callee);
  if (kind == Known::Jitted) {
    require(callee);
    PyObject *inner = package().unjitted(callee);
    requireItself(inner);
    if (originOf(inner) == Origin::Unknown) setOrigin(inner, Origin::Covered);
    return callObject(inner, args, n, hasNames);
  }
  if (kind == Known::CallsAside && n) {
    calledAside(args[0]);
    for (PyObject *given : std::span(args + 1, size_t(n - 1))) deep(given);
    return;
  }
  if (kind == Known::OfNumPy) return callOfNumPy(callee, {args, size_t(n)});
  if (kind == Known::NamedTuple) return makeNamedTuple(reinterpret_cast<PyTypeObject *>(callee));
  bool isSeeded = kind == Known::Seeds && n && args[0] != Py_None;
  if (kind == Known::Seeds && !isSeeded) fail("makes a generator that takes its seed from the system");
  if (kind == Known::Draws || kind == Known::DrawsFrom) return draw(callee, kind, {args, size_t(n)});
  if (kind == Known::Operation) {
    enterOperation(callee);
    for (PyObject *given : std::span(args, size_t(n))) deep(given);
    return;
  }
  if (kind == Known::Acts)
    fail("uses '" + textOf(Object(check(PyObject_GetAttrString(callee, "__name__"))).get()) + "', which does more than compute");
  if (kind == Known::Computes || kind == Known::PlainError || kind == Known::Generator || kind == Known::Seeds || sort == Sort::Native) {
    if (kind == Known::PlainError) coverError(callee);
    bool looks = kind != Known::Nothing || callNative(callee, args, n);
    if (looks && PyFunction_Check(callee)) return give(callee, {args, size_t(n)});
    for (PyObject *given : std::span(args, size_t(looks ? n : 0))) lookedInto(callee, given);
    return;
  }
  if (isOwnStart(callee)) return;
  if (sort == Sort::Class) return callClass(reinterpret_cast<PyTypeObject *>(callee), args, n);
  if (sort == Sort::Instance) return special(callee, {"__call__"});
  enter(callee);
}

/// What a function of C is given: some call a function of the user, and look at what that gives.
void Reader::lookedInto(PyObject *callee, PyObject *o) {
  const Builtins &b = Builtins::get();
  bool isOfIteration =
      PyType_Check(callee) && std::string_view(reinterpret_cast<PyTypeObject *>(callee)->tp_name).starts_with("itertools.");
  bool calls = isOfIteration || callee == b.sorted || callee == b.min || callee == b.max || callee == b.reduce ||
               callee == asObject(&PyFilter_Type) || callee == asObject(&PyMap_Type);
  if (!calls || !PyFunction_Check(o) || Values::isOfPackage(o)) return deep(o);
  enter(o);
  lookedAt.insert(reinterpret_cast<PyCodeObject *>(PyFunction_GET_CODE(o)));
}

/// What kn.custom_op and the like give: runs functions that it holds.
void Reader::enterOperation(PyObject *o) {
  Object names(check(PyObject_GetAttrString(o, "functions")));
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names.get()); ++i) {
    Place place = placeOf(Place::Attribute, o, PyTuple_GET_ITEM(names.get(), i));
    Object function = place.read();
    if (!function) continue;
    load(std::move(place), function.get());
    if (PyFunction_Check(function.get())) enter(function.get());
  }
}

/// A function of NumPy's, which asks the arrays among its arguments for theirs; of numbers alone it gives a number.
void Reader::callOfNumPy(PyObject *callee, std::span<PyObject *const> args) {
  auto hasArray = [&](PyObject *o) {
    Sort sort = values.sortOf(o);
    if (sort != Sort::Tuple && sort != Sort::List) return sort == Sort::Array;
    return std::any_of(PySequence_Fast_ITEMS(o), PySequence_Fast_ITEMS(o) + PySequence_Fast_GET_SIZE(o), isArray);
  };
  bool isOfNumbers = args.size() && std::ranges::all_of(args, [](PyObject *o) { return isNumber(o) || mayVary(o); });
  if (!isOfNumbers && std::ranges::none_of(args, hasArray)) {
    Object name(check(PyObject_GetAttrString(callee, "__name__")));
    fail("calls NumPy's '" + textOf(name.get()) + "' without an array of Kiln's");
  }
  for (PyObject *given : args) deep(given);
}

/// Its fields are what it is given, and what its class has for them.
void Reader::makeNamedTuple(PyTypeObject *type) {
  require(asObject(type));
  coverType(type);
  static PyObject *const make = PyUnicode_InternFromString("__new__");
  Object maker = Object::borrow(_PyType_Lookup(type, make));
  if (maker && Py_TYPE(maker.get()) == &PyStaticMethod_Type) maker = Object(check(PyObject_GetAttrString(maker.get(), "__func__")));
  if (!maker || !PyFunction_Check(maker.get())) fail(std::string("makes a ") + type->tp_name + " in an unknown way");
  member(type, make, maker.get());
  if (originOf(maker.get()) == Origin::Covered && coveredFunctions.insert(maker.get()).second) coverFunction(maker.get());
}

/// Random numbers. What they leave behind is the state of a generator, an array: one that the call reads, and writes in place.
void Reader::draw(PyObject *callee, Known kind, std::span<PyObject *const> args) {
  if (kind == Known::DrawsFrom) {
    bool isOfGenerator = args.size() && values.known(asObject(Py_TYPE(args[0]))) == Known::Generator;
    if (!isOfGenerator) fail("draws random numbers in an unknown way");
    readGenerator(args[0]);
    args = args.subspan(1);
  } else if (!isKeyed(args)) {
    Object module(check(PyImport_ImportModule("kiln.random._generator")));
    static PyObject *const name = PyUnicode_InternFromString("_shared");
    PyObject *names = PyModule_GetDict(module.get());
    if (PyDict_GetItemWithError(names, name) == Py_None) { // it is made on the first use, which is no part of the call
      listener.setAside(true);
      Object made(PyObject_CallMethod(module.get(), "shared", nullptr));
      listener.setAside(false);
      if (!made) throw PythonError();
    }
    PyObject *shared = PyDict_GetItemWithError(names, name);
    edge(placeOf(Place::Entry, names, name), shared);
    readGenerator(shared);
  }
  for (PyObject *given : args) deep(given);
}

/// Whether a draw's `key` is one: it needs no generator.
bool Reader::isKeyed(std::span<PyObject *const> args) const {
  Py_ssize_t count = argumentNames ? PyTuple_GET_SIZE(argumentNames) : 0;
  for (Py_ssize_t i = 0; i < count; ++i)
    if (!PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(argumentNames, i), "key")) return isArray(args[args.size() - size_t(count - i)]);
  return false;
}

void Reader::readGenerator(PyObject *generator) {
  coverClass(generator);
  if (originOf(generator) != Origin::Covered) return; // its state is an argument's, or the call's own
  if (refuse) fail("draws random numbers");
  static PyObject *const name = PyUnicode_InternFromString("state");
  Place place = placeOf(Place::Attribute, generator, name);
  Object state = place.read();
  edge(std::move(place), state.get());
}

/// A function that later calls call anew, whatever it reads then. It must be the one that they would make: from a place that is guarded, or
/// without variables of this call.
void Reader::calledAside(PyObject *callee) {
  requireItself(callee);
  if (values.sortOf(callee) == Sort::Native || originOf(callee) == Origin::Covered) return;
  if (!PyFunction_Check(callee) || originOf(callee) != Origin::Fresh)
    fail(std::string("gives a ") + Py_TYPE(callee)->tp_name + " that comes from elsewhere as a callback");
  auto *function = reinterpret_cast<PyFunctionObject *>(callee);
  bool isPlain = !function->func_defaults && !function->func_kwdefaults;
  for (Py_ssize_t i = 0; function->func_closure && i < PyTuple_GET_SIZE(function->func_closure); ++i)
    isPlain &= originOf(PyTuple_GET_ITEM(function->func_closure, i)) == Origin::Covered;
  if (!isPlain) fail("gives a callback that reads variables of the call: give them as its arguments");
}

/// What is printed: later calls print it anew when they are over, as it was at this place.
bool Reader::print(PyObject *callee, PyObject **args, Py_ssize_t n, PyObject *named) {
  bool isOwn = callee == package().print;
  if (!isOwn && callee != Builtins::get().print) return false;
  if (refuse) fail("prints");
  Py_ssize_t count = named ? PyTuple_GET_SIZE(named) : 0;
  Object given(check(PyTuple_New(n - count))), byName(check(PyDict_New()));
  for (Py_ssize_t i = 0; i < n; ++i) {
    Object value = printed(args[i]);
    if (i < n - count) {
      PyTuple_SET_ITEM(given.get(), i, value.release());
      continue;
    }
    PyObject *name = PyTuple_GET_ITEM(named, i - (n - count));
    bool isFile = !isOwn && !PyUnicode_CompareWithASCIIString(name, "file");
    if (isFile && value.get() != Py_None) fail("prints to a file");
    if (PyDict_SetItem(byName.get(), name, value.get())) throw PythonError();
  }
  Object both(check(PyTuple_Pack(2, given.get(), byName.get())));
  state.stores.push_back({placeOf(Place::Output, callee), -1, both});
  isPrinting = true;
  listener.setAside(true);
  return true;
}

/// What is shown of an argument without code of the user: numbers, texts, arrays as they are now, and tuples of such.
Object Reader::printed(PyObject *o, int depth) {
  constexpr int kDeepest = 8;
  Sort sort = values.sortOf(o);
  if (sort == Sort::Plain) return Object::borrow(o);
  if (sort == Sort::Array) return listener.asItIs(o);
  if (sort != Sort::Tuple || !PyTuple_CheckExact(o) || depth == kDeepest) fail(std::string("prints a ") + Py_TYPE(o)->tp_name);
  pinItems(o);
  Object parts(check(PyTuple_New(PyTuple_GET_SIZE(o))));
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(o); ++i)
    PyTuple_SET_ITEM(parts.get(), i, printed(PyTuple_GET_ITEM(o, i), depth + 1).release());
  return parts;
}

/// Functions that look at what they are given in a way that is known.
bool Reader::callBuiltin(PyObject *callee, PyObject **args, Py_ssize_t n) {
  const Builtins &b = Builtins::get();
  bool asksClass = callee == b.isInstance || callee == b.isSubclass;
  if (asksClass && n == 2) {
    std::vector<PyObject *> classes{args[1]};
    if (values.sortOf(args[1]) == Sort::Tuple)
      classes.assign(PySequence_Fast_ITEMS(args[1]), PySequence_Fast_ITEMS(args[1]) + PyTuple_GET_SIZE(args[1]));
    for (PyObject *c : classes)
      if (values.sortOf(c) != Sort::Class || Py_TYPE(c) == b.abstract) return false; // an abstract class is asked itself
    if (values.sortOf(args[0]) == Sort::Instance) coverKind(args[0]);
    else if (values.sortOf(args[0]) == Sort::Other) return false;
    return true;
  }
  bool asksAttribute = callee == b.getAttribute || callee == b.hasAttribute;
  mayTag = callee == b.getAttribute;
  if (asksAttribute && n >= 2 && PyUnicode_CheckExact(args[1])) return attribute(args[0], args[1]), true;
  mayTag = false;
  if (callee == b.length && n == 1) {
    Sort sort = values.sortOf(args[0]);
    if (sort == Sort::Tuple) return true; // it stays, or a guard or the key has it
    if (sort == Sort::List || sort == Sort::Dict || sort == Sort::Set || sort == Sort::Queue) return sized(args[0]), true;
    if (sort == Sort::Instance) return special(args[0], {"__len__"}), true;
  }
  return callee == b.isCallable || (callee == asObject(&PySuper_Type) && (!n || n == 2));
}

/// Methods of builtin objects; whether they look into what they are given.
bool Reader::callNative(PyObject *callee, PyObject **args, Py_ssize_t n) {
  bool isBound = PyCFunction_Check(callee) && PyCFunction_GET_SELF(callee) && !PyModule_Check(PyCFunction_GET_SELF(callee));
  bool isDescriptor = Py_TYPE(callee) == &PyMethodDescr_Type || Py_TYPE(callee) == &PyWrapperDescr_Type;
  Object name(check(PyObject_GetAttrString(callee, "__name__")));
  std::string text = textOf(name.get());
  if (isDescriptor && PyDescr_TYPE(callee) == &PyBaseObject_Type && text == "__init__") return true; // of super()
  bool isStore = isDescriptor && PyDescr_TYPE(callee) == &PyBaseObject_Type && text == "__setattr__" && n == 3;
  if (isStore && PyUnicode_CheckExact(args[1]) && values.sortOf(args[0]) == Sort::Instance)
    return storeAttribute(args[0], args[1], args[2], true), false;
  if (isDescriptor && text == "__init__" && isErrorOfArguments(PyDescr_TYPE(callee))) return false;
  if (isBound) return callMethodOf(PyCFunction_GET_SELF(callee), text, args, n);
  if (isDescriptor && n) return callMethodOf(args[0], text, args + 1, n - 1);
  Object module(PyObject_GetAttrString(callee, "__module__"));
  if (!module) PyErr_Clear();
  bool isOfNumPy = module && PyUnicode_Check(module.get()) && (textOf(module.get()) + ".").starts_with("numpy.");
  if (isOfNumPy) fail("calls NumPy's '" + text + "', which makes arrays of NumPy's: what is done with those is not Kiln's");
  fail("calls '" + text + "', which is not known to only compute");
}

bool Reader::callMethodOf(PyObject *self, std::string_view name, PyObject **args, Py_ssize_t n) {
  Sort sort = values.sortOf(self);
  switch (sort) {
  case Sort::Plain:
  case Sort::Array:
  case Sort::Trusted:
  case Sort::Tuple: return deep(self), true;
  case Sort::Class:
    if (values.known(self) == Known::Computes) return true;
    break;
  case Sort::List:
  case Sort::Dict:
  case Sort::Set:
  case Sort::Queue:
    require(self);
    if (sort == Sort::Dict && name == "get" && n) return mayTag = true, entry(self, args[0]), false;
    if (!n && (name == "items" || name == "values")) return walk(self), false;
    if (!n && name == "keys") return sized(self), false;
    if (!n && name == "copy") return isOnStack(args - 1) && args[-1] == self ? takenAtOnce(args - 1) : snapshot(self), false;
    if (!changes(name)) return deep(self), true;
    if (sort == Sort::Dict && n && name != "update") canonical(args[0]);
    if (name == "insert" && n) pin(args[0]);
    if (originOf(self) == Origin::Fresh && n == 1 &&
        ((sort == Sort::List && name == "extend") || (PyDict_CheckExact(self) && name == "update" && PyDict_CheckExact(args[0]))))
      return takenAtOnce(args), false;
    if (originOf(self) == Origin::Fresh) return name != "append" && name != "insert" && name != "appendleft";
    if (name == "append" && n == 1) return store(Place::Items, self, nullptr, 0, args[0]), false;
    fail(std::string("changes a ") + Py_TYPE(self)->tp_name + " that exists before the call");
  case Sort::Iterator: // a generator takes what it is sent as it is
    if (PyGen_CheckExact(self) && originOf(self) == Origin::Fresh && (name == "send" || name == "close")) return false;
    break;
  default: break;
  }
  fail("calls '" + std::string(name) + "' of a " + Py_TYPE(self)->tp_name);
}

/// Whether a callable is object's or an exception's own __init__, for an object of the call: it keeps what it is given.
bool Reader::isOwnStart(PyObject *callee) const {
  if (Py_TYPE(callee) != Library::get().boundSlot) return false;
  Object self(check(PyObject_GetAttrString(callee, "__self__"))), name(check(PyObject_GetAttrString(callee, "__name__"))),
      of(check(PyObject_GetAttrString(callee, "__objclass__")));
  auto *type = reinterpret_cast<PyTypeObject *>(of.get());
  bool isStart = !PyUnicode_CompareWithASCIIString(name.get(), "__init__") && originOf(self.get()) == Origin::Fresh;
  return isStart && (type == &PyBaseObject_Type || (isErrorOfArguments(type) && !PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)));
}

/// An object that is made.
void Reader::callClass(PyTypeObject *type, PyObject **args, Py_ssize_t n) {
  if (type == &PyType_Type && n == 1) {
    if (values.sortOf(args[0]) == Sort::Other) fail("asks for the class of an object that is not known");
    if (values.sortOf(args[0]) == Sort::Instance) coverKind(args[0]);
    return;
  }
  require(asObject(type));
  Known kind = values.known(asObject(type));
  bool isError = kind == Known::OwnError && isErrorOfArguments(type);
  if ((kind != Known::PlainClass && !isError) || !looksUpPlainly(type))
    fail(std::string("calls '") + type->tp_name + "', which is not known to only compute");
  static PyObject *const init = PyUnicode_InternFromString("__init__"), *const make = PyUnicode_InternFromString("__new__");
  PyObject *maker = _PyType_Lookup(type, make), *starter = _PyType_Lookup(type, init);
  if (isLooked(type)) coverLookup(asObject(type)), memberItself(type, make, maker), memberItself(type, init, starter);
  else coverType(type);
  if ((type->tp_new != PyBaseObject_Type.tp_new && !isError) || (maker && PyFunction_Check(maker)))
    fail(std::string("makes ") + type->tp_name + " objects in an unknown way");
  if (starter && PyFunction_Check(starter)) {
    constructing.insert(type);
    member(type, init, starter);
    enter(starter);
  }
}

} // namespace kiln::py
