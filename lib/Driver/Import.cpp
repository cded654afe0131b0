#include "lib/Driver/Driver.h"

#include "dialects/kiln/KilnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace kiln {

void importTrace(ModuleOp module, std::span<const int64_t> serialized, StringRef name) {
  bool isOpen = serialized.size() > 2 && serialized[0] == kOpenTraceVersion;
  if (serialized.size() < 2 || (serialized[0] != kTraceVersion && !isOpen))
    throw Error(ErrorKind::Compile, "trace: version: expected " + std::to_string(kTraceVersion) + " or " +
                                        std::to_string(kOpenTraceVersion) + ", got " +
                                        std::to_string(serialized.empty() ? 0 : serialized[0]));
  auto words = serialized.subspan(2, size_t(serialized[1])), outputs = serialized.subspan(2 + size_t(serialized[1]));
  WordReader shapes{{}};
  if (isOpen) {
    size_t count = size_t(outputs[0]);
    shapes = {outputs.subspan(1 + count)};
    outputs = outputs.subspan(1, count);
  }
  MLIRContext *context = module.getContext();
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  Location loc = b.getUnknownLoc();
  auto fn = func::FuncOp::create(b, loc, name, b.getFunctionType({}, {}));
  Block *body = fn.addEntryBlock();
  b.setInsertionPointToStart(body);
  if (isOpen) fn->setAttr(ir::kSymbols, b.getI64IntegerAttr(shapes.next()));

  SmallVector<Value> slots;
  SmallVector<DenseI64ArrayAttr> strides;
  for (size_t at = 0; at < words.size();) {
    TraceOp entry = Trace::decode(words, at);
    if (entry.op == Op::Input) {
      WordReader reader{words, entry.at + 1};
      TensorType type{reader.dtype(), {}};
      type.shape = reader.dims();
      if (isOpen) shapes.dims();
      SmallVector<int64_t> list;
      if (reader.next())
        for (int i = 0; i < type.shape.rank; ++i) list.push_back(reader.next());
      strides.push_back(list.empty() ? nullptr : b.getDenseI64ArrayAttr(list));
      slots.push_back(body->addArgument(ir::tensorType(context, type), loc));
      continue;
    }
    SmallVector<Value> operands;
    SmallVector<TensorType> types;
    for (int64_t slot : entry.operands) {
      operands.push_back(slots[size_t(slot)]);
      types.push_back(ir::typeOf(operands.back()));
    }
    TensorType type = infer(entry.op, {types.data(), types.size()}, entry.words);
    if (isOpen) type.shape = shapes.dims();
    ArrayRef<int64_t> attributes(entry.words.data(), entry.words.size());
    auto place = FileLineColLoc::get(context, "slot", unsigned(slots.size()), 0);
    slots.push_back(ir::buildOp(b, place, entry.op, operands, attributes, type)->getResult(0));
  }
  SmallVector<Value> results;
  for (int64_t slot : outputs) results.push_back(slots[size_t(slot)]);
  func::ReturnOp::create(b, loc, results);
  fn.setType(b.getFunctionType(body->getArgumentTypes(), ValueRange(results).getTypes()));
  for (auto [i, list] : llvm::enumerate(strides))
    if (list) fn.setArgAttr(unsigned(i), "kiln.strides", list);
}

} // namespace kiln
