// Jitted functions: their trees, and how a call finds, records or runs one.
#pragma once

#include "arguments.h"
#include "loops.h"

#include "frontend/frames/Location.h"
#include "frontend/tree/Function.h"

namespace kiln::py {

class Existing; // frontend/frames/Effects.h

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
  bool raiseOnMiss = false, warnOnMiss = false;
  Dynamic dynamic = Dynamic::WhereSizesVary;
  bool isFast = false;
  std::vector<OpenAxis> openAxes;
};

/// What a recording of a tree read of Python; every tree has one.
inline const PythonState &stateOf(const Tree &tree) { return static_cast<const PythonState &>(*tree.watched); }

extern JitMode jitMode; // KILN_JIT

/// What a jitted function knows; under the lock of the interpreter.
struct JitState : Function {
  Object function;
  JitOptions options;
  std::set<std::string> told; // notes that were given
  /// A call that was recorded after the first one: what was new, and how long it took.
  struct RecordedAgain {
    std::string why;
    double seconds;
  };
  std::deque<RecordedAgain> again; // the last ones
  /// Of a path: the number of the last call that was recorded, and how often it was another one.
  struct Changing {
    Object last;
    int changes = 0;
    bool isFixed = false; // it is needed as it is
  };
  std::unordered_map<uint64_t, Changing> changing;
  /// Of a parameter: the object of the last call that was recorded, and what it held.
  struct ChangingObject {
    Held last;
    std::vector<int64_t> words; // of the key
    int others = 0;             // objects after it was opened
    bool isFixed = false;       // what it holds is part of keys for ever
  };
  std::vector<ChangingObject> changingObjects;
  Moments moments;           // that its calls came back to
  bool prefersSearch = true; // what it reads may be found while it runs, where the analysis could say it as well

  /// Tells something about the function once.
  void note(const std::string &why, const char *what = nullptr);
  /// Notes a recording after the first.
  void noteAgain(const std::string &what, double seconds);
  /// Tells that a call runs in eager, or what else is not as it was to be; throws Error (trace) where that was to be raised.
  void noteMiss(const std::string &why, const char *what = nullptr);
  /// Notes the numbers of a call that is new; whether some are no part of keys from here on.
  bool opensNumbers(const Arguments &arguments);
  /// Notes the objects of a call that is new; whether what some hold is no part of keys from here on, or is so again. An object that
  /// comes back with other numbers in it is watched as if it were read by name.
  bool opensObjects(const Arguments &arguments);
  /// What the objects of a call hold is part of keys for ever; false where it is so already.
  bool closeObjects(const Arguments &arguments);
  /// These of the numbers that a call was given are part of keys for ever.
  void closeNumbers(const Arguments &arguments, std::span<const Py_ssize_t> numbers);
  int visit(visitproc visit, void *arg) const;

protected:
  void codeIsThere(const Step &step, bool isCompiled) override;
  std::vector<SourcePlace> placesOf(const Step &step) override;
};

/// A call that is not the plain one of last time.
PyObject *callAny(JitState &state, const Call &call);
/// A call that the plain one of a tree fits; null with no error set where it has to run in eager, takes another path than most,
/// or cannot write in place.
PyObject *callPlain(Tree &tree, PyObject *const *args);
PyObject *callEager(const Call &call);

/// What a run lets through between its steps: signals, and a Ctrl-C during long ones.
RunHooks runHooks(bool isLong);
inline RunHooks hooksOf(const Tree &tree) { return runHooks(tree.isLong); }
/// What a call reads of Python's state, for a tree of its own; why it cannot be watched, or nothing. Where its frames can be read, that is
/// found while it runs, and `maySearch` also where the analysis can say it, but numbers may change.
std::string watch(Tree &tree, const JitState &jitted, Arguments &arguments, bool maySearch = true);
/// Runs a call under a recorder.
PyObject *callRecorded(Recorder &r, const PythonState &state, const Call &call);

/// Records a call for its trace alone: nothing is computed or written. Throws Error (trace) where the call would run in eager.
std::shared_ptr<Tree> recordAbstract(JitState &state, const Call &call, Arguments &arguments, const char *what);
/// A call recorded for a package (kn.export): what is given without memory are its arguments, other arrays are weights. `flatten` gives the
/// arrays of the result. A tuple: the words of the trace, the arrays that are its inputs, and the numbers of those that it writes; their
/// contents are its first outputs. `given`: flatten, and what exists before the export. Throws Error (trace) where the call would run in
/// eager, or does more than compute: that does not happen.
PyObject *recordForPackage(JitState &state, const Call &call, Arguments &arguments, PyObject *given);
/// The same of a call that asks for values: it is told those of an example. `given`: also arrays of the call, and what the example has in
/// their place. A tuple: the pieces, cut where a value was asked for, the arrays that are inputs, the numbers of those that are written,
/// and where their contents and the arrays of the result are found.
PyObject *recordPath(JitState &state, const Call &call, Arguments &arguments, PyObject *given);
/// The ways that calls take through a function which asks for values, as a tree whose trips of loops are loops. `given`: a function that
/// gives the arguments of the i-th call anew, numbers of calls, one that takes a result apart, and what an earlier recording gave, or None.
/// The calls are made, with nothing done but to compute. Without numbers: those of the earlier recording are told what they were told
/// there, as they have other sizes now. (the tree, arrays, which of them are copies, all calls so far); None where the calls do more, or
/// what is not known.
PyObject *recordWays(JitState &state, PyObject *given);
/// A call by a tuple and a dict, all of whose numbers are part of its key: as it is made, and its arguments.
void readCall(const JitState &state, PyObject *args, PyObject *kwargs, const std::function<void(const Call &, Arguments &)> &use);
/// What a kiln._core.Existing holds.
Existing *existingOf(PyObject *object);
/// Runs a tree by the interpreter. Throws Error (trace) where an operation fails on data.
PyObject *interpretTree(Tree &tree, const Arguments &arguments);

PyObject *countersOf(JitState &state);
/// What Python was told, from its bits.
PyObject *valueOf(const std::string &bits, const Step &step);
PyObject *entriesOf(JitState &state);
/// The last calls that were recorded again: why, and the milliseconds that they took.
PyObject *againOf(JitState &state);

/// Declared axes (dynamic=): the sizes of a call against them, which axes of a trace's inputs they are, and the call at other sizes.
void checkAxes(const JitOptions &options, const Call &call, const Arguments &arguments);
OpenAxes allowedAxes(const JitOptions &options, const Call &call, const Arguments &arguments, std::span<const int> inputs);
std::optional<Trace> probeSizes(JitState &state, const Call &call, const Arguments &arguments, std::string &why);

} // namespace kiln::py
