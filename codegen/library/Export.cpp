// A package becomes a library: the function of the compiler's C ABI, and kilnc.
#include "include/kiln/compiler.h"

#include "codegen/cpu/Native.h"
#include "codegen/library/Parts.h"
#include "dialects/trace/Convert.h"
#include "lib/Core/Error.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <filesystem>

namespace kiln::library {
namespace {

namespace fs = std::filesystem;

std::string textOf(const char *given) { return given ? given : ""; }

void writeText(const std::string &path, llvm::StringRef text) {
  llvm::Error error = llvm::writeToOutput(path, [&](llvm::raw_ostream &out) { return out << text, llvm::Error::success(); });
  if (error)
    fail(ErrorKind::Package, "library", "output", "a file that can be written", "'" + path + "': " + llvm::toString(std::move(error)));
}

Weights weightsOf(const std::string &name) {
  if (name.empty() || name == "embed") return Weights::Embedded;
  if (name == "file") return Weights::File;
  if (name == "caller") return Weights::Caller;
  fail(ErrorKind::Value, "library", "weights", "embed, file or caller", "'" + name + "'");
}

int64_t threadsOf(int32_t given) {
  constexpr int32_t kMost = 1024; // support/open.c
  if (given < 0 || given > kMost) fail(ErrorKind::Value, "library", "threads", "1 to " + std::to_string(kMost), std::to_string(given));
  return given ? given : 1;
}

/// "libmlp.so" is the library mlp.
std::string nameOf(const kiln_library_request &request) {
  if (request.name) return request.name;
  fs::path from = request.header_path ? request.header_path : request.output_path;
  std::string stem = from.stem();
  if (!request.header_path && stem.starts_with("lib")) stem = stem.substr(3);
  return stem;
}

/// One library on its way from a package to a file.
class Export {
public:
  explicit Export(const kiln_library_request &request)
      : request(request), lock(session.mutex), name(nameOf(request)), emit(request.emit ? request.emit : "so"),
        weights(weightsOf(textOf(request.weights))),
        machines(machinesOf(textOf(request.triple), textOf(request.cpu), textOf(request.features))) {
    constexpr llvm::StringLiteral kinds[] = {"so", "obj", "archive", "package", "asm", "ptx", "llvm", "mlir"};
    if (!llvm::is_contained(kinds, emit))
      fail(ErrorKind::Value, "library", "emit", "so, obj, archive, package, asm, ptx, llvm or mlir", "'" + emit + "'");
    if (emit == "ptx" && !machines.device)
      fail(ErrorKind::Value, "library", "emit", "asm for " + machines.triple + ", whose code is no PTX", "'ptx'");
    package = readInput();
    if (emit == "package") name = package.name, weights = Weights::Caller;
    interface = interfaceOf(package, name);
    interface.threads = threadsOf(request.threads);
    interface.isDevice = machines.device;
    if (emit != "package" && !machines.device) interface.routines = routinesIn(package);
    std::erase_if(interface.routines,
                  [&](RoutineSet set) { return !hasRoutines(set, machines.any->getTargetTriple()); }); // nobody needs their results
    checkWeights();
    bool startsThreads =
        machines.system == System::Linux && !machines.device && !machines.any->getTargetTriple().isAndroid(); // support/threads.c
    if (interface.threads > 1 && !startsThreads)
      fail(ErrorKind::Value, "library", "threads", "1 for " + machines.triple + ", which starts none", std::to_string(interface.threads));
    if (machines.system != System::Linux) checkSystem();
    if (machines.device) checkDevice();
  }

