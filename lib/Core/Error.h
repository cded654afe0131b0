// Errors of Kiln: a kind, which becomes the Python class, and a message that says what was expected and what was met.
#pragma once

#include <stdexcept>
#include <string>

namespace kiln {

enum class ErrorKind { Shape, DType, Device, Trace, Package, Compile, Index, Axis, Value, Overflow, Memory, LinAlg };

class Error : public std::runtime_error {
public:
  Error(ErrorKind kind, const std::string &message) : std::runtime_error(message), kind(kind) {}
  ErrorKind kind;
};

/// A program gets no optimized code, as it would take too much or the compiler cannot be used: it runs operation by operation.
class Declined : public Error {
public:
  explicit Declined(const std::string &message) : Error(ErrorKind::Compile, message) {}
};

/// "<op>: <what>: expected <expected>, got <got>", the form of every message about an operand.
[[noreturn]] inline void fail(ErrorKind kind, const std::string &op, const std::string &what, const std::string &expected,
                              const std::string &got) {
  throw Error(kind, op + ": " + what + ": expected " + expected + ", got " + got);
}

} // namespace kiln
