// CPython 3.12 and 3.13: sys.monitoring, with events of instructions in the code objects that are asked for. They come from all threads.
#include "frontend/frames/Hook.h"

#if PY_VERSION_HEX >= 0x030c0000

#include <unordered_map>

namespace kiln::py {

struct Hook::State {
  std::vector<Object> codes;
  bool followsAll = false;
};

struct HookEvents {
  static inline thread_local Hook *running = nullptr;

  static PyObject *onInstruction(PyObject *, PyObject *const *args, Py_ssize_t) {
    Frame frame = running ? Frame::innermost() : Frame();
    bool isMine = frame && reinterpret_cast<PyObject *>(frame.code()) == args[0];
    if (isMine) running->tell(frame, int(PyLong_AsLong(args[1])));
    return isMine && PyErr_Occurred() ? nullptr : Py_NewRef(Py_None);
  }
  static PyObject *onStart(PyObject *, PyObject *const *args, Py_ssize_t) {
    auto *code = reinterpret_cast<PyCodeObject *>(args[0]);
    if (running && running->state && running->state->followsAll && running->watcher.follows(code)) running->enter(code);
    Py_RETURN_NONE;
  }
};

namespace {

/// The package as a tool of sys.monitoring, of a number that is free; under the lock of the interpreter.
class Tool {
public:
  static Tool &get() {
    static Tool tool;
    return tool;
  }
  bool isThere() const { return number >= 0; }
  /// Whether nobody has taken the number.
  bool isOwn() const {
    Object name(isThere() ? call("get_tool", PyLong_FromLong(number)) : nullptr);
    PyErr_Clear();
    return name && PyUnicode_Check(name.get()) && !PyUnicode_CompareWithASCIIString(name.get(), kName);
  }
  /// How many hooks ask for a code object's instructions.
  void add(PyObject *code) {
    if (!users[code]++) setEvents(code, instruction);
  }
  void drop(PyObject *code) {
    auto found = users.find(code);
    if (--found->second) return;
    users.erase(found);
    setEvents(code, 0);
  }
  /// How many hooks are to be told of all code that starts or goes on.
  void follow(int more) {
    following += more;
    Object done(isThere() ? PyObject_CallMethod(monitoring.get(), "set_events", "il", number, following ? starts : 0) : nullptr);
    PyErr_Clear();
  }

private:
  static constexpr const char *kName = "kiln";
  Object monitoring;
  int number = -1;
  int following = 0;
  long instruction = 0, starts = 0;
  std::unordered_map<PyObject *, int> users;

  Tool() : monitoring(Object::borrow(PySys_GetObject("monitoring"))) {
    Object events(monitoring ? PyObject_GetAttrString(monitoring.get(), "events") : nullptr);
    auto eventOf = [&](const char *name) {
      Object event(events ? PyObject_GetAttrString(events.get(), name) : nullptr);
      return event ? PyLong_AsLong(event.get()) : 0;
    };
    instruction = eventOf("INSTRUCTION");
    long start = eventOf("PY_START"), resume = eventOf("PY_RESUME");
    starts = start | resume;
    for (int free : {4, 3}) {
      if (!instruction || isThere()) break;
      Object used(PyObject_CallMethod(monitoring.get(), "use_tool_id", "is", free, kName));
      bool isTold = used && tell(free, instruction, HookEvents::onInstruction) && tell(free, start, HookEvents::onStart) &&
                    tell(free, resume, HookEvents::onStart);
      if (isTold) number = free;
      PyErr_Clear();
    }
    PyErr_Clear();
  }
  using Callback = PyObject *(*)(PyObject *, PyObject *const *, Py_ssize_t);
  /// Has a function called at an event, as the tool of a number.
  bool tell(int tool, long event, Callback function) const {
    auto *method = new PyMethodDef{"event", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function)), METH_FASTCALL, nullptr};
    Object callback(PyCFunction_New(method, nullptr)); // which keeps pointing there
    return callback && Object(PyObject_CallMethod(monitoring.get(), "register_callback", "ilO", tool, event, callback.get()));
  }
  PyObject *call(const char *name, PyObject *owned) const {
    Object argument(owned);
    return PyObject_CallMethod(monitoring.get(), name, "O", argument.get());
  }
  void setEvents(PyObject *code, long events) const {
    Object done(isThere() ? PyObject_CallMethod(monitoring.get(), "set_local_events", "iOl", number, code, events) : nullptr);
    PyErr_Clear();
  }
};

} // namespace

Hook::Hook(InstructionWatcher &watcher) : watcher(watcher) {
  if (HookEvents::running || !Tool::get().isOwn()) return;
  state = std::make_shared<State>();
  HookEvents::running = this;
}

void Hook::enter(PyCodeObject *code) {
  auto *object = reinterpret_cast<PyObject *>(code);
  if (!state) return;
  for (const Object &known : state->codes)
    if (known.get() == object) return;
  state->codes.push_back(Object::borrow(object));
  Tool::get().add(object);
}

void Hook::followAll() {
  if (!state || std::exchange(state->followsAll, true)) return;
  Tool::get().follow(1);
}

bool Hook::isWhole() const {
  ErrorAside aside;
  return state && !isBroken && Tool::get().isOwn();
}

void Hook::stop() {
  if (!state) return;
  ErrorAside aside;
  isBroken |= !isWhole();
  std::shared_ptr<State> last = std::move(state);
  HookEvents::running = nullptr;
  if (last->followsAll) Tool::get().follow(-1);
  for (const Object &code : last->codes) Tool::get().drop(code.get());
}

} // namespace kiln::py

#endif
