// What a function reads of Python's state besides its arguments: places, and what was found there. Comparing runs no code of the user.
#pragma once

#include "frontend/frames/Frame.h"
#include "frontend/frames/Numbers.h"
#include "frontend/tree/Tree.h"

#include <span>
#include <unordered_set>

namespace kiln::py {

/// A value that the recording depended on: numbers and text by type and bits, anything else by identity.
struct Guard {
  Place place;
  Held expected;   // null: nothing was there
  int anchor = -1; // the number of the anchor that it finds; -1: none
  bool holds() const {
    if (field) return *field == expected.get() || holdsByValue();
    return hash != -1 ? _PyDict_GetItem_KnownHash(place.container.get(), place.key.get(), hash) == expected.get() || holdsByValue()
                      : holdsByValue();
  }
  /// Whether CPython numbers the changes of its class.
  bool isCountable() const { return version || (place.kind != Place::Type && place.kind != Place::Class); }

  /// Whether it is on a place, with another number of the same type.
  bool isOfAnother(const Place &place, PyObject *number) const;
  /// Whether it is on a place with another object, which may have been of the same class, or with any of that class.
  bool isOfOther(const Place &place, PyObject *object) const;

  Guard(Place place, Held expected);
  Guard(Place place, PyObject *expected) : Guard(std::move(place), Held(expected)) {}
  /// An anchor: any object of exactly a class, which is kept for what is read of it.
  Guard(Place at, PyTypeObject *type, int anchor) : place(std::move(at)), expected(asObject(type)), anchor(anchor) {}

private:
  PyObject **field = nullptr; // where the value of a cell or of a function stands
  Py_hash_t hash = -1;        // of a name in a dict
  uint64_t version = 0;       // of a type
  bool holdsByValue() const;
};

/// A place that a call stores to; of Items: that it appends to; of Output: that it calls, with a tuple of arguments and a dict of named
/// ones.
struct Store {
  Place place;
  int passed = -1; // the number of the argument that is stored to; none: the place has the container
  Object value;    // that was stored last; dropped when the recording is over
  /// Puts a value into the place of `container`.
  void put(PyObject *container, PyObject *value) const;
};

/// The stores of a path. Its results are a tuple: of the call's own, and of what is stored.
struct Stores final : Effects {
  std::vector<Store> all;
  std::vector<std::pair<int, int>> taken;    // formulas of values, and which array of the results has each
  std::vector<std::pair<int, Object>> fixed; // formulas of values that decided which path the call takes
  std::vector<int> late;                     // formulas that use them
  /// Stores what a run made, and gives the call's own result.
  PyObject *apply(std::span<PyObject *const> passed, PyObject *built) const;
};

/// The reads of a recording: values that are guarded, and arrays that are looked up at each call.
class PythonState final : public Watched {
public:
  std::vector<Guard> guards;
  std::vector<Place> arrays;
  Numbers numbers;
  std::vector<std::pair<Object, int>> named; // numbers of the call that is recorded that are known by formula
  std::vector<std::pair<int, int>> told;  // formulas of values of that call, and which one of the recorder's each is; -1: one that decided
  std::vector<std::pair<int, int>> taken; // as in Stores
  std::vector<std::pair<int, Object>> fixed;
  std::vector<int> late;
  std::vector<int> risky;           // formulas that the call computed, which may raise: no result need have them
  std::vector<Store> stores;        // of the call that is recorded
  std::vector<Held> changed;        // containers that some path stores to
  int anchors = 0;                  // how many guards are
  bool isOptional = false;          // the analysis could tell, too
  std::string unanalysed;           // why the analysis could not tell: then this was found while calls ran
  std::unordered_set<void *> codes; // that were analysed: operations elsewhere are no part of the call
  std::vector<Object> held;         // the codes

  /// What a call reads, by the analysis of its function; why it cannot be watched, or nothing. `classes` are those of containers among
  /// its arguments, `values` the arguments that are no plain data.
  std::string find(PyObject *function, std::span<PyObject *const> classes, std::span<PyObject *const> values);
  void addCode(PyObject *code);
  /// The same for another call, of which nothing is known yet.
  PythonState forCall() const {
    PythonState next = *this;
    next.stores.clear(), next.named.clear(), next.told.clear(), next.taken.clear(), next.fixed.clear(), next.late.clear(),
        next.risky.clear();
    return next;
  }
  /// Whether its code may turn elements of arrays into numbers, or choose between them.
  bool asksForElements() const;
  bool holds() const override {
    NumberValues values;
    return holds(values);
  }
  /// The same; `values` are then the numbers that calls use. Anchors are those of the call under way.
  bool holds(NumberValues &values) const {
    for (const Guard &g : guards)
      if (!g.holds()) return false;
    return (!anchors || areApart()) && (numbers.empty() || numbers.holds(values));
  }
  /// Whether all anchors are objects of their own, and none that is known by itself.
  bool areApart() const;
  /// What is known by itself is found, after reads were added.
  void findKnown();
  /// Looks up the arrays and gives each to `add`; false where a place has none. `values` are those that the numbers have.
  template <typename Add> bool readArrays(NumberValues &values, const Add &add) const {
    for (const Place &place : arrays) {
      Object now = place.kind == Place::Number ? numbers.arrayOf(place.index, values) : place.read();
      if (!now || !isArray(now.get())) return false;
      add(now.get());
    }
    return true;
  }
  /// The formula of a number of the call that is recorded; -1 for none.
  int formulaOf(PyObject *number) const;
  /// The result of a recorded call with what it stored behind it, as a tuple; the result alone where it stored nothing.
  Object withStored(PyObject *result) const;
  /// The stores, for later calls; null where there are none.
  std::shared_ptr<const Stores> takeStores();
  bool storesToArguments() const;
  /// Whether an argument of a call may be something that is read or stored to by name, too, while stores tell them apart.
  bool mayMeet(std::span<PyObject *const> passed) const;
  /// Whether an anchor is one of a call's arguments.
  bool isAnchor(PyObject *o) const;
  int visit(visitproc visit, void *arg) const;

private:
  std::vector<Held> known; // objects that no anchor may be
};

} // namespace kiln::py
