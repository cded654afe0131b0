// kiln-reduce FILE.mlir --reduction-tree='traversal-mode=0 test=SCRIPT': the smallest module for which a script still ends with 1.
#include "codegen/Session.h"
#include "codegen/cpu/Passes.h"
#include "codegen/nvptx/Passes.h"
#include "passes/Passes.h"
#include "mlir/Tools/mlir-reduce/MlirReduceMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  kiln::codegen::registerDialects(registry);
  kiln::registerKilnPasses();
  kiln::registerKilnCpuPasses();
  kiln::registerKilnNvptxPasses();
  mlir::registerTransformsPasses();
  mlir::MLIRContext context(registry);
  return mlir::failed(mlir::mlirReduceMain(argc, argv, context));
}
