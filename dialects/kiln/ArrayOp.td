// What passes and targets may ask of an operation of the op table; the answers are in its record.
#ifndef KILN_ARRAY_OP
#define KILN_ARRAY_OP
include "mlir/IR/OpBase.td"

def Kiln_ArrayOpInterface : OpInterface<"ArrayOp"> {
  let cppNamespace = "::kiln::ir";
  let description = [{An operation on arrays: its entry in the op table, and how it reads its operands.}];
  let methods = [
    StaticInterfaceMethod<"The entry in the op table; Custom for any registered op.", "::kiln::Op", "getId">,
    InterfaceMethod<"The axes of the main operand that the operation runs along: reduces, scans, sorts.", "::llvm::SmallVector<int64_t, 2>", "getAlong">,
    InterfaceMethod<"The operand that gives the operation its shape.", "unsigned", "getMainIndex">,
    InterfaceMethod<"How one position of the result reads an operand.", "::kiln::ir::Access", "getAccess", (ins "unsigned":$operand)>,
  ];
  let extraSharedClassDeclaration = [{
    const ::kiln::OpInfo &getRecord() { return ::kiln::info($_op.getId()); }
    ::kiln::Kind getKind() { return getRecord().kind; }
    /// Of one element, in cheap operations.
    int getCost() { return getRecord().cost; }
    ::mlir::Value getMain() { return $_op->getOperand($_op.getMainIndex()); }
  }];
}

#endif
