// What a program for a device consists of: code, and the launches of its kernels in order. The file that targets for devices write and
// the runtime reads (docs/formats/launch-plan.md).
#pragma once

#include "lib/Core/PlanNumber.h"

namespace kiln {

/// Bytes of shared memory that a kernel may declare; for more the launch asks.
inline constexpr int64_t kDeclaredShared = 48 << 10;

struct LaunchPlan {
  enum class Memory { Input, Output, Workspace, Status, Size };
  /// A pointer that a kernel gets: an input, an output, or so many bytes into the workspace; and the bytes around it that it may touch. Or
  /// a size of the call, as 64 bits.
  struct Argument {
    Memory memory = Memory::Input;
    PlanNumber number, low, high;
    bool operator==(const Argument &) const = default;
  };
  struct Launch {
    std::string kernel;
    PlanNumber blocks; // none: it does nothing
    int64_t threads = 0, sharedBytes = 0;
    std::vector<Argument> arguments;
    bool operator==(const Launch &) const = default;
  };
  struct Program {
    std::string name;
    int64_t inputs = 0, outputs = 0;
    PlanNumber workspaceBytes;
    std::vector<Launch> launches;
    bool canFail = false;         // a kernel may set bits of the status
    std::vector<int64_t> inPlace; // by output: the input in whose memory it lies, or -1; empty where there is none
    int64_t sizes = 0;            // that its caller gives: the symbols of a program for any size, then strides
    bool operator==(const Program &) const = default;

    /// The program of these sizes: all its numbers are constants. Throws Error (value) for another number of sizes, and Error (memory) for
    /// larger ones than there can be.
    Program at(std::span<const int64_t> given) const;
    /// The bytes of its workspace; throws likewise.
    size_t workspaceFor(std::span<const int64_t> given) const;
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
