// From a function of kiln ops, or a straight tree, back to a trace.
#include "dialects/trace/Convert.h"

#include "dialects/kiln/Words.h"
#include "lib/Core/Control.h"
#include "lib/Core/Trace.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace kiln {
namespace {

using Slots = DenseMap<Value, int64_t>;

SmallVector<int64_t> slotsOf(const Slots &slots, ValueRange values) {
  SmallVector<int64_t> result;
  for (Value v : values) result.push_back(slots.at(v));
  return result;
}

/// The inputs of a function or tree, with their layouts and devices.
Trace exportInputs(FunctionOpInterface fn, Slots &slots) {
  Trace trace;
  for (Type type : fn.getArgumentTypes())
    if (!ir::isArray(type)) {
      std::string text;
      llvm::raw_string_ostream(text) << type;
      throw Error(ErrorKind::Compile, "trace: expected arrays as arguments, got " + text);
    }
  trace.isFast = fn->hasAttr(ir::kFastMath);
  if (auto symbols = fn->getAttrOfType<IntegerAttr>(ir::kSymbols)) trace.symbols = symbols.getInt();
  else if (int64_t count = ir::symbolsOf(fn)) trace.symbols = count;
  for (auto [i, argument] : llvm::enumerate(fn.getArguments())) {
    auto strides = fn.getArgAttrOfType<DenseI64ArrayAttr>(unsigned(i), ir::kStrides);
    auto device = fn.getArgAttrOfType<StringAttr>(unsigned(i), ir::kDevice);
    Dims list;
    if (strides) list = Dims(std::span<const int64_t>(strides.asArrayRef().data(), strides.size()));
    slots[argument] = trace.addInput(ir::typeOf(argument), list, device ? std::string_view(device.getValue()) : kHostDevice);
  }
  return trace;
}

class BodyExporter;

/// Adds the kiln ops of a block, and those in kernels as if they stood beside them.
void exportOps(Trace &trace, Slots &slots, Block &block, BodyExporter &bodies);

/// The traces of the functions that ops name as bodies.
class BodyExporter {
public:
  explicit BodyExporter(Operation *from) : from(from) {}

  /// Adds the bodies of an op to its trace, where they are not there yet; their numbers.
  std::vector<int64_t> add(Trace &trace, Operation *op) {
    std::vector<int64_t> numbers;
    for (FlatSymbolRefAttr name : ir::bodiesOf(op)) {
      auto body = bodyOf(name);
      auto place = llvm::find(trace.bodies, body);
      numbers.push_back(place - trace.bodies.begin());
      if (place == trace.bodies.end()) trace.bodies.push_back(body);
    }
    return numbers;
  }

private:
  /// A stored program holds the bodies inside one another: one that two others share is there twice.
  static constexpr int64_t kMostWords = int64_t(1) << 24;
  SymbolTableCollection tables;
  Operation *from;
  DenseMap<Attribute, std::shared_ptr<const Trace>> known;
  DenseMap<const Trace *, int64_t> sizes; // in words, with their own bodies
  int depth = 0;