  void run() {
    if (machines.device && (emit == "asm" || emit == "ptx" || emit == "llvm")) return writeText(request.output_path, deviceCode());
    if (emit == "mlir") return writeText(request.output_path, programs());
    bool isText = emit == "asm" || emit == "llvm";
    std::string text;
    auto sink = [&](llvm::Module &module, llvm::TargetMachine &machine) {
      if (emit == "llvm") llvm::raw_string_ostream(text) << module;
      else objects.push_back(cpu::CodeGeneration(machine, /*asText=*/isText).run(module));
    };
    compile(sink);
    for (const Bytes &part : objects)
      if (isText) text.append(part.begin(), part.end());
    if (emit == "package") return addToPackage();
    if (isText) writeText(request.output_path, text);
    else write();
    std::string weightsPath = fs::path(request.output_path).replace_filename(weightsFile());
    if (!isText && weights == Weights::File && !package.weights.empty()) writeWeights(package, weightsPath);
    if (request.header_path) writeText(request.header_path, headerOf(interface, machines.describe(), machines.system));
    if (request.project_dir) writeProject(interface, request.project_dir, request.output_path, textOf(request.header_path), weights);
  }

private:
  const kiln_library_request &request;
  codegen::Session &session = codegen::Session::get();
  std::lock_guard<std::mutex> lock;
  std::string name, emit;
  Weights weights;
  Machines machines;
  Package package;
  Interface interface;
  std::vector<Bytes> objects;

  Package readInput() {
    auto buffer = llvm::MemoryBuffer::getFile(request.input_path);
    if (!buffer) fail(ErrorKind::Package, "library", "input", "a file that can be read", "'" + textOf(request.input_path) + "'");
    bool isPackage = (*buffer)->getBuffer().starts_with("PK");
    return isPackage ? readPackage(request.input_path) : packageFromMlir(session, (*buffer)->getBuffer(), name);
  }

  /// Code reaches what is inside a library by distances of 32 bits.
  void checkWeights() const {
    constexpr size_t kMost = size_t(1) << 30;
    size_t bytes = 0;
    for (const PackageWeight &w : package.weights) bytes += w.bytes.size();
    if (weights == Weights::Embedded && bytes > kMost)
      fail(ErrorKind::Package, "library", "weights", "at most 1 GB to be embedded, or 'file' or 'caller'",
           std::to_string(bytes) + " bytes");
  }

  /// What needs an operating system.
  void checkSystem() const {
    bool isBare = machines.system == System::None;
    if (weights == Weights::File)
      fail(ErrorKind::Value, "library", "weights", "'embed' or 'caller' for " + machines.triple + ", which has no files", "'file'");
    if (emit == "package") fail(ErrorKind::Value, "library", "emit", "code of Linux for a package", "'" + machines.triple + "'");
    if (request.project_dir) fail(ErrorKind::Value, "library", "project", "a target with Linux", "'" + machines.triple + "'");
    if (!isBare) return;
    if (emit == "so") fail(ErrorKind::Value, "library", "emit", "archive or obj, as nothing is loaded on " + machines.triple, "'so'");
    constexpr size_t kMost = 16; // support/library.h: a call keeps them on its stack
    for (const PackageEntry &entry : package.entries)
      if (entry.symbols.size() > kMost || entry.dimensions.size() > kMost)
        fail(ErrorKind::Package, "library", entry.name, "at most 16 sizes and numbers that follow from them on " + machines.triple,
             std::to_string(std::max(entry.symbols.size(), entry.dimensions.size())));
  }

  /// What is of the host alone.
  void checkDevice() const {
    if (emit == "package") fail(ErrorKind::Value, "library", "emit", "code of a host for a package", "'" + machines.triple + "'");
    if (request.project_dir)
      fail(ErrorKind::Value, "library", "project", "a target whose arrays are the host's", "'" + machines.triple + "'");
    for (const PackageOp &op : package.ops)
      if (op.kernel.empty())
        fail(ErrorKind::Compile, "library", "op '" + op.op.title + "'", "one with a kernel for GPUs (.cu or .ptx)", "one of the CPU alone");
  }

  /// Whether it is a module, with what it has of libc inside.
  bool standsAlone() const { return machines.system == System::Wasm && emit == "so"; }

  /// <stem>.safetensors
  std::string weightsFile() const { return fs::path(request.output_path).stem().string() + ".safetensors"; }

