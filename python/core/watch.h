// What a function reads of Python's state besides its arguments: places, and what was found there. Comparing runs no code of the user.
#pragma once

#include "arguments.h"

#include "frontend/tree/Tree.h"

#include <unordered_set>

namespace kiln::py {

/// A dict and a key, a cell, an attribute of a function, or a type as a whole.
struct Place {
  Object container, key; // no key: a cell or a type
  Object read() const;   // null if it is gone
  std::string describe() const;
};

/// A value that the recording depended on: numbers and text by type and bits, anything else by identity.
struct Guard {
  Place place;
  Object expected;       // null: nothing was there
  uint64_t version = 0;  // of a type
  bool holds() const;
};

/// The reads of a recording: values that are guarded, and arrays that are looked up at each call.
class PythonState final : public Watched {
public:
  std::vector<Guard> guards;
  std::vector<Place> arrays;
  std::unordered_set<void *> codes; // that were analysed: operations elsewhere are no part of the call
  std::vector<Object> held;         // the codes

  /// What a call reads, by the analysis of its function; why it cannot be watched, or nothing.
  std::string find(PyObject *function, const Arguments &arguments);
  bool holds() const override;
  /// Looks up the arrays and adds them to a call; false where a place has none.
  bool addArrays(Arguments &arguments) const;
  int visit(visitproc visit, void *arg) const;
};

} // namespace kiln::py
