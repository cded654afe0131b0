// The routines of a device's libraries that steps of launch plans may call (docs/formats/launch-plan.md says what each does).
#pragma once

#include <cstddef>
#include <string>

namespace kiln {

struct PlanRoutine {
  const char *name;
  size_t words, pointers; // of a call; a transform has further words, one for each axis
  bool isTransform;
};
/// All of them, up to one without a name.
extern const PlanRoutine kPlanRoutines[];
/// Null for another name.
const PlanRoutine *findPlanRoutine(const std::string &name);

} // namespace kiln
