// Frames of the interpreter, read where they lie: no frame object is made. Everything here that differs between versions of CPython
// is in Frame.cpp.
#pragma once

#include "frontend/frames/Object.h"

namespace kiln::py {

/// A Python function that runs in this thread; valid until it returns or yields. Equal for the same run of it.
class Frame {
public:
  Frame() = default;
  /// The innermost; null where no Python code runs.
  static Frame innermost();
  /// That of a generator.
  static Frame ofGenerator(PyObject *generator);
  /// The innermost outside the package.
  static Frame ofUser();

  /// The frame that called this one, of Python code; null for the outermost.
  Frame caller() const;
  PyCodeObject *code() const; // borrowed
  /// The instruction that runs, in bytes as `f_lasti`; in a call of a Python function it may be one of the call's cache entries.
  int instruction() const;
  bool isOfPackage() const;
  /// Whether it was entered from C, and not by a call of Python code in the interpreter's own loop.
  bool isCalledByC() const;
  /// Locals, cells and free variables as `co_localsplusnames` names them; slots may be null.
  PyObject **variables() const;
  /// The bottom of the value stack. How much of it is in use says the code (Code.h), and the frame where `depth` knows.
  PyObject **stack() const;
  int depth() const;         // -1: not told
  PyObject *globals() const; // borrowed, as the others
  PyObject *builtins() const;
  PyObject *function() const;

  explicit operator bool() const { return frame; }
  bool operator==(const Frame &) const = default;

private:
  friend struct HookEvents;
  explicit Frame(void *frame) : frame(frame) {}
  void *frame = nullptr;
};

/// Whether a debugger watches this thread: jitted functions then run as written, so that breakpoints stop. Coverage, profilers and
/// other trace functions are none.
bool isDebugged();

} // namespace kiln::py
