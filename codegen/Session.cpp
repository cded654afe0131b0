#include "codegen/Session.h"

#include "dialects/trace/TraceDialect.h"
#include "lib/Core/Error.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace kiln::codegen {

void registerDialects(DialectRegistry &registry) {
  registry.insert<ir::KilnDialect, ir::TraceDialect, func::FuncDialect>();
  for (const Target *target : allTargets()) target->addDialects(registry);
}

void runPasses(PassManager &passes, ModuleOp module) {
  std::string messages;
  ScopedDiagnosticHandler handler(module.getContext(), [&](Diagnostic &diagnostic) {
    messages += diagnostic.str() + "\n";
    return success();
  });
  if (failed(passes.run(module))) throw Error(ErrorKind::Compile, "compilation failed: " + messages);
}

std::string refusal(ModuleOp module, const Target &target) {
  std::string text;
  ScopedDiagnosticHandler handler(module.getContext(), [&](Diagnostic &diagnostic) {
    text = diagnostic.str();
    return success();
  });
  return failed(checkCapabilities(module, target)) ? text : "";
}

void runPipeline(ModuleOp module, llvm::function_ref<void(OpPassManager &)> build) {
  PassManager passes(module.getContext());
  passes.enableVerifier(getenv("KILN_VERIFY") != nullptr);
  build(passes);
  runPasses(passes, module);
}

} // namespace kiln::codegen
