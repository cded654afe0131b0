// What a target is. Everything behind fusion goes through this interface; a target is a folder that implements it, and registers itself.
#pragma once

#include "include/kiln/executable.h"
#include "passes/fuse/Fuse/FusionRules.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

namespace kiln::codegen {

/// The machine that code is for, in LLVM's names. An empty triple: this machine; an empty CPU: its own, or the least of the triple.
struct MachineName {
  std::string triple, cpu, features;
};

/// What a target can do at all; a program that asks for more is refused with a reason.
struct Capabilities {
  llvm::SmallVector<ir::KernelKind> kernels; // with an emitter
  bool openSizes = false;                    // programs for any size
  /// The triple of a device whose artifacts are launch plans (lib/Core/LaunchPlan.h); empty: its code runs in a thread of the caller's.
  llvm::StringRef device = "";
};

/// Code that people read: what is left of a module after the target's own optimizations, and the last before numbers.
enum class Text { Lowered, Assembly };

/// One machine of a target.
class Machine {
public:
  virtual ~Machine() = default;
  /// Says on a module, for the passes of the target, what the machine is like.
  virtual void describe(mlir::ModuleOp module) const = 0;
  /// Writes a lowered module as the bytes of an artifact, to a file, whole or not at all. Takes the module apart. Throws Error (compile).
  virtual void serialize(mlir::ModuleOp module, const std::string &path) const = 0;
  virtual std::string print(mlir::ModuleOp module, Text text) const = 0;
};

/// Code that this process can run.
class Code {
public:
  virtual ~Code() = default;
  /// Runs the program `name`, as `kiln_entry_fn` does; `runtime` may be null.
  virtual int32_t run(llvm::StringRef name, const kiln_rt *runtime, void *const *buffers, const int64_t *dims, void *workspace) = 0;
  /// Of a module with a program whose workspace follows from sizes: its bytes, or -1 for more than there can be; 0 where it has none.
  virtual int64_t workspaceBytes(const int64_t * /*dims*/) { return 0; }
};

class Target {
public:
  virtual ~Target() = default;
  virtual llvm::StringRef name() const = 0;
  virtual Capabilities capabilities() const = 0;
  /// Whether it can run a kernel of a kind that it can run at all.
  virtual bool takes(ir::KernelOp) const { return true; }
  /// Whether it can run a kernel of a program for any size, where it can run some.
  virtual bool takesOpenSizes(ir::KernelOp) const { return true; }
  /// The dialects that its passes make, with their translations.
  virtual void addDialects(mlir::DialectRegistry &) const {}
  /// Registers its passes, under the names that tools take.
  virtual void addPasses() const {}
  /// What may become one kernel, and what operations cost.
  virtual const FusionRules &fusion() const = 0;
  /// Adds the passes that decide on each kernel how it will run, as attributes; with a seed, any way that is legal (for tests).
  virtual void addSchedule(mlir::OpPassManager &, uint64_t /*seed*/) const {}
  /// Adds the passes from scheduled kernels to the code of the target: a form that can be read, and then the one that is serialized.
  virtual void addEmission(mlir::OpPassManager &pm) const = 0;
  virtual void addLowering(mlir::OpPassManager &pm) const = 0;
  /// Throws Error (compile) for a machine that the target does not know.
  virtual std::unique_ptr<Machine> machine(const MachineName &name) const = 0;
  /// Makes an artifact runnable here. Throws Error (compile) where it is for another machine.
  virtual std::unique_ptr<Code> load(const std::string &path) const = 0;
};

/// Adds a target for the life of the process, as a folder of a target does when it is loaded.
struct RegisterTarget {
  explicit RegisterTarget(std::unique_ptr<Target> target);
};
/// Throws Error (device) for a name that nobody registered.
const Target &targetOf(llvm::StringRef name);
/// All that are registered.
llvm::SmallVector<const Target *> allTargets();

/// Fails with a diagnostic where a planned module asks for more than the target can, or its plan is not sound.
mlir::LogicalResult checkCapabilities(mlir::ModuleOp module, const Target &target);

} // namespace kiln::codegen
