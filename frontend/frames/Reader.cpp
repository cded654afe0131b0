#include "frontend/frames/Builtins.h"
#include "frontend/frames/Reader.h"
#include "frontend/Recorder.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace kiln::py {
namespace {

enum class Kind : uint8_t { Unknown, Nothing, Truth, Operation, Deep, Walk, Call, Read, State };

/// How instructions are judged, by name. Nothing: they move values, make containers of them, or jump. Operation: operators. Deep: what they
/// use is looked at as a whole. Walk: what they use is iterated over. Read: names and attributes. State: each by itself.
const std::pair<Kind, const char *> kKinds[] = {
    {Kind::Nothing,
     " POP_TOP PUSH_NULL NOP LOAD_CONST LOAD_FAST STORE_FAST DELETE_FAST LOAD_FAST_CHECK LOAD_FAST_AND_CLEAR LOAD_FAST_LOAD_FAST "
     "STORE_FAST_LOAD_FAST STORE_FAST_STORE_FAST COPY SWAP RESUME EXTENDED_ARG MAKE_CELL LOAD_CLOSURE COPY_FREE_VARS JUMP_FORWARD "
     "JUMP_BACKWARD JUMP_BACKWARD_NO_INTERRUPT POP_JUMP_FORWARD_IF_NONE POP_JUMP_FORWARD_IF_NOT_NONE POP_JUMP_BACKWARD_IF_NONE "
     "POP_JUMP_BACKWARD_IF_NOT_NONE POP_JUMP_IF_NONE POP_JUMP_IF_NOT_NONE PUSH_EXC_INFO POP_EXCEPT RERAISE "
     "LOAD_ASSERTION_ERROR KW_NAMES PRECALL END_FOR END_SEND RETURN_CONST RETURN_GENERATOR BUILD_TUPLE "
     "BUILD_LIST BUILD_STRING BUILD_SLICE LIST_TO_TUPLE MAKE_FUNCTION SET_FUNCTION_ATTRIBUTE LIST_APPEND MATCH_SEQUENCE MATCH_MAPPING "},
    {Kind::Truth, " UNARY_NOT TO_BOOL POP_JUMP_FORWARD_IF_FALSE POP_JUMP_FORWARD_IF_TRUE POP_JUMP_BACKWARD_IF_FALSE "
                  "POP_JUMP_BACKWARD_IF_TRUE POP_JUMP_IF_FALSE POP_JUMP_IF_TRUE JUMP_IF_FALSE_OR_POP JUMP_IF_TRUE_OR_POP "},
    {Kind::Operation, " BINARY_OP COMPARE_OP CONTAINS_OP UNARY_POSITIVE UNARY_NEGATIVE UNARY_INVERT "},
    {Kind::Deep, " FORMAT_VALUE FORMAT_SIMPLE FORMAT_WITH_SPEC CONVERT_VALUE GET_LEN "},
    {Kind::Walk, " LIST_EXTEND SET_UPDATE UNPACK_SEQUENCE UNPACK_EX GET_ITER GET_YIELD_FROM_ITER DICT_UPDATE DICT_MERGE "},
    {Kind::Call, " CALL CALL_KW CALL_FUNCTION_EX "},
    {Kind::Read, " LOAD_GLOBAL LOAD_DEREF LOAD_ATTR LOAD_METHOD "},
    {Kind::State,
     " STORE_GLOBAL STORE_DEREF LOAD_SUPER_ATTR STORE_ATTR BINARY_SUBSCR "
     "BINARY_SLICE STORE_SUBSCR STORE_SLICE DELETE_SUBSCR FOR_ITER SEND YIELD_VALUE BUILD_MAP BUILD_CONST_KEY_MAP BUILD_SET "
     "SET_ADD MAP_ADD CALL_INTRINSIC_1 IS_OP RAISE_VARARGS CHECK_EXC_MATCH RETURN_VALUE DELETE_ATTR BEFORE_WITH WITH_EXCEPT_START "},
};

Kind kindOf(uint8_t op) {
  static const std::array<Kind, 256> kinds = [] {
    std::array<Kind, 256> found{};
    for (int i = 0; i < 256; ++i)
      for (auto &[kind, names] : kKinds)
        if (std::string_view(names).find(" " + std::string(Opcodes::get().name(uint8_t(i))) + " ") != std::string_view::npos)
          found[size_t(i)] = kind;
    return found;
  }();
  return kinds[op];
}

/// The objects on top of the stack that an operator uses.
int operandsOf(std::string_view name) { return name.starts_with("UNARY") ? 1 : 2; }

constexpr const char *kOperators[] = {"add", "and", "floordiv", "lshift", "matmul",  "mul", "mod",
                                      "or",  "pow", "rshift",   "sub",    "truediv", "xor"};
constexpr int kInPlace = 13; // of a BINARY_OP's argument, from here on

} // namespace

