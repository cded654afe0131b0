// What a program for a device consists of: code, and the launches of its kernels in order, with the loops and branches among them. The file
// that targets for devices write and the runtime reads (docs/formats/launch-plan.md).
#pragma once

#include "lib/Core/PlanNumber.h"

#include <utility>

namespace kiln {

/// Bytes of shared memory that a kernel may declare; for more the launch asks.
inline constexpr int64_t kDeclaredShared = 48 << 10;

struct LaunchPlan {
  enum class Memory { Input, Output, Workspace, Status, Size, Constant };
  /// A pointer that a kernel gets: an input, an output, or so many bytes into the workspace; and the bytes around it that it may touch. Or
  /// a size of the call, as 64 bits. A constant is no pointer, but the number itself, of steps and of kernels of ops.
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
    bool isOp = false; // `kernel` is the name of a custom op, whose kernel is none of the plan's code (lib/Core/NativeOps.h)
    /// How many bytes of shared memory the launch asks for.
    int64_t askedBytes() const { return isOp || sharedBytes > kDeclaredShared ? sharedBytes : 0; }
    bool operator==(const Launch &) const = default;
  };
  /// What a program does between launches. Bodies are named by number.
  struct Step {
    enum class Kind {
      Copy,   // to, from
      Call,   // workspace, then the inputs and outputs of the body
      Choose, // a number, workspace, inputs and outputs of all bodies alike: the body of that number, or the nearest
      While,  // a flag, workspace, and values: a condition, which writes the flag, and a body
      Repeat, // two int64, workspace, and values: the body as often as the second is larger
      Library // what the routine reads and writes, in its order
    };
    Kind kind = Kind::Copy;
    int64_t at = 0; // how many launches of the program are before it
    std::vector<int64_t> bodies;
    /// Of a loop, the values that a trip hands to the next. They stand twice, as where they are and where the next ones go, which change
    /// roles with each trip, and end where they began; the body writes in place where both are one. What all trips read follows.
    int64_t carried = 0;
    int64_t counter = -1, by = 0; // of Repeat: the carried int64 that counts, up from the first number (1) or down from the second (-1)
    std::vector<Argument> arguments;
    std::string routine = {};        // of Library: a name of lib/Core/PlanRoutines.h
    std::vector<int64_t> words = {}; // and its numbers
    bool operator==(const Step &) const = default;

    bool isLoop() const { return kind == Kind::While || kind == Kind::Repeat; }
    /// How many arguments stand before the arrays of a body; the last of them is its workspace.
    size_t firstArray() const { return kind == Kind::Call ? 1 : kind == Kind::Repeat ? 3 : 2; }
  };
  struct Program {
    std::string name;
    int64_t inputs = 0, outputs = 0;
    PlanNumber workspaceBytes;
    std::vector<Launch> launches;
    bool canFail = false;         // a kernel may set bits of the status
    std::vector<int64_t> inPlace; // by output: the input in whose memory it lies, or -1; empty where there is none
    int64_t sizes = 0;            // that its caller gives: the symbols of a program for any size, then strides
    std::vector<Step> steps;      // empty where it is launches alone
    /// The launches before step `number`, behind the step before; behind the last one for as many as there are.
    std::span<const Launch> part(size_t number) const {
      int64_t from = number ? steps[number - 1].at : 0, to = number < steps.size() ? steps[number].at : int64_t(launches.size());
      return std::span(launches).subspan(size_t(from), size_t(to - from));
    }
    bool operator==(const Program &) const = default;

    /// The program of these sizes: all its numbers are constants. Throws Error (value) for another number of sizes, and Error (memory) for
    /// larger ones than there can be.
    Program at(std::span<const int64_t> given) const;
    /// The bytes of its workspace; throws likewise.
    size_t workspaceFor(std::span<const int64_t> given) const;
  };

  std::string code;                      // PTX, or what else the target's loader takes
  std::vector<Program> programs, bodies; // what steps run; a body runs later ones alone

  /// All of both.
  template <typename Visit> void forEach(Visit visit) const {
    for (const Program &program : programs) visit(program);
    for (const Program &body : bodies) visit(body);
  }
  bool hasLaunches() const {
    bool has = false;
    forEach([&](const Program &program) { has |= !program.launches.empty(); });
    return has;
  }
  /// The bytes around each array of a program, inputs first, that it may touch.
  static std::vector<std::pair<int64_t, int64_t>> extentsOf(const Program &program);
  /// Null where there is none.
  const Program *find(const std::string &name) const;
  std::string write() const;
  /// Throws Error (compile) for what `write` did not write.
  static LaunchPlan read(const std::string &file);
};

} // namespace kiln
