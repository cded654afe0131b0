// Frames and tracing, as CPython 3.11 to 3.13 lay them out.
#include "frontend/frames/Frame.h"

#include <cstring>
#include <string_view>

#define Py_BUILD_CORE 1
#include <internal/pycore_frame.h>
#undef Py_BUILD_CORE

namespace kiln::py {
namespace {

using Raw = _PyInterpreterFrame;

Raw *current(PyThreadState *thread) {
#if PY_VERSION_HEX >= 0x030d0000
  return thread->current_frame;
#else
  return thread->cframe->current_frame;
#endif
}

PyCodeObject *codeOf(const Raw *frame) {
#if PY_VERSION_HEX >= 0x030d0000
  return reinterpret_cast<PyCodeObject *>(frame->f_executable);
#else
  return frame->f_code;
#endif
}

/// The first of a frame and its callers that stands for Python code: not C's own between them, nor one that is being set up.
Raw *complete(Raw *frame) {
  while (frame && _PyFrame_IsIncomplete(frame)) frame = frame->previous;
  return frame;
}

bool startsWith(PyObject *text, std::string_view prefix) {
  Py_ssize_t size = 0;
  if (!text || !PyUnicode_Check(text)) return false;
  const char *chars = PyUnicode_AsUTF8AndSize(text, &size); // kept by the string
  if (!chars) PyErr_Clear();                                // a name that is no UTF-8
  return chars && size_t(size) >= prefix.size() && !std::memcmp(chars, prefix.data(), prefix.size());
}

/// Whether an object comes from the modules of pydevd, which is in debugpy, PyCharm and others.
bool isOfPydevd(PyObject *o) {
  Object module(PyObject_GetAttrString(o, "__module__"));
  PyErr_Clear();
  return startsWith(module.get(), "_pydev") || startsWith(module.get(), "pydev") || startsWith(module.get(), "debugpy");
}

/// Whether a trace function is a debugger's: a method of a bdb.Bdb, as pdb's and those of its kind, or pydevd's.
bool isDebugger(PyObject *trace) {
  if (!trace) return false;
  PyObject *self = PyMethod_Check(trace) ? PyMethod_GET_SELF(trace) : trace;
  PyObject *module = PyDict_GetItemString(PyImport_GetModuleDict(), "bdb"); // not imported: it is nobody's base
  Object base(module ? PyObject_GetAttrString(module, "Bdb") : nullptr);
  bool isBdb = base && PyObject_IsInstance(self, base.get()) == 1;
  PyErr_Clear();
  return isBdb || isOfPydevd(trace) || isOfPydevd(reinterpret_cast<PyObject *>(Py_TYPE(self)));
}

#if PY_VERSION_HEX >= 0x030c0000
/// Whether a tool is registered as sys.monitoring.DEBUGGER_ID.
bool hasDebuggerTool() {
  static PyObject *getTool = nullptr;
  if (!getTool) {
    PyObject *monitoring = PySys_GetObject("monitoring");
    getTool = monitoring ? PyObject_GetAttrString(monitoring, "get_tool") : nullptr;
  }
  Object name(getTool ? PyObject_CallFunction(getTool, "i", 0) : nullptr);
  PyErr_Clear();
  return name && name.get() != Py_None;
}

/// The same, asked again where it may have changed: code that runs has the version that the last change of events of all code made,
/// and debuggers ask for such events.
bool isMonitored(PyThreadState *thread) {
  static decltype(PyCodeObject::_co_instrumentation_version) seen = 0; // no events were ever asked for
  static bool isDebugged = false;
  Raw *frame = complete(current(thread));
  if (!frame || (codeOf(frame)->_co_instrumentation_version == seen && !isDebugged)) return false;
  seen = codeOf(frame)->_co_instrumentation_version;
  return isDebugged = hasDebuggerTool();
}
#else
bool isMonitored(PyThreadState *) { return false; }
#endif

} // namespace

Package &package() {
  static Package known;
  return known;
}

Frame Frame::innermost() { return Frame(complete(current(PyThreadState_Get()))); }

Frame Frame::ofGenerator(PyObject *generator) { return Frame(static_cast<void *>(reinterpret_cast<PyGenObject *>(generator)->gi_iframe)); }

Frame Frame::ofUser() {
  Frame frame = innermost();
  while (frame && frame.isOfPackage()) frame = frame.caller();
  return frame;
}

Frame Frame::caller() const { return Frame(complete(static_cast<Raw *>(frame)->previous)); }

bool Frame::isCalledByC() const {
  auto *raw = static_cast<Raw *>(frame);
#if PY_VERSION_HEX >= 0x030c0000
  return !raw->previous || raw->previous->owner == FRAME_OWNED_BY_CSTACK;
#else
  return raw->is_entry;
#endif
}

PyCodeObject *Frame::code() const { return codeOf(static_cast<Raw *>(frame)); }

int Frame::instruction() const {
  auto *raw = static_cast<Raw *>(frame);
#if PY_VERSION_HEX >= 0x030d0000
  auto *at = raw->instr_ptr;
#else
  auto *at = raw->prev_instr;
#endif
  return int(at - _PyCode_CODE(codeOf(raw))) * int(sizeof(_Py_CODEUNIT));
}

PyObject **Frame::variables() const { return static_cast<Raw *>(frame)->localsplus; }
PyObject **Frame::stack() const { return variables() + code()->co_nlocalsplus; }

int Frame::depth() const {
  int top = static_cast<Raw *>(frame)->stacktop;
  return top < 0 ? -1 : top - code()->co_nlocalsplus;
}

PyObject *Frame::globals() const { return static_cast<Raw *>(frame)->f_globals; }
PyObject *Frame::builtins() const { return static_cast<Raw *>(frame)->f_builtins; }

PyObject *Frame::function() const {
#if PY_VERSION_HEX >= 0x030c0000
  return static_cast<Raw *>(frame)->f_funcobj;
#else
  return reinterpret_cast<PyObject *>(static_cast<Raw *>(frame)->f_func);
#endif
}

bool Frame::isOfPackage() const { return startsWith(code()->co_filename, package().folder); }

bool isDebugged() {
  PyThreadState *thread = PyThreadState_Get();
  return (thread->c_tracefunc && isDebugger(thread->c_traceobj)) || isMonitored(thread);
}

} // namespace kiln::py
