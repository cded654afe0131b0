// LLVM and lld: from the LLVM dialect to a shared object.
#include "codegen/cpu/Native.h"

#include "codegen/cpu/InstructionSet.h"
#include "lib/Core/Budget.h"
#include "lib/Core/Error.h"
#include "lld/Common/Driver.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Signals.h"

#include <csignal>
#include <filesystem>
#include <mutex>
#include <sys/mman.h>
#include <unistd.h>

LLD_HAS_DRIVER(elf)

using namespace llvm;

namespace kiln::cpu {

std::unique_ptr<TargetMachine> makeTargetMachine(const codegen::MachineName &given) {
  codegen::MachineName name = given;
  if (name.triple.empty()) {
    codegen::MachineName host = hostMachine();
    name.triple = host.triple;
    if (name.cpu.empty()) name.cpu = host.cpu, name.features = host.features + (given.features.empty() ? "" : "," + given.features);
  }
  Triple triple(Triple::normalize(name.triple));
  const InstructionSet &set = instructionSetOf(triple);
  set.initialize();
  if (*set.tuning) name.features += std::string(name.features.empty() ? "" : ",") + set.tuning;
  std::string error;
  const llvm::Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target) throw Error(ErrorKind::Compile, "target: expected one that LLVM knows, got " + triple.str() + ": " + error);
  TargetOptions options;
  options.AllowFPOpFusion = FPOpFusion::Strict;
  return std::unique_ptr<TargetMachine>(
      target->createTargetMachine(triple, name.cpu, name.features, options, Reloc::PIC_, std::nullopt, CodeGenOptLevel::Default));
}

void describeMachine(mlir::ModuleOp module, const TargetMachine &machine) {
  const InstructionSet &set = instructionSetOf(machine.getTargetTriple());
  Target target = set.describe(machine);
  mlir::Builder b(module.getContext());
  module->setAttr(kVectorBytes, b.getI64IntegerAttr(target.vectorBytes));
  if (target.streamBytes) module->setAttr(kStreamBytes, b.getI64IntegerAttr(target.streamBytes));
  if (set.storeFence) module->setAttr(kStoreFence, b.getStringAttr(set.storeFence));
}

std::unique_ptr<Module> toLlvm(mlir::ModuleOp source, LLVMContext &context, TargetMachine &machine) {
  auto module = mlir::translateModuleToLLVMIR(source, context);
  if (!module) throw Error(ErrorKind::Compile, "translation to LLVM IR failed");
  module->setDataLayout(machine.createDataLayout());
  module->setTargetTriple(machine.getTargetTriple());
  bool hasInlined = false; // small bodies of loops
  for (Function &f : *module) {
    if (f.isDeclaration()) continue;
    hasInlined |= f.hasFnAttribute(Attribute::AlwaysInline);
    f.addFnAttr("target-cpu", machine.getTargetCPU());
    f.addFnAttr("target-features", machine.getTargetFeatureString());
    f.addFnAttr(Attribute::NoUnwind);
    if ((f.hasLocalLinkage() || f.hasHiddenVisibility()) && !f.hasFnAttribute(Attribute::AlwaysInline))
      f.addFnAttr(Attribute::NoInline); // inlined, kernels would lose the noalias of their arguments
  }
  PassInstrumentationCallbacks callbacks;
  callbacks.registerShouldRunOptionalPassCallback([](StringRef, Any) { return !Budget::isUsedUp(); });
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
  // Kernels arrive vectorized and unrolled, so a short pipeline is enough.
  ModulePassManager passes;
  if (hasInlined) cantFail(builder.parsePassPipeline(passes, "always-inline,function(sroa)"));
  cantFail(builder.parsePassPipeline(passes, "function(early-cse<memssa>,instcombine<no-verify-fixpoint>,simplifycfg,loop-mssa(loop-rotate,"
                                             "licm),early-cse<memssa>,instcombine<no-verify-fixpoint>,simplifycfg)"));
  passes.run(*module, modules);
  return module;
}

/// Addresses come as a base, an index and constants, which is what the processor takes; looking for better ones (loop strength
/// reduction) took up to a third of code generation. Set anew each time: lld resets all options of LLVM.
static void keepAddresses() {
  auto &options = cl::getRegisteredOptions();
  auto found = options.find("disable-lsr");
  if (found != options.end()) static_cast<cl::opt<bool> *>(found->second)->setValue(true);
}

SmallVector<char, 0> emitObject(Module &module, TargetMachine &machine, bool asText) {
  SmallVector<char, 0> bytes;
  raw_svector_ostream out(bytes);
  legacy::PassManager passes;
  keepAddresses();
  if (machine.addPassesToEmitFile(passes, out, nullptr, asText ? CodeGenFileType::AssemblyFile : CodeGenFileType::ObjectFile))
    throw Error(ErrorKind::Compile, "the target cannot emit an object");
  passes.run(module);
  return bytes;
}

