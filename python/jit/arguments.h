// The arguments of a call: what of them is in its key, and everything that is used of them, held while code of the user may run.
#pragma once

#include "python/core/core.h"

#include "frontend/frames/Numbers.h"
#include "frontend/tree/Key.h"

#include <algorithm>

namespace kiln::py {

/// Which arguments are static, and the names of those that may be given by position or by name.
struct Parameters {
  std::vector<int> staticNumbers;
  Object staticNames; // frozenset or null
  std::vector<Object> names;
  size_t positional = 0;       // of the names, those that arguments by position are for
  std::vector<uint64_t> open;  // paths of numbers that are no part of a call's key, in order
  bool hasOpened = false;      // some were once: then every call tells its numbers, which recordings may ask for
  std::vector<Object> byPlace; // by name, the class whose objects are in keys as themselves, and what they hold is watched; null: none

  bool isOpen(uint64_t path) const { return std::ranges::binary_search(open, path); }
  bool isByPlace(size_t number, PyObject *value) const {
    return number < byPlace.size() && byPlace[number].get() == reinterpret_cast<PyObject *>(Py_TYPE(value));
  }
};

/// A named tuple that has nothing but its items.
bool isNamedTuple(PyObject *value);

/// A call as Python makes it.
struct Call {
  PyObject *function;
  PyObject *const *args;
  size_t nargs;
  PyObject *kwnames; // null or a tuple
  size_t count() const { return nargs + (kwnames ? size_t(PyTuple_GET_SIZE(kwnames)) : 0); }
};

/// An object with attributes that a parameter has.
struct GivenObject {
  Py_ssize_t parameter;
  PyObject *object;
  bool isOpen;       // what it holds is no part of the call's key
  size_t first, end; // else the words of the key that say it
};

struct Arguments {
  KeyBuilder key;
  std::vector<Object> held;         // all that the rest points to
  std::vector<PyObject *> arrays;   // those of the key
  std::vector<PyObject *> passed;   // containers: tuples, lists, dicts and objects
  FirstPlace containers;            // of `passed`, as they were given and as they are used
  std::vector<PyObject *> classes;  // of those that are no tuples, lists or dicts
  std::vector<GivenNumber> given;   // numbers among them, in containers as well
  std::vector<GivenObject> objects; // that parameters have
  Anchors anchors;                  // of the tree of the call
  NumberValues numbers;             // that the tree of the call computes of what it reads
  std::vector<PyObject *> values;   // what is no plain data: functions, classes, ...
  std::vector<PyObject *> actual;   // the arguments to call with, where NumPy arrays became ours; empty: as given
  struct Replaced {
    PyObject *original, *copy; // a list or dict, and the one with our arrays that is used instead
    Object before;             // the copy as it was made
  };
  std::vector<Replaced> replaced;
  std::vector<std::pair<PyObject *, PyObject *>> converted; // our arrays, and those of NumPy that they show
  struct Brought {
    Array host, copy; // memory that is shared with others, and what it was on the default device when the call began
  };
  std::vector<Brought> brought;
  std::string why; // why the call has no key; empty: it has one

  void clear();
  /// Reads a call. Throws Error (trace) for a static argument that cannot be hashed.
  /// `byValue`: all numbers are part of the key, and all that objects hold. Those of containers that are replaced are so in any case. Which
  /// numbers there are is told where some are no part of it, or `tells`.
  void read(const Parameters &parameters, const Call &call, bool byValue = false, bool tells = false);
  bool hasOpen() const { return std::ranges::any_of(given, &GivenNumber::isOpen) || std::ranges::any_of(objects, &GivenObject::isOpen); }
  /// An array that is read by name, behind the arguments.
  void addCaptured(PyObject *array);
  /// The call with our arrays.
  Call calling(const Call &call) const;
  /// Takes what the call did to copies of lists and dicts over into the caller's own.
  void giveBack() const;

private:
  class Reader;
  void readAll(Reader &reader, const Call &call);
};

} // namespace kiln::py
