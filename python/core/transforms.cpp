// Gradients, tangents and batches of Python functions: over lists of arrays, which kiln/_transforms.py makes of trees.
#include "transforms.h"

#include "frontend/Captures.h"
#include "frontend/Debug.h"
#include "frontend/OpsShared.h"
#include "frontend/Tape.h"
#include "frontend/frames/Reader.h"

#include <pybind11/stl.h>

namespace py11 = pybind11;

namespace kiln::py {

Array owned(const Array &x) {
  if (Mode::current() || !x.storage->value) return x.storage->refs.load() > 1 || x.isRepeated ? copy(x) : x;
  return rowByRow(x);
}

namespace {

/// Calls a function with arrays of a mode; the arrays of its result, which is a list of them.
std::vector<Object> callLifted(py11::handle function, std::span<const Array> arrays) {
  Object list(check(PyList_New(Py_ssize_t(arrays.size()))));
  for (size_t i = 0; i < arrays.size(); ++i) PyList_SET_ITEM(list.get(), Py_ssize_t(i), check(wrap(arrays[i])));
  Object result(check(PyObject_CallOneArg(function.ptr(), list.get())));
  std::vector<Object> results;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(result.get()); ++i) results.push_back(Object::borrow(PyList_GET_ITEM(result.get(), i)));
  return results;
}

std::vector<Array> arraysOf(py11::list list) {
  std::vector<Array> arrays;
  for (py11::handle item : list) arrays.push_back(arrayOf(item.ptr()));
  return arrays;
}

PyObject *wrapMaybe(const rules::Maybe &array) { return array ? wrap(*array) : Py_NewRef(Py_None); }

template <typename T, typename Body> PyObject *listOf(const std::vector<T> &items, Body &&each) {
  Object list(check(PyList_New(Py_ssize_t(items.size()))));
  for (size_t i = 0; i < items.size(); ++i) PyList_SET_ITEM(list.get(), Py_ssize_t(i), check(each(items[i])));
  return list.release();
}

std::vector<Transform::Item> resultsOf(Transform &mode, const std::vector<Object> &results) {
  std::vector<Transform::Item> items;
  for (const Object &r : results) items.push_back(mode.resultOf(arrayOf(r.get())));
  return items;
}

/// What is left of a call whose gradients can be asked for.
struct Pullback {
  std::shared_ptr<Tape> tape;
  std::vector<Transform::Item> results;

  py11::object operator()(py11::list cotangents) const {
    return located([&] {
      std::vector<rules::Maybe> given;
      for (py11::handle ct : cotangents) given.push_back(ct.is_none() ? rules::Maybe() : arrayOf(ct.ptr()));
      std::vector<rules::Maybe> gradients = tape->gradients(results, given);
      return listOf(gradients, [](const rules::Maybe &g) { return g ? wrap(owned(*g)) : Py_NewRef(Py_None); });
    });
  }
};

py11::object vjp(py11::object function, py11::list arrays) {
  auto tape = std::make_shared<Tape>();
  Pullback pullback{tape, {}};
  py11::object results = located([&] {
    std::vector<Array> lifted;
    for (const Array &a : arraysOf(arrays)) lifted.push_back(tape->watch(a));
    pullback.results = resultsOf(*tape, callLifted(function, lifted));
    tape->end();
    lifted.clear();
    tape->settle();
    return listOf(pullback.results, [](const Transform::Item &item) { return wrap(item.below); });
  });
  return py11::make_tuple(results, py11::cast(std::move(pullback)));
}

py11::object jvp(py11::object function, py11::list arrays, py11::list tangents) {
  std::vector<Transform::Item> items;
  py11::object results = located([&] {
    Tangents mode;
    std::vector<Array> lifted, primals = arraysOf(arrays);
    for (size_t i = 0; i < primals.size(); ++i) {
      py11::handle t = tangents[i];
      rules::Maybe tangent = t.is_none() ? rules::Maybe() : arrayOf(t.ptr());
      lifted.push_back(mode.lift({primals[i], tangent, -1, false}));
    }
    items = resultsOf(mode, callLifted(function, lifted));
    mode.end();
    lifted.clear();
    mode.settle();
    return listOf(items, [](const Transform::Item &item) { return wrap(item.below); });
  });
  return py11::make_tuple(results,
                          located([&] { return listOf(items, [](const Transform::Item &item) { return wrapMaybe(item.tangent); }); }));
}

/// Whether examples differ in what the function asked for. It was told so by an error, which it may have caught.
bool isDisputed(const Batch &mode) {
  if (!mode.disputed()) return false;
  if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_Exception)) return false; // an interrupt goes on
  PyErr_Clear();
  return true;
}

