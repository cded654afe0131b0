// kiln-translate --program-to-mlir|--program-to-tree|--mlir-to-program FILE: between program files (docs/formats/program.md) and MLIR, as a
// function or as a tree of one segment.
#include "dialects/trace/TraceDialect.h"
#include "lib/Core/Program.h"
#include "lib/Driver/Driver.h"
#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"
#include "mlir/Tools/mlir-translate/Translation.h"
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
    std::vector<uint8_t> bytes = kiln::packProgram(kiln::exportProgram(module));
    out.write(reinterpret_cast<const char *>(bytes.data()), bytes.size());
    return success();
  } catch (const kiln::Error &error) { return op->emitError() << error.what(); }
}

int main(int argc, char **argv) {
  auto load = [](DialectRegistry &registry) { kiln::registerDialects(registry); };
  auto reader = [](auto import) {
    return [import](llvm::SourceMgr &source, MLIRContext *context) {
      context->loadAllAvailableDialects();
      return readProgram(source, context, import);
    };
  };
  TranslateToMLIRRegistration toMlir("program-to-mlir", "a program file to a function", reader(kiln::importTrace), load);
  TranslateToMLIRRegistration toTree("program-to-tree", "a program file to a tree of one segment", reader(kiln::importTree), load);
  TranslateFromMLIRRegistration fromMlir("mlir-to-program", "the first function, or straight tree, to a program file", writeProgram, load);
  return failed(mlirTranslateMain(argc, argv, "Kiln's program files"));
}
