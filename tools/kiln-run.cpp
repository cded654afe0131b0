// kiln-run FILE.mlir [--entry=NAME] [--input=1,2,3 ...]: compiles a function of kiln ops for this machine, runs it on the
// inputs (row-major elements; a single one fills the array; none: 0, 1, 2, ...), and prints its results.
#include "codegen/reference/Interpreter.h"
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
static cl::opt<std::string> target("target", cl::desc("Where to run: cpu, or the reference interpreter"), cl::init("cpu"));

namespace kiln {
namespace {

struct Data {
  TensorType type;
  std::vector<char> bytes;
  explicit Data(const TensorType &t) : type(t), bytes(size_t(std::max<int64_t>(numElements(t.shape) * byteSize(t.dtype), 1)) + 64) {}
  char *at(int64_t i) { return bytes.data() + i * byteSize(type.dtype); }
};

reference::Number parse(StringRef word) {
  auto [re, im] = word.trim().split(':'); // complex numbers as re:im
  auto number = [](StringRef text) {
    double value = 0;
    if (text == "nan") return scalar::kNan;
    if (text == "inf" || text == "-inf") return (text[0] == '-' ? -1 : 1) * scalar::kInfinity;
    if (!text.empty() && text.getAsDouble(value)) throw Error(ErrorKind::Value, "kiln-run: --input: expected a number, got '" + text.str() + "'");
    return value;
  };
  reference::Number like(DType::F64, 0);
  return reference::makeComplex(constant(like, number(re)), constant(like, number(im)));
}

void setElement(Data &data, int64_t i, reference::Number value) {
  if (!isComplex(data.type.dtype)) value = realPart(value);
  reference::Tensor{{data.type.dtype, {}}, {scalar::cast(value, data.type.dtype)}}.write(data.at(i));
}

void fill(Data &data, StringRef text) {
  SmallVector<StringRef> words;
  text.split(words, ',', -1, false);
  int64_t n = numElements(data.type.shape);
  if (words.size() > 1 && int64_t(words.size()) != n)
    throw Error(ErrorKind::Shape, "kiln-run: --input: expected 1 or " + std::to_string(n) + " elements of " + toString(data.type) +
                                      ", got " + std::to_string(words.size()));
  for (int64_t i = 0; i < n; ++i)
    setElement(data, i, words.empty() ? parse(std::to_string(i)) : parse(words[words.size() == 1 ? 0 : size_t(i)]));
}

void print(Data &data) {
  outs() << toString(data.type) << ":";
  DType dtype = data.type.dtype;
  auto text = [&](const reference::Number &x) {
    char buffer[40];
    double value;
    if (!isFloat(x.dtype)) return x.dtype == DType::U64 ? std::to_string(x.raw) : std::to_string(toInteger(x));
    reference::Number wide = scalar::cast(x, DType::F64);
    std::memcpy(&value, &wide.raw, sizeof value);
    snprintf(buffer, sizeof buffer, byteSize(x.dtype) == 8 ? "%.17g" : "%.9g", value);
    return std::string(buffer);
  };
  for (const reference::Number &x : reference::Tensor::read(data.type, data.at(0)).elements)
    outs() << " " << (isComplex(dtype) ? text(realPart(x)) + ":" + text(imagPart(x)) : text(x));
  outs() << "\n";
}

void runCpu(mlir::ModuleOp module, std::vector<Data> &data) {
  runPipeline(module, buildKernelPipeline);
  runPipeline(module, buildCpuPipeline);
  int64_t workspace = module->getAttrOfType<mlir::IntegerAttr>("kiln.workspace_bytes").getInt();
  auto machine = makeTargetMachine(nullptr);
  LLVMContext llvmContext;
  auto native = toLlvm(module, llvmContext, *machine);
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
}

void runReference(mlir::func::FuncOp main, std::vector<Data> &data) {
  size_t arguments = main.getNumArguments();
  std::vector<reference::Tensor> inputs;
  for (size_t i = 0; i < arguments; ++i) inputs.push_back(reference::Tensor::read(data[i].type, data[i].at(0)));
  for (size_t i = arguments; const reference::Tensor &t : reference::run(exportTrace(main).serialize(), std::move(inputs))) t.write(data[i++].at(0));
}

int run() {
  if (target != "cpu" && target != "reference")
    throw Error(ErrorKind::Device, "kiln-run: --target: expected cpu or reference, got '" + target + "'");
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

  if (target == "reference") runReference(main, data);
  else runCpu(*module, data);
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
