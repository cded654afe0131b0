// Where a program is: which frames are the user's, and which belong to the call that is recorded.
#include "jit.h"

#include <cstring>

namespace kiln::py {

static thread_local RecordedFrames *recorded = nullptr;

RecordedFrames::RecordedFrames(const PythonState &state)
    : state(state), caller(reinterpret_cast<PyObject *>(PyEval_GetFrame())), outer(recorded) {
  recorded = this;
}
RecordedFrames::~RecordedFrames() { recorded = outer; }

static bool isOurs(PyObject *code) {
  const char *name = PyUnicode_AsUTF8(reinterpret_cast<PyCodeObject *>(code)->co_filename);
  if (!name) PyErr_Clear();
  const std::string &folder = side().packageFolder;
  return name && !std::strncmp(name, folder.c_str(), folder.size());
}

Location currentLocation() {
  Location found;
  Object frame = Object::borrow(reinterpret_cast<PyObject *>(PyEval_GetFrame()));
  while (frame && (!recorded || frame.get() != recorded->caller)) {
    auto *f = reinterpret_cast<PyFrameObject *>(frame.get());
    Object code(reinterpret_cast<PyObject *>(PyFrame_GetCode(f)));
    if (!isOurs(code.get())) {
      // The code object outlives the frame: the function holds it, and the recording holds the function.
      if (!found.code) found = {code.get(), PyFrame_GetLasti(f)};
      if (!recorded) break;
      if (!recorded->state.codes.contains(code.get())) found.isForeign = true;
    }
    frame = Object(reinterpret_cast<PyObject *>(PyFrame_GetBack(f)));
  }
  return found;
}

} // namespace kiln::py
