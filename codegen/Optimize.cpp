#include "codegen/Optimize.h"

#include "lib/Core/Budget.h"
#include "llvm/Passes/PassBuilder.h"

using namespace llvm;

namespace kiln::codegen {

void optimize(Module &module, TargetMachine &machine, ArrayRef<Pipeline> pipelines) {
  module.setDataLayout(machine.createDataLayout());
  module.setTargetTriple(machine.getTargetTriple());
  PassInstrumentationCallbacks callbacks;
  const DenseSet<const Function *> *only = nullptr;
  callbacks.registerShouldRunOptionalPassCallback([&only](StringRef, Any on) {
    auto *function = any_cast<const Function *>(&on);
    return !Budget::isUsedUp() && (!function || (!(*function)->hasOptNone() && (!only || only->contains(*function))));
  });
  PassBuilder builder(&machine, PipelineTuningOptions(), std::nullopt, &callbacks);
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager graph;
  ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graph, modules);
  for (const Pipeline &pipeline : pipelines) {
    ModulePassManager passes;
    cantFail(builder.parsePassPipeline(passes, pipeline.passes));
    only = pipeline.only;
    passes.run(module, modules);
  }
}

} // namespace kiln::codegen
