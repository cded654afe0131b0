#include "frontend/frames/Effects.h"

#include "frontend/frames/Builtins.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace kiln::py {
namespace {

//===-- objects -----------------------------------------------------------------------------------------------------===//

/// Objects that hold nothing and cannot change.
bool isPlain(PyObject *o) {
  return PyUnicode_CheckExact(o) || PyLong_CheckExact(o) || PyFloat_CheckExact(o) || PyBytes_CheckExact(o) || PyBool_Check(o) ||
         PyComplex_CheckExact(o) || o == Py_None;
}

/// What the class of an object has under a name, borrowed, or null.
PyObject *memberOf(PyObject *o, const char *name) {
  Object text(check(PyUnicode_InternFromString(name)));
  return _PyType_Lookup(Py_TYPE(o), text.get());
}
/// Whether a method is code of Python: what that does is seen when it runs.
bool isOfPython(PyObject *method) { return method && PyFunction_Check(method); }

std::string nameOf(PyObject *o, const char *attribute = "__name__") {
  Object name(PyObject_GetAttrString(o, attribute));
  PyErr_Clear();
  return name && PyUnicode_Check(name.get()) ? textOf(name.get()) : "";
}

bool isOneOf(std::string_view name, std::string_view names) {
  return name.size() && names.find(" " + std::string(name) + " ") != std::string_view::npos;
}

std::string fileOf(PyCodeObject *code) {
  const char *path = PyUnicode_AsUTF8(code->co_filename);
  if (!path) PyErr_Clear();
  return path ? path : "?";
}

/// A class or one that it is made of has this name.
bool isA(PyTypeObject *type, std::string_view name) {
  for (; type; type = type->tp_base)
    if (type->tp_name == name) return true;
  return false;
}

std::string aBefore(PyObject *o) {
  if (PyType_Check(o)) return std::string("the class ") + reinterpret_cast<PyTypeObject *>(o)->tp_name;
  if (PyModule_Check(o)) return "the module " + nameOf(o);
  return std::string("a ") + Py_TYPE(o)->tp_name + " that exists before the call";
}

//===-- tables ------------------------------------------------------------------------------------------------------===//

enum class Kind : uint8_t { None, StoreAttribute, StoreGlobal, StoreCell, StoreItem, StoreSlice, Operator, Walk, Names, Attribute, Call };

const std::pair<Kind, const char *> kKinds[] = {
    {Kind::StoreAttribute, " STORE_ATTR DELETE_ATTR "},
    {Kind::StoreGlobal, " STORE_GLOBAL DELETE_GLOBAL "},
    {Kind::StoreCell, " STORE_DEREF DELETE_DEREF "},
    {Kind::StoreItem, " STORE_SUBSCR DELETE_SUBSCR "},
    {Kind::StoreSlice, " STORE_SLICE "},
    {Kind::Operator, " BINARY_OP "},
    {Kind::Walk, " GET_ITER GET_YIELD_FROM_ITER FOR_ITER LIST_EXTEND SET_UPDATE UNPACK_SEQUENCE UNPACK_EX "},
    {Kind::Names, " KW_NAMES "},
    {Kind::Attribute, " LOAD_ATTR "},
    {Kind::Call, " CALL CALL_KW CALL_FUNCTION_EX "},
};

Kind kindOf(uint8_t op) {
  static const std::array<Kind, 256> kinds = [] {
    std::array<Kind, 256> found{};
    for (int i = 0; i < 256; ++i)
      for (auto &[kind, names] : kKinds)
        if (isOneOf(Opcodes::get().name(uint8_t(i)), names)) found[size_t(i)] = kind;
    return found;
  }();
  return kinds[op];
}

constexpr const char *kInPlace[] = {"__iadd__", "__iand__", "__ifloordiv__", "__ilshift__", "__imatmul__",  "__imul__", "__imod__",
                                    "__ior__",  "__ipow__", "__irshift__",   "__isub__",    "__itruediv__", "__ixor__"};
constexpr int kFirstInPlace = 13; // of a BINARY_OP's argument

/// Methods of C that change what they are of.
constexpr const char *kChanging =
    " append extend insert pop popitem remove clear sort reverse update setdefault add appendleft extendleft popleft rotate discard "
    "difference_update intersection_update symmetric_difference_update move_to_end fill put resize itemset partition setfield frombytes "
    "fromlist fromfile __setitem__ __delitem__ __setattr__ __delattr__ __iadd__ __imul__ __isub__ __ior__ __iand__ __ixor__ __setstate__ "
    "send throw close write writelines truncate ";

/// Functions of C by module: what they do, or, where nothing is said, that they change their first argument.
struct Native {
  const char *modules, *names, *what;
};
const Native kNatives[] = {
    {" time ",
     " time time_ns monotonic monotonic_ns perf_counter perf_counter_ns process_time process_time_ns thread_time thread_time_ns "
     "clock_gettime clock_gettime_ns localtime gmtime ctime asctime strftime ",
     "reads the clock"},
    {" posix ", " urandom getrandom ", "asks the system for random bytes"},
    {" posix ", " putenv unsetenv chdir ", "changes the environment of the process"},
    {" builtins ", " input breakpoint ", "asks whoever runs it"},
    {" builtins ", " setattr delattr ", nullptr},
    {" _heapq ", " heappush heappop heapify heapreplace heappushpop ", nullptr},
    {" _bisect ", " insort insort_left insort_right ", nullptr},
    {" _operator ", " setitem delitem iadd iand iconcat ifloordiv ilshift imatmul imod imul ior ipow irshift isub itruediv ixor ", nullptr},
    {" _collections ", " _count_elements ", nullptr},
    {" numpy ", " copyto put place putmask put_along_axis fill_diagonal ", nullptr},
};

constexpr const char *kSeeded = "makes a generator that takes its seed from the system";
constexpr const char *kKept = ": keep it in an array that is written in place"; // what a package does with state

/// Modules of the standard library whose code changes objects that it is given. Others keep what is their own.
constexpr const char *kFollowed[] = {"collections/__init__", "_collections_abc", "functools", "random", "queue", "heapq", "os"};

} // namespace

