// What a function reads of Python's state besides its arguments: places, and what was found there. Comparing runs no code of the user.
#pragma once

#include "frontend/frames/Frame.h"
#include "frontend/tree/Tree.h"

#include <span>
#include <unordered_set>

namespace kiln::py {

/// A dict and a key, a cell, an attribute of a function or of a partial object, or a type as a whole.
struct Place {
  Object container, key; // no key: a cell or a type
  Object read() const;   // null if it is gone
  std::string describe() const;
};

/// A value that the recording depended on: numbers and text by type and bits, anything else by identity.
struct Guard {
  Place place;
  Object expected; // null: nothing was there
  bool holds() const {
    if (field) return *field == expected.get() || holdsByValue();
    return hash != -1 ? _PyDict_GetItem_KnownHash(place.container.get(), place.key.get(), hash) == expected.get() || holdsByValue()
                      : holdsByValue();
  }

  Guard(Place place, Object expected);

private:
  PyObject **field = nullptr; // where the value of a cell or of a function stands
  Py_hash_t hash = -1;        // of a name in a dict
  uint64_t version = 0;       // of a type
  bool holdsByValue() const;
  friend class PythonState;
};

/// The reads of a recording: values that are guarded, and arrays that are looked up at each call.
class PythonState final : public Watched {
public:
  std::vector<Guard> guards;
  std::vector<Place> arrays;
  std::unordered_set<void *> codes; // that were analysed: operations elsewhere are no part of the call
  std::vector<Object> held;         // the codes

  /// What a call reads, by the analysis of its function; why it cannot be watched, or nothing. `classes` are those of containers among
  /// its arguments, `values` the arguments that are no plain data.
  std::string find(PyObject *function, std::span<PyObject *const> classes, std::span<PyObject *const> values);
  bool holds() const override {
    for (const Guard &g : guards)
      if (!g.holds()) return false;
    return true;
  }
  /// Looks up the arrays and gives each to `add`; false where a place has none.
  template <typename Add> bool readArrays(const Add &add) const {
    for (const Place &place : arrays) {
      Object now = place.read();
      if (!now || !isArray(now.get())) return false;
      add(now.get());
    }
    return true;
  }
  int visit(visitproc visit, void *arg) const;
};

} // namespace kiln::py
