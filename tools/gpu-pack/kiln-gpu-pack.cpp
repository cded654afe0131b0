// kiln-gpu-pack OUTPUT FOLDER [--target=NAME] [--cpu=CPU] [--load=LIBRARY] [--jobs=N]: compiles the eager kernels of GPUs, for every op,
// dtype and form, as launch plans. Each is kept in FOLDER under the hash of its final code in MLIR's and LLVM's terms, so a change rebuilds
// what it changed.
#include "codegen/Pipelines.h"
#include "codegen/Session.h"
#include "dialects/trace/Convert.h"
#include "lib/Core/PlanPack.h"
#include "tools/Targets.h"
#include "tools/gpu-pack/Programs.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CRC.h"
#include "llvm/Support/Compression.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SHA256.h"

#include <atomic>
#include <map>
#include <thread>

namespace kiln {
extern const char *const kBuildId;

namespace {

/// What the command line says; kept here, as lld sets all options of LLVM back.
struct Request {
  std::string output, folder, target, cpu;
  unsigned jobs;

  Request(int argc, char **argv) {
    namespace cl = llvm::cl;
    static cl::opt<std::string> output(cl::Positional, cl::Required, cl::desc("OUTPUT")),
        folder(cl::Positional, cl::Required, cl::desc("FOLDER"));
    static cl::opt<std::string> target("target", cl::desc("A registered target"), cl::init("nvptx"));
    static cl::opt<std::string> cpu("cpu", cl::desc("The oldest CPU of the target that the code is for"));
    static cl::opt<unsigned> jobs("jobs", cl::desc("How many threads compile; 0: as many as there are processors"));
    cl::ParseCommandLineOptions(argc, argv, "Compiles the eager kernels of GPUs\n");
    this->output = output, this->folder = folder, this->target = target, this->cpu = cpu;
    this->jobs = jobs ? jobs : std::max(1u, std::thread::hardware_concurrency());
  }
};

std::string readFile(const std::string &path) {
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file) throw Error(ErrorKind::Compile, "gpu-pack: expected a file that can be read, got " + path);
  return (*file)->getBuffer().str();
}

/// What a thread compiles with.
class Compiler {
public:
  Compiler(const Request &request, const mlir::DialectRegistry &registry)
      : request(request), target(codegen::targetOf(request.target)), context(registry, mlir::MLIRContext::Threading::DISABLED),
        passes(&context) {
    context.loadAllAvailableDialects();
    machine = target.machine({"", request.cpu, ""});
    passes.enableVerifier(false);
    codegen::buildKernelPipeline(passes, target);
    codegen::buildTargetPipeline(passes, target);
  }

  /// The plan of a program; empty where the target has no kernels for it.
  std::string compile(const Trace &trace, bool &isNew) {
    mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
    importTrace(*module, trace, "kiln_entry");
    machine->describe(*module);
    try {
      codegen::runPasses(passes, *module);
    } catch (const Error &error) {
      if (llvm::StringRef(error.what()).contains("target '")) return ""; // it refuses the kernel, and says why
      throw;
    }
    std::string code; // and what the plan follows from
    llvm::raw_string_ostream(code) << *module << machine->print(*module, codegen::Text::Lowered);
    auto hash = llvm::toHex(llvm::SHA256::hash(llvm::arrayRefFromStringRef(code)), true);
    std::string path = request.folder + "/" + hash.substr(0, 32) + "." + request.target;
    isNew = !llvm::sys::fs::exists(path);
    if (isNew) {
      std::string draft = path + "." + std::to_string(reinterpret_cast<uintptr_t>(this)) + ".tmp";
      machine->serialize(*module, draft);
      llvm::sys::fs::rename(draft, path);
    }
    return readFile(path);
  }

private:
  const Request &request;
  const codegen::Target &target;
  mlir::MLIRContext context;
  mlir::PassManager passes;
  std::unique_ptr<codegen::Machine> machine;
};

/// Plans by program.
struct Build {
  const Request &request;
  std::vector<pack::Entry> programs = pack::allPrograms();
  std::vector<std::string> plans = std::vector<std::string>(programs.size()); // empty where the target refuses a program
  std::atomic<size_t> next = 0, compiled = 0;
  std::mutex mutex;
  std::exception_ptr failure;