//===-- objects from before -----------------------------------------------------------------------------------------===//

void Existing::add(PyObject *o) {
  if (objects.insert(o).second) kept.push_back(Object::borrow(o));
}

void Existing::take() {
  if (kept.size()) return;
  Object collector(check(PyImport_ImportModule("gc")));
  Object all(check(PyObject_CallMethod(collector.get(), "get_objects", nullptr)));
  constexpr size_t kHeldByEach = 2;
  objects.reserve(kHeldByEach * size_t(PyList_GET_SIZE(all.get())));
  std::vector<PyObject *> held; // also what the collector does not know: dicts of plain values, arrays of NumPy
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(all.get()); ++i) objects.insert(PyList_GET_ITEM(all.get(), i));
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(all.get()); ++i) addHeld(PyList_GET_ITEM(all.get(), i), held);
  kept.push_back(std::move(all));
  while (held.size()) {
    PyObject *o = held.back();
    held.pop_back();
    if (isPlain(o) || !objects.insert(o).second) continue;
    kept.push_back(Object::borrow(o));
    if (PyObject_IS_GC(o)) addHeld(o, held);
  }
}

//===-- instructions ------------------------------------------------------------------------------------------------===//

EffectWatch::EffectWatch(Existing &existing, std::span<PyObject *const> passed, Refuse refuse)
    : existing(existing), refuse(std::move(refuse)), caller(Frame::innermost()), passed(passed.begin(), passed.end()), hook(*this) {
  hook.followAll();
}

/// Whether a file is of Python's own library.
static bool isOfLibrary(const std::string &path) {
  return path.starts_with("<frozen ") || (path.starts_with(package().libraries) && path.find("-packages/") == path.npos);
}

bool EffectWatch::follows(PyCodeObject *code) {
  std::string path = fileOf(code);
  if (path.starts_with(package().folder)) return false;
  auto isOf = [&](const std::string &module) { return path == "<frozen " + module + ">" || path.ends_with("/" + module + ".py"); };
  return !isOfLibrary(path) || std::ranges::any_of(kFollowed, isOf);
}