Reader::Reader(PythonState &state, ReadListener &listener, PyObject *function, std::span<PyObject *const> passed,
               std::span<PyObject *const> objects)
    : state(state), listener(listener), function(function), passed(passed.begin(), passed.end()), caller(Frame::innermost()),
      keys(check(PyDict_New())) {
  for (PyObject *o : passed) setOrigin(o, Origin::InKey);
  for (PyObject *o : objects) setOrigin(o, Origin::Covered);
  setOrigin(function, Origin::Covered);
}

/// What other paths of the call have read is read no more, and what they found is known.
void Reader::coverKnown() {
  for (const Guard &g : state.guards) isNew(g.place);
  for (int i = 0; i < int(state.numbers.size()); ++i)
    if (state.numbers.at(i).kind == Formula::Read) isNew(state.numbers.at(i).place);
  for (const Place &p : state.arrays) isNew(p);
  for (const Guard &g : std::vector<Guard>(state.guards)) {
    if (g.anchor >= 0) {
      PyObject *o = callAnchors->now[size_t(g.anchor)];
      anchors[o] = g.anchor;
      setOrigin(o, Origin::Covered);
      continue;
    }
    PyObject *of = g.place.container.get(), *value = g.expected.get();
    if (g.place.kind == Place::Part && of && PyFunction_Check(of) && coveredFunctions.insert(of).second) coverFunction(of);
    bool isContent = g.place.kind == Place::Keys || g.place.kind == Place::Items;
    if (value && !isContent && values.isOpen(value) && originOf(value) == Origin::Unknown) coverValue(value);
  }
}

static thread_local Reader *running = nullptr;

Reader::~Reader() {
  if (running == this) running = nullptr;
  if (numberInputs == this) numberInputs = outer;
}

void Reader::noteMade(PyObject *o) {
  if (running && running->why.empty()) running->made(o, 0);
}

bool Reader::start() {
  hook = std::make_unique<Hook>(*this);
  running = this;
  if (!hook->isWhole()) return false;
  try {
    coverKnown();
    enter(function);
  } catch (const Stop &) { return false; }
  outer = std::exchange(numberInputs, this);
  return true;
}

bool Reader::finish() {
  if (std::exchange(isPrinting, false)) listener.setAside(false);
  bool isWhole = hook->isWhole() && !live.empty();
  hook->stop();
  numberInputs = outer;
  if (why.empty() && expected.next >= 0) settle(nullptr, false);
  casts.clear();
  if (why.empty()) demoteAll();
  putBack();
  if (why.empty() && !isWhole) why = "its instructions could not be followed";
  return why.empty();
}

void Reader::fail(const std::string &text) {
  auto file = [](PyCodeObject *code) {
    const char *path = PyUnicode_AsUTF8(code->co_filename);
    if (!path) PyErr_Clear();
    return std::string(path ? path : "?");
  };
  auto place = [&](PyCodeObject *code, int offset) {
    std::string path = file(code);
    return path.substr(path.rfind('/') + 1) + ":" + std::to_string(PyCode_Addr2Line(code, offset)) + ": ";
  };
  auto isOfLibrary = [&](const Live &l) {
    std::string path = file(l.frame.code());
    return path.find("/site-packages/") != std::string::npos || path.starts_with(package().libraries);
  };
  why = at ? place(at, atOffset) + text : text;
  auto own = std::find_if_not(live.rbegin(), live.rend(), isOfLibrary);
  if (at && own != live.rend() && own != live.rbegin()) why = place(own->frame.code(), own->last) + "leads to " + why;
  if (hook && !refuse) hook->stop();
  throw Stop();
}

