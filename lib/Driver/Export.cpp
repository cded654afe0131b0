// From a function of kiln ops back to a trace.
#include "lib/Driver/Driver.h"

#include "dialects/kiln/KilnDialect.h"
#include "lib/Core/Trace.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace kiln {

Trace exportTrace(func::FuncOp fn) {
  Trace trace;
  DenseMap<Value, int64_t> slots;
  for (auto [i, argument] : llvm::enumerate(fn.getArguments())) {
    auto strides = fn.getArgAttrOfType<DenseI64ArrayAttr>(unsigned(i), "kiln.strides");
    Dims list;
    if (strides) list = Dims(std::span<const int64_t>(strides.asArrayRef().data(), strides.size()));
    slots[argument] = trace.addInput(ir::typeOf(argument), list);
  }
  for (Operation &op : fn.getBody().front().without_terminator()) {
    auto id = ir::opOf(&op);
    if (!id)
      throw Error(ErrorKind::Compile, "trace: expected only operations of the kiln dialect, got " + op.getName().getStringRef().str());
    SmallVector<int64_t> operands, words = ir::wordsOf(&op);
    for (Value v : op.getOperands()) operands.push_back(slots.at(v));
    slots[op.getResult(0)] = trace.addOp(*id, {operands.data(), operands.size()}, {words.data(), words.size()});
  }
  for (Value v : fn.getBody().front().getTerminator()->getOperands()) trace.outputs.push_back(slots.at(v));
  return trace;
}

} // namespace kiln
