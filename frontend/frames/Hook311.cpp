// CPython 3.11: the trace function of the thread, with events of opcodes. Tracers that are there, such as coverage, are told as before.
#include "frontend/frames/Hook.h"

#if PY_VERSION_HEX < 0x030c0000

#include <unordered_set>

#define Py_BUILD_CORE 1
#include <internal/pycore_frame.h>
#undef Py_BUILD_CORE

namespace kiln::py {

struct Hook::State {
  Py_tracefunc before = nullptr; // the tracer that was there
  Object beforeObject;
  std::unordered_set<PyCodeObject *> codes;
  PyCodeObject *last = nullptr; // of those, the one that was asked about last
  bool followsAll = false;
  std::unordered_set<PyFrameObject *> asked; // frames whose opcodes that tracer wants, too
  std::unordered_set<PyFrameObject *> quiet; // frames whose lines nobody is told of

  bool asks(PyCodeObject *code) {
    if (code != last && codes.contains(code)) last = code;
    return code == last;
  }
  /// Frames that go on without the hook tell what others ask for, as a debugger that begins here does.
  void giveBack() {
    for (_PyInterpreterFrame *frame = PyThreadState_Get()->cframe->current_frame; frame; frame = frame->previous) {
      PyFrameObject *object = frame->frame_obj;
      if (!object || !quiet.contains(object)) continue;
      object->f_trace_lines = 1;
      object->f_trace_opcodes = asked.contains(object);
    }
  }
};

struct HookEvents {
  static inline thread_local Hook *running = nullptr;

  /// Tells the other tracer; it may put another function in its place, as coverage does at its first event.
  static int forward(PyFrameObject *frame, int what, PyObject *arg) {
    if (!running->state->before) return 0;
    std::shared_ptr<Hook::State> state = running->state;
    if (what == PyTrace_OPCODE && !state->asked.contains(frame)) return 0;
    Object object = state->beforeObject;
    int status = state->before(object.get(), frame, what, arg);
    PyThreadState *thread = PyThreadState_Get();
    if (thread->c_tracefunc == onEvent) return status;
    state->before = thread->c_tracefunc;
    state->beforeObject = Object::borrow(thread->c_traceobj);
    PyEval_SetTrace(onEvent, thread->c_traceobj);
    return status;
  }

  static int onEvent(PyObject *, PyFrameObject *frame, int what, PyObject *arg) {
    if (!running) return 0;
    if (int status = forward(frame, what, arg)) return status;
    if (!running || !running->state) return 0;
    Hook::State &state = *running->state;
    if (what == PyTrace_CALL && state.followsAll && running->watcher.follows(frame->f_frame->f_code))
      state.codes.insert(frame->f_frame->f_code);
    if (what == PyTrace_CALL && state.asks(frame->f_frame->f_code)) {
      if (frame->f_trace_opcodes && state.before) state.asked.insert(frame);
      frame->f_trace_opcodes = 1;
      if (!state.before) frame->f_trace_lines = 0, state.quiet.insert(frame);
    }
    if (what == PyTrace_RETURN) state.asked.erase(frame), state.quiet.erase(frame);
    if (what == PyTrace_OPCODE && state.asks(frame->f_frame->f_code))
      running->tell(Frame(frame->f_frame), int(_PyInterpreterFrame_LASTI(frame->f_frame)) * int(sizeof(_Py_CODEUNIT)));
    return what == PyTrace_OPCODE && PyErr_Occurred() ? -1 : 0;
  }
};

Hook::Hook(InstructionWatcher &watcher) : watcher(watcher) {
  if (HookEvents::running) return;
  PyThreadState *thread = PyThreadState_Get();
  state = std::make_shared<State>();
  state->before = thread->c_tracefunc;
  state->beforeObject = Object::borrow(thread->c_traceobj);
  HookEvents::running = this;
  PyEval_SetTrace(HookEvents::onEvent, thread->c_traceobj); // sys.gettrace() tells of the other one
}

void Hook::enter(PyCodeObject *code) {
  if (state) state->codes.insert(code);
}

void Hook::followAll() {
  if (state) state->followsAll = true;
}

bool Hook::isWhole() const { return state && !isBroken && PyThreadState_Get()->c_tracefunc == HookEvents::onEvent; }

void Hook::stop() {
  if (!state) return;
  isBroken |= !isWhole();
  std::shared_ptr<State> last = std::move(state);
  HookEvents::running = nullptr;
  last->giveBack();
  if (PyThreadState_Get()->c_tracefunc == HookEvents::onEvent) PyEval_SetTrace(last->before, last->beforeObject.get());
}

} // namespace kiln::py

#endif
