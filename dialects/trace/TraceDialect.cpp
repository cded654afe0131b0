#include "dialects/kiln/Inputs.h"
#include "dialects/trace/TraceDialect.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/FunctionImplementation.h"

using namespace mlir;

namespace kiln::ir {

void TraceDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "kiln/TraceOps.cpp.inc"
      >();
}

//===-- tree --------------------------------------------------------------------------------------------------------===//

ParseResult TreeOp::parse(OpAsmParser &parser, OperationState &result) {
  auto type = [](Builder &b, ArrayRef<Type> arguments, ArrayRef<Type> results, function_interface_impl::VariadicFlag, std::string &) {
    return b.getFunctionType(arguments, results);
  };
  return function_interface_impl::parseFunctionOp(parser, result, /*allowVariadic=*/false, getFunctionTypeAttrName(result.name), type,
                                                  getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name));
}

void TreeOp::print(OpAsmPrinter &printer) {
  function_interface_impl::printFunctionOp(printer, *this, /*isVariadic=*/false, getFunctionTypeAttrName(), getArgAttrsAttrName(),
                                           getResAttrsAttrName());
}

LogicalResult TreeOp::verifyRegions() {
  if (getBody().empty()) return emitOpError() << "body: expected blocks, got none";
  for (Type type : llvm::concat<const Type>(getArgumentTypes(), getResultTypes()))
    if (!isArray(type)) return emitOpError() << "types: expected arrays of at most " << kMaxRank << " axes, got " << type;
  for (Block &block : getBody())
    for (Operation &op : block)
      if (!isa<SegmentOp, GuardOp, ReturnOp>(op)) return op.emitOpError() << "expected segments, guards and returns in a tree";
  return success();
}

//===-- segment -----------------------------------------------------------------------------------------------------===//

void SegmentOp::print(OpAsmPrinter &printer) {
  printInputs(printer, getBody().getArguments(), getInputs());
  if (getNumResults() == 1) printer << "-> " << getResultTypes()[0] << " ";
  else if (getNumResults()) printer << "-> (" << getResultTypes() << ") ";
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
  printer.printOptionalAttrDict((*this)->getAttrs());
}

ParseResult SegmentOp::parse(OpAsmParser &parser, OperationState &result) {
  Inputs inputs;
  if (inputs.parse(parser) || parser.parseOptionalArrowTypeList(result.types) ||
      parser.parseRegion(*result.addRegion(), inputs.arguments) || parser.parseOptionalAttrDict(result.attributes))
    return failure();
  return inputs.resolve(parser, result);
}

LogicalResult SegmentOp::verifyRegions() {
  Block &block = getBody().front();
  if (block.getArgumentTypes() != getInputs().getTypes()) return emitOpError() << "block arguments: expected the types of the inputs";
  for (Operation &op : block.without_terminator())
    if (!isa<ArrayOp>(op)) return op.emitOpError() << "expected operations of the kiln dialect in a segment";
  if (!isa<ReturnOp>(block.getTerminator())) return emitOpError() << "end: expected trace.return, got " << block.getTerminator()->getName();
  return success();
}

//===-- terminators -------------------------------------------------------------------------------------------------===//

LogicalResult GuardOp::verify() {
  auto type = cast<RankedTensorType>(getValue().getType());
  if (type.getRank() != 0) return emitOpError() << "rank of the value: expected 0, got " << type.getRank();
  if (!isa<IntegerAttr, FloatAttr>(getExpected()))
    return emitOpError() << "expected value: expected a bool, an integer or a float, got " << getExpected();
  if (getExpected().getType() != type.getElementType())
    return emitOpError() << "type of the expected value: expected " << type.getElementType() << ", got " << getExpected().getType();
  return success();
}

SuccessorOperands GuardOp::getSuccessorOperands(unsigned index) {
  return SuccessorOperands(index == 0 ? getHitOperandsMutable() : getOtherwiseOperandsMutable());
}

LogicalResult ReturnOp::verify() {
  Operation *parent = (*this)->getParentOp();
  TypeRange want = isa<TreeOp>(parent) ? TypeRange(cast<TreeOp>(parent).getResultTypes()) : TypeRange(parent->getResultTypes());
  if (getValues().getTypes() == want) return success();
  return emitOpError() << "types: expected those of the results, (" << want << "), got (" << getValues().getTypes() << ")";
}

} // namespace kiln::ir

#include "kiln/TraceDialect.cpp.inc"
#define GET_OP_CLASSES
#include "kiln/TraceOps.cpp.inc"
