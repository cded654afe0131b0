#include "results.h"

#include <algorithm>
#include <unordered_map>

namespace kiln::py {
namespace {

/// A container's children, owned, and what it takes to build it: the type tuple, list or of a named tuple, a list of keys (a dict), or a
/// tuple (class, data).
struct Parts {
  Object recipe;
  std::vector<Object> children;
};

bool isBuiltIn(PyObject *value) { return PyTuple_CheckExact(value) || PyList_CheckExact(value); }

std::optional<Parts> takeApart(PyObject *value) {
  Parts parts;
  bool isTuple = isBuiltIn(value) || isNamedTuple(value);
  if (isTuple) {
    parts.recipe = Object::borrow(reinterpret_cast<PyObject *>(Py_TYPE(value)));
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(value); ++i)
      parts.children.push_back(Object::borrow(PySequence_Fast_GET_ITEM(value, i)));
    return parts;
  }
  Object children;
  if (PyDict_CheckExact(value)) {
    parts.recipe = Object(check(PyDict_Keys(value)));
    children = Object(check(PyDict_Values(value)));
  } else {
    Object found(check(PyObject_CallOneArg(side().takeResult, value)));
    if (found.get() == Py_None) return std::nullopt;
    children = Object::borrow(PyTuple_GET_ITEM(found.get(), 0));
    parts.recipe = Object(check(PyTuple_Pack(2, Py_TYPE(value), PyTuple_GET_ITEM(found.get(), 1))));
  }
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(children.get()); ++i)
    parts.children.push_back(Object::borrow(PySequence_Fast_GET_ITEM(children.get(), i)));
  return parts;
}

bool isConstant(PyObject *value) {
  return value == Py_None || PyBool_Check(value) || PyLong_CheckExact(value) || PyFloat_CheckExact(value) || PyUnicode_CheckExact(value) ||
         PyComplex_CheckExact(value) || PyBytes_CheckExact(value) || value == Py_Ellipsis || PyType_Check(value) || isNumPyNumber(value) ||
         PyObject_TypeCheck(value, reinterpret_cast<PyTypeObject *>(side().dtypeClass));
}

constexpr int kDeepest = 100;

class ResultReader {
public:
  ResultReader(Recorder &r, const Arguments &arguments, PythonState *state) : r(r), arguments(arguments), state(state) {}
  std::string why;
  std::vector<Source> results;

  Template read(PyObject *value, int depth = 0) {
    Template t;
    if (isArray(value)) return readArray(value);
    if (int formula = state ? state->formulaOf(value) : -1; formula >= 0) {
      t.kind = Template::Number;
      t.index = formula;
      return useNumber(formula), t;
    }
    if (isConstant(value)) {
      t.object = HostObject(value);
      return t;
    }
    if (int64_t passed = arguments.containers.find(value); passed >= 0) {
      t.kind = Template::Passed;
      t.index = int(passed);
      return t;
    }
    bool isKnown = !PyTuple_CheckExact(value) && containers.find(value) >= 0;
    auto parts = isKnown || depth == kDeepest ? std::nullopt : takeApart(value);
    if (!parts)
      return fail(isKnown ? "the result has one container twice" : std::string("the result has a ") + Py_TYPE(value)->tp_name + " in it"),
             t;
    containers.put(value, 0);
    t.kind = Template::Container;
    t.object = HostObject(parts->recipe.get());
    for (const Object &child : parts->children) t.children.push_back(read(child.get(), depth + 1));
    return t;
  }

  /// What the call computed and left alone is computed by later calls as well, where that may raise.
  void useRisky() {
    std::vector<char> computed = state->numbers.computed(state->late);
    for (int formula : state->risky)
      if (!std::exchange(computed[size_t(formula)], 1)) useNumber(formula);
  }

private:
  Recorder &r;
  const Arguments &arguments;
  PythonState *state;
  FirstPlace arrays, containers, stored; // met so far
  int64_t met = 0;                       // arrays

  void fail(std::string text) {
    if (why.empty()) why = std::move(text);
  }

  /// A number that later calls compute, before or after the operations.
  void useNumber(int formula) {
    if (!state->numbers.isLate(formula)) return state->numbers.useResult(formula);
    state->late.push_back(formula);
    std::vector<char> used = state->numbers.reached({formula});
    for (int value = 0; value <= formula; ++value) {
      if (!used[size_t(value)] || state->numbers.at(value).kind != Formula::Value) continue;
      auto isValue = [&](auto &pair) { return pair.first == value; };
      auto told = std::ranges::find_if(state->told, isValue);
      bool isFixed = std::ranges::any_of(state->fixed, isValue);
      if (!isFixed && (told == state->told.end() || told->second < 0)) return fail("the result has a number in it that is not known");
      if (isFixed || std::ranges::any_of(state->taken, isValue)) continue;
      state->taken.emplace_back(value, int(results.size()));
      results.push_back(r.output(r.cellSlot(r.told[size_t(told->second)].array.storage.get())));
    }
  }