  explicit Build(const Request &request) : request(request) {
    llvm::sys::fs::create_directories(request.folder);
    mlir::DialectRegistry registry;
    codegen::registerDialects(registry);
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < request.jobs; ++i) threads.emplace_back([&] { work(registry); });
    for (std::thread &thread : threads) thread.join();
    if (failure) std::rethrow_exception(failure);
  }

private:
  void work(const mlir::DialectRegistry &registry) {
    try {
      Compiler compiler(request, registry);
      for (size_t i = next++; i < programs.size(); i = next++) {
        bool isNew = false;
        plans[i] = compiler.compile(programs[i].trace, isNew);
        compiled += isNew;
      }
    } catch (...) {
      std::lock_guard lock(mutex);
      failure = std::current_exception();
      next = programs.size();
    }
  }
};

[[noreturn]] void failToWrite(const std::string &path) {
  throw Error(ErrorKind::Compile, "gpu-pack: expected a file that can be written, got " + path);
}
llvm::raw_fd_ostream draftOf(const std::string &path) {
  int file = -1;
  if (llvm::sys::fs::openFileForWrite(path + ".tmp", file)) failToWrite(path);
  return {file, /*shouldClose=*/true};
}

/// The file, part by part.
class File {
public:
  File(const Build &build, const std::string &target) : name(planPackName(kBuildId, target)) {
    std::map<std::string, PlanPackEntry> stored; // equal plans stand there once
    for (size_t i = 0; i < build.plans.size(); ++i) {
      if (build.plans[i].empty()) continue;
      auto [known, isNew] = stored.try_emplace(build.plans[i]);
      if (isNew) known->second = store(build.plans[i]);
      PlanPackEntry entry = known->second;
      std::vector<int64_t> program = build.programs[i].trace.serialize();
      entry.family = hashOfFamily(familyOf(build.programs[i].trace));
      entry.firstWord = words.size(), entry.words = program.size();
      words.insert(words.end(), program.begin(), program.end());
      entries.push_back(entry);
    }
    std::ranges::sort(entries, {}, [](const PlanPackEntry &entry) { return std::pair(entry.family, entry.firstWord); });
  }

  /// Whole or not at all.
  void write(const std::string &path) const {
    auto bytesOf = [](const auto &list) {
      return llvm::StringRef(reinterpret_cast<const char *>(list.data()), list.size() * sizeof(list[0]));
    };
    std::string middle = name + bytesOf(entries).str() + bytesOf(words).str();
    PlanPackHeader header;
    header.check = llvm::crc32(llvm::arrayRefFromStringRef(middle));
    header.nameBytes = name.size(), header.entries = entries.size(), header.words = words.size(), header.planBytes = plans.size();
    {
      llvm::raw_fd_ostream out = draftOf(path);
      out << llvm::StringRef(reinterpret_cast<const char *>(&header), sizeof header) << middle << plans;
      out.close();
      if (out.has_error()) out.clear_error(), failToWrite(path); // an error that nobody looks at ends the process
    }
    if (llvm::sys::fs::rename(path + ".tmp", path)) failToWrite(path);
  }
  size_t size() const { return entries.size(); }
  size_t bytes() const { return plans.size(); }

private:
  std::string name, plans;
  std::vector<PlanPackEntry> entries;
  std::vector<int64_t> words;

  PlanPackEntry store(const std::string &plan) {
    PlanPackEntry entry;
    llvm::SmallVector<uint8_t, 0> bytes;
    llvm::compression::zlib::compress(llvm::arrayRefFromStringRef(plan), bytes, llvm::compression::zlib::BestSizeCompression);
    entry.plan = plans.size(), entry.stored = bytes.size(), entry.bytes = plan.size();
    plans.append(bytes.begin(), bytes.end());
    return entry;
  }
};

} // namespace
} // namespace kiln

int main(int argc, char **argv) {
  try {
    kiln::tools::loadTargets(argc, argv);
    kiln::Request request(argc, argv);
    kiln::draftOf(request.output); // before what takes long
    kiln::Build build(request);
    kiln::File file(build, request.target);
    file.write(request.output);
    std::printf("kiln-gpu-pack: %zu programs, %zu compiled, %zu bytes of plans\n", file.size(), size_t(build.compiled), file.bytes());
  } catch (const kiln::Error &error) { return kiln::tools::fail(argv[0], error); }
}
