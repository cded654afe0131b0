// Ranges and iterators over vectors whose place is kept as an array (Carried.cpp): whether there is a next number or element is a question.
#include "frontend/frames/Reader.h"
#include "frontend/frames/Scalars.h"

namespace kiln::py {
namespace {

constexpr int64_t kMostStep = int64_t(1) << 32;

Array constant(int64_t value) { return constantArray(DType::I64, {value, 0}); }

} // namespace

std::optional<RangePlace> placeOfRange(PyObject *iterator) {
  Object parts(check(PyObject_CallMethod(iterator, "__reduce__", nullptr))); // of C
  PyObject *given = PyTuple_GET_ITEM(parts.get(), 1), *range = PyTuple_GET_ITEM(given, 0);
  bool hasPlace = PyTuple_GET_SIZE(parts.get()) > 2 && PyLong_Check(PyTuple_GET_ITEM(parts.get(), 2)); // of ranges before CPython 3.12
  Py_ssize_t at = hasPlace ? PyLong_AsSsize_t(PyTuple_GET_ITEM(parts.get(), 2)) : 0;
  int64_t numbers[3];
  const char *names[] = {"start", "stop", "step"};
  for (int i = 0; i < 3; ++i) {
    Object number(check(PyObject_GetAttrString(range, names[i])));
    auto whole = wholeOf(number.get());
    if (!whole) return std::nullopt;
    numbers[i] = *whole;
  }
  return RangePlace{numbers[0] + at * numbers[2], numbers[1], numbers[2]};
}

/// A range that goes on from where it is.
bool Reader::carryRange(PyObject *iterator) {
  if (ranges.contains(iterator)) return false;
  auto place = placeOfRange(iterator);
  auto isSmall = [](int64_t number) { return std::abs(number) <= kMostStep; };
  if (!place || !isSmall(place->next) || !isSmall(place->stop) || !isSmall(place->step)) return false;
  ranges[iterator] = {.iterator = Object::borrow(iterator),
                      .now = constant(place->next),
                      .end = {},
                      .stop = place->stop,
                      .step = place->step,
                      .begin = double(place->next)};
  return true;
}

/// The elements of a vector, from where an iterator is.
bool Reader::carryIterator(PyObject *iterator) {
  ArrayIterator of = package().iteratorOf(iterator);
  if (ranges.contains(iterator) || of.array->shape.rank != 1) return false;
  ranges[iterator] = {.iterator = Object::borrow(iterator),
                      .now = constant(of.position),
                      .end = {},
                      .stop = of.array->shape[0],
                      .step = 1,
                      .begin = 0,
                      .isOfArray = true};
  return true;
}

/// The next one: whether there is one is a question.
bool Reader::nextOfRange(PyObject *iterator) {
  auto known = ranges.find(iterator);
  if (known == ranges.end()) return false;
  CarriedRange &range = known->second; // stays where it is
  Op isBefore = range.step > 0 ? Op::Less : Op::Greater;
  // What is held is handed on: not the constant.
  Array answer = range.end ? compute(isBefore, range.now, *range.end) : compute(isBefore, range.now, constant(range.stop));
  if (!ask(answer)) return ranges.erase(iterator), true;
  Bounds bounds; // below the end, and where it began
  (range.step > 0 ? bounds.low : bounds.high) = range.begin;
  if (!range.end) (range.step > 0 ? bounds.high : bounds.low) = double(range.stop) - (range.step > 0 ? 1 : -1);
  bounds.isOpen = range.end || range.isOpen;
  expectCarried(range.now, bounds);
  if (range.isOfArray) {
    expected.position = std::move(expected.array);
    expected.array.reset();
    expected.operands = {iterator};
    asked.clear();
  }
  range.now = compute(Op::Add, range.now, constant(range.step));
  largest = std::max(largest, 1 + std::abs(double(range.step)) / double(kMostInteger));
  return true;
}

/// range() of numbers that are kept, by a constant step.
bool Reader::callRange(PyObject *callee, std::span<PyObject *> given) {
  bool isRange = callee == reinterpret_cast<PyObject *>(&PyRange_Type) && given.size() && given.size() <= 3;
  if (!isRange || std::ranges::none_of(given, [&](PyObject *o) { return carried.contains(o); })) return false;
  auto step = given.size() == 3 && !isTagged(given[2]) ? wholeOf(given[2]) : std::optional<int64_t>(1);
  bool isByConstant = (given.size() < 3 || !isTagged(given[2])) && step && *step && std::abs(*step) <= kMostStep;
  auto bounds = given.first(std::min<size_t>(given.size(), 2));
  for (PyObject *o : bounds)
    if (!PyLong_CheckExact(o) || tagged.contains(o)) return false;
  if (!isByConstant) return false;
  auto first = bounds.size() == 2 ? arrayFor(bounds[0]) : constant(0);
  PyObject *last = bounds.back();
  bool isOpen = carried.contains(last);
  auto stop = isOpen ? int64_t(0) : wholeOf(last);
  if (!first || !stop || (!isOpen && std::abs(*stop) > kMostInteger)) return false;
  expected = {live.back().frame, live.back().next, -1, {}, {}, {}};
  Bounds at = bounds.size() == 2 ? boundsOf(bounds[0]) : Bounds::of(0);
  double begin = *step > 0 ? at.low : at.high;
  expected.range = CarriedRange{{}, copy(*first), isOpen ? arrayFor(last) : std::nullopt, *stop, *step, begin, at.isOpen};
  madeOf.clear();
  for (PyObject *o : bounds)
    if (carried.contains(o)) madeOf.push_back(Object::borrow(o));
  return true;
}

/// A range, or an iterator over one.
void Reader::settleRange(PyObject **slot, CarriedRange range) {
  bool isIterator = range.iterator.get() != nullptr; // it was made before
  if (slot && Py_TYPE(*slot) == (isIterator ? &PyRangeIter_Type : &PyRange_Type)) {
    range.iterator = Object::borrow(*slot);
    if (isIterator) ranges[*slot] = std::move(range);
    else madeRange = std::move(range);
    return;
  }
  for (const Object &number : madeOf) pin(number.get());
}

/// The instruction behind the one that made a range: a loop begins, or its numbers are looked at.
bool Reader::iterates(std::string_view name, PyObject *o) {
  CarriedRange range = std::move(*madeRange);
  madeRange.reset();
  std::vector<Object> numbers = std::move(madeOf);
  madeOf.clear();
  if (name != "GET_ITER" || o != range.iterator.get()) {
    for (const Object &number : numbers) pin(number.get());
    return false;
  }
  expected = {live.back().frame, live.back().next, -1, {}, {}, {}};
  expected.range = std::move(range);
  return true;
}

} // namespace kiln::py
