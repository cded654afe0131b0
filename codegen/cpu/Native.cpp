// LLVM: from the LLVM dialect to objects.
#include "codegen/cpu/Native.h"

#include "codegen/Optimize.h"
#include "codegen/cpu/InstructionSet.h"
#include "codegen/cpu/Kernels.h"
#include "dialects/kiln/math/Expr.h"
#include "lib/Core/Error.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/CodeGen/CodeGenTargetMachineImpl.h"
#include "llvm/CodeGen/MachineModuleInfo.h"
#include "llvm/CodeGen/Passes.h"
#include "llvm/CodeGen/TargetPassConfig.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/OptBisect.h"
#include "llvm/MC/TargetRegistry.h"

#include "llvm/Support/CommandLine.h"

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
  // What is linked into a program leaves out what that does not use.
  options.FunctionSections = options.DataSections = set.relocation == Reloc::Static;
  return std::unique_ptr<TargetMachine>(
      target->createTargetMachine(triple, name.cpu, name.features, options, set.relocation, std::nullopt, CodeGenOptLevel::Default));
}

void describeMachine(mlir::ModuleOp module, const TargetMachine &machine) {
  const InstructionSet &set = instructionSetOf(machine.getTargetTriple());
  Target target = set.describe(machine);
  mlir::Builder b(module.getContext());
  module->setAttr(kVectorBytes, b.getI64IntegerAttr(target.vectorBytes));
  if (target.streamBytes) module->setAttr(kStreamBytes, b.getI64IntegerAttr(target.streamBytes));
  if (!target.unfused.empty()) module->setAttr(ir::kUnfused, b.getDenseI64ArrayAttr(target.unfused));
  if (set.storeFence) module->setAttr(kStoreFence, b.getStringAttr(set.storeFence));
}

/// Those that functions with full registers are inlined into have them full, too.
static void passOn(Module &module) {
  SmallVector<Function *> inlined;
  auto note = [&](Function &f) {
    if (f.hasFnAttribute(kFullRegisters) && f.hasFnAttribute(Attribute::AlwaysInline)) inlined.push_back(&f);
  };
  llvm::for_each(module, note);
  while (!inlined.empty())
    for (User *user : inlined.pop_back_val()->users()) {
      auto *call = dyn_cast<CallBase>(user);
      if (!call || call->getFunction()->hasFnAttribute(kFullRegisters)) continue;
      call->getFunction()->addFnAttr(kFullRegisters);
      note(*call->getFunction());
    }
}

/// Functions that others are put into.
static DenseSet<const Function *> receivers(Module &module) {
  DenseSet<const Function *> all;
  for (Function &f : module) {
    if (!f.hasFnAttribute(Attribute::AlwaysInline)) continue;
    for (User *user : f.users())
      if (auto *call = dyn_cast<CallBase>(user)) all.insert(call->getFunction());
  }
  return all;
}

std::unique_ptr<Module> toLlvm(mlir::ModuleOp source, LLVMContext &context, TargetMachine &machine) {
  auto module = mlir::translateModuleToLLVMIR(source, context, "kernels", /*disableVerification=*/!getenv("KILN_VERIFY"));
  if (!module) throw Error(ErrorKind::Compile, "translation to LLVM IR failed");
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
  if (hasInlined) passOn(*module);
  // Kernels arrive vectorized and unrolled, so a short pipeline is enough.
  DenseSet<const Function *> inlinedInto = receivers(*module);
  SmallVector<codegen::Pipeline> pipelines;
  if (hasInlined) pipelines.append({{"always-inline"}, {"function(sroa)", &inlinedInto}});
  pipelines.push_back({"function(early-cse,instcombine<no-verify-fixpoint>,loop-mssa(loop-rotate,licm),early-cse,simplifycfg)"});
  // Then positions that one body's kernel hands to the next are values, too.
  if (hasInlined)
    pipelines.push_back({"function(sroa,early-cse<memssa>,jump-threading,instcombine<no-verify-fixpoint>,simplifycfg)", &inlinedInto});
  codegen::optimize(*module, machine, pipelines);
  if (auto legalize = instructionSetOf(machine.getTargetTriple()).legalize)
    if (auto pipeline = legalize(*module, machine)) codegen::optimize(*module, machine, {{pipeline}});
  return module;
}