  Template readArray(PyObject *value) {
    Template t;
    const Array &a = arrayOf(value);
    if (int64_t given = arguments.key.placeOf(a); given >= 0) {
      t.kind = Template::Input;
      t.index = int(given);
      return t;
    }
    if (int64_t before = arrays.put(value, met); before >= 0) {
      t.kind = Template::Repeated;
      t.index = int(before);
      return t;
    }
    ++met;
    t.dtype = a.dtype;
    t.offset = a.offset;
    t.shape = a.shape;
    t.strides = a.strides;
    if (int input = r.inputOf(a); input >= 0) return readView(t, a, input);
    int64_t slot = r.cellSlot(a.storage.get());
    if (slot < 0) return fail("the result has an array in it that the recording does not know"), t;
    t.kind = Template::New;
    int64_t next = int64_t(results.size()), known = stored.put(a.storage.get(), next);
    t.index = int(known < 0 ? next : known);
    if (known >= 0) return t;
    results.push_back(r.output(slot));
    return t;
  }

  Template readView(Template t, const Array &a, int input) {
    int number = r.inputs()[size_t(input)];
    const Array &base = *arguments.key.arrays[size_t(number)];
    if (!base.isContiguous) fail("a view of an array with strides is returned");
    t.kind = Template::View;
    t.index = number;
    t.offset -= base.offset * byteSize(base.dtype) / byteSize(a.dtype);
    return t;
  }
};

//===-- what else is kept -------------------------------------------------------------------------------------------===//

/// How often each object stands in a result.
class Occurrences {
public:
  std::unordered_map<PyObject *, Py_ssize_t> arrays, containers;

  void count(PyObject *value, int depth = 0) {
    if (isArray(value)) return void(++arrays[value]);
    if (isConstant(value) || depth == kDeepest || ++containers[value] > 1) return;
    auto parts = takeApart(value);
    if (!parts) return;
    for (const Object &child : parts->children) count(child.get(), depth + 1);
  }
};

} // namespace

std::string placeOf(const Location &at) {
  if (!at.code) return "";
  Object text(check(PyObject_CallFunction(side().lineOf, "Oi", static_cast<PyObject *>(at.code), at.instruction)));
  return PyUnicode_AsUTF8(text.get());
}

Object listOf(std::span<const Object> objects) {
  Object list(check(PyList_New(Py_ssize_t(objects.size()))));
  for (size_t i = 0; i < objects.size(); ++i) PyList_SET_ITEM(list.get(), Py_ssize_t(i), Py_NewRef(objects[i].get()));
  return list;
}

Object pairOf(const Source &source) {
  constexpr const char *kNames[] = {"entry", "live", "made"};
  return Object(check(Py_BuildValue("(si)", kNames[source.kind], int(source.index))));
}

Object pairsOf(std::span<const Source> sources) {
  std::vector<Object> pairs;
  for (const Source &s : sources) pairs.push_back(pairOf(s));
  return listOf(pairs);
}

std::string readResult(Recorder &recorder, const Arguments &arguments, PyObject *result, Ending &ending, PythonState *state) {
  ResultReader reader(recorder, arguments, state);
  ending.result = reader.read(result);
  if (state) reader.useRisky();
  if (reader.why.size()) return reader.why;
  ending.results = std::move(reader.results);
  for (auto &[input, slot] : recorder.written()) ending.commits.push_back({input, recorder.output(slot)});
  return "";
}

std::vector<int32_t> countHolders(const Arguments &arguments) {
  std::vector<int32_t> counts;
  for (const Array *a : arguments.key.arrays) counts.push_back(a->storage->refs.load());
  return counts;
}

static std::string findKeptNow(const Recorder &r, const Arguments &arguments, PyObject *result, std::span<const Store> stores,
                               std::span<const int32_t> held) {
  Occurrences in;
  in.count(result);
  for (const Store &store : stores) // the place, and the list of stores
    for (int i = 0; i < 2; ++i) in.count(store.value.get());
  std::unordered_map<const Storage *, int32_t> holders; // arrays of the result, by cell
  constexpr const char *kKept = "an array that is made here is kept outside of the call";
  for (auto &[array, times] : in.arrays) {
    if (arguments.key.placeOf(arrayOf(array)) >= 0) continue;
    ++holders[arrayOf(array).storage.get()];
    if (Py_REFCNT(array) > times) return std::string("an array of the result is kept outside of the call as well");
  }
  for (auto &[container, times] : in.containers) {
    bool isPassed = arguments.containers.find(container) >= 0;
    if (!isPassed && !PyTuple_CheckExact(container) && Py_REFCNT(container) > times)
      return std::string("a container of the result is kept outside of the call as well");
  }
  for (const Cell &cell : r.liveCells())
    if (cell.storage->refs.load() > holders[cell.storage]) return placeOf(r.locations[size_t(cell.slot)]) + kKept;
  for (size_t i = 0; i < held.size(); ++i) {
    const Storage *cell = arguments.key.arrays[i]->storage.get();
    if (cell->refs.load() > held[i] + holders[cell]) return "a view of an argument or captured array is kept outside of the call";
  }
  return "";
}

