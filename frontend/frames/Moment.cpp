#include "frontend/frames/Builtins.h"
#include "frontend/frames/Moment.h"

#include "frontend/frames/Code.h"
#include "frontend/frames/Scalars.h"

#include <bit>
#include <cstring>
#include <unordered_map>

namespace kiln::py {
namespace {

constexpr size_t kMostWords = 4000;
constexpr int kDeepest = 20;

enum class Token : int64_t {
  Null,
  Again,
  Same,
  Integer,
  Large,
  Float,
  Range,
  Array,
  Carried,
  Formula,
  Tuple,
  List,
  Dict,
  Iterator,
  Function,
  Method,
  Bound,
  Instance,
  Cell,
  Frame
};

bool asks(std::string_view name) {
  return name.starts_with("POP_JUMP") || name.starts_with("JUMP_IF") || name == "UNARY_NOT" || name == "TO_BOOL";
}

/// A comparison that leaves a truth value: what it asks for is on no stack, and what it compared is gone. From CPython 3.13 on.
bool comparesToTruth(const Instruction &i) {
  return PY_VERSION_HEX >= 0x030d0000 && Opcodes::get().name(i.op) == "COMPARE_OP" && (i.arg & 16);
}

/// How much of the value stack a frame uses; -1: not known.
int depthOf(const Frame &frame, bool isInnermost) {
  if (!isInnermost) return frame.depth();
  const CodeMap &map = CodeMap::of(frame.code());
  return map.has(frame.instruction()) && map.isConsistent() ? map.at(frame.instruction()).depth : -1;
}

class MomentReader {
public:
  MomentReader(size_t written, Values &values, MomentContext &context) : values(values), context(context) {
    for (size_t i = 0; i < written; ++i) numberOf({Source::Live, int32_t(i)}); // the call that was given them holds them
  }
  Moment moment;

  void read(Frame end, const Array *asked, bool isApart, std::span<PyObject *const> others) {
    Frame innermost = Frame::innermost();
    for (Frame f = innermost; f && f != end && moment.why.empty(); f = f.caller(), ++frame) readFrame(f, f == innermost && !isApart);
    if (auto found = asked ? context.handedOnOf(*asked) : std::nullopt; found && found->first.kind == Source::Live)
      askedNumber = found->first.index;
    if (!asked) fail("it is asked for in another way than by a truth value");
    frame = -1, slot = -1;
    for (PyObject *o : others) object(o);
    readDead();
    if (moment.why.empty() && moment.words.size() > kMostWords) fail("very much is held");
  }

private:
  Values &values;
  MomentContext &context;
  std::unordered_map<const void *, int64_t> seen; // objects, and cells of arrays
  std::unordered_map<int32_t, int64_t> numbers;   // of what is handed on, as it is met
  int frame = 0, slot = 0, depth = 0;
  int32_t askedNumber = -1;     // of what is handed on
  std::vector<PyObject *> dead; // what variables hold that nothing reads any more

  /// What is handed on for these alone comes last.
  void readDead() {
    if (moment.why.size()) return;
    moment.meant = moment.order.size();
    std::vector<int32_t> integers = moment.integers;
    size_t words = moment.words.size(), objects = moment.objects.size(), counters = moment.counters.size();
    for (PyObject *o : dead) {
      object(o);
      moment.why.clear();
    }
    if (askedNumber >= 0) numberOf({Source::Live, askedNumber});
    moment.words.resize(words), moment.objects.resize(objects), moment.counters.resize(counters);
    moment.integers = std::move(integers);
  }

  void fail(const std::string &text) {
    if (moment.why.empty()) moment.why = text;
  }
  template <typename... T> void add(Token token, T... rest) { moment.words.insert(moment.words.end(), {int64_t(token), int64_t(rest)...}); }
  void same(PyObject *o) {
    add(Token::Same, reinterpret_cast<intptr_t>(o));
    moment.objects.push_back(Held(o));
  }
  /// The place of what an array is found by: of what is handed on the order in which it is met.
  int64_t numberOf(const Source &source) {
    if (source.kind != Source::Live) return source.index;
    auto [found, isNew] = numbers.emplace(source.index, int64_t(moment.order.size()));
    if (isNew) moment.order.push_back(source.index);
    return found->second;
  }
  /// Whether something was met before; it is numbered else.
  bool isSeen(const void *o) {
    auto [found, isNew] = seen.emplace(o, int64_t(seen.size()));
    if (!isNew) add(Token::Again, found->second);
    return !isNew;
  }