void Reader::before(const Frame &frame, const Instruction &instruction, int offset) noexcept {
  if ((why.size() && !refuse) || !isWithin(frame)) return;
  if (why.size()) return refuse(why); // the program has caught the first error
  at = frame.code(), atOffset = offset;
  visits = 0;
  mayTag = false;
  try {
    if (std::exchange(isPrinting, false)) {
      listener.setAside(false);
      if (live.empty() || live.back().frame != frame) fail("prints by code that it runs itself as well");
    }
    follow(frame, instruction, offset);
    judge(frame, instruction, frame.stack() + instruction.depth);
    if (instead) tellInstead(instruction, Opcodes::get().name(instruction.op), frame.stack() + instruction.depth);
    if (++steps == mostSteps) fail("takes very long");
  } catch (const Stop &) {
  } catch (const PythonError &) {
    PyErr_Clear();
    why = "its state could not be read";
  } catch (const LeaveRecording &l) { why = l.why; } catch (const std::exception &e) {
    why = e.what();
  }
  at = nullptr;
  if (why.size() && refuse) refuse(why);
}

/// Whether all that runs here belongs to the call: no finalizer, no handler of a signal.
bool Reader::isWithin(const Frame &frame) const {
  if (!live.empty() && live.back().frame == frame) return true;
  for (Frame f = frame; f && f != caller; f = f.caller())
    if (!f.isOfPackage() && !state.codes.contains(f.code())) return false;
  return true;
}

/// Whether a frame is one that starts in the place of one that an error has ended.
bool Reader::isAnew(const Live &known, int offset) {
  return offset == 0 || (known.map->isFirst(offset) && !known.map->mayFollow(known.last, offset));
}

/// Whether a frame is over: what has its place is another one, of a function that the package calls again, say.
bool Reader::isOver(const Live &known) {
  return known.frame.code() != known.code || (known.map->has(known.last) && Opcodes::get().isReturn(known.map->at(known.last).op));
}

/// Frames that are over, from one on.
void Reader::leave(size_t from) {
  for (size_t i = from; i < live.size(); ++i)
    if (live[i].taking.from) endTaking(live[i], nullptr);
  live.erase(live.begin() + Py_ssize_t(from), live.end());
}

/// Keeps the frames that run, and looks at what the last instruction of this one left.
void Reader::follow(const Frame &frame, const Instruction &instruction, int offset) {
  auto found = std::find_if(live.rbegin(), live.rend(), [&](const Live &l) { return l.frame == frame; });
  bool isKnown = found != live.rend() && !isOver(*found) && !isAnew(*found, offset);
  if (found != live.rend()) leave(size_t(found.base() - live.begin()) - (isKnown ? 0 : 1));
  if (!isKnown) {
    live.push_back({frame, frame.code(), &CodeMap::of(frame.code()), -1, 0});
    open(frame);
    giveMapped(frame);
  }
  Live &here = live.back();
  if (isKnown && !here.map->mayFollow(here.last, offset)) fail("runs instructions that nobody told of");
  bool hasResult = offset == here.next && instruction.depth > 0;
  PyObject **left = hasResult ? frame.stack() + instruction.depth - 1 : nullptr;
  if (expected.next >= 0) {
    bool isDone = expected.frame == frame && expected.next == offset;
    settle(isDone ? left : nullptr, isDone);
  }
  if (here.taking.from) endTaking(here, left);
  if (making.next >= 0 && making.frame == frame) {
    Making ended = std::exchange(making, {});
    PyObject *result = hasResult && ended.next == offset ? frame.stack()[instruction.depth - 1] : nullptr;
    if (result && ended.isWhole) madeAnew(result);
    else if (result) made(result, kOneDeep);
  }
  if (hasResult) noteResult(frame.stack()[instruction.depth - 1]);
  here.last = offset, here.next = instruction.next;
  here.forwarded.clear();
}

