// A processor beside the CPU that has memory of its own and runs launch plans (lib/Core/LaunchPlan.h): what the frontend makes a device of.
#pragma once

#include "lib/Core/LaunchPlan.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace kiln {

/// What code is compiled for: a target of the compiler, and a CPU in LLVM's names.
struct CompileTarget {
  std::string target, cpu;
  bool isTimed = false; // code tells of each kernel that has run (lib/Core/Timed.h)
};

/// A program that an accelerator has taken.
class AcceleratorProgram {
public:
  explicit AcceleratorProgram(LaunchPlan::Program plan) : plan(std::move(plan)) {}
  virtual ~AcceleratorProgram() = default;
  const LaunchPlan::Program plan;

  /// Memory of the accelerator; or, with `hostBytes`, so many bytes of the host, which are there when the program starts.
  struct Argument {
    void *data;
    size_t hostBytes = 0;
  };
  /// The most of the latter, each.
  static constexpr size_t kMostHostBytes = 16;
  /// Starts the program behind all that was started before. Of one that can fail on values the status, bits of kiln/executable.h, once it
  /// has ended; else 0, at once, or where it has steps, once the host knows how it ends. KILN_STOPPED where the thread's Interruptible
  /// said so meanwhile; what it has written is of no use then. `arguments`: inputs, then outputs; `sizes`: those of a program for any size,
  /// which throws Error (memory) for some that are too large.
  virtual int32_t run(std::span<const Argument> arguments, std::span<const int64_t> sizes) = 0;
  /// Whether `run` may take long.
  bool waits() const { return plan.canFail || !plan.steps.empty(); }
};

/// Everything that is started runs in order, also what several threads start.
class Accelerator {
public:
  explicit Accelerator(std::string name) : name(std::move(name)) {}
  virtual ~Accelerator() = default;
  Accelerator(const Accelerator &) = delete;
  const std::string name; // as users write it
  /// Whether something was asked of it.
  virtual bool isOpen() const = 0;

  // All of these open the processor at their first call, and throw Error (device) where that fails.
  virtual const CompileTarget &target() = 0;
  /// What a person wants to know of it, and of the libraries that it has, in lines.
  virtual std::string describe() = 0;
  /// Throws Error (memory) where there is none.
  virtual void *allocate(size_t bytes) = 0;
  virtual void release(void *memory, size_t bytes) noexcept = 0;
  /// From the host, to the host, and from here to here. The host may use its side once they return.
  virtual void copyIn(void *to, const void *from, size_t bytes) = 0;
  virtual void copyOut(void *to, const void *from, size_t bytes) = 0;
  virtual void copyWithin(void *to, const void *from, size_t bytes) = 0;
  /// The kind and number that other libraries know it by (lib/Core/Dlpack.h).
  virtual std::pair<int32_t, int32_t> numbers() const = 0;
  /// The queue of what is started, as the driver has it; 0: there is none.
  virtual uint64_t queue() = 0;
  /// What is started from here on waits for what another library has put into a queue of its own so far; or theirs for ours.
  virtual void waitFor(uint64_t theirs) = 0;
  virtual void holdUp(uint64_t theirs) = 0;
  /// Waits for all that was started.
  virtual void synchronize() = 0;

  struct Memory {
    int64_t used = 0, held = 0; // bytes in blocks, and with what waits for the next ones
  };
  virtual Memory memory() = 0;
  /// Gives back what waits for the next blocks.
  virtual void releaseHeld() = 0;

  /// Starts a kernel that is no part of a plan, of code that lives as long as the process, with parameters of 64 bits. Throws Error
  /// (compile) for code that is not this processor's.
  struct Shape {
    int64_t blocks, threads, sharedBytes;
  };
  virtual void launch(const std::string &code, const std::string &kernel, Shape shape, std::span<const uint64_t> parameters) = 0;

  /// The code of a plan as it loads fastest: what the cache keeps. Any thread may ask for it.
  virtual std::string assemble(const std::string &code) = 0;
  /// The program of a plan of one. Throws Error (compile) where the code is for another processor.
  virtual std::shared_ptr<AcceleratorProgram> load(LaunchPlan plan) = 0;
};

/// Those of this machine, which live as long as the process; nothing is opened.
std::span<Accelerator *const> accelerators();

} // namespace kiln
