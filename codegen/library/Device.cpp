// Libraries whose functions launch code of a device: its processors, and the programs as launches.
#include "codegen/library/Parts.h"

#include "codegen/cpu/InstructionSet.h"
#include "codegen/cpu/Native.h"
#include "dialects/trace/Convert.h"
#include "lib/Core/Error.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"

using namespace mlir;

namespace kiln::library {
namespace {

/// "sm_90a" runs on chips of 9.0 alone, "sm_80" on those and all later ones: the number, and whether it is that alone.
std::array<int64_t, Processor::kWords> needsOf(StringRef chip) {
  int64_t number = 0;
  chip.consume_front("sm_");
  chip.consumeInteger(10, number);
  return {number, !chip.empty()};
}

std::string contentOf(const std::string &path) {
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file) fail(ErrorKind::Compile, "library", "code", "a file that can be read", "'" + path + "'");
  return (*file)->getBuffer().str();
}

/// What NVIDIA's assembler makes of PTX for a chip; empty where there is none on the path.
std::string assemble(const std::string &ptx, const std::string &chip) {
  auto assembler = llvm::sys::findProgramByName("ptxas");
  if (!assembler) return "";
  TemporaryFolder folder;
  std::string source = folder.path / "kernels.ptx", image = folder.path / "kernels.cubin", said = folder.path / "said";
  std::error_code error;
  llvm::raw_fd_ostream(source, error) << ptx;
  int status = llvm::sys::ExecuteAndWait(*assembler, {*assembler, "-arch=" + chip, "-o", image, source}, std::nullopt,
                                         {std::nullopt, StringRef(said), StringRef(said)});
  if (status) fail(ErrorKind::Compile, "library", "cpu", "one that " + *assembler + " knows", "'" + chip + "': " + contentOf(said));
  return contentOf(image);
}

/// The same where processors were named, of code that is none yet.
std::string imageOf(const std::string &code, const Machines &machines, const Processor &processor) {
  bool isImage = StringRef(code).starts_with("\x7f"
                                             "ELF");
  return machines.hasImages && !isImage ? assemble(code, processor.name) : "";
}

OwningOpRef<ModuleOp> lower(codegen::Session &session, const Trace &program, const std::string &name, const Machines &machines,
                            const Processor &processor) {
  codegen::Stages &stages = session.stagesOf(*machines.device);
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&session.context));
  importTrace(*module, program, name);
  processor.device->describe(*module);
  for (PassManager *pm : {&stages.kernels, &stages.schedule, &stages.emit, &stages.lower}) codegen::runPasses(*pm, *module);
  return module;
}

LaunchPlan planOf(codegen::Session &session, const Trace &program, const std::string &name, const Machines &machines,
                  const Processor &processor) {
  OwningOpRef<ModuleOp> module = lower(session, program, name, machines, processor);
  TemporaryFolder folder;
  std::string path = folder.path / "plan";
  processor.device->serialize(*module, path);
  return LaunchPlan::read(contentOf(path));
}

} // namespace

const codegen::Target *deviceTargetOf(const std::string &triple) {
  for (const codegen::Target *target : codegen::allTargets())
    if (StringRef device = target->capabilities().device; !device.empty() && device == triple) return target;
  return nullptr;
}

Machines machinesOfDevice(const codegen::Target &target, const std::string &cpus, const std::string &features) {
  codegen::MachineName host = cpu::hostMachine();
  const cpu::LibraryParts &parts = cpu::instructionSetOf(llvm::Triple(host.triple)).library;
  std::string triple = target.capabilities().device.str();
  if (parts.device.empty())
    fail(ErrorKind::Compile, "library", "target", "a host that launches code of " + triple, "'" + host.triple + "'");
  Machines result{triple, {}, cpu::makeTargetMachine({host.triple, parts.least, parts.features}), System::Linux, &target, !cpus.empty()};
  llvm::SmallVector<StringRef> names;
  std::string wanted = cpus.empty() ? "sm_80" : cpus;
  StringRef(wanted).split(names, ',');
  for (StringRef name : names) {
    auto device = target.machine({triple, name.str(), features});
    result.processors.push_back({name.str(), nullptr, needsOf(name), std::move(device)});
  }
  return result;
}

