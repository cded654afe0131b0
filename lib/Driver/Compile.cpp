// The C ABI of the compiler library.
#include "include/kiln/compiler.h"

#include "dialects/kiln/KilnDialect.h"
#include "include/kiln/executable.h"
#include "lib/Core/Stats.h"
#include "lib/Driver/Driver.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "llvm/Support/FileSystem.h"

#include <cstring>

using namespace mlir;

namespace kiln {

void registerDialects(DialectRegistry &registry) {
  registry.insert<ir::KilnDialect, arith::ArithDialect, cf::ControlFlowDialect, func::FuncDialect, LLVM::LLVMDialect, math::MathDialect,
                  scf::SCFDialect, vector::VectorDialect>();
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
}

void runPipeline(ModuleOp module, void (*build)(OpPassManager &)) {
  std::string messages;
  ScopedDiagnosticHandler handler(module.getContext(), [&](Diagnostic &diagnostic) {
    messages += diagnostic.str() + "\n";
    return success();
  });
  PassManager pm(module.getContext());
  pm.enableVerifier(getenv("KILN_VERIFY") != nullptr);
  build(pm);
  if (failed(pm.run(module))) throw Error(ErrorKind::Compile, "compilation failed: " + messages);
}

void addInfo(ModuleOp module, int64_t kernels) {
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  int64_t workspace = module->getAttrOfType<IntegerAttr>("kiln.workspace_bytes").getInt();
  auto type = LLVM::LLVMArrayType::get(b.getI64Type(), 3);
  auto tensor = RankedTensorType::get({3}, b.getI64Type());
  auto value = DenseElementsAttr::get(tensor, ArrayRef<int64_t>{KILN_EXECUTABLE_VERSION, workspace, kernels});
  LLVM::GlobalOp::create(b, b.getUnknownLoc(), type, /*isConstant=*/true, LLVM::Linkage::External, "kiln_info", value);
}

namespace {

/// One program on its way through the stages.
class Compilation {
public:
  explicit Compilation(const kiln_compile_request &request) : request(request) {
    DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.disableMultithreading();
    context.loadAllAvailableDialects();
    module = ModuleOp::create(UnknownLoc::get(&context));
    importTrace(*module, {request.words, request.count}, "kiln_entry");
  }

  std::string print(StringRef stage) {
    std::string text;
    llvm::raw_string_ostream out(text);
    if (stage == "kiln") return module->print(out), text;
    if (stage == "fused") {
      runPipeline(*module, [](OpPassManager &pm) {
        auto &fn = pm.nest<func::FuncOp>();
        fn.addPass(createSimplify());
        fn.addPass(createFuse());
      });
      return module->print(out), text;
    }
    runPipeline(*module, buildKernelPipeline);
    if (stage == "kernels") return module->print(out), text;
    runPipeline(*module, [](OpPassManager &pm) { pm.addPass(createEmitCpu()); });
    if (stage == "vector") return module->print(out), text;
    if (stage != "llvm" && stage != "asm")
      throw Error(ErrorKind::Value, "ir: stage: expected kiln, fused, kernels, vector, llvm or asm, got '" + stage.str() + "'");
    runPipeline(*module, [](OpPassManager &pm) { pm.addPass(createLowerToLlvm()); });
    auto machine = makeTargetMachine(request.cpu);
    auto native = toLlvm(*module, llvmContext, *machine);
    if (stage == "llvm") return native->print(out, nullptr), text;
    auto assembly = emitObject(*native, *machine, /*asText=*/true);
    return std::string(assembly.begin(), assembly.end());
  }

  void compile() {
    stats().clear();
    runPipeline(*module, buildKernelPipeline);
    dump("kernels.mlir");
    runPipeline(*module, [](OpPassManager &pm) { pm.addPass(createEmitCpu()); });
    dump("vector.mlir");
    runPipeline(*module, [](OpPassManager &pm) { pm.addPass(createLowerToLlvm()); });
    addInfo(*module, stats()["emit-cpu.kernels"]);
    auto machine = makeTargetMachine(request.cpu);
    auto native = toLlvm(*module, llvmContext, *machine);
    auto object = emitObject(*native, *machine);
    linkShared({object}, request.output_path);
  }

private:
  const kiln_compile_request &request;
  MLIRContext context{MLIRContext::Threading::DISABLED};
  llvm::LLVMContext llvmContext;
  OwningOpRef<ModuleOp> module;

  void dump(StringRef name) {
    if (!request.dump_dir) return;
    std::error_code error;
    llvm::sys::fs::create_directories(request.dump_dir);
    llvm::raw_fd_ostream out((Twine(request.dump_dir) + "/" + name).str(), error);
    if (!error) module->print(out);
  }
};

int32_t guarded(char **error, llvm::function_ref<void()> body) {
  try {
    body();
    return 0;
  } catch (const Error &e) {
    *error = strdup(e.what());
    return 1 + int32_t(e.kind);
  } catch (const std::exception &e) {
    *error = strdup(e.what());
    return 1 + int32_t(ErrorKind::Compile);
  }
}

} // namespace
} // namespace kiln

extern "C" {

int32_t kiln_compiler_abi(void) { return KILN_COMPILER_ABI; }

int32_t kiln_compiler_compile(const kiln_compile_request *request, char **error) {
  return kiln::guarded(error, [&] { kiln::Compilation(*request).compile(); });
}

int32_t kiln_compiler_print(const kiln_compile_request *request, const char *stage, char **text, char **error) {
  return kiln::guarded(error, [&] { *text = strdup(kiln::Compilation(*request).print(stage).c_str()); });
}

void kiln_compiler_free(char *text) { free(text); }
}