/// A frame that starts: what its variables hold that was made for it.
void Reader::open(const Frame &frame) {
  PyCodeObject *code = frame.code();
  PyObject **variables = frame.variables();
  int more = code->co_argcount + code->co_kwonlyargcount;
  if (code->co_flags & CO_VARARGS) ++more;
  if ((code->co_flags & CO_VARKEYWORDS) && variables[more]) setOrigin(variables[more], Origin::Fresh);
  if (rebuilding.contains(code) && code->co_argcount) setOrigin(variables[code->co_argcount - 1], Origin::Fresh);
  PyObject *self = code->co_argcount ? variables[0] : nullptr;
  bool isMade = self && constructing.contains(Py_TYPE(self)) && originOf(self) == Origin::Unknown &&
                !PyUnicode_CompareWithASCIIString(code->co_name, "__init__");
  if (isMade) setOrigin(self, Origin::Fresh);
}

void Reader::judge(const Frame &frame, const Instruction &i, PyObject **top) {
  std::string_view name = Opcodes::get().name(i.op);
  if (madeRange && iterates(name, i.depth ? top[-1] : nullptr)) return;
  switch (kindOf(i.op)) {
  case Kind::Nothing:
    if (name == "KW_NAMES") names = PyTuple_GET_ITEM(frame.code()->co_consts, i.arg);
    return;
  case Kind::Truth: return truth(top[-1]);
  case Kind::Operation: return operation(i, name, top);
  case Kind::Deep:
    if (name == "FORMAT_WITH_SPEC" || (name == "FORMAT_VALUE" && (i.arg & 4))) deep(top[-2]);
    return deep(top[-1]);
  case Kind::Walk:
    if (name == "UNPACK_SEQUENCE") return unpacked(top[-1], i.arg);
    if (name == "GET_ITER" || name == "GET_YIELD_FROM_ITER") return iterated(top[-1]);
    if (name.starts_with("DICT") && values.sortOf(top[-1]) == Sort::Instance)
      fail(std::string("takes a ") + Py_TYPE(top[-1])->tp_name + " for a dict");
    return name == "SET_UPDATE" ? iteration(top[-1]) : takenAtOnce(&top[-1]);
  case Kind::Call: return call(frame, i, name, top);
  case Kind::Read: return read(frame, i, name, top);
  case Kind::State: return judgeState(frame, i, name, top);
  case Kind::Unknown:
    if (name == "LOAD_BUILD_CLASS") fail("defines a class");
    if (name.starts_with("IMPORT")) fail("imports a module");
    fail("uses the instruction " + std::string(name));
  }
}

/// A name or an attribute. An instruction that reads from the object that it last read from, and found no number there, tells nothing new.
void Reader::read(const Frame &frame, const Instruction &i, std::string_view name, PyObject **top) {
  constexpr bool isNew = PY_VERSION_HEX >= 0x030c0000;
  bool isGlobal = name == "LOAD_GLOBAL", isCell = name == "LOAD_DEREF", isOfMethod = name == "LOAD_METHOD";
  PyObject *from = isGlobal ? frame.globals() : isCell ? frame.variables()[i.arg] : top[-1];
  PyObject *&last = readFrom[&i];
  if (last == from) return;
  auto named = [&](int arg) { return PyTuple_GET_ITEM(frame.code()->co_names, arg); };
  // Before a call the stack has more on it than what was read.
  bool isOfCall = (isGlobal || (isNew && !isCell && !isOfMethod)) && (i.arg & 1);
  mayTag = !isOfCall && !isOfMethod;
  isReadOnce = false;
  if (isGlobal) global(frame, named(i.arg >> 1));
  else if (isCell) cell(frame, i.arg, nullptr);
  else attribute(from, named(isNew && !isOfMethod ? i.arg >> 1 : i.arg));
  last = isReadOnce ? from : nullptr;
}

