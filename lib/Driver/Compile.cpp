// The C ABI of the compiler library.
#include "include/kiln/compiler.h"

#include "codegen/reference/Interpreter.h"
#include "dialects/kiln/KilnDialect.h"
#include "dialects/trace/TraceDialect.h"
#include "include/kiln/executable.h"
#include "lib/Core/Registry.h"
#include "lib/Core/Budget.h"
#include "lib/Core/Stats.h"
#include "lib/Driver/Driver.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Transforms/Passes.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "llvm/Support/FileSystem.h"

#include <cstring>
#include <mutex>

using namespace mlir;

namespace kiln {

void registerDialects(DialectRegistry &registry) {
  registry.insert<ir::KilnDialect, ir::TraceDialect, arith::ArithDialect, cf::ControlFlowDialect, func::FuncDialect, LLVM::LLVMDialect,
                  math::MathDialect, scf::SCFDialect, vector::VectorDialect>();
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
}

static void runPasses(PassManager &pm, ModuleOp module) {
  std::string messages;
  ScopedDiagnosticHandler handler(module.getContext(), [&](Diagnostic &diagnostic) {
    messages += diagnostic.str() + "\n";
    return success();
  });
  if (failed(pm.run(module))) throw Error(ErrorKind::Compile, "compilation failed: " + messages);
}

void runPipeline(ModuleOp module, void (*build)(OpPassManager &)) {
  PassManager pm(module.getContext());
  pm.enableVerifier(getenv("KILN_VERIFY") != nullptr);
  build(pm);
  runPasses(pm, module);
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

/// What compilations share, made once: the context with its dialects, the pass managers, the host's machine. Held by one
/// compilation at a time; never destroyed, as threads may still compile when the process exits.
class Session {
public:
  static Session &get() {
    static Session *session = new Session;
    return *session;
  }
  std::mutex mutex;
  MLIRContext context{MLIRContext::Threading::DISABLED};
  PassManager fuse{&context}, kernels{&context}, schedule{&context}, emit{&context}, lower{&context};
  std::unique_ptr<llvm::TargetMachine> host = makeTargetMachine(nullptr);

private:
  Session() {
    DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    for (PassManager *pm : {&fuse, &kernels, &schedule, &emit, &lower}) pm->enableVerifier(getenv("KILN_VERIFY") != nullptr);
    auto &fn = fuse.nest<func::FuncOp>();
    fn.addPass(createSimplify());
    fn.addPass(createCSEPass());
    fn.addPass(createFuse());
    buildKernelPipeline(kernels);
    schedule.addNestedPass<func::FuncOp>(createSchedule());
    emit.addPass(createEmitCpu());
    lower.addPass(createLowerToLlvm());
  }
};

/// One program on its way through the stages.
class Compilation {
public:
  explicit Compilation(const kiln_compile_request &request) : request(request), lock(session.mutex) {
    module = ModuleOp::create(UnknownLoc::get(&session.context));
    Trace trace = Trace::parse({request.words, request.count});
    for (const std::string &device : trace.devices)
      if (device != kHostDevice) fail(ErrorKind::Device, "compile", "device of an input", "'cpu'", "'" + device + "'");
    importTrace(*module, trace, "kiln_entry");
    if (request.cpu) other = makeTargetMachine(request.cpu);
    describeTarget(*module, machine());
  }

  std::string print(StringRef stage) {
    std::string text;
    llvm::raw_string_ostream out(text);
    auto printed = [&] { return module->print(out), text; };
    if (stage == "kiln") return printed();
    if (stage == "fused") return run(session.fuse), printed();
    run(session.kernels);
    if (stage == "kernels") return printed();
    schedule();
    if (stage == "schedule") return printed();
    if (stage == "fusion") return explainKernels(*module);
    run(session.emit);
    if (stage == "vector") return printed();
    if (stage != "llvm" && stage != "asm")
      throw Error(ErrorKind::Value, "ir: stage: expected kiln, fused, kernels, schedule, vector, llvm or asm, got '" + stage.str() + "'");
    run(session.lower);
    auto native = toLlvm(*module, llvmContext, machine());
    if (stage == "llvm") return native->print(out, nullptr), text;
    auto assembly = emitObject(*native, machine(), /*asText=*/true);
    return std::string(assembly.begin(), assembly.end());
  }

  void compile() {
    constexpr size_t kPart = 32; // functions that are generated at once
    Budget budget(request.cancel, request.seconds);
    stats().clear();
    run(session.kernels);
    dump("kernels.mlir");
    schedule();
    dump("schedule.mlir");
    run(session.emit);
    dump("vector.mlir");
    run(session.lower);
    addInfo(*module, stats()["emit-cpu.kernels"]);
    SmallVector<SmallVector<char, 0>> objects;
    auto generate = [&](ModuleOp part) {
      llvm::LLVMContext llvmContext;
      auto native = toLlvm(part, llvmContext, machine());
      Budget::check();
      objects.push_back(emitObject(*native, machine()));
      Budget::check();
    };
    auto parts = splitModule(*module, kPart);
    if (parts.empty()) generate(*module);
    for (auto &part : parts) generate(*part), part = nullptr;
    auto bytes = llvm::map_to_vector(objects, [](auto &object) { return ArrayRef<char>(object); });
    linkShared(bytes, request.output_path);
  }

private:
  const kiln_compile_request &request;
  Session &session = Session::get();
  std::lock_guard<std::mutex> lock;
  llvm::LLVMContext llvmContext;
  OwningOpRef<ModuleOp> module;
  std::unique_ptr<llvm::TargetMachine> other; // of a CPU that is not the host's

  llvm::TargetMachine &machine() { return other ? *other : *session.host; }
  void run(PassManager &pm) {
    Budget::check();
    try {
      runPasses(pm, *module);
    } catch (const Error &) {
      Budget::check(); // then that is why a pass gave up
      throw;
    }
  }

  /// Tests draw schedules from a seed.
  void schedule() {
    const char *seed = getenv("KILN_SCHEDULE_SEED");
    if (!seed) return run(session.schedule);
    PassManager drawn(&session.context);
    drawn.addNestedPass<func::FuncOp>(createSchedule({strtoull(seed, nullptr, 10)}));
    run(drawn);
  }

  void dump(StringRef name) {
    if (!request.dump_dir) return;
    std::error_code error;
    llvm::sys::fs::create_directories(request.dump_dir);
    llvm::raw_fd_ostream out((Twine(request.dump_dir) + "/" + name).str(), error);
    if (!error) module->print(out);
  }
};

std::vector<int64_t> parseProgram(StringRef source) {
  Session &session = Session::get();
  std::lock_guard lock(session.mutex);
  std::string messages;
  ScopedDiagnosticHandler handler(&session.context, [&](Diagnostic &diagnostic) {
    messages += diagnostic.str() + "\n";
    return success();
  });
  auto module = parseSourceString<ModuleOp>(source, &session.context);
  if (!module) throw Error(ErrorKind::Compile, "program: expected a module of kiln ops: " + messages);
  return exportProgram(*module).serialize();
}

void interpret(std::span<const int64_t> serialized, const void *const *inputs, void *const *outputs) {
  std::vector<reference::Tensor> tensors;
  for (const TensorType &type : Trace::inputTypes(serialized)) tensors.push_back(reference::Tensor::read(type, *inputs++));
  for (const reference::Tensor &result : reference::run(serialized, std::move(tensors))) result.write(*outputs++);
}

int32_t guarded(char **error, llvm::function_ref<void()> body) {
  try {
    body();
    return 0;
  } catch (const Declined &e) {
    *error = strdup(e.what());
    return KILN_COMPILER_DECLINED;
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

void kiln_compiler_use_registry(void *registry) { kiln::useRegistry(registry); }

// With LLVM inside another definition stands for this one (cmake/static_llvm.cpp).
__attribute__((weak)) int32_t kiln_compiler_outlives_exit(void) { return 0; }

int32_t kiln_compiler_compile(const kiln_compile_request *request, char **error) {
  return kiln::guarded(error, [&] { kiln::Compilation(*request).compile(); });
}

int32_t kiln_compiler_print(const kiln_compile_request *request, const char *stage, char **text, char **error) {
  return kiln::guarded(error, [&] { *text = strdup(kiln::Compilation(*request).print(stage).c_str()); });
}

int32_t kiln_compiler_interpret(const kiln_compile_request *request, const void *const *inputs, void *const *outputs, char **error) {
  return kiln::guarded(error, [&] { kiln::interpret({request->words, request->count}, inputs, outputs); });
}

int32_t kiln_compiler_parse(const char *source, size_t size, int64_t **words, size_t *count, char **error) {
  return kiln::guarded(error, [&] {
    std::vector<int64_t> list = kiln::parseProgram({source, size});
    *count = list.size();
    *words = static_cast<int64_t *>(malloc(list.size() * sizeof(int64_t)));
    std::copy(list.begin(), list.end(), *words);
  });
}

void kiln_compiler_free(void *memory) { free(memory); }
}
