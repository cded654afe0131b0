// Building and comparing signatures and guards.
#include "jit.h"

#include <bit>
#include <cstring>

namespace kiln::py {

namespace {
enum Token : int64_t { kArray = 1, kInt, kFloat, kBool, kNone, kString, kTuple, kList, kDict, kStatic, kKeyword, kNode, kComplex };
}

void Signature::addArray(PyObject *object) {
  const Array &a = arrayOf(object);
  int64_t alias = -1;
  for (size_t i = 0; i < arrays.size(); ++i)
    if (arrayOf(arrays[i]).storage.get() == a.storage.get()) {
      alias = int64_t(i);
      break;
    }
  words.insert(words.end(), {int64_t(kArray) | int64_t(a.dtype) << 8 | int64_t(a.shape.rank) << 16 | int64_t(a.isContiguous) << 24, alias});
  words.insert(words.end(), a.shape.begin(), a.shape.end());
  if (alias >= 0) { // how the two views lie to each other
    words.push_back(a.offset - arrayOf(arrays[size_t(alias)]).offset);
    words.insert(words.end(), a.strides.begin(), a.strides.end());
  }
  arrays.push_back(object);
}

void Signature::add(PyObject *value) {
  if (isArray(value)) return addArray(value);
  if (PyFloat_CheckExact(value)) {
    words.insert(words.end(), {kFloat, std::bit_cast<int64_t>(PyFloat_AS_DOUBLE(value))});
  } else if (PyComplex_CheckExact(value)) {
    Py_complex z = PyComplex_AsCComplex(value);
    words.insert(words.end(), {kComplex, std::bit_cast<int64_t>(z.real), std::bit_cast<int64_t>(z.imag)});
  } else if (PyBool_Check(value)) {
    words.insert(words.end(), {kBool, value == Py_True});
  } else if (PyLong_CheckExact(value)) {
    int overflow;
    int64_t number = PyLong_AsLongLongAndOverflow(value, &overflow);
    words.insert(words.end(), {kInt, overflow ? 0 : number});
    if (overflow) objects.push_back(value);
  } else if (value == Py_None) {
    words.push_back(kNone);
  } else if (PyUnicode_CheckExact(value)) {
    words.push_back(kString);
    objects.push_back(value);
  } else if (PyTuple_Check(value) || PyList_CheckExact(value)) {
    bool isTuple = PyTuple_Check(value);
    Py_ssize_t n = isTuple ? PyTuple_GET_SIZE(value) : PyList_GET_SIZE(value);
    words.insert(words.end(), {isTuple ? kTuple : kList, n});
    if (isTuple && !PyTuple_CheckExact(value)) objects.push_back(reinterpret_cast<PyObject *>(Py_TYPE(value)));
    for (Py_ssize_t i = 0; i < n; ++i) add(isTuple ? PyTuple_GET_ITEM(value, i) : PyList_GET_ITEM(value, i));
  } else if (PyDict_CheckExact(value)) {
    Object keys(check(PyDict_Keys(value)));
    if (PyList_Sort(keys.get())) throw PythonError();
    words.insert(words.end(), {kDict, PyList_GET_SIZE(keys.get())});
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(keys.get()); ++i) {
      PyObject *key = PyList_GET_ITEM(keys.get(), i); // the dict holds it
      objects.push_back(key);
      add(PyDict_GetItem(value, key));
    }
  } else if (PyObject_CheckBuffer(value) && !PyBytes_Check(value) && !PyByteArray_Check(value)) {
    held.emplace_back(wrap(asArray(value, std::nullopt, -1)));
    addArray(held.back().get());
  } else if (!addNode(value)) {
    throw Error(ErrorKind::Trace, std::string("argument of a jitted function: expected arrays, numbers, strings, None, or dicts, lists, "
                                              "tuples and dataclasses of them, got ") +
                                      Py_TYPE(value)->tp_name + " (name it in static_argnums or static_argnames if it never changes)");
  }
}

/// An object of a registered class or a dataclass: its class and data, then its children.
bool Signature::addNode(PyObject *value) {
  Object parts(check(PyObject_CallOneArg(side().flatten, value)));
  if (parts.get() == Py_None) return false;
  PyObject *children = PyTuple_GET_ITEM(parts.get(), 0);
  words.insert(words.end(), {kNode, PyTuple_GET_SIZE(children)});
  objects.push_back(reinterpret_cast<PyObject *>(Py_TYPE(value)));
  objects.push_back(PyTuple_GET_ITEM(parts.get(), 1));
  held.push_back(parts);
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(children); ++i) add(PyTuple_GET_ITEM(children, i));
  return true;
}

void Signature::addStatic(PyObject *value, const char *name) {
  if (PyObject_Hash(value) == -1) {
    PyErr_Clear();
    throw Error(ErrorKind::Trace, std::string("static argument ") + name + ": expected a hashable value, got " + Py_TYPE(value)->tp_name);
  }
  words.push_back(kStatic);
  objects.push_back(value);
}

static bool sameObject(PyObject *a, PyObject *b) {
  if (a == b) return true;
  if (Py_TYPE(a) != Py_TYPE(b)) return false;
  int equal = PyObject_RichCompareBool(a, b, Py_EQ);
  if (equal < 0) PyErr_Clear();
  return equal > 0;
}

