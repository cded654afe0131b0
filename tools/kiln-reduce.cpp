// kiln-reduce FILE.mlir --reduction-tree='traversal-mode=0 test=SCRIPT': the smallest module for which a script still ends with 1. Passes
// and pipelines (--opt-reduction-pass='opt-pass=... test=SCRIPT'), --target and --load are those of kiln-opt.
#include "codegen/Pipelines.h"
#include "codegen/Session.h"
#include "tools/Targets.h"
#include "mlir/Tools/mlir-reduce/MlirReduceMain.h"
#include "mlir/Transforms/Passes.h"

static llvm::cl::opt<std::string> target("target", llvm::cl::desc("The registered target whose rules fusion follows"),
                                         llvm::cl::init("cpu"));

int main(int argc, char **argv) {
  try {
    kiln::codegen::registerPipelines(kiln::tools::readTarget(argc, argv));
  } catch (const kiln::Error &error) { return kiln::tools::fail(argv[0], error); }
  mlir::DialectRegistry registry;
  kiln::codegen::registerDialects(registry);
  mlir::registerTransformsPasses();
  mlir::MLIRContext context(registry);
  return mlir::failed(mlir::mlirReduceMain(argc, argv, context));
}