/// Addresses come as a base, an index and constants, which is what the processor takes; looking for better ones (loop strength
/// reduction) took up to a third of code generation. Set anew each time: lld resets all options of LLVM.
static void keepAddresses() {
  auto &options = cl::getRegisteredOptions();
  auto found = options.find("disable-lsr");
  if (found != options.end()) static_cast<cl::opt<bool> *>(found->second)->setValue(true);
}

namespace {

/// Which optional passes functions skip: LLVM asks by the argument that names the pass and "function (NAME)".
class Gate final : public OptPassGate {
public:
  Gate(Module &module, ArrayRef<StringLiteral> skipped) : module(module), skipped(skipped), outer(module.getContext().getOptPassGate()) {
    module.getContext().setOptPassGate(*this);
  }
  ~Gate() override { module.getContext().setOptPassGate(outer); }
  bool isEnabled() const override { return true; }
  bool shouldRunPass(StringRef pass, StringRef on) const override {
    if (llvm::is_contained(skipped, pass)) return false;
    // It takes no account of registers that a loop hands from trip to trip, and would move constants from behind the loop into them.
    if (pass != "early-machinelicm" || !on.consume_front("function (") || !on.consume_back(")")) return true;
    const Function *f = module.getFunction(on);
    return !f || !f->hasFnAttribute(kFullRegisters);
  }

private:
  Module &module;
  ArrayRef<StringLiteral> skipped;
  OptPassGate &outer;
};

} // namespace

/// What TargetMachine::addPassesToEmitFile does, without the passes that the instruction set does not need.
CodeGeneration::CodeGeneration(TargetMachine &machine, bool asText) {
  keepAddresses();
  auto &generator = static_cast<CodeGenTargetMachineImpl &>(machine);
  auto *info = new MachineModuleInfoWrapperPass(&machine);
  TargetPassConfig *config = generator.createPassConfig(passes);
  config->setDisableVerify(true);
  for (AnalysisID pass : instructionSetOf(machine.getTargetTriple()).spared()) config->disablePass(pass);
  passes.add(config);
  passes.add(info);
  bool failed = config->addISelPasses();
  if (!failed) {
    config->addMachinePasses();
    config->setInitialized();
    auto type = asText ? CodeGenFileType::AssemblyFile : CodeGenFileType::ObjectFile;
    failed = generator.addAsmPrinter(passes, out, nullptr, type, info->getMMI().getContext());
  }
  if (failed) throw Error(ErrorKind::Compile, "the target cannot emit an object");
  passes.add(createFreeMachineFunctionPass());
}

SmallVector<char, 0> CodeGeneration::run(Module &module) {
  Gate gate(module, instructionSetOf(module.getTargetTriple()).skipped);
  passes.run(module);
  return std::exchange(bytes, {});
}

void addInfo(mlir::ModuleOp module, int64_t kernels) {
  mlir::OpBuilder b = mlir::OpBuilder::atBlockEnd(module.getBody());
  auto workspace = module->getAttrOfType<mlir::IntegerAttr>(ir::kWorkspaceBytes);
  if (!workspace) throw Error(ErrorKind::Compile, "expected a module with a program, got none");
  ArrayRef<int64_t> inPlace;
  if (auto list = module->getAttrOfType<mlir::DenseI64ArrayAttr>(ir::kInPlace)) inPlace = list.asArrayRef();
  auto add = [&](StringRef name, ArrayRef<int64_t> words) {
    auto type = mlir::LLVM::LLVMArrayType::get(b.getI64Type(), words.size());
    auto value = mlir::DenseElementsAttr::get(mlir::RankedTensorType::get({int64_t(words.size())}, b.getI64Type()), words);
    mlir::LLVM::GlobalOp::create(b, b.getUnknownLoc(), type, /*isConstant=*/true, mlir::LLVM::Linkage::External, name, value);
  };
  add("kiln_info", {KILN_EXECUTABLE_VERSION, workspace.getInt(), kernels, int64_t(inPlace.size())});
  if (!inPlace.empty()) add("kiln_in_place", inPlace);
}

} // namespace kiln::cpu
