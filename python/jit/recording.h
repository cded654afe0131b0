// Calls that are recorded: what a call reads of Python is watched, and the path that it takes becomes one of its tree.
#pragma once

#include "search.h"

#include <chrono>
#include <functional>

namespace kiln::py {

using Clock = std::chrono::steady_clock;
/// A run that takes longer has its code compiled at once.
inline constexpr auto kLongRun = std::chrono::milliseconds(1);

/// A recorded call: its result, null where it raised, and the path that it took.
struct Recorded {
  Object result;
  Path path;
  std::vector<Array> given;            // with KILN_JIT=sync, the arrays as the call found them
  std::unique_ptr<StateSearch> search; // null: what it reads was known
  std::string unseen;                  // why the search failed, or nothing
};

/// A recording for its path alone: of a call that computes, writes some arrays, and is ended before it does anything else.
struct Apart {
  /// Sets the error that ends it.
  std::function<void(const std::string &why)> refuse;
  std::set<int> writable; // as a recorder has them
  std::set<int64_t> flips;
  std::vector<Recorder::Answered> *answered = nullptr;
  const std::vector<Recorder::Answered> *given = nullptr;
  int64_t mostSteps = -1; // as a reader does
  /// Reads the result into what the path ends with; why it is of no use, or nothing.
  std::function<std::string(Recorder &recorder, StateSearch &search, PyObject *result, Ending &ending)> readEnd;
};

/// Records a call of a tree while it runs as eager does.
Recorded recordCall(JitState &state, const Tree &tree, const Call &call, Arguments &arguments, const Apart *how = nullptr);
/// Has a tree watch what the search of a call found as well.
void adoptSearch(Tree &tree, Recorded &recorded);
/// Whether a tree is the one of a call; the arrays that it reads by name are then behind the arguments.
bool fits(const Tree &tree, Arguments &arguments);

/// A call that is recorded, into a tree of the function or a new one.
PyObject *callRecording(JitState &state, const std::shared_ptr<Tree> &tree, bool isNew, const Call &call, Arguments &arguments);
/// A call that Python drives: its operations are put off until a value is needed, and run as segments then.
PyObject *callDriven(JitState &state, const std::shared_ptr<Tree> &tree, const Call &call, const Arguments &arguments);

} // namespace kiln::py