void Reader::judgeState(const Frame &frame, const Instruction &i, std::string_view name, PyObject **top) {
  auto named = [&](int arg) { return PyTuple_GET_ITEM(frame.code()->co_names, arg); };
  mayTag = true;
  if (name == "RETURN_VALUE") return returned(frame, top[-1]);
  if (name == "STORE_GLOBAL") return storeGlobal(frame, named(i.arg), top[-1]);
  if (name == "STORE_DEREF") return cell(frame, i.arg, top[-1]);
  if (name == "STORE_ATTR") return storeAttribute(top[-1], named(i.arg), top[-2]);
  if (name == "DELETE_ATTR") return deleteAttribute(top[-1], named(i.arg));
  if (name == "BEFORE_WITH") return entered(top[-1]);
  if (name == "WITH_EXCEPT_START") return left(top[-4]);
  if (name == "BINARY_SUBSCR") return item(top) ? void() : subscript(top);
  if (name == "BINARY_SLICE") {
    PyObject *parts[] = {top[-2], top[-1], Py_None};
    return slice(&top[-3], parts) ? void() : (deep(top[-3]), deep(top[-2]), deep(top[-1]));
  }
  if (name == "STORE_SUBSCR") return storeItem(top[-2], top[-1], top[-3]);
  if (name == "FOR_ITER" || name == "SEND") return nextItem(name == "SEND" ? top[-2] : top[-1]);
  if (name == "YIELD_VALUE") return yielded(frame, top[-1]);
  if (name == "IS_OP") return identity(top[-2], top[-1]);
  if (name == "RAISE_VARARGS") return i.arg ? raised(top[-i.arg]) : void();
  if (name == "CHECK_EXC_MATCH")
    return values.sortOf(top[-1]) == Sort::Tuple || values.sortOf(top[-1]) == Sort::Class ? void() : deep(top[-1]);
  if (name == "STORE_SLICE") return storeSlice(top);
  if (name == "LOAD_SUPER_ATTR" && PyType_Check(top[-2]) && top[-3] == reinterpret_cast<PyObject *>(&PySuper_Type))
    return superAttribute(reinterpret_cast<PyTypeObject *>(top[-2]), top[-1], named(i.arg >> 2));
  if (name == "CALL_INTRINSIC_1" && (i.arg == 3 || i.arg == 5 || i.arg == 6))
    return i.arg == 5 ? operation(i, "UNARY_POSITIVE", top) : void();
  if (name == "BUILD_SET" || name == "BUILD_MAP")
    for (int k = 1; k <= i.arg; ++k) canonical(name == "BUILD_MAP" ? top[-2 * k] : top[-k]);
  else if (name == "SET_ADD") canonical(top[-1]);
  else if (name == "MAP_ADD") canonical(top[-2]);
  else if (name == "DELETE_SUBSCR") deleteItem(top[-2], top[-1]);
  else if (name != "BUILD_CONST_KEY_MAP") fail("uses the instruction " + std::string(name));
}

void Reader::global(const Frame &frame, PyObject *name) {
  PyObject *globals = frame.globals(), *builtins = frame.builtins();
  if (!PyDict_CheckExact(globals) || !PyDict_CheckExact(builtins)) fail("runs with names that are no plain dict");
  requireItself(globals), requireItself(builtins);
  PyObject *found = PyDict_GetItemWithError(globals, name);
  load(placeOf(Place::Entry, globals, name), found);
  if (found) return;
  edge(placeOf(Place::Entry, builtins, name), PyDict_GetItemWithError(builtins, name));
  isReadOnce = true;
}

void Reader::storeGlobal(const Frame &frame, PyObject *name, PyObject *value) {
  PyObject *globals = frame.globals();
  if (!PyDict_CheckExact(globals)) fail("runs with names that are no plain dict");
  requireItself(globals);
  if (originOf(globals) == Origin::Unknown) setOrigin(globals, Origin::Covered); // of a function that is guarded
  store(Place::Entry, globals, name, 0, value);
}

/// A variable of a closure, from before the call where the function's cells are.
void Reader::cell(const Frame &frame, int variable, PyObject *stored) {
  PyObject *cell = frame.variables()[variable];
  if (originOf(cell) != Origin::Covered) return;
  if (stored) return store(Place::Cell, cell, nullptr, 0, stored);
  load(placeOf(Place::Cell, cell), PyCell_GET(cell));
}