std::string findKept(const Recorder &recorder, const Arguments &arguments, PyObject *result, std::span<const Store> stores,
                     std::span<const int32_t> held) {
  if (findKeptNow(recorder, arguments, result, stores, held).empty()) return "";
  PyGC_Collect(); // cycles hold nothing
  return findKeptNow(recorder, arguments, result, stores, held);
}

//===-- building ----------------------------------------------------------------------------------------------------===//

namespace {

/// An object that a function made, as a handle.
HostObject adopt(PyObject *made) {
  Object object(check(made));
  return HostObject(object.get());
}

class Builder final : public TemplateBuilder {
public:
  explicit Builder(const Arguments &arguments) : arguments(arguments) {}
  HostObject input(int index) override { return HostObject(arguments.arrays[size_t(index)]); }
  HostObject passed(int index) override { return HostObject(arguments.passed[size_t(index)]); }
  HostObject number(int index) override { return HostObject(arguments.numbers[size_t(index)].get()); }
  HostObject array(Array &&array) override { return adopt(wrap(std::move(array))); }

  HostObject container(const Template &t, std::vector<HostObject> children) override {
    auto *recipe = static_cast<PyObject *>(t.object.get());
    auto n = Py_ssize_t(children.size());
    auto child = [&](Py_ssize_t i) { return static_cast<PyObject *>(children[size_t(i)].get()); };
    if (PyList_CheckExact(recipe)) {
      Object dict(check(PyDict_New()));
      for (Py_ssize_t i = 0; i < n; ++i)
        if (PyDict_SetItem(dict.get(), PyList_GET_ITEM(recipe, i), child(i))) throw PythonError();
      return HostObject(dict.get());
    }
    if (recipe == reinterpret_cast<PyObject *>(&PyList_Type)) {
      Object list(check(PyList_New(n)));
      for (Py_ssize_t i = 0; i < n; ++i) PyList_SET_ITEM(list.get(), i, Py_NewRef(child(i)));
      return HostObject(list.get());
    }
    Object tuple(check(PyTuple_New(n)));
    for (Py_ssize_t i = 0; i < n; ++i) PyTuple_SET_ITEM(tuple.get(), i, Py_NewRef(child(i)));
    if (recipe == reinterpret_cast<PyObject *>(&PyTuple_Type)) return HostObject(tuple.get());
    if (PyType_Check(recipe)) { // a named tuple, as its _make does it: no code of the class runs
      Object arguments(check(PyTuple_Pack(1, tuple.get())));
      return adopt(PyTuple_Type.tp_new(reinterpret_cast<PyTypeObject *>(recipe), arguments.get(), nullptr));
    }
    return adopt(
        PyObject_CallFunctionObjArgs(side().makeResult, PyTuple_GET_ITEM(recipe, 0), PyTuple_GET_ITEM(recipe, 1), tuple.get(), nullptr));
  }

private:
  const Arguments &arguments;
};

} // namespace

PyObject *buildResult(const Ending &ending, const Arguments &arguments, std::span<Array> made) {
  const Template &t = ending.result;
  // Most results are one object, which needs no builder.
  if (t.kind == Template::New && t.isWhole(made[size_t(t.index)])) return wrap(std::move(made[size_t(t.index)]));
  if (t.kind == Template::Constant) return Py_NewRef(static_cast<PyObject *>(t.object.get()));
  if (t.kind == Template::Number) return Py_NewRef(arguments.numbers[size_t(t.index)].get());
  Builder builder(arguments);
  HostObject result = build(ending.result, made, arguments.key.arrays, builder);
  return Py_NewRef(static_cast<PyObject *>(result.get()));
}

static int visitTemplate(const Template &t, visitproc visit, void *arg) {
  Py_VISIT(static_cast<PyObject *>(t.object.get()));
  for (const Template &child : t.children)
    if (int status = visitTemplate(child, visit, arg)) return status;
  return 0;
}

int visitEnding(const Ending &ending, visitproc visit, void *arg) {
  auto *stores = static_cast<const Stores *>(ending.effects.get());
  for (size_t i = 0; stores && i < stores->all.size(); ++i) {
    Py_VISIT(stores->all[i].place.container.visited());
    Py_VISIT(stores->all[i].place.key.get());
  }
  return visitTemplate(ending.result, visit, arg);
}

} // namespace kiln::py