bool Entry::matches(const Signature &s) const {
  if (words.size() != s.words.size() || objects.size() != s.objects.size()) return false;
  if (std::memcmp(words.data(), s.words.data(), words.size() * 8)) return false;
  for (size_t i = 0; i < objects.size(); ++i)
    if (!sameObject(objects[i].get(), s.objects[i])) return false;
  for (const Guard &g : guards)
    if (!g.holds()) return false;
  return true;
}

bool Entry::adoptCode() {
  if (executable) return true;
  if (!code || code->state.load(std::memory_order_acquire) != Code::Ready) return false;
  executable = code->result.executable;
  workspaceBytes = size_t(executable->workspaceBytes(values.symbols.data()));
  if (isOpen()) trace = nullptr;
  return true;
}

void Entry::findPlain(const Signature &s, size_t nargs) {
  plain.isKnown = true;
  plain.usable = eager.empty() && executable && captured.empty() && commits.empty() && objects.empty() && s.arrays.size() == nargs &&
                 nargs <= 16 && stored.size() <= 8 && values.numbers.size() <= 8;
  size_t expected = 1;
  for (PyObject *o : s.arrays) {
    const Array &a = arrayOf(o);
    expected += 2 + size_t(a.shape.rank);
    plain.usable &= a.isContiguous;
    plain.arguments.push_back(a.type());
  }
  plain.usable &= words.size() == expected; // nothing but distinct arrays
  int64_t total = 0;
  for (const TensorType &t : plain.arguments) total += numElements(t.shape) * byteSize(t.dtype);
  for (const TensorType &t : stored) {
    plain.strides.push_back(contiguousStrides(t.shape));
    plain.bytes.push_back(size_t(numElements(t.shape) * byteSize(t.dtype)));
    total += int64_t(plain.bytes.back());
  }
  plain.isLong = total >= (256 << 10); // about 20 us of memory traffic
  for (const InputPlace &p : inputs) plain.inputs.push_back(int(p.number));
  auto isNew = [&](const Output &o, size_t at) {
    return o.kind == Output::New && o.index == int(at) && o.offset == 0 && o.shape == stored[at].shape &&
           o.strides == contiguousStrides(o.shape);
  };
  bool isTuple = result.kind == Output::Tuple && !result.object && result.children.size() == stored.size();
  if (isTuple)
    for (size_t i = 0; i < stored.size(); ++i) plain.usable &= isNew(result.children[i], i);
  else plain.usable &= stored.size() == 1 && isNew(result, 0);
}

bool Entry::matchesPlain(PyObject *const *args, size_t nargs) const {
  if (!plain.usable || nargs != plain.arguments.size()) return false;
  if ((words[0] & 0xff) != int64_t(defaultFloat())) return false;
  const TensorType *t = plain.arguments.data();
  const Storage *seen[16];
  for (size_t i = 0; i < nargs; ++i, ++t) {
    if (!isArray(args[i])) return false;
    const Array &a = arrayOf(args[i]);
    if (a.dtype != t->dtype || !a.isContiguous || !(a.shape == t->shape)) return false;
    const Storage *mine = seen[i] = a.storage.get();
    for (size_t k = 0; k < i; ++k)
      if (seen[k] == mine) return false;
  }
  for (const Guard &g : guards)
    if (!g.holds()) return false;
  return true;
}

PyObject *Place::read() const {
  if (!key) return PyCell_GET(container.get());
  return PyDict_GetItemWithError(container.get(), key.get());
}

std::string Place::describe() const {
  if (!key) return "closure variable";
  const char *name = PyUnicode_AsUTF8(key.get());
  return "name '" + std::string(name ? name : "?") + "'";
}

bool Guard::holds() const {
  PyObject *now = place.read();
  if (now == expected.get()) return true;
  if (!now || !expected || Py_TYPE(now) != Py_TYPE(expected.get())) return false;
  if (PyFloat_CheckExact(now))
    return std::bit_cast<int64_t>(PyFloat_AS_DOUBLE(now)) == std::bit_cast<int64_t>(PyFloat_AS_DOUBLE(expected.get()));
  bool isValue = PyLong_CheckExact(now) || PyUnicode_CheckExact(now);
  return isValue && sameObject(now, expected.get());
}

bool findCaptured(const Entry &entry, const Signature &s, std::vector<PyObject *> &found) {
  for (const Captured &c : entry.captured) {
    PyObject *now = c.place.read();
    if (!now || !isArray(now)) return false;
    const Array &a = arrayOf(now);
    if (a.dtype != c.type.dtype || !(a.shape == c.type.shape) || a.isContiguous != c.isContiguous) return false;
    int alias = -1;
    for (size_t i = 0; i < s.arrays.size() + found.size() && alias < 0; ++i) {
      PyObject *other = i < s.arrays.size() ? s.arrays[i] : found[i - s.arrays.size()];
      if (arrayOf(other).storage.get() == a.storage.get()) alias = int(i);
    }
    if (alias != c.alias) return false;
    found.push_back(now);
  }
  return true;
}

} // namespace kiln::py