void Reader::truth(PyObject *o) {
  if (isTagged(o)) {
    Object zero(PyLong_FromLong(0));
    return void(compare(Py_NE, o, zero.get()));
  }
  switch (values.sortOf(o)) {
  case Sort::Other: fail(std::string("asks whether a ") + Py_TYPE(o)->tp_name + " is true");
  case Sort::List:
  case Sort::Dict:
  case Sort::Set:
  case Sort::Queue: return sized(o);
  case Sort::Instance: return special(o, {"__bool__", "__len__"});
  default: return; // a member of an enumeration is true
  }
}

void Reader::operation(const Instruction &i, std::string_view name, PyObject **top) {
  int operands = operandsOf(name);
  if (isArray(top[-1]) && isArray(top[-operands])) return;
  if (hasNumbers() && arithmetic(i, name, top)) return;
  bool isOfKey = name == "CONTAINS_OP" && values.sortOf(top[-1]) == Sort::Dict && originOf(top[-1]) == Origin::InKey;
  if (isOfKey) return void(canonical(top[-2]));
  if (name == "CONTAINS_OP" && values.sortOf(top[-1]) == Sort::Dict) return entry(top[-1], top[-2]); // the others do not matter
  if (name == "CONTAINS_OP" && isOneOf(top)) return;
  bool isBinary = name == "BINARY_OP", isInPlace = isBinary && i.arg >= kInPlace;
  if (isBinary && joined(i.arg, top)) return;
  for (int k = 1; k <= operands; ++k) {
    PyObject *o = top[-k];
    if (values.sortOf(o) != Sort::Instance) {
      deep(o);
    } else if (isBinary) {
      std::string op = kOperators[i.arg % kInPlace];
      special(o, {("__" + op + "__").c_str(), ("__r" + op + "__").c_str(), ("__i" + op + "__").c_str()});
    } else if (name == "COMPARE_OP") {
      identity(top[-2], top[-1]); // by default
      special(o, {"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"});
    } else if (name == "CONTAINS_OP" && k == 1) {
      special(o, {"__contains__"});
    } else if (name.starts_with("UNARY")) {
      special(o, {name == "UNARY_NEGATIVE" ? "__neg__" : name == "UNARY_POSITIVE" ? "__pos__" : "__invert__"});
    } else {
      fail(std::string("looks for a ") + Py_TYPE(o)->tp_name);
    }
  }
  Sort left = operands == 2 ? values.sortOf(top[-2]) : Sort::Plain;
  bool changes = isInPlace && (left == Sort::List || left == Sort::Dict || left == Sort::Set || left == Sort::Queue);
  if (changes && originOf(top[-2]) != Origin::Fresh) fail("changes a container that exists before the call");
}

/// Lists, tuples and dicts that become one, or one of the call that gets more.
bool Reader::joined(int op, PyObject **top) {
  constexpr int kAdd = 0, kOr = 7;
  PyObject *a = top[-2], *b = top[-1];
  bool isInPlace = op >= kInPlace && !PyTuple_CheckExact(a);
  bool areSequences = op % kInPlace == kAdd && Py_TYPE(a) == Py_TYPE(b) && (PyList_CheckExact(a) || PyTuple_CheckExact(a));
  bool areDicts = op % kInPlace == kOr && PyDict_CheckExact(a) && PyDict_CheckExact(b);
  if ((!areSequences && !areDicts) || (isInPlace && originOf(a) != Origin::Fresh)) return false;
  if (!isInPlace) takenAtOnce(&top[-2]);
  takenAtOnce(&top[-1]);
  return true;
}

