// Helpers of tests: what is thrown, and what a child process gives.
#pragma once

#include "lib/Core/Error.h"

#include <functional>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace kiln {

/// The kind and text of what `run` throws.
inline std::pair<ErrorKind, std::string> thrown(const std::function<void()> &run) {
  try {
    run();
  } catch (const Error &error) { return {error.kind, error.what()}; }
  return {ErrorKind::Value, "nothing"};
}
inline bool contains(const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; }

/// The exit code of a child that runs `run`.
inline int inChild(const std::function<int()> &run) {
  pid_t child = fork();
  if (child == 0) {
    int code = 99; // anything else that is thrown
    try {
      code = run();
    } catch (...) {}
    _exit(code);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

} // namespace kiln
