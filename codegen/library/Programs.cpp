// One program of a library: through all stages, for one processor.
#include "codegen/Session.h"
#include "codegen/cpu/Native.h"
#include "codegen/cpu/Target.h"
#include "codegen/library/Parts.h"
#include "dialects/trace/Convert.h"
#include "lib/Core/Error.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace kiln::library {

/// What a library has no routines for.
static void checkRoutines(ModuleOp module, const LinkedOps &ops) {
  module.walk([&](ir::KernelOp kernel) {
    if (kernel.getKind() != ir::KernelKind::Library) return;
    auto custom = dyn_cast<ir::CustomOp>(kernel.getBody().front().front());
    if (custom && ops.symbols.contains(custom.getName().str())) return;
    StringRef name = kernel.getBody().front().front().getName().getStringRef();
    if (ops.routines.contains(name.drop_front(name.find('.') + 1).str())) return;
    fail(ErrorKind::Compile, "library", "operation",
         "one that is compiled, as a library has no routines of Kiln's runtime but Fourier transforms and decompositions on Linux with "
         "glibc",
         "'" + name.str() + "'");
  });
}

/// Functions that the tables name are seen in the whole library, and not outside.
static void nameWithin(LLVM::LLVMFuncOp fn, const std::string &name) {
  fn.setSymName(name);
  fn.setVisibility_(LLVM::Visibility::Hidden);
}

/// Tells the emitters how kernels of custom ops are called.
static void linkOps(ModuleOp module, const LinkedOps &ops, Routines routines) {
  Builder b(module.getContext());
  SmallVector<NamedAttribute> symbols;
  if (routines == Routines::Refused)
    for (const auto &[name, symbol] : ops.routines) symbols.push_back(b.getNamedAttr(name, b.getStringAttr(symbol)));
  for (const auto &[name, symbol] : ops.symbols) symbols.push_back(b.getNamedAttr(name, b.getStringAttr(symbol)));
  module->setAttr(cpu::kCallOp, b.getStringAttr(ops.caller));
  module->setAttr(cpu::kLinkedOps, b.getDictionaryAttr(symbols));
}

Trace programOf(const PackageEntry &entry) {
  Trace program = entry.program;
  program.replaces.clear();
  for (const PackageOutput &output : entry.outputs) program.replaces.push_back(output.writes);
  return program;
}

Code compileProgram(codegen::Session &session, const PackageEntry &entry, const std::string &symbol, const Processor &processor,
                    const LinkedOps &ops, Routines routines, Sink sink) {
  constexpr size_t kPart = 32; // functions that are generated at once
  codegen::Stages &stages = session.stagesOf(codegen::targetOf("cpu"));
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&session.context));
  importTrace(*module, programOf(entry), symbol);
  cpu::describeMachine(*module, *processor.machine);
  (*module)->removeAttr(cpu::kStreamBytes); // stores past the caches need arrays that start with a line of them
  codegen::runPasses(stages.kernels, *module);
  if (routines == Routines::Refused) checkRoutines(*module, ops);
  linkOps(*module, ops, routines);
  for (PassManager *pm : {&stages.schedule, &stages.emit, &stages.lower}) codegen::runPasses(*pm, *module);
  Code code{symbol, "", (*module)->getAttrOfType<IntegerAttr>(ir::kWorkspaceBytes).getInt(), {}};
  if (auto inPlace = (*module)->getAttrOfType<DenseI64ArrayAttr>(ir::kInPlace)) code.inPlace = inPlace.asArrayRef();
  if (auto workspace = module->lookupSymbol<LLVM::LLVMFuncOp>("kiln_workspace"))
    nameWithin(workspace, code.workspace = symbol + ".workspace");
  nameWithin(module->lookupSymbol<LLVM::LLVMFuncOp>(symbol), symbol);
  auto generate = [&](ModuleOp part) {
    llvm::LLVMContext context;
    auto native = cpu::toLlvm(part, context, *processor.machine);
    native->setSourceFileName(symbol);
    sink(*native, *processor.machine);
  };
  auto parts = cpu::splitModule(*module, kPart);
  if (parts.empty()) generate(*module);
  for (auto &part : parts) generate(*part), part = nullptr;
  return code;
}

} // namespace kiln::library