void Reader::subscript(PyObject **top) {
  PyObject *o = top[-2], *key = top[-1];
  if (auto *bounds = reinterpret_cast<PySliceObject *>(key); PySlice_Check(key)) {
    PyObject *parts[] = {bounds->start, bounds->stop, bounds->step};
    if (slice(&top[-2], parts)) return;
  }
  Sort sort = values.sortOf(o);
  if (sort == Sort::Instance) return special(o, {"__getitem__"});
  if (sort == Sort::Array && carriedIndex(o, key, nullptr)) return;
  pin(key);
  if (sort == Sort::List && PyLong_Check(key) && originOf(o) == Origin::Covered) {
    Py_ssize_t at = PyLong_AsSsize_t(key), n = PyList_GET_SIZE(o);
    bool dependsOnLength = at < 0 || at >= n || grown.contains(o);
    if (dependsOnLength) PyErr_Clear(), sized(o), at = at < 0 ? at + n : at;
    if (at < 0 || at >= n) return; // an error
    return load(placeOf(Place::Item, o, nullptr, at), PyList_GET_ITEM(o, at));
  }
  if (Py_TYPE(o) == Library::get().defaultDict) return missing(o, key);
  if (sort == Sort::Dict) return entry(o, key);
  if ((sort == Sort::Tuple || originOf(o) == Origin::InKey) && PyLong_CheckExact(key) && openItems.contains(o)) {
    Py_ssize_t at = PyLong_AsSsize_t(key);
    if (at == -1) PyErr_Clear();
    return loadItem(o, Place::Item, nullptr, at < 0 ? at + PySequence_Fast_GET_SIZE(o) : at);
  }
  bool isSequence = sort == Sort::List || sort == Sort::Tuple || sort == Sort::Queue;
  if (!isSequence) deep(o);
  else snapshot(o);
  deep(key);
}

/// What a dict has under a key, or that it has nothing.
void Reader::entry(PyObject *dict, PyObject *key) {
  require(dict);
  canonical(key);
  if (originOf(dict) == Origin::Covered) load(placeOf(Place::Entry, dict, key), PyDict_GetItemWithError(dict, key));
  else loadItem(dict, Place::Entry, key, 0);
}

/// A number that is written into an array, which takes it as an input.
void Reader::storeNumber(PyObject *number) {
  Expected store{live.back().frame, live.back().next, -1, {}, {}, {}};
  pass(number, store);
  store.isStore = true;
  asked.clear();
  expected = std::move(store);
}

void Reader::storeItem(PyObject *o, PyObject *key, PyObject *value) {
  Sort sort = values.sortOf(o);
  if (sort == Sort::Array) {
    bool isTaken = tagged.contains(value) && !isLateNumber(value);
    if (!carried.contains(value) && !isTaken) deep(value);
    if (carriedIndex(o, key, value)) return;
    deep(key);
    return isTaken ? storeNumber(value) : deep(value);
  }
  if (sort == Sort::Instance) return special(o, {"__setitem__"});
  bool isOwnQueue = sort == Sort::Queue && originOf(o) == Origin::Fresh;
  if (isOwnQueue) return deep(key);
  if (sort != Sort::List && sort != Sort::Dict) fail(std::string("stores into a ") + Py_TYPE(o)->tp_name);
  require(o);
  if (sort == Sort::Dict) canonical(key);
  else if (deep(key); !PyLong_Check(key) && !(PySlice_Check(key) && originOf(o) == Origin::Fresh))
    fail("changes a list that exists before the call");
  if (originOf(o) == Origin::Fresh) return PySlice_Check(key) ? iteration(value) : void();
  if (sort == Sort::Dict) return store(Place::Entry, o, key, 0, value);
  Py_ssize_t at = PyLong_AsSsize_t(key), n = PyList_GET_SIZE(o);
  if (at < 0) snapshot(o), at += n;
  if (at < 0 || at >= n) fail("stores outside of a list");
  if (originOf(o) == Origin::Covered) edge(placeOf(Place::Item, o, nullptr, at), PyList_GET_ITEM(o, at)); // it is there
  store(Place::Item, o, nullptr, at, value);
}

/// value, container, start, stop.
void Reader::storeSlice(PyObject **top) {
  deep(top[-2]), deep(top[-1]);
  if (values.sortOf(top[-3]) == Sort::Array) {
    bool isTaken = tagged.contains(top[-4]) && !isLateNumber(top[-4]);
    return isTaken ? storeNumber(top[-4]) : deep(top[-4]);
  }
  if (values.sortOf(top[-3]) != Sort::List || originOf(top[-3]) != Origin::Fresh) fail("changes a container that exists before the call");
  iteration(top[-4]);
}