  /// `asksTop`: the instruction under way asks for what is on top of the stack.
  void readFrame(const Frame &f, bool asksTop) {
    PyCodeObject *code = f.code();
    int used = depthOf(f, frame == 0);
    if (used < 0) return fail("a frame cannot be read");
    add(Token::Frame, reinterpret_cast<intptr_t>(code), f.instruction(), used);
    moment.objects.push_back(Held(reinterpret_cast<PyObject *>(code)));
    int consumed = 0;
    if (asksTop) {
      const Instruction &asking = CodeMap::of(code).at(f.instruction());
      if (comparesToTruth(asking)) used -= 2;
      PyObject *top = used ? f.stack()[used - 1] : nullptr;
      bool isIt = comparesToTruth(asking) || (top && isArray(top) && asks(Opcodes::get().name(asking.op)));
      if (!isIt) return fail("it is asked for in another way than by a truth value");
      consumed = !comparesToTruth(asking) && !Opcodes::get().name(asking.op).starts_with("JUMP_IF"); // of the stack, with the answer
    }
    object(f.function());
    const std::vector<bool> &live = CodeMap::of(code).liveAt(code, f.instruction());
    for (slot = 0; slot < code->co_nlocalsplus + used; ++slot) {
      bool isVariable = slot < code->co_nlocalsplus;
      bool isRead = isVariable ? live[size_t(slot)] : slot < code->co_nlocalsplus + used - consumed;
      PyObject *o = f.variables()[slot];
      if (isRead) object(o);
      else if (o) dead.push_back(o);
    }
  }

  void object(PyObject *o) {
    if (moment.why.size() || moment.words.size() > kMostWords) return;
    if (!o) return add(Token::Null);
    if (depth > kDeepest) return fail("containers are nested deeply");
    ++depth;
    known(o);
    --depth;
  }

  void known(PyObject *o) {
    switch (values.sortOf(o)) {
    case Sort::Plain: return number(o);
    case Sort::Array: return array(o);
    case Sort::Tuple:
      add(Token::Tuple, PyTuple_GET_SIZE(o), reinterpret_cast<intptr_t>(Py_TYPE(o)));
      for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(o); ++i) object(PyTuple_GET_ITEM(o, i));
      return;
    case Sort::List:
      if (isSeen(o)) return;
      add(Token::List, PyList_GET_SIZE(o));
      for (Py_ssize_t i = 0; i < PyList_GET_SIZE(o); ++i) object(PyList_GET_ITEM(o, i));
      return;
    case Sort::Dict: return dict(o);
    case Sort::Iterator: return iterator(o);
    case Sort::Function: return function(o);
    case Sort::Native: return native(o);
    case Sort::Method: add(Token::Method); return object(PyMethod_GET_FUNCTION(o)), object(PyMethod_GET_SELF(o));
    case Sort::Class:
    case Sort::Module:
    case Sort::Trusted:
    case Sort::Member: return same(o);
    case Sort::Instance: return isErrorOfArguments(Py_TYPE(o)) ? unknown(o) : instance(o);
    case Sort::Set:
    case Sort::Queue: return unknown(o);
    case Sort::Other: return PyCell_Check(o) ? cell(o) : unknown(o);
    }
  }

  void unknown(PyObject *o) { fail(std::string("a ") + Py_TYPE(o)->tp_name + " is held" + where()); }
  std::string where() const { return frame < 0 ? " outside of its variables" : ""; }

  void number(PyObject *o) {
    if (const Array *carried = PyBool_Check(o) ? nullptr : context.carriedAs(o)) return carry(*carried, o);
    int formula = context.formulaOf(o);
    bool isOwn = depth == 1 && frame >= 0;
    if (formula >= 0) {
      add(Token::Formula, formula);
      return note(PyFloat_CheckExact(o) ? Counter::Float : Counter::Integer, 1, isOwn);
    }
    int overflow = 0;
    if (PyLong_CheckExact(o)) {
      long long value = PyLong_AsLongLongAndOverflow(o, &overflow);
      if (overflow) return same(o);
      add(Token::Integer, value);
      return note(Counter::Integer, 1, isOwn);
    }
    if (!PyFloat_CheckExact(o)) return same(o);
    add(Token::Float, std::bit_cast<int64_t>(PyFloat_AS_DOUBLE(o)));
    note(Counter::Float, 1, isOwn);
  }
  void note(Counter::Kind kind, size_t words, bool isOwn) {
    moment.counters.push_back({kind, moment.words.size() - words, frame, slot, isOwn});
  }

  /// A number that is kept as an array.
  void carry(const Array &as, PyObject *o) {
    auto found = context.handedOnOf(as);
    if (!found || found->first.kind != Source::Live) return fail("a number is held that is not handed on");
    add(Token::Carried, numberOf(found->first), PyFloat_CheckExact(o));
    if (!PyFloat_CheckExact(o)) moment.integers.push_back(int32_t(moment.words.end()[-2]));
  }

