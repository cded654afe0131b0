// kiln-opt: runs passes of Kiln and of MLIR over a file, for debugging and tests.
#include "lib/Core/Stats.h"
#include "lib/Driver/Driver.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/CommandLine.h"

using namespace mlir;

static llvm::cl::opt<bool> printStats("kiln-stats", llvm::cl::desc("Print the counters of Kiln's passes to standard error"));

int main(int argc, char **argv) {
  DialectRegistry registry;
  kiln::registerDialects(registry);
  kiln::registerKilnPasses();
  kiln::registerPipelines();
  registerTransformsPasses();
  LogicalResult result = MlirOptMain(argc, argv, "The optimizer of Kiln\n", registry);
  if (printStats)
    for (auto &[name, value] : kiln::stats()) llvm::errs() << name << ": " << value << "\n";
  return asMainReturnCode(result);
}