  /// All programs for all processors.
  std::vector<Code> compilePrograms(const LinkedOps &ops, Sink sink) {
    std::vector<Code> codes;
    for (const Function &f : interface.functions)
      for (auto [v, program] : llvm::enumerate(f.programs()))
        for (auto [p, processor] : llvm::enumerate(machines.processors)) {
          std::string symbol = name + "." + f.name + "." + std::to_string(v) + "." + std::to_string(p);
          codes.push_back(machines.device ? compileForDevice(session, package, *program, machines, processor)
                                          : compileProgram(session, *program, symbol, processor, ops,
                                                           emit == "package" ? Routines::Allowed : Routines::Refused, sink));
        }
    return codes;
  }

  std::string deviceCode() {
    std::string text;
    for (const Function &f : interface.functions)
      for (const PackageEntry *program : f.programs())
        for (const Processor &processor : machines.processors)
          text += printForDevice(session, *program, machines, processor, emit == "llvm" ? codegen::Text::Lowered : codegen::Text::Assembly);
    return text;
  }

  void compile(Sink sink) {
    LinkedOps ops = machines.device ? LinkedOps{} : linkedOps(name, package, *machines.any);
    std::vector<Code> codes = compilePrograms(ops, sink);
    llvm::LLVMContext context;
    auto tables = tablesOf(interface, codes, machines, weights, weightsFile(), standsAlone(), context);
    sink(*tables, *machines.any);
    if (emit == "llvm" || emit == "asm") return; // the support functions are the same in every library
    auto support = supportOf(name, machines, standsAlone(), context);
    sink(*support, *machines.any);
    for (RoutineSet set : interface.routines) {
      auto routines = routinesOf(set, name, *machines.any, context);
      sink(*routines, *machines.any);
    }
    std::ranges::move(ops.objects, std::back_inserter(objects));
  }

  void write() {
    if (emit == "so") writeShared(objects, machines, request.output_path, !machines.device && !package.ops.empty());
    else if (emit == "obj") writeObject(objects, machines, request.output_path);
    else writeArchive(objects, machines, request.output_path);
  }

  /// The package with the code, in the place of what it had for the machine.
  void addToPackage() {
    TemporaryFolder folder;
    std::string path = folder.path / ("lib" + name + ".so");
    writeShared(objects, machines, path, !package.ops.empty());
    auto code = llvm::MemoryBuffer::getFile(path);
    if (!code) fail(ErrorKind::Package, "library", "code", "a file that can be read", "'" + path + "'");
    std::erase_if(package.natives, [&](const PackageNative &known) { return known.triple == machines.triple; });
    auto bytes = (*code)->getBuffer();
    package.natives.push_back({machines.triple, {}, {reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()}, nullptr});
    for (const Processor &processor : machines.processors) package.natives.back().processors.push_back(processor.name);
    std::ranges::sort(package.natives, {}, &PackageNative::triple);
    writePackage(package, request.output_path);
  }

  std::string programs() {
    mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(mlir::UnknownLoc::get(&session.context));
    for (const Function &f : interface.functions)
      for (auto [v, program] : llvm::enumerate(f.programs()))
        importTrace(*module, program->program, f.name + (v ? "_" + std::to_string(v) : ""));
    std::string text;
    llvm::raw_string_ostream out(text);
    module->print(out);
    return text + "\n";
  }
};

} // namespace
} // namespace kiln::library

extern "C" int32_t kiln_compiler_library(const kiln_library_request *request, char **error) {
  return kiln::codegen::guarded(error, [&] { kiln::library::Export(*request).run(); });
}

extern "C" int32_t kiln_compiler_link(const char *object_path, const char *output_path, char **error) {
  return kiln::codegen::guarded(error, [&] {
    auto &session = kiln::codegen::Session::get();
    std::lock_guard lock(session.mutex);
    auto buffer = llvm::MemoryBuffer::getFile(object_path);
    if (!buffer) kiln::fail(kiln::ErrorKind::Package, "library", "object", "a file that can be read", "'" + std::string(object_path) + "'");
    kiln::library::Bytes bytes((*buffer)->getBufferStart(), (*buffer)->getBufferEnd());
    kiln::library::writeShared(bytes, kiln::library::machinesOf("", "", ""), output_path, /*unwinds=*/true);
  });
}
