// Runs a tree, step after step: by code or by the interpreter, into new arrays; at the end of the path what was written is committed.
#pragma once

#include "frontend/tree/Times.h"
#include "frontend/tree/Tree.h"
#include "lib/Library/Library.h"

#include <functional>

namespace kiln {

/// What the host does around and between the operations of a run.
struct RunHooks {
  bool (*poll)() = nullptr;            // during long loops, under no lock: whether to stop; null: nobody asks
  void (*between)() = nullptr;         // between the operations of the interpreter; may throw
  std::function<void(Step &)> prepare; // before a step that has no code yet
  /// Before the end of a path writes, with its results: whether the host can make of them what it is to make; else the call runs in eager.
  std::function<bool(const Ending &, std::span<const Array>)> accepts;
  std::function<bool(Node &)> tries; // at the end of a path, before it writes: whether the call is to run in eager instead
};

enum class RunStatus {
  Done,
  Eager,   // nothing was written: the call has to run in eager, which fails on these values or writes in an order of its own
  Unknown, // nothing was written: the call asks for a value that no recorded one was told
  Stopped, // `poll` said so, and nothing was written
};

/// Where a run ended, and the arrays that the result is made of.
struct Ran {
  Node *end = nullptr;
  static constexpr size_t kMostNoted = 17;
  Node *path[kMostNoted]; // its first nodes
  size_t count = 0;       // how many it has
  std::span<Node *const> noted() const { return std::span(path).first(std::min(count, kMostNoted)); }
  std::shared_ptr<const Ending> ending; // of Done
  std::string asked;                    // of Unknown: the bits of the value
  bool isCompiled = true;               // by code alone
  bool isTried = false;                 // of Eager: the run was complete
  std::vector<Array> results;
};

/// Runs a call of a tree; the caller holds both.
RunStatus run(Tree &tree, std::span<Array *const> arrays, const RunHooks &hooks, Ran &ran);

/// Runs a step by itself.
RunStatus runStep(const Step &step, std::span<const Array *const> inputs, const RunHooks &hooks, std::vector<Array> &made);

/// Puts new content into a cell from before the call.
void commit(Array &target, const Array &content);

/// Whether a path writes what only eager does right: memory that another input sees under another storage, whose reads have an order, or
/// read-only memory, which is refused at the user's line before anything is written.
bool writesNeedEager(const Tree &tree, const Ending &ending, std::span<Array *const> arrays);

/// Runs the code of a segment here and now: its status.
inline int32_t runEntry(const Segment &segment, void *const *buffers, const int64_t *dims, void *workspace, bool isTimed = isTiming) {
  if (isTimed) [[unlikely]]
    return runTimed(segment, buffers, dims, workspace);
  return segment.executable->entry(runtimeTable(), buffers, dims, workspace);
}

/// The status of a program for its buffers, with long ones stopped by `poll`. `keepsOthersOut`: no other thread of the host runs meanwhile.
int32_t callProgram(const Segment &segment, void *const *buffers, const int64_t *dims, const RunHooks &hooks, bool &isStopped,
                    bool keepsOthersOut = false);

} // namespace kiln
