// Jitted functions: what identifies a call (Signature), what it reads besides its arguments (Guard, Captured), and the
// compiled form of one such call (Entry): a tree of one node, in the terms of docs/architecture.md.
#pragma once

#include "core.h"

#include "lib/Cache/Code.h"
#include "lib/Core/Generalize.h"

namespace kiln::py {

/// The arguments of a call as words to compare, the objects among them, and their arrays.
struct Signature {
  std::vector<int64_t> words;
  std::vector<PyObject *> objects; // borrowed: strings, static values, keys; compared by value
  std::vector<PyObject *> arrays;  // borrowed: kiln.Array
  std::vector<Object> held;        // arrays made of NumPy arguments

  void clear() {
    words.clear();
    objects.clear();
    arrays.clear();
    held.clear();
  }
  void add(PyObject *value);
  void addStatic(PyObject *value, const char *name);
  void addArray(PyObject *array);
  bool addNode(PyObject *value);
};

/// A place outside the call: a name in a module's or a builtins' dictionary, or a closure cell.
struct Place {
  Object container, key;  // key is null for a cell
  PyObject *read() const; // borrowed; null if it is gone
  std::string describe() const;
};

/// A value that the recording depended on. Objects by identity, numbers and strings by type and value.
struct Guard {
  Place place;
  Object expected;
  bool holds() const;
};

/// An array read by name: looked up at each call.
struct Captured {
  Place place;
  TensorType type;
  bool isContiguous;
  int alias = -1; // the first argument or earlier captured array of the same storage
};

/// How a result is put together.
struct Output {
  enum Kind { Constant, Argument, CapturedArray, New, View, Tuple, List, Dict, Node } kind = Constant;
  Object object;            // the constant; the type of a named tuple; the keys of a dict; class and data of a node
  int index = 0;            // of the argument, captured array, new storage, or input of a view
  DType dtype = DType::F32; // of New and View: the layout in the storage
  int64_t offset = 0;
  Dims shape, strides;
  std::vector<Output> children;
};

struct Entry : std::enable_shared_from_this<Entry> {
  std::vector<int64_t> words;
  std::vector<Object> objects;
  std::vector<Guard> guards;
  std::vector<Captured> captured;
  std::vector<InputPlace> inputs;
  std::vector<TensorType> stored;                  // types of the new storages, in the order of the trace's outputs
  std::vector<std::pair<InputPlace, int>> commits; // a written cell, and the output with its new content
  Output result;
  std::shared_ptr<const Trace> trace; // of these sizes; gone once code for any size is there
  std::vector<TensorType> types;      // of the inputs
  size_t ops = 0;
  std::vector<Object> codes; // of Python, and where in them each slot was recorded: code, instruction
  std::vector<std::pair<int32_t, int32_t>> places;
  std::shared_ptr<Code> code;             // of this recording, or of several that differ in sizes and numbers; null: nothing to compute
  Instance values;                        // of the symbols and number inputs of code for any size
  std::shared_ptr<Executable> executable; // once it is there; until then the trace is replayed
  size_t workspaceBytes = 0;              // with these values
  std::string apart;                      // why it shares no code with an earlier recording
  std::string eager;                      // why calls run in eager; empty: they do not
  int64_t hits = 0;
  bool runsOnce = false; // an eager entry whose recording has done what Python does in the call: a replay gives the first result
  bool isOpen() const { return code && code->trace.isOpen(); }
  /// Takes over code that has become ready; false where there is none yet.
  bool adoptCode();

  /// Calls of row-major arrays of their own memory alone, whose results are new arrays: compared and run without a signature.
  struct Plain {
    bool isKnown = false, usable = false;
    std::vector<TensorType> arguments;
    std::vector<int> inputs;   // arguments by input of the trace
    std::vector<Dims> strides; // of the results
    std::vector<size_t> bytes;
    bool isLong = false; // other threads run meanwhile
  } plain;
  void findPlain(const Signature &s, size_t nargs);
  bool matchesPlain(PyObject *const *args, size_t nargs) const;

  bool matches(const Signature &s) const;
};

/// An axis of an argument whose size is declared open: axes of one name have one size.
struct OpenAxis {
  int position; // of the argument, or -1
  std::string argument;
  int axis;
  std::string name;
  int64_t low, high;
};

struct JitOptions {
  std::vector<int> staticNumbers;
  Object staticNames; // frozenset or null
  bool raiseOnMiss = false;
  enum Dynamic { WhereSizesVary, Never, Everywhere, Declared } dynamic = WhereSizesVary;
  std::vector<OpenAxis> openAxes;
};

/// A call as a recording sees it.
struct Call {
  PyObject *function;
  PyObject *const *args;
  size_t nargs;
  PyObject *kwnames; // null or a tuple
};
/// The words and arrays of a call; NumPy arguments become arrays, in `converted` where there are any.
void readArguments(const JitOptions &options, PyObject *const *args, size_t nargs, PyObject *kwnames, Signature &s,
                   std::vector<PyObject *> &converted);

/// Records a call.
std::shared_ptr<Entry> recordEntry(const Call &call, const Signature &signature);

/// Which code a function's recordings run, shared where they differ in sizes and numbers alone.
class Programs {
public:
  /// Throws Error (shape, trace) where the sizes of a call are not as declared.
  void check(const JitOptions &options, const Call &call, const Signature &signature) const;
  /// Chooses the code of a recorded entry: that of an earlier recording that it is an instance of, of a new program that has both as
  /// instances, or its own. Nothing is compiled.
  void choose(const JitOptions &options, const Call &call, const Signature &signature, Entry &entry,
              std::span<const std::shared_ptr<Entry>> earlier);

private:
  std::vector<std::shared_ptr<Code>> open;

  bool share(Entry &entry, const std::shared_ptr<Code> &program);
  bool widen(const OpenAxes *allowed, Entry &entry, const Trace &with, Entry *other);
  std::shared_ptr<Entry> probe(const JitOptions &options, const Call &call, const Signature &signature, std::string &why);
};
/// What a jitted function knows; under the lock of the interpreter.
struct JitState {
  Object function;
  JitOptions options;
  std::vector<std::shared_ptr<Entry>> entries;
  Programs programs;
  size_t last = 0;
  int64_t calls = 0, hits = 0, misses = 0, compiles = 0, cacheHits = 0;

  /// Whether an entry has its code, which it takes over where that has become ready.
  bool adoptCode(Entry &entry);
};
PyObject *countersOf(JitState &state);
PyObject *entriesOf(JitState &state);

/// Runs an entry, by its code where that is there; null with no error set where an operation failed on data, and nothing was written.
PyObject *runEntry(const Entry &entry, const Signature &signature, bool &failedOnData);
/// The same for an entry and arguments of the plain kind.
PyObject *runPlain(const Entry &entry, PyObject *const *args, bool &failedOnData);
/// The arrays that an entry reads by name, in order; false where one is not as recorded.
bool findCaptured(const Entry &entry, const Signature &signature, std::vector<PyObject *> &found);

} // namespace kiln::py