  void array(PyObject *o) {
    if (isSeen(o)) return;
    const Array &a = context.arrayOf(o);
    auto found = context.handedOnOf(a);
    if (!found) return fail("an array is held that the recording does not know");
    auto &[source, type] = *found;
    add(Token::Array, int64_t(source.kind), numberOf(source), int64_t(a.dtype), a.offset, a.isRepeated, a.storage->pinned,
        a.storage->isWritable, a.storage->isLoose, reinterpret_cast<intptr_t>(a.storage->device), int64_t(type.dtype), a.shape.rank,
        type.shape.rank);
    for (int i = 0; i < a.shape.rank; ++i) moment.words.insert(moment.words.end(), {a.shape[i], a.strides[i]});
    for (Size size : type.shape) moment.words.push_back(size.word());
  }

  void dict(PyObject *o) {
    if (isSeen(o)) return;
    add(Token::Dict, PyDict_GET_SIZE(o), reinterpret_cast<intptr_t>(Py_TYPE(o)));
    if (Py_TYPE(o) == Library::get().defaultDict) object(Object(check(PyObject_GetAttrString(o, "default_factory"))).get());
    PyObject *key, *value;
    for (Py_ssize_t at = 0; PyDict_Next(o, &at, &key, &value);) object(key), object(value);
  }

  /// Iterators of ranges, lists and tuples; others hide where they are.
  void iterator(PyObject *o) {
    bool isRange = Py_TYPE(o) == &PyRangeIter_Type;
    ArrayIterator elements = package().iteratorOf(o);
    bool isKnown = isRange || elements.array || Py_TYPE(o) == &PyListIter_Type || Py_TYPE(o) == &PyTupleIter_Type;
    if (!isKnown) return unknown(o);
    if (const auto *kept = context.rangeOf(o)) return range(*kept, elements.object);
    if (!isRange && isSeen(o)) return;
    if (elements.array) {
      add(Token::Iterator, reinterpret_cast<intptr_t>(Py_TYPE(o)), elements.position);
      note(Counter::Position, 1, depth == 1 && frame >= 0);
      return object(elements.object);
    }
    if (!isRange) {
      Object parts(check(PyObject_CallMethod(o, "__reduce__", nullptr))); // of C
      PyObject *given = PyTuple_GET_ITEM(parts.get(), 1);
      Py_ssize_t at = PyTuple_GET_SIZE(parts.get()) > 2 ? PyLong_AsSsize_t(PyTuple_GET_ITEM(parts.get(), 2)) : 0;
      add(Token::Iterator, at, reinterpret_cast<intptr_t>(Py_TYPE(o)));
      return object(PyTuple_GET_SIZE(given) ? PyTuple_GET_ITEM(given, 0) : nullptr);
    }
    auto place = placeOfRange(o);
    if (!place) return unknown(o);
    add(Token::Range, place->next, place->stop, place->step);
    note(Counter::Range, 3, depth == 1 && frame >= 0);
  }

  /// One that is kept.
  void range(const Reader::CarriedRange &kept, PyObject *elements) {
    auto numberOfLive = [&](const Array &array) {
      auto found = context.handedOnOf(array);
      return found && found->first.kind == Source::Live ? numberOf(found->first) : -1;
    };
    int64_t now = numberOfLive(kept.now), end = kept.end ? numberOfLive(*kept.end) : -2;
    if (now < 0 || end == -1) return fail("a range is held that is not handed on");
    moment.integers.push_back(int32_t(now));
    if (end >= 0) moment.integers.push_back(int32_t(end));
    add(Token::Carried, now, end, kept.stop, kept.step);
    if (elements) object(elements);
  }

  void function(PyObject *o) {
    if (isSeen(o)) return;
    same(o);
    add(Token::Function);
    auto *f = reinterpret_cast<PyFunctionObject *>(o);
    for (Py_ssize_t i = 0; f->func_closure && i < PyTuple_GET_SIZE(f->func_closure); ++i) object(PyTuple_GET_ITEM(f->func_closure, i));
    object(f->func_defaults), object(f->func_kwdefaults);
  }

  void native(PyObject *o) {
    PyObject *self = PyCFunction_Check(o) ? PyCFunction_GET_SELF(o) : nullptr;
    if (!self || PyModule_Check(self) || PyType_Check(self)) return same(o);
    add(Token::Bound, reinterpret_cast<intptr_t>(reinterpret_cast<PyCFunctionObject *>(o)->m_ml));
    object(self);
  }

  /// An object of a class of the program: as it is where all that changes it is noted, else with what it holds.
  void instance(PyObject *o) {
    if (context.isCovered(o)) return same(o);
    if (isSeen(o)) return;
    PyObject *mro = Py_TYPE(o)->tp_mro;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(mro); ++i)
      if (PyDict_GetItemString(membersOf(reinterpret_cast<PyTypeObject *>(PyTuple_GET_ITEM(mro, i))).get(), "__slots__")) return unknown(o);
    Object held(PyObject_GenericGetDict(o, nullptr));
    if (!held || !PyDict_CheckExact(held.get())) return PyErr_Clear(), unknown(o);
    add(Token::Instance, reinterpret_cast<intptr_t>(Py_TYPE(o)));
    moment.objects.push_back(Held(asObject(Py_TYPE(o))));
    object(held.get());
  }

