// What a program for a device consists of: code, and the launches of its kernels in order. The file that targets for devices write and
// the runtime reads (docs/formats/launch-plan.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kiln {

/// Bytes of shared memory that a kernel may declare; for more the launch asks.
inline constexpr int64_t kDeclaredShared = 48 << 10;

struct LaunchPlan {
  enum class Memory { Input, Output, Workspace, Status };
  /// A pointer that a kernel gets: an input, an output, or so many bytes into the workspace; and the bytes around it that it may touch.
  struct Argument {
    Memory memory = Memory::Input;
    int64_t number = 0, low = 0, high = 0;
    bool operator==(const Argument &) const = default;
  };
  struct Launch {
    std::string kernel;
    int64_t blocks = 0, threads = 0, sharedBytes = 0;
    std::vector<Argument> arguments;
    bool operator==(const Launch &) const = default;
  };
  struct Program {
    std::string name;
    int64_t inputs = 0, outputs = 0, workspaceBytes = 0;
    std::vector<Launch> launches;
    bool canFail = false;         // a kernel may set bits of the status
    std::vector<int64_t> inPlace; // by output: the input in whose memory it lies, or -1; empty where there is none
    bool operator==(const Program &) const = default;
  };

  std::string code; // PTX, or what else the target's loader takes
  std::vector<Program> programs;

  /// Null where there is none.
  const Program *find(const std::string &name) const;
  std::string write() const;
  /// Throws Error (compile) for what `write` did not write.
  static LaunchPlan read(const std::string &file);
};

} // namespace kiln