/// How many arrays the bodies that run inside of each other have, at most, from each program on: a call keeps them on its stack.
static int64_t mostArrays(const LaunchPlan &plan) {
  std::vector<int64_t> inside(plan.bodies.size(), 0); // a body runs later ones alone
  auto arraysOf = [&](const LaunchPlan::Program &program) {
    int64_t most = 0;
    for (const LaunchPlan::Step &step : program.steps)
      for (int64_t body : step.bodies) most = std::max(most, inside[size_t(body)] + 2 * int64_t(step.arguments.size()));
    return most;
  };
  for (size_t i = plan.bodies.size(); i-- > 0;) inside[i] = arraysOf(plan.bodies[i]);
  return arraysOf(plan.programs.at(0));
}

/// The kernels of custom ops that a plan launches.
static std::map<std::string, DeviceOp> opsOf(const LaunchPlan &plan, const Package &package, const Machines &machines,
                                             const Processor &processor) {
  std::map<std::string, DeviceOp> ops;
  auto add = [&](const LaunchPlan::Launch &launch) {
    if (!launch.isOp || ops.contains(launch.kernel)) return;
    auto op = std::ranges::find(package.ops, launch.kernel, [](const PackageOp &op) { return op.op.name; });
    if (op == package.ops.end())
      fail(ErrorKind::Compile, "library", "op '" + launch.kernel + "'", "one whose code the package has", "one that it only names");
    auto bytes = package.file(op->kernel);
    std::string code(reinterpret_cast<const char *>(bytes.data()), bytes.size());
    ops[launch.kernel] = {op->symbol, code, imageOf(code, machines, processor)};
  };
  plan.forEach([&](const LaunchPlan::Program &program) { llvm::for_each(program.launches, add); });
  return ops;
}

Code compileForDevice(codegen::Session &session, const Package &package, const PackageEntry &entry, const Machines &machines,
                      const Processor &processor) {
  constexpr int64_t kMostArrays = 8192;
  Trace program = programOf(entry);
  LaunchPlan plan = planOf(session, program, entry.name, machines, processor);
  auto writesInPlace = [](const LaunchPlan::Program &p) { return llvm::any_of(p.inPlace, [](int64_t input) { return input >= 0; }); };
  plan.forEach([&](const LaunchPlan::Program &p) {
    for (const LaunchPlan::Step &step : p.steps)
      if (step.kind == LaunchPlan::Step::Kind::Library)
        fail(ErrorKind::Compile, "library", "code", "kernels alone for a device", "a call of its maker's libraries (" + step.routine + ")");
  });
  // All kernels run, whatever the first of them finds: what may fail writes over nothing.
  bool canFail = plan.programs.at(0).canFail || !entry.misses.empty();
  if (canFail && writesInPlace(plan.programs[0])) {
    program.replaces.clear();
    plan = planOf(session, program, entry.name, machines, processor);
  }
  if (int64_t arrays = mostArrays(plan); arrays > kMostArrays)
    fail(ErrorKind::Compile, "library", entry.name, "loops with at most " + std::to_string(kMostArrays) + " arrays in all that are nested",
         std::to_string(arrays));
  const LaunchPlan::Program &only = plan.programs.at(0);
  Code code{"", "", 0, writesInPlace(only) ? only.inPlace : std::vector<int64_t>()};
  if (plan.hasLaunches()) code.image = imageOf(plan.code, machines, processor);
  code.ops = opsOf(plan, package, machines, processor);
  code.plan = std::move(plan);
  return code;
}

std::string printForDevice(codegen::Session &session, const PackageEntry &entry, const Machines &machines, const Processor &processor,
                           codegen::Text form) {
  OwningOpRef<ModuleOp> module = lower(session, programOf(entry), entry.name, machines, processor);
  return processor.device->print(*module, form);
}

} // namespace kiln::library
