// kiln-opt: runs passes of Kiln and of MLIR over a file, for debugging and tests. --target says whose rules fusion follows; --load opens a
// library that registers a target, whose pipeline then has a name as well.
#include "codegen/Pipelines.h"
#include "codegen/Session.h"
#include "lib/Core/Stats.h"
#include "tools/Targets.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

static llvm::cl::opt<bool> printStats("kiln-stats", llvm::cl::desc("Print the counters of Kiln's passes to standard error"));
static llvm::cl::opt<std::string> target("target", llvm::cl::desc("The registered target whose rules fusion follows"),
                                         llvm::cl::init("cpu"));

int main(int argc, char **argv) {
  try {
    kiln::codegen::registerPipelines(kiln::tools::readTarget(argc, argv));
  } catch (const kiln::Error &error) { return kiln::tools::fail(argv[0], error); }
  DialectRegistry registry;
  kiln::codegen::registerDialects(registry);
  registerTransformsPasses();
  LogicalResult result = MlirOptMain(argc, argv, "The optimizer of Kiln\n", registry);
  if (printStats)
    for (auto &[name, value] : kiln::stats()) llvm::errs() << name << ": " << value << "\n";
  return asMainReturnCode(result);
}
