#include "frontend/frames/Check.h"

namespace kiln::py {
namespace {

constexpr const char *kProbe = R"(
def probe(value):
    kept = [value, 1]
    replaced = value
    for i in (1, 2):
        try:
            kept += [(i, replaced), {"a": kept}]
            raise ValueError(i)
        except ValueError as error:
            kept.append([e for e in error.args])
    return kept, replaced
)";
constexpr int kLeastChecked = 20; // of the probe

Object makeProbe() {
  Object scope(check(PyDict_New()));
  if (PyDict_SetItemString(scope.get(), "__builtins__", PyEval_GetBuiltins())) throw PythonError();
  Object code(check(Py_CompileString(kProbe, "<probe of frames>", Py_file_input)));
  Object done(check(PyEval_EvalCode(code.get(), scope.get(), scope.get())));
  return Object::borrow(PyDict_GetItemString(scope.get(), "probe"));
}

bool runProbe() {
  Object probe = makeProbe(), value(check(PyList_New(0))), instead(check(PyList_New(0)));
  FrameChecker checker;
  checker.replaced = "replaced";
  checker.replacement = instead.get();
  Object result;
  bool isWhole;
  {
    Hook hook(checker);
    hook.enter(reinterpret_cast<PyCodeObject *>(PyFunction_GET_CODE(probe.get())));
    result = Object(check(PyObject_CallOneArg(probe.get(), value.get())));
    isWhole = hook.isWhole();
  }
  PyObject *kept = PyTuple_GET_ITEM(result.get(), 0);
  bool isReplaced = PyTuple_GET_ITEM(result.get(), 1) == instead.get() && PyList_GET_ITEM(kept, 0) == value.get() &&
                    PyTuple_GET_ITEM(PyList_GET_ITEM(kept, 2), 1) == instead.get();
  return isWhole && isReplaced && checker.failures.empty() && checker.checked >= kLeastChecked;
}

} // namespace

bool isHookProven() {
  static const bool isProven = [] {
    try {
      return runProbe();
    } catch (const PythonError &) { return PyErr_Clear(), false; }
  }();
  return isProven;
}

void FrameChecker::fail(const Frame &frame, const Instruction &instruction, int offset, const char *what) {
  if (failures.size() == 20) return;
  const char *file = PyUnicode_AsUTF8(frame.code()->co_filename), *name = PyUnicode_AsUTF8(frame.code()->co_name);
  failures.push_back(std::string(file ? file : "?") + ":" + (name ? name : "?") + ": " + std::to_string(offset) + " " +
                     std::string(Opcodes::get().name(instruction.op)) + ": " + what);
  PyErr_Clear();
}

void FrameChecker::before(const Frame &frame, const Instruction &instruction, int offset) noexcept {
  ++told;
  if (frame == last && offset == expectedAt) compare(frame, instruction, offset);
  last = frame;
  expectedAt = instruction.next;
  expect(frame, instruction);
}

void FrameChecker::compare(const Frame &frame, const Instruction &instruction, int offset) {
  PyObject **top = frame.stack() + instruction.depth;
  if (local >= 0 && (++checked, frame.variables()[local] != inLocal)) fail(frame, instruction, offset, "a local is not what was on top");
  bool isBuilt = topOfBuilt && instruction.depth > 0 && (PyTuple_CheckExact(top[-1]) || PyList_CheckExact(top[-1]));
  if (topOfBuilt && (!isBuilt || PySequence_Fast_GET_SIZE(top[-1]) != topOfBuilt))
    return fail(frame, instruction, offset, "no tuple or list is there");
  PyObject **items = topOfBuilt ? PySequence_Fast_ITEMS(top[-1]) : top - onTop.size();
  if (!topOfBuilt && size_t(instruction.depth) < onTop.size()) return fail(frame, instruction, offset, "the stack is not as deep");
  for (size_t i = 0; i < onTop.size(); ++i)
    if (++checked, items[i] != onTop[i]) fail(frame, instruction, offset, "another value is on top");
}

void FrameChecker::expect(const Frame &frame, const Instruction &i) {
  std::string_view name = Opcodes::get().name(i.op);
  PyObject **top = frame.stack() + i.depth, **variables = frame.variables();
  onTop.clear();
  local = -1, topOfBuilt = 0;
  if (name == "LOAD_CONST") onTop = {PyTuple_GET_ITEM(frame.code()->co_consts, i.arg)};
  if (name == "LOAD_FAST" || name == "LOAD_FAST_CHECK") onTop = {variables[i.arg]};
  if (name == "LOAD_FAST_LOAD_FAST") onTop = {variables[i.arg >> 4], variables[i.arg & 15]};
  if ((name == "BUILD_TUPLE" || name == "BUILD_LIST") && i.arg) onTop.assign(top - i.arg, top), topOfBuilt = i.arg;
  if (name == "COPY") onTop = {top[-i.arg]};
  if (name == "SWAP") onTop = {top[-1]}, onTop.insert(onTop.end(), top - i.arg + 1, top - 1), onTop.push_back(top[-i.arg]);
  if (name != "STORE_FAST") return;
  local = i.arg;
  PyObject *variable = PyTuple_GET_ITEM(frame.code()->co_localsplusnames, i.arg);
  if (replaced && !PyUnicode_CompareWithASCIIString(variable, replaced)) Py_SETREF(top[-1], Py_NewRef(replacement));
  inLocal = top[-1];
}

} // namespace kiln::py