/// Lists of the numbers of the examples of each group, or arrays.
py11::object groupsOf(const Answers &answers) {
  if (answers.rows.empty()) return py11::cast(answers.numbers);
  py11::list rows;
  for (const Array &a : answers.rows) rows.append(py11::reinterpret_steal<py11::object>(wrap(a)));
  return rows;
}

/// The results and which of them have the axis of the batch; or, where examples go different ways, (None, groups of them).
py11::object vmap(py11::object function, py11::list arrays, std::vector<bool> isBatched, int64_t size, py11::object rows) {
  std::vector<Transform::Item> items;
  py11::object groups;
  py11::object results = located([&]() -> PyObject * {
    Batch mode(size, rows.is_none() ? std::nullopt : std::optional(arrayOf(rows.ptr())));
    std::vector<Array> lifted, given = arraysOf(arrays);
    for (size_t i = 0; i < given.size(); ++i) lifted.push_back(isBatched[i] ? mode.watch(given[i]) : mode.lift({given[i]}));
    std::vector<Object> called;
    try {
      called = callLifted(function, lifted);
    } catch (const PythonError &) {
      if (!isDisputed(mode)) throw;
    }
    if (isDisputed(mode)) {
      groups = groupsOf(*mode.disputed());
      mode.end();
      return Py_NewRef(Py_None);
    }
    items = resultsOf(mode, called);
    mode.end();
    lifted.clear(), called.clear();
    mode.settle(currentPlace);
    return listOf(items, [](const Transform::Item &item) { return wrap(item.below); });
  });
  if (results.is_none()) return py11::make_tuple(results, groups);
  py11::list flags;
  for (const Transform::Item &item : items) flags.append(item.isBatched);
  return py11::make_tuple(results, flags);
}

//===-- functions with derivatives of their own ---------------------------------------------------------------------===//

/// The innermost mode, which carries derivatives or a batch. Throws LeaveRecording in a body that such a mode will run.
Transform &innermost() {
  if (Recorder *body = Recorder::followed())
    body->giveUp("a body has a function with a derivative of its own, under a gradient or a batch");
  return dynamic_cast<Transform &>(*Mode::current());
}

/// Its kind and, of a batch, the size and which examples of a larger one these are; a body that one will run is one, too. None where it is
/// another mode or none.
py11::object describeInnermost() {
  Mode *mode = Mode::current();
  if (Recorder::followed()) return py11::make_tuple("body", 0, py11::none());
  if (dynamic_cast<Tape *>(mode)) return py11::make_tuple("tape", 0, py11::none());
  if (dynamic_cast<Tangents *>(mode)) return py11::make_tuple("tangents", 0, py11::none());
  if (auto *captures = dynamic_cast<Captures *>(mode)) return py11::make_tuple("captures", captures->substitutes().size(), py11::none());
  if (auto *batch = dynamic_cast<Batch *>(mode)) {
    py11::object rows = batch->rows ? py11::reinterpret_steal<py11::object>(wrap(*batch->rows)) : py11::none();
    return py11::make_tuple("batch", batch->size, rows);
  }
  return py11::none();
}

/// What arrays stand for, whether the mode has something to do for each, and their tangents.
py11::object lowered(py11::list arrays) {
  py11::list below, isActive, tangents;
  Transform *mode = nullptr;
  located([&] { return mode = &innermost(), Py_NewRef(Py_None); });
  for (py11::handle h : arrays) {
    Transform::Item item = mode->itemOf(arrayOf(h.ptr()));
    below.append(located([&] { return wrap(item.below); }));
    isActive.append(item.isActive());
    tangents.append(located([&] { return wrapMaybe(item.tangent); }));
  }
  return py11::make_tuple(below, isActive, tangents);
}

/// A result of a function that ran below the innermost mode.
const Array &fromBelow(py11::handle result) {
  const Array &array = arrayOf(result.ptr());
  if (innermost().isMine(array))
    throw Error(ErrorKind::Trace, "a result of a function: expected one that it made of its arguments, got an array that it reads by name");
  return array;
}

py11::object lift(py11::list arrays, py11::list tangents, bool isBatched) {
  return located([&] {
    std::vector<Array> lifted;
    for (size_t i = 0; i < arrays.size(); ++i) {
      py11::handle t = tangents.empty() ? py11::handle(Py_None) : py11::handle(tangents[i]);
      lifted.push_back(innermost().lift({fromBelow(arrays[i]), t.is_none() ? rules::Maybe() : arrayOf(t.ptr()), -1, isBatched}));
    }
    return listOf(lifted, [](const Array &a) { return wrap(a); });
  });
}

