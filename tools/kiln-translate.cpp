// kiln-translate --program-to-mlir|--program-to-tree|--mlir-to-program FILE: between program files (docs/formats/program.md) and MLIR, as a
// function or as a tree of one segment. --mlir-to-assembly and --mlir-to-code compile for a machine: --triple, --cpu, --features, --target.
#include "codegen/Pipelines.h"
#include "codegen/Session.h"
#include "dialects/trace/Convert.h"
#include "lib/Core/Program.h"
#include "tools/Targets.h"
#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;

static OwningOpRef<Operation *> readProgram(llvm::SourceMgr &source, MLIRContext *context, decltype(kiln::importTree) *import) {
  StringRef bytes = source.getMemoryBuffer(source.getMainFileID())->getBuffer();
  Location loc = UnknownLoc::get(context);
  try {
    OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
    import(*module, kiln::unpackProgram({reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()}), "program");
    return OwningOpRef<Operation *>(module.release());
  } catch (const kiln::Error &error) { emitError(loc) << error.what(); }
  return nullptr;
}

static LogicalResult writeProgram(Operation *op, llvm::raw_ostream &out) {
  auto module = dyn_cast<ModuleOp>(op);
  if (!module) return op->emitError() << "expected a module";
  try {
    std::vector<uint8_t> bytes = kiln::packProgram(kiln::exportFirst(module));
    out.write(reinterpret_cast<const char *>(bytes.data()), bytes.size());
    return success();
  } catch (const kiln::Error &error) { return op->emitError() << error.what(); }
}

static llvm::cl::opt<std::string> triple("triple", llvm::cl::desc("The machine that code is for, in LLVM's names; none: this one"));
static llvm::cl::opt<std::string> cpu("cpu", llvm::cl::desc("Its CPU")), features("features", llvm::cl::desc("Its features"));
static llvm::cl::opt<std::string> targetName("target", llvm::cl::desc("A registered target"), llvm::cl::init("cpu"));

/// Lowers a module for the machine of the command line, and hands it on.
static LogicalResult compile(Operation *op, llvm::function_ref<void(kiln::codegen::Machine &, ModuleOp)> write) {
  auto module = dyn_cast<ModuleOp>(op);
  if (!module) return op->emitError() << "expected a module";
  try {
    const kiln::codegen::Target &target = kiln::codegen::targetOf(targetName);
    auto machine = target.machine({triple, cpu, features});
    machine->describe(module);
    kiln::codegen::runPipeline(module, [&](OpPassManager &pm) {
      kiln::codegen::buildKernelPipeline(pm, target);
      kiln::codegen::buildTargetPipeline(pm, target);
    });
    write(*machine, module);
    return success();
  } catch (const kiln::Error &error) { return op->emitError() << error.what(); }
}

static LogicalResult writeAssembly(Operation *op, llvm::raw_ostream &out) {
  return compile(op,
                 [&](kiln::codegen::Machine &machine, ModuleOp module) { out << machine.print(module, kiln::codegen::Text::Assembly); });
}

static LogicalResult writeCode(Operation *op, llvm::raw_ostream &out) {
  llvm::SmallString<64> path;
  if (llvm::sys::fs::createTemporaryFile("kiln-translate", "code", path)) return op->emitError() << "expected a writable temporary folder";
  llvm::FileRemover remover(path);
  return compile(op, [&](kiln::codegen::Machine &machine, ModuleOp module) {
    machine.serialize(module, path.str().str());
    if (auto file = llvm::MemoryBuffer::getFile(path)) out << (*file)->getBuffer();
  });
}

int main(int argc, char **argv) {
  try {
    kiln::tools::loadTargets(argc, argv);
  } catch (const kiln::Error &error) { return kiln::tools::fail(argv[0], error); }
  auto load = [](DialectRegistry &registry) { kiln::codegen::registerDialects(registry); };
  auto reader = [](auto import) {
    return [import](llvm::SourceMgr &source, MLIRContext *context) {
      context->loadAllAvailableDialects();
      return readProgram(source, context, import);
    };
  };
  TranslateToMLIRRegistration toMlir("program-to-mlir", "a program file to a function", reader(kiln::importTrace), load);
  TranslateToMLIRRegistration toTree("program-to-tree", "a program file to a tree of one segment", reader(kiln::importTree), load);
  TranslateFromMLIRRegistration fromMlir("mlir-to-program", "the first function, or straight tree, to a program file", writeProgram, load);
  TranslateFromMLIRRegistration toAssembly("mlir-to-assembly", "functions of kiln ops to assembly", writeAssembly, load);
  TranslateFromMLIRRegistration toCode("mlir-to-code", "functions of kiln ops to the code that a target loads", writeCode, load);
  return failed(mlirTranslateMain(argc, argv, "Kiln's program files"));
}