/// Where it is, for a person: the line of the user's, and where that led into a library.
static std::string placeOf(Frame frame) {
  auto text = [](Frame f, int offset) {
    std::string path = fileOf(f.code());
    return path.substr(path.rfind('/') + 1) + ":" + std::to_string(PyCode_Addr2Line(f.code(), offset)) + ": ";
  };
  auto isOfUser = [](Frame f) {
    std::string path = fileOf(f.code());
    return !path.starts_with(package().folder) && !isOfLibrary(path) && path.find("-packages/") == path.npos;
  };
  Frame own = frame;
  while (own && !isOfUser(own)) own = own.caller();
  std::string here = text(frame, frame.instruction());
  return own && own != frame ? text(own, own.instruction()) + "leads to " + here : here;
}

void EffectWatch::before(const Frame &frame, const Instruction &instruction, int) noexcept {
  std::string what;
  try {
    what = judge(frame, instruction);
  } catch (const PythonError &) { PyErr_Clear(), what = "does what cannot be followed"; } catch (const std::exception &e) {
    what = e.what();
  }
  if (what.size() && !isImporting(frame)) refuse(placeOf(frame) + what);
}

/// Whether a module is being imported, which happens once.
bool EffectWatch::isImporting(Frame frame) const {
  while (frame && frame != caller && !fileOf(frame.code()).starts_with("<frozen importlib")) frame = frame.caller();
  return frame && frame != caller;
}

/// Whether an instruction stores an object where it stands already, as `weights["a"] += x` does with an array that is changed in place.
static bool isThere(const Frame &frame, const Instruction &i, PyObject **top) {
  std::string_view name = Opcodes::get().name(i.op);
  auto named = [&] { return PyTuple_GET_ITEM(frame.code()->co_names, i.arg); };
  if (name == "STORE_GLOBAL") return PyDict_CheckExact(frame.globals()) && PyDict_GetItemWithError(frame.globals(), named()) == top[-1];
  if (name == "STORE_DEREF") return PyCell_GET(frame.variables()[i.arg]) == top[-1];
  if (name == "STORE_SUBSCR") {
    PyObject *value = top[-3], *o = top[-2], *key = top[-1];
    if (PyDict_CheckExact(o) && isPlain(key)) return PyDict_GetItemWithError(o, key) == value;
    Py_ssize_t at = PyList_CheckExact(o) && PyLong_CheckExact(key) ? PyLong_AsSsize_t(key) : -1;
    if (at == -1) return PyErr_Clear(), false;
    return at >= 0 && at < PyList_GET_SIZE(o) && PyList_GET_ITEM(o, at) == value;
  }
  if (name != "STORE_ATTR" || PyType_Check(top[-1])) return false;
  PyObject *found = _PyType_Lookup(Py_TYPE(top[-1]), named());
  bool isKept = Py_TYPE(top[-1])->tp_getattro == PyObject_GenericGetAttr && (!found || Py_TYPE(found) == &PyMemberDescr_Type);
  Object known(isKept ? PyObject_GenericGetAttr(top[-1], named()) : nullptr);
  return PyErr_Clear(), known && known.get() == top[-2];
}

std::string EffectWatch::judge(const Frame &frame, const Instruction &i) {
  std::string_view name = Opcodes::get().name(i.op);
  PyObject **top = frame.stack() + i.depth, **variables = frame.variables();
  auto named = [&](int arg) { return PyTuple_GET_ITEM(frame.code()->co_names, arg); };
  Kind kind = kindOf(i.op);
  if (kind != Kind::None && isThere(frame, i, top)) return "";
  switch (kind) {
  case Kind::None: return "";
  case Kind::StoreAttribute: return storeAttribute(top[-1], named(i.arg));
  case Kind::StoreGlobal: return "stores the global '" + textOf(named(i.arg)) + "'" + kKept;
  case Kind::StoreCell:
    if (!exists(variables[i.arg])) return "";
    return "stores '" + textOf(PyTuple_GET_ITEM(frame.code()->co_localsplusnames, i.arg)) + "' of an enclosing function" + kKept;
  case Kind::StoreItem: return change(top[-2], name == "STORE_SUBSCR" ? "__setitem__" : "__delitem__");
  case Kind::StoreSlice: return change(top[-3], "__setitem__");
  case Kind::Operator: return i.arg < kFirstInPlace ? "" : change(top[-2], kInPlace[i.arg - kFirstInPlace]);
  case Kind::Walk: return goesOn(top[-1]);
  case Kind::Names: names = PyTuple_GET_ITEM(frame.code()->co_consts, i.arg); return "";
  case Kind::Attribute:
    if (constexpr bool isNew = PY_VERSION_HEX >= 0x030c0000;
        !PyUnicode_CompareWithASCIIString(named(isNew ? i.arg >> 1 : i.arg), "__dict__"))
      openAttributes(top[-1]);
    return "";
  case Kind::Call: return call(i, name, top);
  }
  return "";
}

