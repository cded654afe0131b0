// Runs the nodes of a tree: by code or by the interpreter, into new arrays; then commits what was written.
#pragma once

#include "frontend/tree/Tree.h"

namespace kiln {

/// What the host does around and between the operations of a run.
struct RunHooks {
  bool (*poll)() = nullptr;    // during long loops, under no lock: whether to stop; null: nobody asks
  void (*between)() = nullptr; // between the operations of the interpreter; may throw
};

enum class RunStatus {
  Done,
  Eager,   // nothing was written: the call has to run in eager, which fails on these values or writes in an order of its own
  Stopped, // `poll` said so, and nothing was written
};

/// Runs a node for the arrays of a call, which the caller holds; the outputs of its segment are in `made`.
RunStatus run(const Node &node, std::span<Array *const> arrays, const RunHooks &hooks, std::vector<Array> &made);

/// Whether a node writes what only eager does right: memory that another input sees under another storage, whose reads have an order, or
/// read-only memory, which is refused at the user's line before anything is written.
bool writesNeedEager(const Node &node, std::span<Array *const> arrays);

/// The status of a program for its buffers, with long ones stopped by `poll`.
int32_t callProgram(const Segment &segment, void *const *buffers, const int64_t *dims, const RunHooks &hooks, bool &isStopped);

} // namespace kiln