/// The arrays of the innermost mode that a function over lists of arrays reads by name.
py11::object captured(py11::object function, py11::list given) {
  return located([&] {
    Captures mode(innermost());
    std::vector<Array> lifted;
    for (const Array &a : arraysOf(given)) lifted.push_back(mode.lift({a, std::nullopt, -1, false}));
    resultsOf(mode, callLifted(function, lifted));
    mode.end();
    return listOf(mode.captured(), [](const Array &a) { return wrap(a); });
  });
}

/// The results of a function over lists of arrays, in which others stand for those that it reads by name.
py11::object substituted(py11::list captured, py11::list others, py11::object function, py11::list given) {
  return located([&] {
    Captures mode(arraysOf(captured), arraysOf(others));
    std::vector<Transform::Item> items = resultsOf(mode, callLifted(function, arraysOf(given)));
    mode.end();
    mode.settle();
    return listOf(items, [](const Transform::Item &item) { return wrap(item.below); });
  });
}

/// Of the innermost mode, which has others in the place of arrays: those arrays, the others, and how often one was met.
py11::object substitutes() {
  auto &mode = dynamic_cast<Captures &>(innermost());
  auto wrapped = [](const std::vector<Array> &arrays) {
    return located([&] { return listOf(arrays, [](const Array &a) { return wrap(a); }); });
  };
  return py11::make_tuple(wrapped(mode.captured()), wrapped(mode.substitutes()), mode.lookups);
}

/// `backward` takes cotangents of the results, and gives gradients of what was taken; None is 0.
py11::object liftResults(py11::list taken, py11::list results, py11::object backward) {
  return located([&] {
    auto &tape = dynamic_cast<Tape &>(innermost());
    std::vector<Transform::Item> items;
    for (py11::handle h : taken) items.push_back(tape.itemOf(arrayOf(h.ptr())));
    auto call = [backward](const Tape::Given &given) {
      std::vector<rules::Maybe> cotangents(given.cotangents.begin(), given.cotangents.end()), gradients;
      Object list(listOf(cotangents, wrapMaybe)), result(check(PyObject_CallOneArg(backward.ptr(), list.get())));
      for (Py_ssize_t i = 0; i < PyList_GET_SIZE(result.get()); ++i) {
        PyObject *g = PyList_GET_ITEM(result.get(), i);
        gradients.push_back(g == Py_None ? rules::Maybe() : arrayOf(g));
      }
      return gradients;
    };
    std::vector<Array> below;
    for (py11::handle result : results) below.push_back(fromBelow(result));
    return listOf(tape.liftResults(items, below, call), [](const Array &a) { return wrap(a); });
  });
}

} // namespace

void defineTransforms(py11::module_ &m) {
  defineGradient(m);
  py11::class_<Pullback>(m, "Pullback").def("__call__", &Pullback::operator());
  m.def("vjp", vjp);
  m.def("jvp", jvp);
  m.def("vmap", [](py11::object function, py11::list arrays, py11::list flags, int64_t size, py11::object rows) {
    std::vector<bool> isBatched;
    for (py11::handle flag : flags) isBatched.push_back(flag.cast<bool>());
    return vmap(function, arrays, isBatched, size, std::move(rows));
  });
  m.def("debug_nans", [](bool isOn) {
    located([&] {
      NanCheck::set(isOn, currentPlace);
      return Py_NewRef(Py_None);
    });
  });
  m.def("is_debugging_nans", [] { return NanCheck::current() != nullptr; });
  m.def("note_made", [](py11::handle o) { Reader::noteMade(o.ptr()); });
  m.def("innermost", describeInnermost);
  m.def("lowered", lowered);
  m.def("lift", lift);
  m.def("captured", captured);
  m.def("substituted", substituted);
  m.def("substitutes", substitutes);
  m.def("lift_results", liftResults);
  m.def("below", [](py11::object function) { // calls it with the modes below the innermost one
    Below others(innermost());
    return function();
  });
  m.def("paused", [](py11::object function) { // calls it with no mode
    Paused paused;
    return function();
  });
  m.def("level_of", [](py11::object x) { return levelOf(x.is_none() ? nullptr : &arrayOf(x.ptr())); });
  m.def("stop_gradient", [](py11::object x) { // itself where nothing would flow
    return located([&] {
      Array given = arrayOf(x.ptr()), stopped = stopGradient(given);
      return stopped.storage.get() == given.storage.get() ? x.inc_ref().ptr() : wrap(stopped);
    });
  });
}

} // namespace kiln::py