/// LLVM takes over the signals of the process when it first writes a file, and keeps to that. Here it does so at once, and the
/// program's own actions are put back, so that they are missing for some microseconds once.
static void keepSignals() {
  static const bool once = [] {
    constexpr int kSignals = 32;
    struct sigaction actions[kSignals];
    stack_t stack; // of the handlers in this thread
    sigaltstack(nullptr, &stack);
    for (int s = 1; s < kSignals; ++s) sigaction(s, nullptr, &actions[s]);
    sys::RemoveFileOnSignal("/proc/none");
    sys::DontRemoveFileOnSignal("/proc/none");
    for (int s = 1; s < kSignals; ++s)
      if (s != SIGKILL && s != SIGSTOP) sigaction(s, &actions[s], nullptr);
    sigaltstack(&stack, nullptr);
    return true;
  }();
  (void)once;
}

/// Whether an object calls anything outside itself, as LLVM makes of long copies and fills.
static bool callsOutside(ArrayRef<char> bytes) {
  MemoryBufferRef buffer(StringRef(bytes.data(), bytes.size()), "object");
  auto object = cantFail(object::ObjectFile::createELFObjectFile(buffer));
  return llvm::any_of(object->symbols(), [](const object::SymbolRef &symbol) {
    return cantFail(symbol.getFlags()) & object::SymbolRef::SF_Undefined && !cantFail(symbol.getName()).empty();
  });
}

/// A file in memory, closed with its owner.
class MemoryFile {
public:
  MemoryFile(ArrayRef<char> bytes) : file(memfd_create("kiln-object", MFD_CLOEXEC)) {
    if (file < 0 || write(file, bytes.data(), bytes.size()) != ssize_t(bytes.size()))
      throw Error(ErrorKind::Compile, "no memory for an object file");
  }
  MemoryFile(MemoryFile &&other) : file(std::exchange(other.file, -1)) {}
  ~MemoryFile() {
    if (file >= 0) close(file);
  }
  std::string path() const { return "/proc/self/fd/" + std::to_string(file); }

private:
  int file;
};

void linkShared(ArrayRef<ArrayRef<char>> objects, const TargetMachine &machine, const std::string &path) {
  static std::mutex mutex; // lld is not re-entrant
  std::lock_guard lock(mutex);
  keepSignals();
  std::vector<std::string> args = {"ld.lld",           "-shared",         "--threads=1", "-z", "relro",
                                   "--hash-style=gnu", "--build-id=none", "--as-needed", "-o", path};
  static bool canRunAgain = true;
  if (!canRunAgain) throw Error(ErrorKind::Compile, "the linker has failed before and cannot be used again");
  std::vector<MemoryFile> files;
  for (ArrayRef<char> object : objects) args.push_back(files.emplace_back(object).path());
  // Reading libc's symbols takes longer than the rest of a small link.
  if (llvm::any_of(objects, callsOutside))
    for (const char *library : instructionSetOf(machine.getTargetTriple()).hostLibraries)
      if (std::filesystem::exists(library)) args.push_back(library);
  std::vector<const char *> pointers;
  for (auto &a : args) pointers.push_back(a.c_str());
  std::string messages;
  raw_string_ostream out(messages);
  const lld::DriverDef drivers[] = {{lld::Gnu, &lld::elf::link}};
  lld::Result result = lld::lldMain(pointers, out, out, drivers);
  canRunAgain = result.canRunAgain;
  if (result.retCode) throw Error(ErrorKind::Compile, "linking failed: " + messages);
}

void addInfo(mlir::ModuleOp module, int64_t kernels) {
  mlir::OpBuilder b = mlir::OpBuilder::atBlockEnd(module.getBody());
  int64_t workspace = module->getAttrOfType<mlir::IntegerAttr>(ir::kWorkspaceBytes).getInt();
  ArrayRef<int64_t> inPlace;
  if (auto list = module->getAttrOfType<mlir::DenseI64ArrayAttr>(ir::kInPlace)) inPlace = list.asArrayRef();
  auto add = [&](StringRef name, ArrayRef<int64_t> words) {
    auto type = mlir::LLVM::LLVMArrayType::get(b.getI64Type(), words.size());
    auto value = mlir::DenseElementsAttr::get(mlir::RankedTensorType::get({int64_t(words.size())}, b.getI64Type()), words);
    mlir::LLVM::GlobalOp::create(b, b.getUnknownLoc(), type, /*isConstant=*/true, mlir::LLVM::Linkage::External, name, value);
  };
  add("kiln_info", {KILN_EXECUTABLE_VERSION, workspace, kernels, int64_t(inPlace.size())});
  if (!inPlace.empty()) add("kiln_in_place", inPlace);
}

} // namespace kiln::cpu
