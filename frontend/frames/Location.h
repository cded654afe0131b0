// Where a program is, and which frames belong to the call that is recorded.
#pragma once

#include "frontend/frames/Watch.h"

namespace kiln::py {

/// While one lives, operations of this thread belong to a recording where their frames are within the call and have analysed code.
class RecordedFrames {
public:
  explicit RecordedFrames(const PythonState &state);
  ~RecordedFrames();

private:
  friend Location currentLocation();
  const PythonState &state;
  Frame caller; // that the call was made in, which stays while the call runs
  RecordedFrames *outer;
};

/// Where the program is: the innermost frame outside the package, and whether it is part of the call that is recorded.
Location currentLocation();

} // namespace kiln::py