  void cell(PyObject *o) {
    if (isSeen(o)) return;
    add(Token::Cell);
    object(PyCell_GET(o));
  }
};

Frame frameOf(const Counter &counter) {
  Frame frame = Frame::innermost();
  for (int i = 0; i < counter.frame; ++i) frame = frame.caller();
  return frame;
}

} // namespace

std::vector<int64_t> placesOfFrames(Frame end) {
  std::vector<int64_t> places;
  for (Frame f = Frame::innermost(); f && f != end; f = f.caller()) {
    bool isOutermost = f.caller() == end;
    if (f.isOfPackage() || (f.isCalledByC() && !isOutermost)) return {};
    places.insert(places.end(), {reinterpret_cast<intptr_t>(f.code()), int64_t(f.instruction())});
  }
  return places;
}

Moment readMoment(Frame end, const Array *asked, bool isApart, std::span<PyObject *const> others, size_t written, size_t live,
                  Values &values, MomentContext &context) {
  MomentReader reader(written, values, context);
  reader.read(end, asked, isApart, others);
  if (reader.moment.why.empty() && reader.moment.order.size() < live) reader.moment.why = "an array is held outside of its variables";
  return std::move(reader.moment);
}

std::pair<int, int> goesTo() {
  Frame frame = Frame::innermost();
  const CodeMap &map = CodeMap::of(frame.code());
  int offset = frame.instruction();
  if (!map.has(offset)) return {-1, -1};
  const Opcodes &opcodes = Opcodes::get();
  std::string_view asks = opcodes.name(map.at(offset).op);
  if (asks == "FOR_ITER") return {map.at(offset).next + 2 * map.at(offset).arg, map.at(offset).next};
  if ((asks == "TO_BOOL" || asks == "COMPARE_OP") && map.has(map.at(offset).next)) offset = map.at(offset).next;
  const Instruction &i = map.at(offset);
  std::string_view name = opcodes.name(i.op);
  int target = i.next + (opcodes.isBackward(i.op) ? -2 : 2) * i.arg;
  if (!opcodes.isJump(i.op) || !name.starts_with("POP_JUMP")) return {-1, -1};
  return name.ends_with("TRUE") ? std::pair(i.next, target) : name.ends_with("FALSE") ? std::pair(target, i.next) : std::pair(-1, -1);
}

std::optional<LoopOfCode> loopAskedFor() {
  Frame frame = Frame::innermost();
  const CodeMap &map = CodeMap::of(frame.code());
  const Opcodes &opcodes = Opcodes::get();
  int at = frame.instruction();
  auto [no, yes] = goesTo();
  if (no < 0 || yes < 0) return std::nullopt;
  if (opcodes.name(map.at(at).op) == "FOR_ITER") return LoopOfCode{at, no, true};
  for (auto [to, answer] : {std::pair(no, false), std::pair(yes, true)}) {
    if (to <= at) return LoopOfCode{to, at, answer};
    bool isBack = map.has(to) && opcodes.isJump(map.at(to).op) && opcodes.isBackward(map.at(to).op);
    if (isBack) return LoopOfCode{map.at(to).next - 2 * map.at(to).arg, to, answer};
  }
  return std::nullopt;
}

PyObject **placeOfCounter(const Counter &counter) { return frameOf(counter).variables() + counter.slot; }
bool isVariable(const Counter &counter) {
  PyCodeObject *code = frameOf(counter).code();
  if (counter.slot >= code->co_nlocalsplus) return false;
  const char *name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(code->co_localsplusnames, counter.slot));
  return !name || name[0] != '.'; // what a comprehension goes through, nobody can name
}

std::string describeCounter(const Counter &counter) {
  if (counter.frame < 0) return "a number changes that is stored";
  Frame frame = frameOf(counter);
  PyCodeObject *code = frame.code();
  bool isVariable = counter.slot < code->co_nlocalsplus;
  std::string name = isVariable ? std::string("'") + PyUnicode_AsUTF8(PyTuple_GET_ITEM(code->co_localsplusnames, counter.slot)) + "'" : "";
  if (counter.kind == Counter::Range) return "a range goes on";
  if (counter.kind == Counter::Position) return "an array is gone through";
  if (!isVariable) return "a number on the stack changes";
  return counter.isOwn ? "the number " + name + " changes" : "a number inside of " + name + " changes";
}

} // namespace kiln::py
