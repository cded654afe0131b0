// A target that is a page of code: elementwise kernels become lines of text, which a small machine carries out, one element at a time.
//
//   program NAME                        kernels of a program follow
//   kernel N                            N elements; its lines write slots 0, 1, ...
//   load PLACE DTYPE EACH               element i of an array, or its first where EACH is 0
//   number DTYPE BITS
//   apply OP DTYPE A B C                the scalar lowering of an op on slots
//   store SLOT PLACE
//
// A PLACE is i3 (input 3), o0 (output 0), or w64 (byte 64 of the workspace).
#include "codegen/Target.h"
#include "codegen/reference/Interpreter.h"
#include "dialects/kiln/math/Apply.h"
#include "lib/Core/Error.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace kiln;

namespace toy {
namespace {

[[noreturn]] void refuse(const Twine &expected, Operation *op) {
  throw Error(ErrorKind::Compile, ("target 'toy': expected " + expected + ", got '" + op->getName().getStringRef() + "'").str());
}

//===-- from kernels to text ----------------------------------------------------------------------------------------===//

class Writer {
public:
  explicit Writer(llvm::raw_ostream &out) : out(out) {}

  void program(func::FuncOp fn) {
    places.clear();
    out << "program " << fn.getName() << " " << fn.getNumArguments() << "\n";
    for (auto argument : fn.getArguments()) places[argument] = "i" + std::to_string(argument.getArgNumber());
    for (auto kernel : fn.getOps<ir::KernelOp>())
      for (auto [result, offset] : llvm::zip(kernel.getResults(), *kernel.getWorkspace())) places[result] = "w" + std::to_string(offset);
    for (auto [i, value] : llvm::enumerate(fn.getBody().front().getTerminator()->getOperands()))
      places[ir::memoryOf(value)] = "o" + std::to_string(i);
    for (auto kernel : fn.getOps<ir::KernelOp>()) write(kernel);
  }

private:
  llvm::raw_ostream &out;
  DenseMap<Value, std::string> places;
  DenseMap<Value, int> slots;
  int written = 0;

  int slotOf(Value v) {
    if (auto argument = dyn_cast<BlockArgument>(v); argument && !slots.contains(v)) load(v, true);
    return slots.at(v);
  }
  void load(Value argument, bool each) {
    auto kernel = cast<ir::KernelOp>(argument.getParentBlock()->getParentOp());
    Value from = ir::memoryOf(kernel.getInputs()[cast<BlockArgument>(argument).getArgNumber()]);
    out << "load " << places.at(from) << " " << int(ir::typeOf(argument).dtype) << " " << each << "\n";
    number(argument);
  }
  void number(Value v) { slots[v] = written++; }

  void write(ir::KernelOp kernel) {
    slots.clear(), written = 0;
    out << "kernel " << numElements(ir::typeOf(kernel.getResult(0)).shape) << "\n";
    Block &body = kernel.getBody().front();
    for (Operation &op : body.without_terminator()) write(op);
    for (auto [value, result] : llvm::zip(body.getTerminator()->getOperands(), kernel.getResults())) {
      int slot = slotOf(value);
      out << "store " << slot << " " << places.at(result) << "\n";
    }
  }

  void write(Operation &op) {
    Value result = op.getResult(0);
    DType dtype = ir::typeOf(result).dtype;
    if (auto constant = dyn_cast<ir::ConstantOp>(op)) {
      out << "number " << int(dtype) << " " << ir::scalarBits(constant.getValue()) << "\n";
    } else if (auto broadcast = dyn_cast<ir::BroadcastOp>(op)) { // of a scalar, which is the same at every element
      if (ir::typeOf(broadcast.getX()).shape.rank) refuse("broadcasts of scalars", &op);
      if (isa<BlockArgument>(broadcast.getX())) load(broadcast.getX(), false);
      slots[result] = slotOf(broadcast.getX());
      return;
    } else if (ir::isKind(&op, Kind::Elementwise)) {
      SmallVector<int, 3> operands;
      for (Value v : op.getOperands()) operands.push_back(slotOf(v));
      operands.resize(3, operands.back());
      out << "apply " << int(cast<ir::ArrayOp>(op).getId()) << " " << int(dtype);
      for (int slot : operands) out << " " << slot;
      out << "\n";
    } else {
      refuse("elementwise operations", &op);
    }
    number(result);
  }
};

//===-- the machine that carries it out -----------------------------------------------------------------------------===//

class ToyCode : public codegen::Code {
public:
  explicit ToyCode(const std::string &path) {
    auto file = llvm::MemoryBuffer::getFile(path);
    if (!file) throw Error(ErrorKind::Compile, "target 'toy': expected a file, got " + path);
    text = (*file)->getBuffer();
  }

