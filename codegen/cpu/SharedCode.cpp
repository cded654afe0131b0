#include "codegen/cpu/SharedCode.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace kiln::cpu {

void callShared(Emitter &e, StringRef name, ArrayRef<Value> operands, llvm::function_ref<void(Emitter &, Block *)> body) {
  auto module = e.b.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  if (!module.lookupSymbol(name)) {
    OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPointToStart(module.getBody());
    auto types = llvm::map_to_vector(operands, [](Value v) { return v.getType(); });
    auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(e.b.getContext()), types);
    auto function = LLVM::LLVMFuncOp::create(e.b, module.getLoc(), name, type, LLVM::Linkage::Internal);
    Block *block = function.addEntryBlock(e.b);
    e.b.setInsertionPointToStart(block);
    Emitter inside(e.b, module.getLoc());
    body(inside, block);
    LLVM::ReturnOp::create(e.b, module.getLoc(), ValueRange());
  }
  LLVM::CallOp::create(e.b, e.loc, TypeRange(), name, operands);
}

} // namespace kiln::cpu
