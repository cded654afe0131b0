// Places of Python's state: what a call reads or stores to.
#pragma once

#include "frontend/frames/Object.h"

#include <span>
#include <string>

namespace kiln::py {

/// Objects that a call has found where other calls have others of their class, in the order in which they are read.
struct Anchors {
  std::vector<PyObject *> now;
  std::vector<Object> held; // until the call is over
  void set(int number, PyObject *o) {
    now.resize(size_t(number) + 1); // those behind it are found later
    now[size_t(number)] = o;
    held.push_back(Object::borrow(o));
  }
};
/// Those of the call under way in this thread.
extern thread_local Anchors *callAnchors;

/// An object of the user: by a weak reference where its class allows it, so that watching keeps none alive; or an anchor, which is another
/// object in each call.
class Held {
public:
  Held() = default;
  explicit Held(PyObject *o);
  static Held anchor(int number) {
    Held held;
    held.form = Form::Anchor;
    held.number = number;
    return held;
  }
  /// Null for one that is gone.
  PyObject *get() const {
    if (form == Form::Itself) return object.get();
    if (form == Form::Anchor) [[unlikely]]
      return ofCall();
    PyObject *found = reinterpret_cast<PyWeakReference *>(object.get())->wr_object;
    return found == Py_None || !Py_REFCNT(found) ? nullptr : found;
  }
  explicit operator bool() const { return object || isAnchor(); }
  bool isAnchor() const { return form == Form::Anchor; }
  PyObject *visited() const { return object.get(); }
  /// Whether it stands for the same object, which may be gone.
  bool operator==(const Held &other) const { return form == other.form && object.get() == other.object.get() && number == other.number; }

private:
  enum class Form : uint8_t { Itself, Weak, Anchor };
  Object object;
  Form form = Form::Itself;
  int number = 0;           // of an anchor
  PyObject *ofCall() const; // of an anchor; not inline, as guards are asked for in each call
};

struct Place {
  /// Type: a class as a whole, by its version. Class: of an object, with its version. Items: how many a list has; Keys: of a dict or a set,
  /// in their order. Member: of a class, wherever in its bases. Part: of a function or a partial object. Output: what a function prints,
  /// which is stored to alone. Argument: a number that the call was given. Found: as Attribute, of an object whose class may change: null
  /// where code of the user would run. Plainly: the order in which attributes of objects of a class are looked for, where that is done
  /// plainly: of a class, or the class of an object; with a key, which the class itself has no descriptor for.
  enum Kind : uint8_t { Entry, Cell, Part, Type, Class, Attribute, Member, Item, Items, Keys, Number, Output, Argument, Found, Plainly };
  Kind kind = Entry;
  Held container;
  Object key;
  Py_ssize_t index = 0; // of an Item; of a Number, which has no container, among those of the state that arrays are made of; of an
                        // Argument among the numbers that the call was given

  Object read() const; // null if it is gone
  std::string describe() const;
  bool operator==(const Place &other) const;
};

/// A number that a call was given: an argument, or what a container among the arguments holds.
struct GivenNumber {
  uint64_t path;                      // where it stands, in all calls: of which parameter, and which item of which container
  PyObject *value;                    // an exact int or float, or a number of NumPy's
  bool isOpen;                        // it is no part of the call's key
  Place::Kind kind = Place::Argument; // how the container has it: Item, Entry or Attribute
  PyObject *container = nullptr;
  PyObject *key = nullptr;
  Py_ssize_t index = 0; // which of those that the container holds; of an argument its position in the call
};
/// Those of the call under way in this thread.
extern thread_local std::span<const GivenNumber> givenNumbers;

/// Whether two objects are the same number or text by type and bits, tuples of such, or one object.
bool sameValue(PyObject *a, PyObject *b);

} // namespace kiln::py
