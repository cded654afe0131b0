// Results of recorded calls: read into templates, checked against what else is kept of the call, and built again.
#pragma once

#include "arguments.h"

#include "frontend/frames/Watch.h"

namespace kiln::py {

/// Reads the result of a recorded call into a template, and the outputs of its trace; why it cannot be built again, or nothing.
/// `state` is what the call read; null where no number in it is known by formula.
std::string readResult(Recorder &recorder, const Arguments &arguments, PyObject *result, Ending &ending, PythonState *state = nullptr);

/// An array of the call that something outside of it, of its result and of what it stored to holds, as a reason; or nothing. `held` are the
/// cells from before the call, with how many held them.
std::string findKept(const Recorder &recorder, const Arguments &arguments, PyObject *result, std::span<const Store> stores,
                     std::span<const int32_t> held);
/// How many hold the cells of the arrays of a call.
std::vector<int32_t> countHolders(const Arguments &arguments);

/// The result of a run.
PyObject *buildResult(const Ending &ending, const Arguments &arguments, std::span<Array> made);

/// Where something was recorded: "file.py:3: ".
std::string placeOf(const Location &at);

/// For Python: a list; a source as ("entry" | "live" | "made", number), and a list of such.
Object listOf(std::span<const Object> objects);
Object pairOf(const Source &source);
Object pairsOf(std::span<const Source> sources);

int visitEnding(const Ending &ending, visitproc visit, void *arg);

} // namespace kiln::py
