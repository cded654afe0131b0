// Ops that run bodies, in the dialect: the functions that they name, against their operands and results.
#include "dialects/kiln/KilnDialect.h"

#include "lib/Core/Control.h"
#include "lib/Core/Infer.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;

namespace kiln::ir {
namespace {

/// The function that an operation is in.
Operation *functionAround(Operation *op) {
  while (op->getParentOp() && !op->getParentOp()->hasTrait<OpTrait::SymbolTable>()) op = op->getParentOp();
  return op;
}

/// The signature of a function as a body. Functions stand behind those that run them, so that none runs itself.
FailureOr<Signature> signatureOf(Operation *op, FlatSymbolRefAttr name, SymbolTableCollection &tables) {
  auto body = dyn_cast_or_null<FunctionOpInterface>(tables.lookupNearestSymbolFrom(op, name));
  if (!body || body.isExternal()) return op->emitOpError() << "body " << name << ": expected a function of the module with a body";
  if (!body.getFunctionBody().hasOneBlock()) return op->emitOpError() << "body " << name << ": expected a function of one block";
  Operation *around = functionAround(op);
  if (body->getBlock() != around->getBlock() || !around->isBeforeInBlock(body))
    return op->emitOpError() << "body " << name << ": expected a function behind the one that runs it";
  if (!cast<SymbolOpInterface>(body.getOperation()).isPrivate())
    return op->emitOpError() << "body " << name << ": expected a private function";
  if (body->hasAttr(kSymbols) && !around->hasAttr(kSymbols))
    return op->emitOpError() << "body " << name << ": expected fixed sizes, as the function that runs it has";
  if (body->hasAttr(kSymbols) && symbolsOf(body) - givenOf(body) > symbolsOf(around))
    return op->emitOpError() << "body " << name << ": expected no more symbols than the function that runs it has";
  Signature signature;
  signature.given = givenOf(body);
  for (auto [types, list] : {std::pair(body.getArgumentTypes(), &signature.inputs), {body.getResultTypes(), &signature.results}})
    for (Type type : types) {
      if (!isArray(type) || (!typeOf(type).shape.isStatic() && !body->hasAttr(kSymbols)))
        return op->emitOpError() << "body " << name << ": expected arrays of fixed sizes, or of symbols that it says it has, got " << type;
      list->push_back(typeOf(type));
    }
  for (unsigned i = 0; i < body.getNumArguments(); ++i)
    if (body.getArgAttr(i, kStrides) || body.getArgAttr(i, kDevice))
      return op->emitOpError() << "body " << name << ": expected row-major arguments of the host";
  return signature;
}

/// The bodies of an op against its operands and results, by the rule of its record.
LogicalResult verifyBodies(Operation *op, SymbolTableCollection &tables,
                           llvm::function_ref<std::vector<TensorType>(ArrayRef<TensorType>, ArrayRef<Signature>)> rule) {
  SmallVector<Signature> signatures;
  for (FlatSymbolRefAttr name : bodiesOf(op)) {
    auto signature = signatureOf(op, name, tables);
    if (failed(signature)) return failure();
    signatures.push_back(std::move(*signature));
  }
  SmallVector<TensorType> operands;
  for (Value v : op->getOperands()) operands.push_back(typeOf(v));
  try {
    std::vector<TensorType> want = rule(operands, signatures);
    if (want.size() != op->getNumResults())
      return op->emitOpError() << "results: expected " << want.size() << ", got " << op->getNumResults();
    for (size_t i = 0; i < want.size(); ++i)
      if (TensorType got = typeOf(op->getResult(unsigned(i))); !(want[i] == got))
        return op->emitOpError() << "type of result " << i << ": expected " << kiln::toString(want[i]) << ", got " << kiln::toString(got);
  } catch (const Error &error) {
    StringRef message = error.what();
    message.consume_front(op->getName().stripDialect());
    message.consume_front(": ");
    return op->emitOpError() << message;
  }
  return success();
}

} // namespace

SmallVector<FlatSymbolRefAttr> bodiesOf(Operation *op) {
  if (auto loop = dyn_cast<LoopOp>(op)) return {loop.getConditionAttr(), loop.getBodyAttr()};
  if (auto sized = dyn_cast<SizedOp>(op)) return {sized.getBodyAttr()};
  if (auto branch = dyn_cast<BranchOp>(op)) return llvm::to_vector(branch.getBodies().getAsRange<FlatSymbolRefAttr>());
  return {};
}

LogicalResult LoopOp::verifySymbolUses(SymbolTableCollection &tables) {
  return verifyBodies(*this, tables, [](ArrayRef<TensorType> operands, ArrayRef<Signature> bodies) {
    return loopTypes({operands.data(), operands.size()}, bodies[0], bodies[1]);
  });
}

LogicalResult BranchOp::verifySymbolUses(SymbolTableCollection &tables) {
  return verifyBodies(*this, tables, [](ArrayRef<TensorType> operands, ArrayRef<Signature> bodies) {
    return branchTypes({operands.data(), operands.size()}, {bodies.data(), bodies.size()});
  });
}

LogicalResult SizedOp::verifySymbolUses(SymbolTableCollection &tables) {
  Shape most;
  if (getMost().size() > kMaxRank) return emitOpError() << "sizes in `most`: expected at most " << kMaxRank << ", got " << getMost().size();
  for (Size size : getMost()) most.push(size);
  return verifyBodies(*this, tables, [&](ArrayRef<TensorType> operands, ArrayRef<Signature> bodies) {
    return sizedTypes({operands.data(), operands.size()}, most, bodies[0]);
  });
}

} // namespace kiln::ir