  int32_t run(StringRef name, const kiln_rt *, void *const *buffers, const int64_t *, void *workspace) override {
    StringRef rest = text, line;
    auto isProgram = [&] { return line.starts_with("program "); };
    do std::tie(line, rest) = rest.split('\n');
    while (!rest.empty() && line.split(' ').second.split(' ').first != name);
    int64_t inputs = toNumber(line.rsplit(' ').second), elements = 0;
    memory = [=](StringRef place, DType dtype, int64_t i) {
      int64_t number = toNumber(place.drop_front());
      void *base = place[0] == 'w' ? static_cast<char *>(workspace) + number : buffers[place[0] == 'i' ? number : inputs + number];
      return static_cast<char *>(base) + i * byteSize(dtype);
    };
    std::vector<SmallVector<StringRef, 6>> kernel;
    auto finish = [&] {
      for (int64_t i = 0; i < elements; ++i) runOnce(kernel, i);
      kernel.clear();
    };
    for (std::tie(line, rest) = rest.split('\n'); !line.empty() && !isProgram(); std::tie(line, rest) = rest.split('\n')) {
      SmallVector<StringRef, 6> words;
      line.split(words, ' ');
      if (words[0] != "kernel") kernel.push_back(words);
      else finish(), elements = toNumber(words[1]);
    }
    finish();
    return 0;
  }

private:
  std::string text;
  std::function<char *(StringRef, DType, int64_t)> memory;

  static int64_t toNumber(StringRef word) {
    int64_t number = 0;
    if (word.getAsInteger(10, number)) throw Error(ErrorKind::Compile, "target 'toy': expected a number, got '" + word.str() + "'");
    return number;
  }

  void runOnce(ArrayRef<SmallVector<StringRef, 6>> lines, int64_t i) {
    std::vector<reference::Number> slots;
    for (auto &words : lines) {
      auto number = [&](size_t at) { return toNumber(words[at]); };
      auto slot = [&](size_t at) { return slots.at(size_t(number(at))); };
      if (words[0] == "load") {
        DType dtype = DType(number(2));
        slots.push_back(reference::Tensor::read({dtype, {}}, memory(words[1], dtype, number(3) ? i : 0)).elements[0]);
      } else if (words[0] == "number") {
        slots.push_back({DType(number(1)), uint64_t(number(2))});
      } else if (words[0] == "apply") {
        slots.push_back(scalar::apply(kiln::Op(number(1)), slot(3), slot(4), slot(5), DType(number(2))));
      } else {
        reference::Number value = slot(1);
        reference::Tensor{{value.dtype, {}}, {value}}.write(memory(words[2], value.dtype, i));
      }
    }
  }
};

//===-- the target --------------------------------------------------------------------------------------------------===//

class ToyMachine : public codegen::Machine {
public:
  void describe(ModuleOp) const override {}
  void serialize(ModuleOp module, const std::string &path) const override {
    std::error_code error;
    llvm::raw_fd_ostream out(path, error);
    if (error) throw Error(ErrorKind::Compile, "target 'toy': expected a writable file, got " + path);
    out << print(module, codegen::Text::Lowered);
  }
  std::string print(ModuleOp module, codegen::Text) const override {
    std::string text;
    llvm::raw_string_ostream out(text);
    for (auto fn : module.getOps<func::FuncOp>()) Writer(out).program(fn);
    return text;
  }
};

/// Short kernels, so that programs of several arise.
struct ToyRules : FusionRules {
  ToyRules() { mostOps = 2; }
  StringRef refuses(ir::KernelKind, ir::ArrayOp op) const override {
    return isa<ir::NegativeOp>(op) ? "is negative, which the toy takes alone" : "";
  }
};

class Toy : public codegen::Target {
public:
  StringRef name() const override { return "toy"; }
  codegen::Capabilities capabilities() const override { return {{ir::KernelKind::Elementwise}, /*openSizes=*/false}; }
  const FusionRules &fusion() const override { return rules; }
  void addEmission(OpPassManager &) const override {} // kernels are what it serializes
  void addLowering(OpPassManager &) const override {}
  std::unique_ptr<codegen::Machine> machine(const codegen::MachineName &) const override { return std::make_unique<ToyMachine>(); }
  std::unique_ptr<codegen::Code> load(const std::string &path) const override { return std::make_unique<ToyCode>(path); }

private:
  ToyRules rules;
};

const codegen::RegisterTarget registered(std::make_unique<Toy>());

} // namespace
} // namespace toy
