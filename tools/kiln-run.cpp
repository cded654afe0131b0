// kiln-run FILE.mlir [--entry=NAME | --all] [--target=NAME|reference|both] [--input=1,2,3 ...] [--repeat=N]: runs functions of kiln ops
// compiled for a target (cpu: this machine), in the reference interpreter, or in both cpu and that, whose bits must agree; prints their
// results, or how long they take. --check compares another target with the interpreter in the same way. --load opens a library that
// registers a target. Programs for any size run at those of --size, by symbol, or at 7, 8, 9 and so on. Functions may be fused and planned
// already (kiln-opt), also scheduled: then that is what runs.
//
// Inputs are row-major elements; a single one fills the array; none: 0, 1, 2, ... An argument's attribute kiln.input = "..."
// stands in for --input, so that one file can hold many functions with their inputs. FILE may also be a program file. Trees of the trace
// dialect run in the interpreter alone.
#include "codegen/Pipelines.h"
#include "codegen/Session.h"
#include "codegen/reference/Interpreter.h"
#include "dialects/trace/Convert.h"
#include "lib/Core/Generalize.h"
#include "lib/Core/Program.h"
#include "lib/Library/Library.h"
#include "include/kiln/executable.h"
#include "tools/Targets.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>

using namespace llvm;

static cl::opt<std::string> file(cl::Positional, cl::desc("<input file>"), cl::init("-"));
static cl::opt<std::string> entry("entry", cl::desc("Function to run (the first unless given)"));
static cl::list<std::string> inputs("input", cl::desc("Elements of the next argument, comma-separated"));
static cl::list<int64_t> sizes("size", cl::desc("Sizes of programs for any size, by symbol"), cl::CommaSeparated);
static cl::opt<bool> all("all", cl::desc("Run every function of the file"));
static cl::opt<unsigned> repeat("repeat", cl::desc("Run compiled functions so often, and print the median time instead of results"));
static cl::opt<std::string> target("target", cl::desc("Where to run: a registered target, reference, or both cpu and that"),
                                   cl::init("cpu"));
static cl::opt<bool> checks("check", cl::desc("Compare the results of the target with those of the reference interpreter"));
static cl::opt<bool> withoutRuntime("without-runtime", cl::desc("Give the code no table of the runtime"));

