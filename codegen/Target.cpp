#include "codegen/Target.h"

#include "lib/Core/Error.h"
#include "passes/memory/PlanMemory/Planned.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace kiln::codegen {

static std::vector<std::unique_ptr<Target>> &registry() {
  static auto *targets = new std::vector<std::unique_ptr<Target>>; // code may run until the process ends
  return *targets;
}

RegisterTarget::RegisterTarget(std::unique_ptr<Target> target) { registry().push_back(std::move(target)); }

const Target &targetOf(StringRef name) {
  std::string names;
  for (auto &target : registry()) {
    if (target->name() == name) return *target;
    names += (names.empty() ? "" : ", ") + target->name().str();
  }
  throw Error(ErrorKind::Device, "target: expected one of " + names + ", got '" + name.str() + "'");
}

SmallVector<const Target *> allTargets() {
  return llvm::map_to_vector(registry(), [](auto &target) -> const Target * { return target.get(); });
}

LogicalResult checkCapabilities(ModuleOp module, const Target &target) {
  Capabilities can = target.capabilities();
  for (auto fn : module.getOps<func::FuncOp>()) {
    bool isOpen = ir::symbolsOf(fn) > 0; // looked for in all of the function
    if (!can.openSizes && isOpen)
      return fn.emitError() << "target '" << target.name() << "': expected sizes that are known, got a program for any size";
    for (auto kernel : fn.getOps<ir::KernelOp>()) {
      StringRef kind = ir::stringifyKernelKind(kernel.getKind());
      if (!llvm::is_contained(can.kernels, kernel.getKind()) || !target.takes(kernel))
        return kernel.emitError() << "target '" << target.name() << "': expected a kind of kernel that it can run, got '" << kind << "'";
      if (isOpen && !target.takesOpenSizes(kernel))
        return kernel.emitError() << "target '" << target.name() << "': expected sizes that are known in a kernel of the kind '" << kind
                                  << "', got a program for any size";
    }
    if (failed(verifyPlanned(fn))) return failure();
  }
  return success();
}

} // namespace kiln::codegen
