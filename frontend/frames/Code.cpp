#include "frontend/frames/Code.h"

#include <algorithm>
#include <memory>

namespace kiln::py {
namespace {

#if PY_VERSION_HEX >= 0x030c0000
const auto requestExtra = PyUnstable_Eval_RequestCodeExtraIndex;
const auto getExtra = PyUnstable_Code_GetExtra;
const auto setExtra = PyUnstable_Code_SetExtra;
#else
const auto requestExtra = _PyEval_RequestCodeExtraIndex;
const auto getExtra = _PyCode_GetExtra;
const auto setExtra = _PyCode_SetExtra;
#endif

/// Whether the interpreter tells of the prefix of an instruction in place of the instruction, which then stands there.
constexpr bool kTellsOfPrefix = PY_VERSION_HEX < 0x030c0000;

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// The entries of an exception table, as Objects/exception_handling_notes.txt of CPython describes them.
class ExceptionTable {
public:
  struct Entry {
    int start, end, target, depth; // depth: at the target
  };
  explicit ExceptionTable(PyObject *bytes) : at(reinterpret_cast<uint8_t *>(PyBytes_AS_STRING(bytes))), end(at + PyBytes_GET_SIZE(bytes)) {}
  bool read(Entry &entry) {
    if (at >= end) return false;
    entry.start = number() * 2;
    entry.end = entry.start + number() * 2;
    entry.target = number() * 2;
    int depth = number();
    entry.depth = (depth >> 1) + (depth & 1) + 1; // the exception, and where it was raised where that is asked for
    return true;
  }

private:
  const uint8_t *at, *end;
  int number() {
    int value = *at & 63;
    while (*at++ & 64) value = (value << 6) | (*at & 63);
    return value;
  }
};

} // namespace

const Opcodes &Opcodes::get() {
  static const Opcodes known;
  return known;
}

Opcodes::Opcodes() {
  Object module(check(PyImport_ImportModule("opcode")));
  Object map(check(PyObject_GetAttrString(module.get(), "opmap"))), relative(check(PyObject_GetAttrString(module.get(), "hasjrel")));
  PyObject *name, *number;
  for (Py_ssize_t i = 0; PyDict_Next(map.get(), &i, &name, &number);) {
    long op = PyLong_AsLong(number);
    if (op < 0 || op > 255) continue; // of the compiler alone
    std::string &text = names[size_t(op)] = PyUnicode_AsUTF8(name);
    if (PySequence_Contains(relative.get(), number) == 1) jumps[size_t(op)] = contains(text, "BACKWARD") ? -1 : 1;
    returns[size_t(op)] = text == "RETURN_VALUE" || text == "RETURN_CONST";
    ends[size_t(op)] = text.starts_with("RETURN_VALUE") || text == "RETURN_CONST" || text == "RAISE_VARARGS" || text == "RERAISE" ||
                       text == "JUMP_FORWARD" || text.starts_with("JUMP_BACKWARD") || text == "INTERPRETER_EXIT";
  }
}

int Opcodes::effect(const Instruction &at, bool jumps) const {
  std::string_view text = name(at.op);
  if (text == "PRECALL") return 0; // the compiler counts what its CALL takes
  int effect = PyCompile_OpcodeStackEffectWithJump(at.op, at.arg, jumps);
#if PY_VERSION_HEX < 0x030c0000
  if (text == "CALL") return effect - at.arg;
#endif
  if (text == "RETURN_GENERATOR") return 1; // what is sent first
  return effect;
}

const CodeMap &CodeMap::of(PyCodeObject *code) {
  static const Py_ssize_t index = requestExtra([](void *map) { delete static_cast<CodeMap *>(map); });
  void *known = nullptr;
  auto *object = reinterpret_cast<PyObject *>(code);
  if (index < 0 || getExtra(object, index, &known)) throw PythonError();
  if (known) return *static_cast<CodeMap *>(known);
  std::unique_ptr<CodeMap> map(new CodeMap(code));
  if (setExtra(object, index, map.get())) throw PythonError();
  return *map.release();
}

CodeMap::CodeMap(PyCodeObject *code) {
  decode(code);
  followPaths(code);
  auto resume = std::ranges::find_if(starts, [&](int start) { return Opcodes::get().name(at(start).op) == "RESUME"; });
  if (resume != starts.end()) first = *resume, second = at(first).next;
}

void CodeMap::decode(PyCodeObject *code) {
  Object bytes(check(PyCode_GetCode(code))); // as compiled: no instrumentation, no specialization, and caches empty
  auto *raw = reinterpret_cast<uint8_t *>(PyBytes_AS_STRING(bytes.get()));
  const Opcodes &opcodes = Opcodes::get();
  int size = int(PyBytes_GET_SIZE(bytes.get())), extended = 0, first = 0;
  instructions.resize(size_t(size) / 2);
  for (int offset = 0; offset < size; offset += 2) {
    std::string_view name = opcodes.name(raw[offset]);
    if (name == "CACHE") continue;
    bool isPrefixed = kTellsOfPrefix && extended; // jumps lead to the prefix, too
    if (!isPrefixed) first = offset;
    Instruction &at = instructions[size_t(first) / 2];
    at.op = raw[offset];
    at.arg = extended | raw[offset + 1];
    extended = name == "EXTENDED_ARG" ? at.arg << 8 : 0;
    at.next = offset + 2;
    while (at.next < size && opcodes.name(raw[at.next]) == "CACHE") at.next += 2;
    if (!isPrefixed) starts.push_back(offset);
    else instructions[size_t(offset) / 2] = at; // where a frame that waits stands
  }
}

bool CodeMap::mayComeNext(int last, int offset) const {
  const Instruction &before = at(last);
  if (std::ranges::find(handlers, offset) != handlers.end()) return true;
  const Opcodes &opcodes = Opcodes::get();
  if (!opcodes.isJump(before.op)) // a generator that native code goes on with, which nobody tells of its RESUME
    return opcodes.name(before.op) == "YIELD_VALUE" && has(before.next) && offset == at(before.next).next;
  int target = before.next + (opcodes.isBackward(before.op) ? -2 : 2) * before.arg;
  if (offset == target || !has(target)) return offset == target;
  int behind = at(target).next; // the end of a loop may be skipped: from 3.13 on two instructions
  return offset == behind || (opcodes.name(at(target).op) == "END_FOR" && has(behind) && offset == at(behind).next);
}

void CodeMap::reach(int offset, int depth, std::vector<int> &toDo) {
  if (!has(offset) || depth < 0) return void(consistent = false);
  Instruction &at = instructions[size_t(offset) / 2];
  if (at.depth == Instruction::kUnknown) at.depth = depth, toDo.push_back(offset);
  else if (at.depth != depth) consistent = false;
}

void CodeMap::followPaths(PyCodeObject *code) {
  const Opcodes &opcodes = Opcodes::get();
  std::vector<int> toDo;
  reach(0, 0, toDo);
  ExceptionTable table(code->co_exceptiontable);
  for (ExceptionTable::Entry e; table.read(e);) handlers.push_back(e.target), reach(e.target, e.depth, toDo);
  while (!toDo.empty()) {
    Instruction at = this->at(toDo.back());
    toDo.pop_back();
    if (opcodes.isJump(at.op)) {
      int distance = at.arg * 2;
      reach(at.next + (opcodes.isBackward(at.op) ? -distance : distance), at.depth + opcodes.effect(at, true), toDo);
    }
    if (!opcodes.endsBlock(at.op)) reach(at.next, at.depth + opcodes.effect(at, false), toDo);
  }
}

} // namespace kiln::py