namespace kiln {
namespace {

/// Memory as compiled code has it: in whole lines of the cache.
struct alignas(64) Line {
  char bytes[64] = {};
};

struct Data {
  TensorType type;
  std::vector<Line> lines;
  explicit Data(const TensorType &t) : type(t), lines(size_t(numElements(t.shape) * byteSize(t.dtype)) / sizeof(Line) + 1) {}
  char *at(int64_t i) { return lines[0].bytes + i * byteSize(type.dtype); }
};

reference::Number parse(StringRef word) {
  auto [re, im] = word.trim().split(':'); // complex numbers as re:im
  auto number = [](StringRef text) {
    double value = 0;
    if (text == "nan") return scalar::kNan;
    if (text == "inf" || text == "-inf") return (text[0] == '-' ? -1 : 1) * scalar::kInfinity;
    if (!text.empty() && text.getAsDouble(value))
      throw Error(ErrorKind::Value, "kiln-run: --input: expected a number, got '" + text.str() + "'");
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
    if (value != value) return std::string("nan");
    snprintf(buffer, sizeof buffer, byteSize(x.dtype) == 8 ? "%.17g" : "%.9g", value);
    return std::string(buffer);
  };
  for (const reference::Number &x : reference::Tensor::read(ArrayType(data.type), data.at(0)).elements)
    outs() << " " << (isComplex(dtype) ? text(realPart(x)) + ":" + text(imagPart(x)) : text(x));
  outs() << "\n";
}

/// A function with its inputs, and its results on each target.
struct Run {
  std::string name;
  std::vector<Data> data; // inputs, then results
  size_t arguments;
  std::vector<int64_t> dims; // by symbol
  std::vector<Data> results(std::vector<Data> from) const { return {from.begin() + int64_t(arguments), from.end()}; }
};

/// What a call says of the symbols of a program; those that nobody named are small, and differ.
std::vector<int64_t> dimsOf(int64_t symbols) {
  constexpr int64_t kFirst = 7;
  std::vector<int64_t> dims(sizes.begin(), sizes.end());
  for (int64_t i = int64_t(dims.size()); i < symbols; ++i) dims.push_back(kFirst + i);
  dims.resize(size_t(symbols));
  return dims;
}
int64_t symbolsOf(mlir::Operation *fn) { return mlir::isa<mlir::func::FuncOp>(fn) ? ir::symbolsOf(fn) : 0; }

Run prepare(mlir::FunctionOpInterface fn) {
  Run run{fn.getName().str(), {}, fn.getNumArguments(), dimsOf(symbolsOf(fn))};
  for (mlir::Type t : llvm::concat<const mlir::Type>(fn.getArgumentTypes(), fn.getResultTypes())) {
    if (!ir::isArray(t)) throw Error(ErrorKind::DType, "kiln-run: expected arrays as arguments and results, got another type");
    TensorType type = ir::typeOf(t);
    for (int i = 0; i < type.shape.rank; ++i)
      if (Size size = type.shape[i]; size.isSymbol()) type.shape[i] = run.dims[size_t(size.symbol())];
    run.data.emplace_back(type);
  }
  for (size_t i = 0; i < run.arguments; ++i) {
    auto given = fn.getArgAttrOfType<mlir::StringAttr>(unsigned(i), ir::kInput);
    fill(run.data[i], given ? given.getValue() : i < inputs.size() ? StringRef(inputs[i]) : StringRef());
  }
  return run;
}

/// A tree from its first node to a return, on its inputs.
std::vector<reference::Tensor> runTree(ir::TreeOp tree, std::vector<reference::Tensor> inputs) {
  mlir::DenseMap<mlir::Value, reference::Tensor> values;
  auto bind = [&](mlir::ValueRange names, std::vector<reference::Tensor> tensors) {
    for (auto [name, tensor] : zip(names, tensors)) values[name] = std::move(tensor);
  };
  auto valuesOf = [&](mlir::ValueRange names) {
    std::vector<reference::Tensor> tensors;
    for (mlir::Value name : names) tensors.push_back(values.at(name));
    return tensors;
  };
  mlir::Block *node = &tree.getBody().front();
  bind(node->getArguments(), std::move(inputs));
  for (;;) {
    for (auto segment : node->getOps<ir::SegmentOp>())
      bind(segment.getOutputs(), reference::run(exportSegment(segment).serialize(), valuesOf(segment.getInputs())));
    auto guard = mlir::dyn_cast<ir::GuardOp>(node->getTerminator());
    if (!guard) return valuesOf(node->getTerminator()->getOperands());
    const reference::Tensor &value = values.at(guard.getValue());
    uint64_t unused = uint64_t(64 - 8 * byteSize(value.type.dtype));
    bool isHit = (value.elements[0].raw ^ uint64_t(ir::scalarBits(guard.getExpected()))) << unused == 0;
    auto operands = valuesOf(isHit ? guard.getHitOperands() : guard.getOtherwiseOperands());
    node = isHit ? guard.getHit() : guard.getOtherwise();
    bind(node->getArguments(), std::move(operands));
  }
}

std::vector<Data> runReference(mlir::Operation *fn, const Run &run) {
  std::vector<Data> data = run.data;
  std::vector<reference::Tensor> tensors;
  for (size_t i = 0; i < run.arguments; ++i) tensors.push_back(reference::Tensor::read(ArrayType(data[i].type), data[i].at(0)));
  auto tree = mlir::dyn_cast<ir::TreeOp>(fn);
  auto fixed = [&] {
    Trace trace = exportTrace(mlir::cast<mlir::func::FuncOp>(fn));
    return run.dims.empty() ? trace : specialize(trace, run.dims);
  };
  auto results = tree ? runTree(tree, std::move(tensors)) : reference::run(fixed().serialize(), std::move(tensors));
  for (size_t i = run.arguments; const reference::Tensor &t : results) t.write(data[i++].at(0));
  return run.results(std::move(data));
}

/// The functions of a module, compiled and loaded.
class Compiled {
public:
  /// `dims`: of the program that has most.
  Compiled(mlir::ModuleOp module, const codegen::Target &target, const std::vector<int64_t> &dims)
      : runtime(withoutRuntime ? nullptr : runtimeTable()) {
    auto machine = target.machine({});
    machine->describe(module);
    bool isFused = module.walk([](ir::KernelOp) { return mlir::WalkResult::interrupt(); }).wasInterrupted();
    if (!isFused) codegen::runPipeline(module, [&](mlir::OpPassManager &pm) { codegen::buildKernelPipeline(pm, target); });
    for (auto fn : module.getOps<mlir::func::FuncOp>())
      for (unsigned i = 0; i < fn.getNumResults(); ++i)
        if (auto argument = fn.getResultAttrOfType<mlir::IntegerAttr>(i, ir::kInPlace))
          inPlace[fn.getName()].push_back({i, size_t(argument.getInt())});
    codegen::runPipeline(module, [&](mlir::OpPassManager &pm) { codegen::buildTargetPipeline(pm, target); });
    int64_t bytes = 0; // said of the module, or of each function by targets that keep them
    module->walk([&](mlir::Operation *op) {
      if (auto mine = op->getAttrOfType<mlir::IntegerAttr>(ir::kWorkspaceBytes)) bytes = std::max(bytes, mine.getInt());
    });
    SmallString<64> path;
    if (sys::fs::createTemporaryFile("kiln-run", "code", path))
      throw Error(ErrorKind::Compile, "kiln-run: expected a writable temporary folder");
    FileRemover remover(path);
    machine->serialize(module, path.str().str());
    code = target.load(path.str().str());
    bytes = std::max(bytes, code->workspaceBytes(dims.data())); // of a program for any size, or that computes sizes
    workspace.resize(size_t(bytes) / sizeof(Line) + 1);
  }