void Reader::deleteItem(PyObject *o, PyObject *key) {
  Sort sort = values.sortOf(o);
  bool isKnown = sort == Sort::List || sort == Sort::Dict || sort == Sort::Queue;
  if (!isKnown || originOf(o) != Origin::Fresh) fail("changes a container that exists before the call");
  if (sort == Sort::Dict) canonical(key);
  else deep(key);
}

/// What is gone through as a whole, by C.
void Reader::iteration(PyObject *o) {
  if (values.sortOf(o) == Sort::Instance) return walkedByC(o);
  iterated(o);
  if (openItems.size()) pinBehind(o);
}

/// What is gone through.
void Reader::iterated(PyObject *o) {
  switch (values.sortOf(o)) {
  case Sort::List:
  case Sort::Dict:
  case Sort::Set:
  case Sort::Tuple:
  case Sort::Queue: return walk(o);
  case Sort::Iterator:
    if (originOf(o) != Origin::Fresh) fail("goes on with an iterator that exists before the call");
    return;
  case Sort::Plain:
  case Sort::Array: return;
  case Sort::Instance: return special(o, {"__iter__"});
  default: fail(std::string("iterates over a ") + Py_TYPE(o)->tp_name);
  }
}

/// What it gives is left on the stack.
void Reader::nextItem(PyObject *o) {
  if (ranges.size() && nextOfRange(o)) return;
  Sort sort = values.sortOf(o);
  if (sort == Sort::Instance) return special(o, {"__next__"});
  if (sort != Sort::Iterator || originOf(o) != Origin::Fresh) fail(std::string("goes on with a ") + Py_TYPE(o)->tp_name);
  take(o, Taking::Kept);
  if (openItems.size()) nextOfItems(o);
}

/// Numbers and texts are guarded by value, so nobody may ask which object they are.
void Reader::identity(PyObject *a, PyObject *b) {
  auto isPlain = [&](PyObject *o) { return values.sortOf(o) == Sort::Plain && o != Py_None && !PyBool_Check(o) && o != Py_Ellipsis; };
  if (isPlain(a) && isPlain(b)) fail("asks whether two numbers or texts are one object");
  if (anchors.empty()) return;
  // Which of the anchors are one is as it was in the recording, and none is an argument.
  auto isFixed = [&](PyObject *o) {
    return (mayHold(values.sortOf(o)) || PyFunction_Check(o)) && !anchors.contains(o) && originOf(o) != Origin::Fresh &&
           originOf(o) != Origin::InKey;
  };
  if ((anchors.contains(a) && isFixed(b)) || (anchors.contains(b) && isFixed(a)))
    fail(std::string("asks whether a ") + Py_TYPE(a)->tp_name + " that may change is another one");
}

/// An exception that is raised: its traceback is written.
void Reader::raised(PyObject *o) {
  Known kind = values.sortOf(o) == Sort::Class ? values.known(o) : Known::Nothing;
  if (kind == Known::PlainError) return coverError(o);
  if (kind == Known::OwnError) return callClass(reinterpret_cast<PyTypeObject *>(o), nullptr, 0);
  if (kind != Known::Computes && originOf(o) != Origin::Fresh)
    fail(std::string("raises a ") + Py_TYPE(o)->tp_name + " that comes from elsewhere");
}

/// A block of `with`: the method that leaves it is looked up with the one that enters it.
void Reader::entered(PyObject *manager) {
  mayTag = false;
  if (values.sortOf(manager) == Sort::Trusted) return void(watchesErrors |= std::strstr(Py_TYPE(manager)->tp_name, "errstate") != nullptr);
  if (values.sortOf(manager) != Sort::Instance) fail(std::string("enters a ") + Py_TYPE(manager)->tp_name);
  special(manager, {"__enter__", "__exit__"});
}

/// The same where an error leaves it.
void Reader::left(PyObject *exit) {
  mayTag = false;
  if (values.sortOf(exit) != Sort::Method) fail("leaves a block of 'with' in an unknown way");
  if (values.sortOf(PyMethod_GET_SELF(exit)) != Sort::Trusted) enter(PyMethod_GET_FUNCTION(exit));
}

} // namespace kiln::py
