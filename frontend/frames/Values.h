// What kinds of objects a recorded call meets, as far as it matters for what it may read of them.
#pragma once

#include "frontend/frames/Object.h"

#include <array>
#include <unordered_map>

namespace kiln::py {

/// Plain: cannot change and holds nothing else. Dict: also collections.defaultdict and Counter. Queue: collections.deque. Trusted: of a
/// class of the package that only computes. Instance: of a class statement, with attributes looked up plainly, a types.SimpleNamespace, or
/// an exception that holds what it was made with. Member: of an enumeration, whose members are known by identity. Other: what is not known.
enum class Sort : uint8_t {
  Plain,
  Array,
  Tuple,
  List,
  Dict,
  Set,
  Queue,
  Iterator,
  Function,
  Native,
  Method,
  Class,
  Module,
  Trusted,
  Instance,
  Member,
  Other
};

/// Whether objects of a sort are containers of others.
inline bool mayHold(Sort sort) {
  return sort == Sort::Tuple || sort == Sort::List || sort == Sort::Dict || sort == Sort::Set || sort == Sort::Queue ||
         sort == Sort::Instance;
}

/// What the package says of a callable or a class (kiln._known.kind_of, which knows these by name). Draws, DrawsFrom: random numbers, by
/// the generator of the process or by one that is the first argument. Seeds: makes a generator, of a seed or of what the system gives.
/// OfNumPy: computes with arrays of Kiln among its arguments. OwnError: an exception's class with methods of its own.
// clang-format off
#define KILN_KNOWN(KIND)                                                                                                                   \
  KIND(Nothing) KIND(Computes) KIND(PlainClass) KIND(PlainError) KIND(Jitted) KIND(Acts) KIND(Operation) KIND(CallsAside)                  \
  KIND(Enumeration) KIND(Draws) KIND(DrawsFrom) KIND(Seeds) KIND(Generator) KIND(OfNumPy) KIND(NamedTuple) KIND(OwnError)
// clang-format on
enum class Known : uint8_t {
#define KILN_KIND(name) name,
  KILN_KNOWN(KILN_KIND)
#undef KILN_KIND
};

/// Asks once for each object.
class Values {
public:
  Sort sortOf(PyObject *o) {
    if (!o) return Sort::Other;
    const Recent &last = recent[slotOf(Py_TYPE(o))];
    return last.type == Py_TYPE(o) ? last.sort : look(Py_TYPE(o));
  }
  /// Whether code of the package makes up a function.
  static bool isOfPackage(PyObject *function);
  Known known(PyObject *o);
  /// Whether an object may change, or holds others that may.
  bool isOpen(PyObject *o) {
    Sort sort = sortOf(o);
    return sort != Sort::Plain && sort != Sort::Array && sort != Sort::Trusted && sort != Sort::Native;
  }

private:
  std::unordered_map<PyObject *, std::pair<Object, Known>> asked;
  Sort sortOfType(PyTypeObject *type);
  Sort look(PyTypeObject *type);
  std::unordered_map<PyTypeObject *, std::pair<Object, Sort>> types;
  struct Recent {
    PyTypeObject *type = nullptr;
    Sort sort = Sort::Other;
  };
  std::array<Recent, 16> recent; // of `types`
  size_t slotOf(PyTypeObject *type) const { return (reinterpret_cast<uintptr_t>(type) >> 5) % recent.size(); }
};

/// Whether a class is an exception's whose objects hold what they were made with, and what is stored into them.
bool isErrorOfArguments(PyTypeObject *type);

/// Whether objects of a class look attributes up as `object` does, and the class its own as any other.
bool looksUpPlainly(PyTypeObject *type);

} // namespace kiln::py
