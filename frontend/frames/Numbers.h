// Numbers that a call computes of numbers that it reads: kept as formulas, which later calls compute anew by Python's own arithmetic.
#pragma once

#include "frontend/frames/Place.h"

#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

namespace kiln::py {

/// How a number comes about.
struct Formula {
  /// Read: the number of a place. Value: of an array that the call computes. Call: of a function of C that only computes.
  enum Kind : uint8_t { Read, Value, Constant, Binary, Unary, Compare, Call } kind = Constant;
  int op = 0;             // of Binary as in a BINARY_OP that is not in place; of Unary as `Sign`; of Compare as in rich comparisons; of
                          // Value its number; of Call how many operands, the first ones, are given as one tuple: 0 for none
  Place place;            // of Read
  Object object;          // of Constant the number; of Call and Value the function, of Value null for item()
  std::vector<int> of;    // operands, by number
  PyTypeObject *type = 0; // of the value: int, float or bool

  enum Sign { Negative, Positive, Invert };
};

/// What formulas are at a call, by number; null: not asked for yet.
using NumberValues = std::vector<Object>;

/// The formulas of a recording. Where they are of use only as long as something is so, that is a condition.
class Numbers {
public:
  bool empty() const { return formulas.empty(); }
  size_t size() const { return formulas.size(); }
  const Formula &at(int i) const { return formulas[size_t(i)]; }
  /// The number of a formula; equal ones are one.
  int add(Formula formula);
  /// The formula that reads a place; -1 for none.
  int find(const Place &place) const;
  /// The value of a formula; null, with no error set, where it has none now or one of another type.
  PyObject *valueOf(int i, NumberValues &values) const;
  /// Requires a value by type and bits, of a comparison its truth.
  void require(int formula, PyObject *value);
  /// Calls hand the value of a formula out; it is not made of values that they compute.
  void useResult(int formula) { results.push_back(formula); }
  /// Whether a formula has a value only when operations have run: it uses values of arrays.
  bool isLate(int formula) const { return late[size_t(formula)]; }
  /// By formula, whether some of these are made of it, or are it. Formulas share operands, so each is looked at once.
  /// `isEnd`: what those are made of is not looked at.
  std::vector<char> reached(std::vector<int> from, const std::function<bool(int)> &isEnd = {}) const;
  /// Whether computing it may raise, for other numbers of the types that its operands have.
  bool mayRaise(int formula) const;
  /// By formula, whether every call computes it: conditions, results and arrays are made of it, or it is of one of `others`.
  std::vector<char> computed(std::span<const int> others) const;
  /// Which of the numbers that calls are given they have to be given again, as something else than a question was made of them.
  std::vector<Py_ssize_t> fixedArguments() const;
  /// The value of an array becomes known; false where the number cannot be made.
  bool take(int formula, PyObject *element, NumberValues &values) const;
  void set(int formula, const Object &value, NumberValues &values) const;
  /// The number of an array without axes that is made of a formula's value.
  int addArray(int formula, DType dtype);
  int findArray(int formula, DType dtype) const;
  /// A new array; null where the value does not fit.
  Object arrayOf(Py_ssize_t i, NumberValues &values) const;
  /// Whether all conditions hold, and all results have values.
  bool holds(NumberValues &values) const;
  /// Reads and conditions, for a person.
  std::vector<std::pair<std::string, PyObject *>> describe() const;
  int visit(visitproc visit, void *arg) const;

private:
  struct Condition {
    int formula;
    Object value;
  };
  struct OfArray {
    int formula;
    DType dtype;
  };
  std::vector<Formula> formulas;
  std::vector<char> late;                     // by formula
  std::unordered_multimap<size_t, int> known; // by hash
  std::vector<Condition> conditions;
  std::unordered_multimap<int, int> required; // by formula
  std::vector<int> results;
  std::vector<OfArray> arrays;

  Object compute(const Formula &formula, NumberValues &values) const;
};

/// An exact int or float, or a bool.
inline bool isNumber(PyObject *o) { return PyFloat_CheckExact(o) || PyLong_CheckExact(o) || PyBool_Check(o); }
/// A number that may be known by formula: an exact int or float, or one of NumPy's, which beside arrays is one without axes.
inline bool mayVary(PyObject *o) { return PyFloat_CheckExact(o) || PyLong_CheckExact(o) || package().isNumPyNumber(o); }
/// A new object for such a number: no other holds it, so it can be told from all others.
Object numberApart(PyObject *number);

} // namespace kiln::py