  std::shared_ptr<const Trace> bodyOf(FlatSymbolRefAttr name) {
    if (auto found = known.find(name); found != known.end()) return found->second;
    auto fn = tables.lookupNearestSymbolFrom<func::FuncOp>(from, name);
    if (!fn || fn.isExternal()) throw Error(ErrorKind::Compile, "trace: expected bodies in the module, got @" + name.getValue().str());
    if (++depth > kMostNested)
      throw Error(ErrorKind::Compile, "trace: expected at most " + std::to_string(kMostNested) + " bodies inside one another, got more");
    auto trace = std::make_shared<Trace>();
    if (auto symbols = fn->getAttrOfType<IntegerAttr>(ir::kSymbols)) trace->symbols = symbols.getInt();
    trace->given = ir::givenOf(fn);
    Slots slots;
    for (BlockArgument argument : fn.getArguments()) slots[argument] = trace->addInput(ir::typeOf(argument));
    exportOps(*trace, slots, fn.getBody().front(), *this);
    llvm::append_range(trace->outputs, slotsOf(slots, fn.getBody().front().getTerminator()->getOperands()));
    --depth;
    int64_t words = int64_t(trace->words.size());
    for (auto &inner : trace->bodies) words += sizes.at(inner.get());
    if (words > kMostWords)
      throw Error(ErrorKind::Compile, "trace: expected bodies of at most " + std::to_string(kMostWords) + " words in all, got more");
    sizes[trace.get()] = words;
    return known[name] = trace;
  }
};

void exportOps(Trace &trace, Slots &slots, Block &block, BodyExporter &bodies) {
  for (Operation &op : block.without_terminator()) {
    if (auto kernel = dyn_cast<ir::KernelOp>(op)) {
      Block &body = kernel.getBody().front();
      for (auto [argument, input] : llvm::zip(body.getArguments(), kernel.getInputs())) slots[argument] = slots.at(input);
      exportOps(trace, slots, body, bodies); // kernels hold no kernels
      for (auto [result, value] : llvm::zip(kernel.getResults(), body.getTerminator()->getOperands())) slots[result] = slots.at(value);
      continue;
    }
    auto array = dyn_cast<ir::ArrayOp>(op);
    if (!array)
      throw Error(ErrorKind::Compile, "trace: expected only operations of the kiln dialect, got " + op.getName().getStringRef().str());
    SmallVector<int64_t> operands = slotsOf(slots, op.getOperands()), own = ir::wordsOf(array);
    std::vector<int64_t> words(own.begin(), own.end());
    if (array.getKind() == Kind::Control) words = withBodies(array.getRecord(), words, bodies.add(trace, &op));
    SmallVector<TensorType> types;
    for (Value result : op.getResults()) types.push_back(ir::typeOf(result));
    std::span<const int64_t> from(operands.data(), operands.size());
    int64_t slot = trace.isOpen() ? trace.addOpen(array.getId(), from, words, types) : trace.addOp(array.getId(), from, words);
    for (Value result : op.getResults()) slots[result] = slot++;
  }
}

/// Symbols are those that the program says it has.
void checkSymbols(const Trace &trace) {
  for (const TensorType &type : trace.types)
    for (Size size : type.shape)
      if (size.isSymbol() && size.symbol() >= trace.symbols)
        throw Error(ErrorKind::Compile, "trace: symbols: expected those of the " + std::to_string(std::max<int64_t>(trace.symbols, 0)) +
                                            " of the program, got " + toString(type));
}

} // namespace

Trace exportTrace(func::FuncOp fn) {
  Slots slots;
  Trace trace = exportInputs(fn, slots);
  Block &body = fn.getBody().front();
  BodyExporter bodies(fn);
  exportOps(trace, slots, body, bodies);
  llvm::append_range(trace.outputs, slotsOf(slots, body.getTerminator()->getOperands()));
  for (unsigned i = 0; i < fn.getNumResults(); ++i)
    if (auto input = fn.getResultAttrOfType<IntegerAttr>(i, ir::kReplaces)) {
      trace.replaces.resize(trace.outputs.size(), -1);
      trace.replaces[i] = input.getInt();
    }
  checkSymbols(trace);
  return trace;
}

Trace exportTree(ir::TreeOp tree) {
  Slots slots;
  Trace trace = exportInputs(tree, slots);
  Block &node = tree.getBody().front();
  if (!isa<ir::ReturnOp>(node.getTerminator())) throw Error(ErrorKind::Compile, "trace: expected a straight tree, got one with guards");
  BodyExporter bodies(tree);
  for (auto segment : node.getOps<ir::SegmentOp>()) {
    Block &body = segment.getBody().front();
    for (auto [argument, input] : llvm::zip(body.getArguments(), segment.getInputs())) slots[argument] = slots.at(input);
    exportOps(trace, slots, body, bodies);
    for (auto [result, value] : llvm::zip(segment.getOutputs(), body.getTerminator()->getOperands())) slots[result] = slots.at(value);
  }
  llvm::append_range(trace.outputs, slotsOf(slots, node.getTerminator()->getOperands()));
  checkSymbols(trace);
  return trace;
}

Trace exportSegment(ir::SegmentOp segment) {
  Trace trace;
  Slots slots;
  Block &body = segment.getBody().front();
  for (BlockArgument argument : body.getArguments()) slots[argument] = trace.addInput(ir::typeOf(argument));
  BodyExporter bodies(segment);
  exportOps(trace, slots, body, bodies);
  llvm::append_range(trace.outputs, slotsOf(slots, body.getTerminator()->getOperands()));
  return trace;
}

Trace exportFirst(ModuleOp module) {
  for (Operation &op : *module.getBody()) {
    if (auto fn = dyn_cast<func::FuncOp>(op); fn && !fn.isExternal()) return exportTrace(fn);
    if (auto tree = dyn_cast<ir::TreeOp>(op)) return exportTree(tree);
  }
  throw Error(ErrorKind::Compile, "program: expected a function or a tree, got a module without one");
}

} // namespace kiln
