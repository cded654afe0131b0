// Calls of library routines through the runtime's table: operands and result are described by tensors on the stack, in the
// layout of include/kiln/executable.h.
#include "codegen/cpu/Kernels.h"
#include "codegen/cpu/Target.h"

#include "dialects/kiln/Words.h"
#include "include/kiln/executable.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#include <cstddef>

using namespace mlir;

namespace kiln::cpu {
namespace {

Type pointer(Emitter &e) { return LLVM::LLVMPointerType::get(e.b.getContext()); }
Value byteAt(Emitter &e, Value base, size_t offset) { return e.address(base, DType::U8, int64_t(offset)); }

/// Numbers on the stack.
Value storeNumbers(Emitter &e, ArrayRef<Index> numbers) {
  Value memory = e.stack(DType::I64, std::max<int64_t>(1, int64_t(numbers.size())));
  for (auto [i, n] : llvm::enumerate(numbers)) e.store(memory, int64_t(i), Expr(e.b, e.loc, e.use(n), DType::I64));
  return memory;
}

void storeTensor(Emitter &e, Value to, const Buffer &buffer) {
  auto storePointer = [&](size_t offset, Value value) { LLVM::StoreOp::create(e.b, e.loc, value, byteAt(e, to, offset)); };
  storePointer(offsetof(kiln_tensor, data), buffer.pointer);
  storePointer(offsetof(kiln_tensor, shape), storeNumbers(e, buffer.shape));
  storePointer(offsetof(kiln_tensor, strides), storeNumbers(e, buffer.strides));
  e.store(byteAt(e, to, offsetof(kiln_tensor, dtype)), 0, e.scalar(DType::I32, double(int(buffer.dtype))));
  e.store(byteAt(e, to, offsetof(kiln_tensor, rank)), 0, e.scalar(DType::I32, double(buffer.shape.size())));
}

/// A constant with the name of a routine, and a zero behind it.
Value constantName(Emitter &e, StringRef name) {
  auto module = e.b.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  std::string symbol = ("kiln.routine." + name).str();
  if (!module.lookupSymbol(symbol)) {
    OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPointToStart(module.getBody());
    std::string text = name.str() + '\0';
    LLVM::GlobalOp::create(e.b, e.loc, LLVM::LLVMArrayType::get(e.b.getI8Type(), text.size()), /*isConstant=*/true, LLVM::Linkage::Internal,
                           symbol, e.b.getStringAttr(text));
  }
  return LLVM::AddressOfOp::create(e.b, e.loc, pointer(e), symbol);
}

/// A function of the library, or of what is linked into it.
Value functionNamed(Emitter &e, StringRef name, LLVM::LLVMFunctionType type) {
  auto module = e.b.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  if (!module.lookupSymbol(name)) {
    OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPointToStart(module.getBody());
    auto fn = LLVM::LLVMFuncOp::create(e.b, e.loc, name, type);
    fn.setVisibility_(LLVM::Visibility::Hidden);
  }
  return LLVM::AddressOfOp::create(e.b, e.loc, pointer(e), name);
}

/// Calls the kernel of a custom op that is linked into a library; its status.
Value callLinked(Emitter &e, ir::CustomOp op, StringRef symbol, Value tensors, Value words) {
  auto module = e.b.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  Type p = pointer(e), number = e.b.getI64Type(), status = e.b.getI32Type();
  Value caller =
      functionNamed(e, module->getAttrOfType<StringAttr>(kCallOp), LLVM::LLVMFunctionType::get(status, {p, p, p, number, number, number}));
  Value kernel = functionNamed(e, symbol, LLVM::LLVMFunctionType::get(status, {p, p, p}));
  int64_t results = op->getNumResults(), attributes = int64_t(op->getAttrs().size()) - 1 - 2 * results; // beside name, dtypes, shapes
  SmallVector<Value> operands = {caller, kernel, tensors, words, e.use(int64_t(op->getNumOperands())), e.use(results), e.use(attributes)};
  return LLVM::CallOp::create(e.b, e.loc, LLVM::LLVMFunctionType::get(status, {p, p, p, number, number, number}), operands).getResult();
}

Value storeTensors(Emitter &e, ArrayRef<Buffer> buffers) {
  Value tensors = e.stack(DType::U8, int64_t(buffers.size() * sizeof(kiln_tensor)));
  for (auto [i, buffer] : llvm::enumerate(buffers)) storeTensor(e, byteAt(e, tensors, i * sizeof(kiln_tensor)), buffer);
  return tensors;
}

/// Without a runtime there is no library.
Value callRuntime(KernelContext &k, StringRef name, Value tensors, Value numbers) {
  Emitter &e = k.e;
  Value text = constantName(e, name), none = LLVM::ZeroOp::create(e.b, e.loc, pointer(e));
  Value hasRuntime = LLVM::ICmpOp::create(e.b, e.loc, LLVM::ICmpPredicate::ne, k.runtime, none);
  auto call = scf::IfOp::create(e.b, e.loc, e.b.getI32Type(), hasRuntime, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(e.b);
  e.b.setInsertionPointToStart(call.thenBlock());
  Value entry = LLVM::LoadOp::create(e.b, e.loc, pointer(e), byteAt(e, k.runtime, offsetof(kiln_rt, library)));
  auto type = LLVM::LLVMFunctionType::get(e.b.getI32Type(), {pointer(e), pointer(e), pointer(e)});
  SmallVector<Value> operands = {entry, text, tensors, numbers};
  scf::YieldOp::create(e.b, e.loc, LLVM::CallOp::create(e.b, e.loc, type, operands).getResult());
  e.b.setInsertionPointToStart(call.elseBlock());
  scf::YieldOp::create(e.b, e.loc, e.scalar(DType::I32, KILN_LIBRARY_MISSING).value);
  return call.getResult(0);
}

} // namespace

Value callRoutine(KernelContext &k, StringRef name, ArrayRef<Buffer> tensors, ArrayRef<Index> words) {
  return callRuntime(k, name, storeTensors(k.e, tensors), storeNumbers(k.e, words));
}

LogicalResult emitLibrary(KernelContext &k) {
  Emitter &e = k.e;
  auto op = cast<ir::ArrayOp>(k.mainOp());
  SmallVector<Buffer> buffers;
  for (Value operand : op->getOperands()) buffers.push_back(k.ev.buffers.find(operand)->second);
  llvm::append_range(buffers, k.outputs);
  Value tensors = storeTensors(e, buffers);
  SmallVector<Index> words;
  for (int64_t word : ir::wordsOf(op)) words.push_back(word);
  Value numbers = storeNumbers(e, words);
  auto linked = op->getParentOfType<ModuleOp>()->getAttrOfType<DictionaryAttr>(kLinkedOps);
  if (auto custom = dyn_cast<ir::CustomOp>(op.getOperation()); custom && linked)
    if (auto symbol = linked.getAs<StringAttr>(custom.getName())) {
      k.status = callLinked(e, custom, symbol, tensors, numbers);
      return success();
    }
  if (auto symbol = linked ? linked.getAs<StringAttr>(op->getName().stripDialect()) : StringAttr()) {
    auto type = LLVM::LLVMFunctionType::get(e.b.getI32Type(), {pointer(e), pointer(e)});
    SmallVector<Value> operands = {functionNamed(e, symbol, type), tensors, numbers};
    k.status = LLVM::CallOp::create(e.b, e.loc, type, operands).getResult();
    return success();
  }
  k.status = callRuntime(k, op->getName().stripDialect(), tensors, numbers);
  return success();
}

} // namespace kiln::cpu