/// Whether an instruction or a function of C changes an object by its method of a name.
std::string EffectWatch::change(PyObject *o, const char *method) const {
  if (!exists(o)) return "";
  PyObject *found = memberOf(o, method);
  return found && !isOfPython(found) ? "changes " + aBefore(o) : "";
}

std::string EffectWatch::storeAttribute(PyObject *o, PyObject *name) const {
  if (!exists(o) || isOfPython(memberOf(o, "__setattr__"))) return "";
  PyObject *found = PyType_Check(o) ? nullptr : _PyType_Lookup(Py_TYPE(o), name);
  if (found && PyObject_TypeCheck(found, &PyProperty_Type)) return ""; // its code runs
  return "sets '" + textOf(name) + "' of " + aBefore(o) + kKept;
}

/// Iterators have a position, which moves.
std::string EffectWatch::goesOn(PyObject *iterator) const {
  if (!exists(iterator) || !PyIter_Check(iterator) || isOfPython(memberOf(iterator, "__next__"))) return "";
  return "goes on with " + aBefore(iterator);
}

/// The dict of an object's attributes, which may be made when somebody asks for it, is as old as the object.
void EffectWatch::openAttributes(PyObject *o) {
  if (!exists(o) || PyType_Check(o)) return;
  Object attributes(PyObject_GenericGetDict(o, nullptr));
  PyErr_Clear();
  if (attributes) existing.add(attributes.get());
}

//===-- calls -------------------------------------------------------------------------------------------------------===//

PyObject *EffectWatch::Given::named(const char *name) const {
  Py_ssize_t count = names ? PyTuple_GET_SIZE(names) : 0;
  for (Py_ssize_t i = 0; i < count; ++i)
    if (!PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, i), name)) return all[all.size() - size_t(count - i)];
  return nullptr;
}

std::string EffectWatch::call(const Instruction &i, std::string_view name, PyObject **top) {
  constexpr bool isCalleeFirst = PY_VERSION_HEX >= 0x030d0000; // callee, self or null, arguments; before: null or method, callee or self
  Given given;
  if (name == "CALL_FUNCTION_EX") {
    PyObject *named = i.arg & 1 ? top[-1] : nullptr, *listed = top[named ? -2 : -1];
    if (PyTuple_Check(listed) || PyList_Check(listed))
      given.all.assign(PySequence_Fast_ITEMS(listed), PySequence_Fast_ITEMS(listed) + PySequence_Fast_GET_SIZE(listed));
    else if (std::string what = goesOn(listed); what.size()) return what;
    Object keys(named && PyDict_Check(named) ? check(PyDict_Keys(named)) : nullptr),
        all(keys ? check(PyList_AsTuple(keys.get())) : nullptr);
    PyObject *key, *value;
    for (Py_ssize_t at = 0; keys && PyDict_Next(named, &at, &key, &value);) given.all.push_back(value);
    given.names = all.get();
    return call(top[(named ? -3 : -2) - isCalleeFirst], std::move(given));
  }
  bool isNamed = name == "CALL_KW";
  PyObject **args = top - i.arg - isNamed, *first = args[-2], *second = args[-1];
  bool isMethod = isCalleeFirst ? second != nullptr : first != nullptr;
  given.all.assign(args - isMethod, args + i.arg);
  given.names = isNamed ? top[-1] : std::exchange(names, nullptr);
  return call(isCalleeFirst || isMethod ? first : second, std::move(given));
}

