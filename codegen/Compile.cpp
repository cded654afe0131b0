// The C ABI of the compiler library.
#include "include/kiln/compiler.h"

#include "codegen/Pipelines.h"
#include "codegen/Session.h"
#include "codegen/Stages.h"
#include "codegen/reference/Interpreter.h"
#include "dialects/kiln/Program.h"
#include "dialects/trace/Convert.h"
#include "lib/Core/Budget.h"
#include "lib/Core/Registry.h"
#include "lib/Core/Stats.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"

#include <cstring>
#include <mutex>

using namespace mlir;

namespace kiln::codegen {
namespace {

/// One program on its way through the stages.
class Compilation {
public:
  explicit Compilation(const kiln_compile_request &request) : request(request), lock(session.mutex), stages(session.stagesOf(request)) {
    module = ModuleOp::create(UnknownLoc::get(&session.context));
    Trace trace = Trace::parse({request.words, request.count});
    for (const std::string &device : trace.devices)
      if (device != kHostDevice) fail(ErrorKind::Device, "compile", "device of an input", "'cpu'", "'" + device + "'");
    importTrace(*module, trace, "kiln_entry");
    stages.machine->describe(*module);
    if (request.timed) (*module)->setAttr(ir::kTimed, UnitAttr::get(&session.context));
  }

  std::string print(StringRef stage) {
    std::string text;
    llvm::raw_string_ostream out(text);
    auto printed = [&] { return module->print(out), text; };
    if (stage == "kiln") return printed();
    if (stage == "fused") return run(stages.fuse), printed();
    run(stages.kernels);
    if (stage == "kernels") return printed();
    schedule();
    if (stage == "schedule") return printed();
    if (stage == "fusion") return explainKernels(*module);
    run(stages.emit);
    if (stage == "vector") return printed();
    if (stage != "llvm" && stage != "asm")
      throw Error(ErrorKind::Value, "ir: stage: expected kiln, fused, kernels, schedule, vector, llvm or asm, got '" + stage.str() + "'");
    run(stages.lower);
    return stages.machine->print(*module, stage == "llvm" ? Text::Lowered : Text::Assembly);
  }

  void compile() {
    Budget budget(request.cancel, request.seconds);
    stats().clear();
    run(stages.kernels);
    dump("kernels.mlir");
    schedule();
    dump("schedule.mlir");
    run(stages.emit);
    dump("vector.mlir");
    run(stages.lower);
    stages.machine->serialize(*module, request.output_path);
  }

private:
  const kiln_compile_request &request;
  Session &session = Session::get();
  std::lock_guard<std::mutex> lock;
  Stages &stages;
  OwningOpRef<ModuleOp> module;

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
    if (std::string refused = refusal(*module, stages.target); !refused.empty()) throw Declined(refused);
    const char *seed = getenv("KILN_SCHEDULE_SEED");
    if (!seed) return run(stages.schedule);
    PassManager drawn(&session.context);
    buildSchedulePipeline(drawn, stages.target, strtoull(seed, nullptr, 10));
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
  return exportFirst(*module).serialize();
}

void interpret(std::span<const int64_t> serialized, const void *const *inputs, void *const *outputs) {
  std::vector<reference::Tensor> tensors;
  for (const TensorType &type : Trace::inputTypes(serialized)) tensors.push_back(reference::Tensor::read(ArrayType(type), *inputs++));
  for (const reference::Tensor &result : reference::run(serialized, std::move(tensors))) result.write(*outputs++);
}

} // namespace
} // namespace kiln::codegen

extern "C" {

int32_t kiln_compiler_abi(void) { return KILN_COMPILER_ABI; }

void kiln_compiler_use_registry(void *registry) { kiln::useRegistry(registry); }

// With LLVM inside another definition stands for this one (cmake/static_llvm.cpp).
__attribute__((weak)) int32_t kiln_compiler_outlives_exit(void) { return 0; }

int32_t kiln_compiler_compile(const kiln_compile_request *request, char **error) {
  return kiln::codegen::guarded(error, [&] { kiln::codegen::Compilation(*request).compile(); });
}

int32_t kiln_compiler_print(const kiln_compile_request *request, const char *stage, char **text, char **error) {
  return kiln::codegen::guarded(error, [&] { *text = strdup(kiln::codegen::Compilation(*request).print(stage).c_str()); });
}

int32_t kiln_compiler_interpret(const kiln_compile_request *request, const void *const *inputs, void *const *outputs, char **error) {
  return kiln::codegen::guarded(error, [&] { kiln::codegen::interpret({request->words, request->count}, inputs, outputs); });
}

int32_t kiln_compiler_parse(const char *source, size_t size, int64_t **words, size_t *count, char **error) {
  return kiln::codegen::guarded(error, [&] {
    std::vector<int64_t> list = kiln::codegen::parseProgram({source, size});
    *count = list.size();
    *words = static_cast<int64_t *>(malloc(list.size() * sizeof(int64_t)));
    std::copy(list.begin(), list.end(), *words);
  });
}

void kiln_compiler_free(void *memory) { free(memory); }
}
