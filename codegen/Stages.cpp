#include "codegen/Stages.h"

#include "codegen/Pipelines.h"
#include "codegen/Session.h"
#include "lib/Core/Budget.h"
#include "lib/Core/Error.h"

#include <cstring>

using namespace mlir;

namespace kiln::codegen {

Stages::Stages(MLIRContext *context, const Target &target)
    : fuse(context), kernels(context), schedule(context), emit(context), lower(context), target(target) {
  for (PassManager *pm : {&fuse, &kernels, &schedule, &emit, &lower}) pm->enableVerifier(getenv("KILN_VERIFY") != nullptr);
  buildFusePipeline(fuse, target);
  buildKernelPipeline(kernels, target);
  buildSchedulePipeline(schedule, target);
  target.addEmission(emit);
  target.addLowering(lower);
}

Session &Session::get() {
  static Session *session = new Session;
  return *session;
}

Session::Session() {
  DialectRegistry registry;
  registerDialects(registry);
  context.appendDialectRegistry(registry);
  context.loadAllAvailableDialects();
}

Stages &Session::stagesOf(const Target &target) {
  auto &known = stages[&target];
  if (!known) known = std::make_unique<Stages>(&context, target);
  return *known;
}

Stages &Session::stagesOf(const kiln_compile_request &request) {
  auto text = [](const char *given) { return std::string(given ? given : ""); };
  const Target &target = targetOf(request.target ? request.target : "cpu");
  Stages &known = stagesOf(target);
  MachineName name{text(request.triple), text(request.cpu), text(request.features)};
  std::string key = name.triple + " " + name.cpu + " " + name.features;
  if (!known.machine || known.machineName != key) known.machine = target.machine(name), known.machineName = key;
  return known;
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

} // namespace kiln::codegen
