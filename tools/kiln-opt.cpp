// kiln-opt: runs passes of Kiln and of MLIR over a file, for debugging and tests.
#include "codegen/Pipelines.h"
#include "codegen/Session.h"
#include "codegen/cpu/Passes.h"
#include "codegen/nvptx/Passes.h"
#include "lib/Core/Stats.h"
#include "passes/Passes.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/CommandLine.h"

using namespace mlir;

static llvm::cl::opt<bool> printStats("kiln-stats", llvm::cl::desc("Print the counters of Kiln's passes to standard error"));

int main(int argc, char **argv) {
  DialectRegistry registry;
  kiln::codegen::registerDialects(registry);
  kiln::registerKilnPasses();
  kiln::registerKilnCpuPasses();
  kiln::registerKilnNvptxPasses();
  kiln::codegen::registerPipelines();
  registerTransformsPasses();
  LogicalResult result = MlirOptMain(argc, argv, "The optimizer of Kiln\n", registry);
  if (printStats)
    for (auto &[name, value] : kiln::stats()) llvm::errs() << name << ": " << value << "\n";
  return asMainReturnCode(result);
}
