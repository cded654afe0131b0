// From a trace to a function of kiln ops, or a tree of one segment.
#include "dialects/trace/Convert.h"

#include "dialects/kiln/Program.h"
#include "dialects/kiln/Words.h"
#include "lib/Core/Control.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace kiln {
namespace {

SmallVector<Type> inputTypes(MLIRContext *context, const Trace &trace) {
  SmallVector<Type> types;
  for (size_t at = 0, slot = 0; at < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, at);
    if (entry.op == Op::Input) types.push_back(ir::tensorType(context, trace.types[slot]));
    slot += entry.results;
  }
  return types;
}

/// The functions that a program's bodies become.
SmallVector<FlatSymbolRefAttr> bodyNames(MLIRContext *context, const Trace &trace, StringRef name) {
  SmallVector<FlatSymbolRefAttr> names;
  for (size_t i = 0; i < trace.bodies.size(); ++i) names.push_back(FlatSymbolRefAttr::get(context, (name + ".body_" + Twine(i)).str()));
  return names;
}

/// The ops of a trace at the builder's place, on `inputs`; its outputs. Places are slots of the program itself: those of bodies have none.
SmallVector<Value> importOps(OpBuilder &b, const Trace &trace, ValueRange inputs, StringRef name, bool isBody = false) {
  SmallVector<FlatSymbolRefAttr> bodies = bodyNames(b.getContext(), trace, name);
  SmallVector<Value> slots;
  size_t nextInput = 0;
  for (size_t at = 0; at < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, at);
    if (entry.op == Op::Input) {
      slots.push_back(inputs[nextInput++]);
      continue;
    }
    SmallVector<Value> operands;
    for (int64_t slot : entry.operands) operands.push_back(slots[size_t(slot)]);
    ArrayRef<int64_t> words(entry.words.data(), entry.words.size());
    if (entry.op == Op::Custom && !bodyNumbers(info(entry.op, entry.words), entry.words).empty())
      throw Error(ErrorKind::Compile,
                  std::string(info(entry.op, entry.words).name) + ": expected a registered op without bodies, got one with them");
    Location place = b.getUnknownLoc();
    if (!isBody) place = FileLineColLoc::get(b.getContext(), ir::kSlot, unsigned(slots.size()), 0);
    auto types = ArrayRef(trace.types).slice(slots.size(), entry.results);
    llvm::append_range(slots, ir::buildOp(b, place, entry.op, operands, words, types, bodies)->getResults());
  }
  SmallVector<Value> outputs;
  for (int64_t slot : trace.outputs) outputs.push_back(slots[size_t(slot)]);
  return outputs;
}

/// Layouts and devices of the inputs, as attributes of arguments.
void describeInputs(FunctionOpInterface fn, const Trace &trace) {
  Builder b(fn.getContext());
  unsigned input = 0;
  for (size_t at = 0; at < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, at);
    if (entry.op != Op::Input) continue;
    auto layout = entry.words.subspan(2 + size_t(entry.words[1]));
    if (layout[0]) fn.setArgAttr(input, ir::kStrides, b.getDenseI64ArrayAttr({layout.data() + 1, layout.size() - 1}));
    if (auto device = trace.deviceOf(input); device != kHostDevice) fn.setArgAttr(input, ir::kDevice, b.getStringAttr(device));
    ++input;
  }
  if (trace.isOpen()) fn->setAttr(ir::kSymbols, b.getI64IntegerAttr(trace.symbols));
}

/// The bodies of a program, each behind what runs it.
void importBodies(ModuleOp module, const Trace &trace, StringRef name, bool isFast);

func::FuncOp importFunction(ModuleOp module, const Trace &trace, StringRef name, bool isBody, bool isFast) {
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  Location loc = b.getUnknownLoc();
  SmallVector<Type> inputs = inputTypes(module.getContext(), trace);
  auto fn = func::FuncOp::create(b, loc, name, b.getFunctionType(inputs, {}));
  if (isBody) fn.setPrivate();
  if (trace.isOpen()) fn->setAttr(ir::kSymbols, b.getI64IntegerAttr(trace.symbols));
  if (trace.given) fn->setAttr(ir::kGiven, b.getI64IntegerAttr(trace.given));
  if (isFast) fn->setAttr(ir::kFastMath, b.getUnitAttr());
  b.setInsertionPointToStart(fn.addEntryBlock());
  SmallVector<Value> results = importOps(b, trace, fn.getArguments(), name, isBody);
  func::ReturnOp::create(b, loc, results);
  fn.setType(b.getFunctionType(inputs, ValueRange(results).getTypes()));
  importBodies(module, trace, name, isFast);
  return fn;
}

void importBodies(ModuleOp module, const Trace &trace, StringRef name, bool isFast) {
  for (auto [body, symbol] : llvm::zip(trace.bodies, bodyNames(module.getContext(), trace, name)))
    importFunction(module, *body, symbol.getValue(), true, isFast);
}

} // namespace

void importTrace(ModuleOp module, const Trace &trace, StringRef name) {
  func::FuncOp fn = importFunction(module, trace, name, false, trace.isFast);
  describeInputs(fn, trace);
  Builder b(module.getContext());
  for (auto [i, input] : llvm::enumerate(trace.replaces))
    if (input >= 0) fn.setResultAttr(unsigned(i), ir::kReplaces, b.getI64IntegerAttr(input));
}

void importTree(ModuleOp module, const Trace &trace, StringRef name) {
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  Location loc = b.getUnknownLoc();
  SmallVector<Type> inputs = inputTypes(module.getContext(), trace), outputs;
  for (int64_t slot : trace.outputs) outputs.push_back(ir::tensorType(module.getContext(), trace.types[size_t(slot)]));
  auto tree = ir::TreeOp::create(b, loc, b.getStringAttr(name), TypeAttr::get(b.getFunctionType(inputs, outputs)), nullptr, nullptr);
  SmallVector<Location> places(inputs.size(), loc);
  Block *node = b.createBlock(&tree.getBody(), {}, inputs, places);
  auto segment = ir::SegmentOp::create(b, loc, outputs, node->getArguments());
  ir::ReturnOp::create(b, loc, segment.getOutputs());
  Block *body = b.createBlock(&segment.getBody(), {}, inputs, places);
  ir::ReturnOp::create(b, loc, importOps(b, trace, body->getArguments(), name));
  describeInputs(tree, trace);
  if (trace.isFast) tree->setAttr(ir::kFastMath, b.getUnitAttr());
  importBodies(module, trace, name, trace.isFast);
}

} // namespace kiln