std::string EffectWatch::call(PyObject *callee, Given given) {
  if (PyMethod_Check(callee)) {
    given.all.insert(given.all.begin(), PyMethod_GET_SELF(callee));
    return call(PyMethod_GET_FUNCTION(callee), std::move(given));
  }
  if (callee == package().print || callee == Builtins::get().print) return "prints, which calls of a package do not";
  Known kind = values.known(callee);
  if (std::string what = callOfPackage(kind, callee, given); what.size()) return what;
  if (Py_TYPE(callee) == Library::get().keptResults) caches.push_back(Object::borrow(callee));
  bool isClass = PyType_Check(callee) && PyType_HasFeature(reinterpret_cast<PyTypeObject *>(callee), Py_TPFLAGS_HEAPTYPE);
  return isClass || PyFunction_Check(callee) || isOfPython(memberOf(callee, "__call__")) ? "" : callNative(callee, given);
}

/// Functions of Kiln.
std::string EffectWatch::callOfPackage(Known kind, PyObject *callee, const Given &given) const {
  PyObject *key = given.named("key");
  if (kind == Known::Draws && !(key && isArray(key))) return "draws random numbers, which needs a key= in a package";
  if (kind == Known::DrawsFrom && exists(given.first())) return "draws from a generator that exists before the call";
  if (kind == Known::Seeds && (!given.first() || given.first() == Py_None)) return kSeeded;
  return kind == Known::Acts ? "uses '" + nameOf(callee) + "', which does more than compute" : "";
}

std::string EffectWatch::callNative(PyObject *callee, Given given) {
  const Builtins &b = Builtins::get();
  if (callee == b.isInstance || callee == b.hasAttribute || callee == b.getAttribute || callee == asObject(&PyType_Type)) return "";
  std::string name = nameOf(callee), module = nameOf(callee, "__module__");
  if (std::string what = callFunction(module, name, given); what.size()) return what;
  if (PyObject *out = given.named("out"); exists(out)) return "changes " + aBefore(out);
  Object self(PyCFunction_Check(callee)                     ? Py_XNewRef(PyCFunction_GET_SELF(callee))
              : Py_TYPE(callee) == Library::get().boundSlot ? check(PyObject_GetAttrString(callee, "__self__"))
                                                            : nullptr);
  bool isBound = self && !PyModule_Check(self.get());
  if (isBound) given.all.insert(given.all.begin(), self.get());
  bool isMethod = isBound || Py_TYPE(callee) == &PyMethodDescr_Type || Py_TYPE(callee) == &PyWrapperDescr_Type ||
                  std::strstr(Py_TYPE(callee)->tp_name, "cython");
  if (std::string what = isMethod ? callMethod(name, given.first()) : ""; what.size()) return what;
  for (PyObject *o : given.all)
    if (std::string what = goesOn(o); what.size()) return what;
  return "";
}

std::string EffectWatch::callFunction(std::string_view module, std::string_view name, const Given &given) {
  constexpr const char *kGenerators = " default_rng RandomState SeedSequence PCG64 PCG64DXSM MT19937 Philox SFC64 ";
  if (module.starts_with("numpy.random") && given.all.empty() && isOneOf(name, kGenerators)) return kSeeded;
  if (module == "builtins" && name == "vars" && given.first()) openAttributes(given.first());
  for (const Native &n : kNatives) {
    if (!isOneOf(module, n.modules) || !isOneOf(name, n.names)) continue;
    if (n.what) return n.what;
    if (exists(given.first())) return "changes " + aBefore(given.first());
  }
  return "";
}

std::string EffectWatch::callMethod(std::string_view name, PyObject *self) const {
  if (self && PyType_Check(self) && nameOf(self, "__module__") == "datetime" && isOneOf(name, " now today utcnow "))
    return "reads the clock";
  if (!exists(self)) return "";
  bool isRandom = isA(Py_TYPE(self), "_random.Random") || std::string_view(Py_TYPE(self)->tp_name).starts_with("numpy.random.");
  if (isRandom && name != "getstate" && name != "get_state") return "draws random numbers from " + aBefore(self);
  if (isOneOf(name, " write writelines ")) return "writes to " + aBefore(self) + ", which calls of a package do not";
  return isOneOf(name, kChanging) ? "changes " + aBefore(self) : "";
}

void EffectWatch::forgetResults() {
  for (const Object &cache : std::exchange(caches, {}))
    if (!Object(PyObject_CallMethod(cache.get(), "cache_clear", nullptr))) PyErr_Clear();
}

} // namespace kiln::py
