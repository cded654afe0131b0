// Jitted functions: their trees, and how a call finds, records or runs one.
#pragma once

#include "arguments.h"
#include "frames.h"
#include "watch.h"

#include "frontend/tree/Runner.h"
#include "frontend/tree/Sharing.h"

#include <set>

namespace kiln::py {

/// An axis of an argument whose size is declared open: axes of one name have one size.
struct OpenAxis {
  int position; // of the argument, or -1
  std::string argument;
  int axis;
  std::string name;
  int64_t low, high;
};

struct JitOptions {
  Parameters parameters;
  bool raiseOnMiss = false;
  Dynamic dynamic = Dynamic::WhereSizesVary;
  std::vector<OpenAxis> openAxes;
};

/// A tree, and what its calls need beside it.
struct Entry : Tree {
  PlainCall plain;
  const PythonState &state() const { return static_cast<const PythonState &>(*watched); } // every entry has one
};

/// KILN_JIT: code is compiled behind the program's back, or waited for, or functions run as they are written.
enum class JitMode { Auto, Sync, Off };
extern JitMode jitMode;

/// What a jitted function knows; under the lock of the interpreter.
struct JitState {
  Object function;
  JitOptions options;
  std::vector<std::shared_ptr<Entry>> entries;
  Sharing sharing;
  size_t last = 0;
  int64_t calls = 0, hits = 0, misses = 0, compiles = 0, cacheHits = 0;
  std::set<const Code *> counted;   // code among `compiles` and `cacheHits`
  std::set<std::string> told;       // notes that were given

  /// Whether an entry has its code, which it takes over where that has become ready.
  bool adoptCode(Entry &entry);
  /// Tells something about the function once.
  void note(const std::string &why, const char *what = nullptr);
  int visit(visitproc visit, void *arg) const;
};

/// A call that is not the plain one of last time.
PyObject *callAny(JitState &state, const Call &call);
/// A call that the plain one of an entry fits; null with no error set where it has to run in eager.
PyObject *callPlain(Entry &entry, PyObject *const *args);
PyObject *callEager(const Call &call);

/// Records a call for its trace alone: nothing is computed or written. Throws Error (trace) where the call would run in eager.
std::shared_ptr<Entry> recordAbstract(JitState &state, const Call &call, Arguments &arguments, const char *what);
/// Runs an entry by the interpreter. Throws Error (trace) where an operation fails on data.
PyObject *interpretEntry(const Entry &entry, const Arguments &arguments);

PyObject *countersOf(JitState &state);
PyObject *entriesOf(JitState &state);

/// Declared axes (dynamic=): the sizes of a call against them, which axes of a trace's inputs they are, and the call at other sizes.
void checkAxes(const JitOptions &options, const Call &call, const Arguments &arguments);
OpenAxes allowedAxes(const JitOptions &options, const Call &call, const Arguments &arguments, std::span<const int> inputs);
std::optional<Trace> probeSizes(JitState &state, const Call &call, const Arguments &arguments, std::string &why);

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

} // namespace kiln::py
