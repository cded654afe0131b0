// What compilations share.
#pragma once

#include "codegen/Target.h"
#include "include/kiln/compiler.h"

#include <map>
#include <mutex>

namespace kiln::codegen {

/// The passes of a target, put together once, and its last machine.
struct Stages {
  mlir::PassManager fuse, kernels, schedule, emit, lower;
  const Target &target;
  std::string machineName;
  std::unique_ptr<Machine> machine;

  Stages(mlir::MLIRContext *context, const Target &target);
};

/// The context with its dialects, and what belongs to targets, made once. Held by one compilation at a time;
/// never destroyed, as threads may still compile when the process exits.
class Session {
public:
  static Session &get();
  std::mutex mutex;
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};

  Stages &stagesOf(const Target &target);
  /// With the machine that a request names.
  Stages &stagesOf(const kiln_compile_request &request);

private:
  std::map<const Target *, std::unique_ptr<Stages>> stages;
  Session();
};

/// Runs the body of a function of the C ABI: its status, and the text of an error that it throws.
int32_t guarded(char **error, llvm::function_ref<void()> body);

} // namespace kiln::codegen