  std::vector<Data> run(const Run &run) {
    std::vector<Data> data = run.data;
    call(run, data);
    return run.results(std::move(data));
  }

  /// The median time of `count` runs, in milliseconds.
  double time(const Run &run, unsigned count) {
    std::vector<Data> data = run.data;
    std::vector<double> times;
    for (unsigned i = 0; i <= count; ++i) {
      auto start = std::chrono::steady_clock::now();
      call(run, data);
      times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
    }
    times.erase(times.begin()); // the first touches the memory
    std::nth_element(times.begin(), times.begin() + int64_t(count / 2), times.end());
    return times[count / 2];
  }

private:
  const kiln_rt *runtime;
  std::unique_ptr<codegen::Code> code;
  std::vector<Line> workspace;
  StringMap<SmallVector<std::pair<size_t, size_t>>> inPlace; // results, and the arguments that they lie in

  void call(const Run &run, std::vector<Data> &data) {
    std::vector<void *> buffers;
    for (Data &d : data) buffers.push_back(d.at(0));
    for (auto [result, argument] : inPlace.lookup(run.name)) { // in a copy: the argument is used again
      Data &copy = data[run.arguments + result];
      std::memcpy(copy.at(0), data[argument].at(0), size_t(numElements(copy.type.shape) * byteSize(copy.type.dtype)));
      buffers[argument] = copy.at(0);
    }
    int32_t status = code->run(run.name, runtime, buffers.data(), run.dims.data(), workspace[0].bytes);
    if (status & KILN_INDEX_OUT_OF_RANGE) throw Error(ErrorKind::Index, "kiln-run: an index was out of range");
    if (status) throw Error(ErrorKind::LinAlg, "kiln-run: a library routine gave status " + std::to_string(status));
  }
};

/// Equal bits, nans apart.
void checkEqual(const Run &run, std::vector<Data> &cpu, std::vector<Data> &wanted) {
  for (size_t i = 0; i < cpu.size(); ++i) {
    auto got = reference::Tensor::read(ArrayType(cpu[i].type), cpu[i].at(0)),
         want = reference::Tensor::read(ArrayType(cpu[i].type), wanted[i].at(0));
    auto isNan = [](reference::Number x) {
      auto real = [](reference::Number r) { return isTrue(scalar::isnan(scalar::cast(r, DType::F64))); };
      return isFloat(x.dtype) ? real(x) : isComplex(x.dtype) && (real(realPart(x)) || real(imagPart(x)));
    };
    for (size_t k = 0; k < got.elements.size(); ++k) {
      const reference::Number &a = got.elements[k], &b = want.elements[k];
      if ((a.raw == b.raw && a.rawImag == b.rawImag) || (isNan(a) && isNan(b))) continue;
      outs() << "compiled ";
      print(cpu[i]);
      outs() << "reference ";
      print(wanted[i]);
      throw Error(ErrorKind::Value,
                  "kiln-run: @" + run.name + ": expected the bits of the reference interpreter in element " + std::to_string(k));
    }
  }
}

/// MLIR, or a program file.
mlir::OwningOpRef<mlir::ModuleOp> readModule(mlir::MLIRContext &context) {
  auto buffer = MemoryBuffer::getFileOrSTDIN(file);
  if (!buffer) throw Error(ErrorKind::Value, "kiln-run: expected a file, got '" + file + "': " + buffer.getError().message());
  std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t *>((*buffer)->getBufferStart()), (*buffer)->getBufferSize());
  if (!isProgramFile(bytes)) return mlir::parseSourceString<mlir::ModuleOp>((*buffer)->getBuffer(), &context, file);
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
  importTrace(*module, unpackProgram(bytes), "program");
  return module;
}

int run() {
  bool isCompiled = target != "reference", isChecked = target == "both" || checks, isInterpreted = !isCompiled || isChecked;
  const codegen::Target *compiler = isCompiled ? &codegen::targetOf(target == "both" ? "cpu" : StringRef(target)) : nullptr;
  mlir::DialectRegistry registry;
  codegen::registerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  auto module = readModule(context);
  if (!module) return 1;
  bool showsNames = all; // the linker resets the options of the command line
  std::vector<Run> runs;
  std::vector<std::vector<Data>> results;
  for (auto fn : module->getOps<mlir::FunctionOpInterface>()) {
    if (mlir::cast<mlir::SymbolOpInterface>(fn.getOperation()).isPrivate()) continue; // a body
    if (!all && (!runs.empty() || (!entry.empty() && fn.getName() != entry))) continue;
    if (isCompiled && mlir::isa<ir::TreeOp>(fn))
      throw Error(ErrorKind::Device, "kiln-run: --target: expected reference for a tree, got '" + target + "'");
    runs.push_back(prepare(fn));
    if (isInterpreted) results.push_back(runReference(fn, runs.back()));
  }
  if (runs.empty()) throw Error(ErrorKind::Value, "kiln-run: --entry: expected a function of the file, got '" + entry + "'");
  if (isCompiled) {
    unsigned count = repeat;
    std::vector<int64_t> dims;
    for (const Run &run : runs)
      if (run.dims.size() > dims.size()) dims = run.dims;
    Compiled compiled(*module, *compiler, dims);
    if (count) {
      for (const Run &run : runs) outs() << "@" << run.name << ": " << format("%.4f", compiled.time(run, count)) << " ms\n";
      return 0;
    }
    for (size_t i = 0; i < runs.size(); ++i) {
      std::vector<Data> mine = compiled.run(runs[i]);
      if (isChecked) checkEqual(runs[i], mine, results[i]);
      else results.push_back(std::move(mine));
    }
  }
  for (size_t i = 0; i < runs.size(); ++i) {
    if (showsNames) outs() << "@" << runs[i].name << ":\n";
    for (Data &d : results[i]) print(d);
  }
  return 0;
}

} // namespace
} // namespace kiln

int main(int argc, char **argv) {
  try {
    kiln::tools::loadTargets(argc, argv);
  } catch (const kiln::Error &error) { return kiln::tools::fail(argv[0], error); }
  cl::ParseCommandLineOptions(argc, argv, "Runs functions of kiln ops\n");
  try {
    return kiln::run();
  } catch (const std::exception &error) {
    errs() << error.what() << "\n";
    return 1;
  }
}
