// What became of a program, for people: its kernels, what they move, why they are apart and how their loops run, as JSON.
#include "codegen/Session.h"

#include "dialects/kiln/Program.h"
#include "passes/memory/PlanMemory/Traffic.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace kiln::codegen {

static int64_t slotOf(Operation &op) {
  auto place = dyn_cast<FileLineColLoc>(op.getLoc());
  return place ? int64_t(place.getLine()) : -1;
}

/// Empty for a kernel that has none.
static std::string textOf(Attribute attribute) {
  std::string text;
  if (attribute) llvm::raw_string_ostream(text) << attribute;
  return text;
}

namespace {

/// The kernels of one program or body.
class KernelWriter {
public:
  /// `inner`: how many of its first symbols are no sizes of the call.
  KernelWriter(llvm::json::OStream &out, func::FuncOp program, int64_t inner)
      : out(out), program(program), symbols(ir::symbolsOf(program)), inner(inner) {
    for (OpOperand &output : program.getBody().front().getTerminator()->getOpOperands())
      outputs[ir::memoryOf(output.get())] = output.getOperandNumber();
  }

  void write(ir::KernelOp kernel) {
    out.object([&] {
      out.attribute("body", program.isPrivate() ? program.getName() : "");
      out.attribute("kind", ir::stringifyKernelKind(kernel.getKind()));
      out.attribute("schedule", textOf(kernel.getScheduleAttr()));
      out.attributeArray("results", [&] {
        for (Type type : kernel.getResultTypes()) out.value(toString(ir::typeOf(type)));
      });
      out.attributeArray("ops", [&] {
        for (Operation &op : kernel.getBody().front().without_terminator())
          out.array([&] { out.value(op.getName().stripDialect()), out.value(slotOf(op)); });
      });
      writeNotes(kernel);
      Traffic traffic = trafficOf(kernel);
      out.attributeArray("reads", [&] {
        for (const Moved &m : traffic.reads) {
          auto argument = dyn_cast<BlockArgument>(m.memory);
          writeMoved(m, argument ? int64_t(argument.getArgNumber()) : -1);
        }
      });
      out.attributeArray("writes", [&] {
        for (const Moved &m : traffic.writes) writeMoved(m, outputs.contains(m.memory) ? outputs.lookup(m.memory) : -1);
      });
    });
  }

private:
  llvm::json::OStream &out;
  func::FuncOp program;
  int64_t symbols, inner;
  DenseMap<Value, int64_t> outputs; // their numbers

  void writeNotes(ir::KernelOp kernel) {
    out.attributeArray("apart", [&] {
      for (Attribute note : kernel.getApartAttr() ? kernel.getApartAttr().getValue() : ArrayRef<Attribute>())
        out.array([&] {
          for (Attribute part : cast<ArrayAttr>(note))
            if (auto number = dyn_cast<IntegerAttr>(part)) out.value(number.getInt());
            else out.value(cast<StringAttr>(part).getValue());
        });
    });
  }

  /// Which argument or output it is, or -1; its bytes, and those of the parts that count.
  void writeMoved(const Moved &moved, int64_t number) {
    int64_t bytes = byteSize(ir::typeOf(moved.memory).dtype);
    out.array([&] {
      out.value(number);
      writeBytes(moved.whole, bytes);
      for (const Shape &part : moved.parts) writeBytes(part, bytes);
    });
  }

  /// A number, and the symbols of the call that it is to be multiplied by, below 0 where the call does not tell them.
  void writeBytes(const Shape &shape, int64_t bytes) {
    SmallVector<int64_t> factors;
    for (Size size : shape) addFactors(size, bytes, factors);
    out.array([&] { out.value(bytes), llvm::for_each(factors, [&](int64_t symbol) { out.value(symbol); }); });
  }
  void addFactors(Size size, int64_t &number, SmallVectorImpl<int64_t> &factors) {
    if (size.isConstant()) return void(number *= size.number());
    if (size.symbol() < symbols) return factors.push_back(size.symbol() - inner);
    for (Size factor : ir::factorsOf(program, size.symbol())) addFactors(factor, number, factors);
  }
};

} // namespace

std::string explainKernels(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::json::OStream out(stream);
  llvm::StringMap<int64_t> inner; // of bodies, which stand behind what runs them
  out.array([&] {
    for (auto program : module.getOps<func::FuncOp>()) {
      if (program.isDeclaration()) continue;
      int64_t own = inner.lookup(program.getName()) + ir::givenOf(program);
      program.walk([&](Operation *op) {
        for (FlatSymbolRefAttr name : ir::bodiesOf(op)) inner[name.getValue()] = own;
      });
      KernelWriter writer(out, program, own);
      for (auto kernel : program.getOps<ir::KernelOp>()) writer.write(kernel);
    }
  });
  return text;
}

} // namespace kiln::codegen
