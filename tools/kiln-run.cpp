// kiln-run FILE.mlir [--entry=NAME] [--input=1,2,3 ...]: compiles a function of kiln ops for this machine, runs it on the
// inputs (row-major elements; a single one fills the array; none: 0, 1, 2, ...), and prints its results.
#include "include/kiln/executable.h"
#include "lib/Driver/Driver.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <bit>
#include <cstring>
#include <dlfcn.h>

using namespace llvm;

static cl::opt<std::string> file(cl::Positional, cl::desc("<input file>"), cl::init("-"));
static cl::opt<std::string> entry("entry", cl::desc("Function to run (the first unless given)"));
static cl::list<std::string> inputs("input", cl::desc("Elements of the next argument, comma-separated"));
static cl::opt<std::string> target("target", cl::desc("Where to run: cpu"), cl::init("cpu"));

namespace kiln {
namespace {

struct Data {
  TensorType type;
  std::vector<char> bytes;
  explicit Data(const TensorType &t) : type(t), bytes(size_t(std::max<int64_t>(numElements(t.shape) * byteSize(t.dtype), 1)) + 64) {}
  char *at(int64_t i) { return bytes.data() + i * byteSize(type.dtype); }
};

void setElement(Data &data, int64_t i, double value) {
  auto put = [&](auto v) { std::memcpy(data.at(i), &v, sizeof v); };
  if (data.type.dtype == DType::F32) return put(float(value));
  if (data.type.dtype == DType::F64) return put(value);
  int64_t whole = int64_t(value);
  std::memcpy(data.at(i), &whole, size_t(byteSize(data.type.dtype)));
}

void fill(Data &data, StringRef text) {
  SmallVector<StringRef> words;
  text.split(words, ',', -1, false);
  int64_t n = numElements(data.type.shape);
  if (words.size() > 1 && int64_t(words.size()) != n)
    throw Error(ErrorKind::Shape, "kiln-run: --input: expected 1 or " + std::to_string(n) + " elements of " + toString(data.type) +
                                      ", got " + std::to_string(words.size()));
  for (int64_t i = 0; i < n; ++i) {
    double value = double(i);
    if (!words.empty()) {
      StringRef word = words[words.size() == 1 ? 0 : size_t(i)].trim();
      if (word == "nan") value = std::numeric_limits<double>::quiet_NaN();
      else if (word == "inf" || word == "-inf") value = (word[0] == '-' ? -1 : 1) * std::numeric_limits<double>::infinity();
      else if (word.getAsDouble(value)) throw Error(ErrorKind::Value, "kiln-run: --input: expected a number, got '" + word.str() + "'");
    }
    setElement(data, i, value);
  }
}

void print(Data &data) {
  outs() << toString(data.type) << ":";
  for (int64_t i = 0; i < numElements(data.type.shape); ++i) {
    const char *p = data.at(i);
    auto read = [&]<typename T>(T) {
      T v;
      std::memcpy(&v, p, sizeof v);
      return v;
    };
    char text[40];
    switch (data.type.dtype) {
    case DType::F32: snprintf(text, sizeof text, "%.9g", double(read(float()))); break;
    case DType::F64: snprintf(text, sizeof text, "%.17g", read(double())); break;
    case DType::U64: snprintf(text, sizeof text, "%lu", read(uint64_t())); break;
    case DType::U32: snprintf(text, sizeof text, "%u", read(uint32_t())); break;
    case DType::U16: snprintf(text, sizeof text, "%u", read(uint16_t())); break;
    case DType::U8:
    case DType::Bool: snprintf(text, sizeof text, "%u", read(uint8_t())); break;
    case DType::I8: snprintf(text, sizeof text, "%d", read(int8_t())); break;
    case DType::I16: snprintf(text, sizeof text, "%d", read(int16_t())); break;
    case DType::I32: snprintf(text, sizeof text, "%d", read(int32_t())); break;
    case DType::I64: snprintf(text, sizeof text, "%ld", read(int64_t())); break;
    }
    outs() << " " << text;
  }
  outs() << "\n";
}

int run() {
  if (target != "cpu") throw Error(ErrorKind::Device, "kiln-run: --target: expected cpu, got '" + target + "'");
  mlir::DialectRegistry registry;
  registerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(file, &context);
  if (!module) return 1;
  mlir::func::FuncOp main;
  for (auto fn : module->getOps<mlir::func::FuncOp>())
    if (!main && (entry.empty() || fn.getName() == entry)) main = fn;
  if (!main) throw Error(ErrorKind::Value, "kiln-run: --entry: expected a function of the file, got '" + entry + "'");
  main.setName("kiln_entry");
  std::vector<Data> data;
  for (mlir::Type t : llvm::concat<const mlir::Type>(main.getArgumentTypes(), main.getResultTypes())) {
    if (!mlir::cast<mlir::RankedTensorType>(t).hasStaticShape())
      throw Error(ErrorKind::Shape, "kiln-run: expected static shapes, got " + toString(ir::typeOf(t)));
    data.emplace_back(ir::typeOf(t));
  }
  size_t arguments = main.getNumArguments();
  for (size_t i = 0; i < arguments; ++i) fill(data[i], i < inputs.size() ? StringRef(inputs[i]) : StringRef());

  runPipeline(*module, buildKernelPipeline);
  runPipeline(*module, buildCpuPipeline);
  int64_t workspace = (*module)->getAttrOfType<mlir::IntegerAttr>("kiln.workspace_bytes").getInt();
  auto machine = makeTargetMachine(nullptr);
  LLVMContext llvmContext;
  auto native = toLlvm(*module, llvmContext, *machine);
  auto object = emitObject(*native, *machine);
  SmallString<64> path;
  if (sys::fs::createTemporaryFile("kiln-run", "so", path))
    throw Error(ErrorKind::Compile, "kiln-run: expected a writable temporary folder");
  linkShared({object}, path.str().str());
  void *handle = dlopen(path.c_str(), RTLD_NOW);
  sys::fs::remove(path);
  auto fn = handle ? reinterpret_cast<kiln_entry_fn>(dlsym(handle, "kiln_entry")) : nullptr;
  if (!fn) throw Error(ErrorKind::Compile, "kiln-run: the program does not load");
  std::vector<void *> buffers;
  for (Data &d : data) buffers.push_back(d.bytes.data());
  std::vector<char> scratch(size_t(workspace) + 64);
  auto *aligned = reinterpret_cast<char *>((reinterpret_cast<uintptr_t>(scratch.data()) + 63) / 64 * 64);
  kiln_rt rt{1};
  if (fn(&rt, buffers.data(), nullptr, aligned)) throw Error(ErrorKind::Index, "kiln-run: an index was out of range");
  for (size_t i = arguments; i < data.size(); ++i) print(data[i]);
  return 0;
}

} // namespace
} // namespace kiln

int main(int argc, char **argv) {
  cl::ParseCommandLineOptions(argc, argv, "Compiles a function of kiln ops and runs it\n");
  try {
    return kiln::run();
  } catch (const std::exception &error) {
    errs() << error.what() << "\n";
    return 1;
  }
}
