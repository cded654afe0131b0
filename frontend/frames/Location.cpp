#include "frontend/frames/Location.h"

namespace kiln::py {

static thread_local RecordedFrames *recorded = nullptr;

RecordedFrames::RecordedFrames(const PythonState &state) : state(state), caller(Frame::innermost()), outer(recorded) { recorded = this; }
RecordedFrames::~RecordedFrames() { recorded = outer; }

// The code object outlives the frame: the function holds it, and the recording holds the function.
Location currentLocation() {
  Location found;
  for (Frame frame = Frame::innermost(); frame && (!recorded || frame != recorded->caller); frame = frame.caller()) {
    if (frame.isOfPackage()) continue;
    if (!found.code) found = {frame.code(), frame.instruction()};
    if (!recorded) break;
    found.isForeign |= !recorded->state.codes.contains(frame.code());
  }
  return found;
}

} // namespace kiln::py
