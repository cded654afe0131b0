#include "lib/Core/PlanRoutines.h"

namespace kiln {

const PlanRoutine kPlanRoutines[] = {
    {"potrf", 4, 2, false}, {"getrf", 3, 3, false}, {"getrs", 4, 4, false}, {"geqrf", 4, 3, false}, {"orgqr", 5, 3, false},
    {"syevd", 5, 3, false}, {"gesvd", 5, 5, false}, {"geev", 4, 4, false},  {"fft", 5, 2, true},    {nullptr, 0, 0, false},
};

const PlanRoutine *findPlanRoutine(const std::string &name) {
  for (const PlanRoutine *routine = kPlanRoutines; routine->name; ++routine)
    if (name == routine->name) return routine;
  return nullptr;
}

} // namespace kiln
