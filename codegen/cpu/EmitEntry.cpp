#include "codegen/cpu/ProgramEmitter.h"

#include "dialects/kiln/Program.h"
#include "include/kiln/executable.h"
#include "lib/Core/Timed.h"
#include "lib/Core/Trace.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <cstddef>

using namespace mlir;

namespace kiln::cpu {

/// A size in numbers: what the caller gives for a symbol, or a product of such.
Index ProgramEmitter::sizeOf(Emitter &e, Value dims, Size d) {
  if (d.isConstant()) return d.number();
  int64_t symbol = d.symbol();
  if (symbol < places.symbols) return Index(e.load(dims, DType::I64, symbol, 0).value);
  Index result = 1;
  for (Size factor : ir::factorsOf(main, symbol)) result = e.mul(result, sizeOf(e, dims, factor));
  return result;
}

static Index aligned(Emitter &e, Index bytes) { return e.mul(e.ceilDiv(bytes, 64), 64); }

/// Where open block `number` starts in the workspace; `starts` are those known so far in this function.
Index ProgramEmitter::openBlock(Emitter &e, Value dims, size_t number, SmallVectorImpl<Index> &starts) {
  if (starts.empty()) starts.push_back(places.planned);
  SmallVector<TensorType> blocks = ir::blocksOf(main);
  for (size_t i = starts.size() - 1; i < number; ++i) {
    TensorType type = blocks[i];
    Index bytes = byteSize(type.dtype);
    for (Size d : type.shape) bytes = e.mul(bytes, sizeOf(e, dims, d));
    starts.push_back(e.add(starts[i], aligned(e, bytes)));
  }
  return starts[number];
}

/// Where the planned part of the workspace ends and the scratch of kernels starts.
Index ProgramEmitter::planEnd(Emitter &e, Value dims, SmallVectorImpl<Index> &starts) {
  return openBlock(e, dims, ir::blocksOf(main).size(), starts);
}

Buffer ProgramEmitter::bufferOf(Emitter &e, Value array, const Place &place, Value memory, Value dims) {
  Buffer buffer{memory, ir::typeOf(array).dtype, {}, {}};
  auto dim = [&](int64_t at) { return Index(e.load(dims, DType::I64, at, 0).value); };
  for (Size d : ir::typeOf(array).shape) buffer.shape.push_back(sizeOf(e, dims, d));
  if (place.strides) {
    int64_t next = place.firstStride;
    for (int64_t s : place.strides.asArrayRef()) buffer.strides.push_back(s == kDynamicStride ? dim(next++) : Index(s));
    return buffer;
  }
  Index step = 1;
  buffer.isRowMajor = true;
  buffer.strides.resize(buffer.shape.size());
  for (size_t i = buffer.shape.size(); i-- > 0;) {
    buffer.strides[i] = step;
    step = e.mul(step, buffer.shape[i]);
  }
  return buffer;
}
/// A function with the arguments of the entry, whose body `emit` makes from them; it gives the status.
func::FuncOp ProgramEmitter::entryFunction(StringRef name, llvm::function_ref<Value(Emitter &, Block *)> emit) {
  b.setInsertionPointToEnd(module.getBody());
  unsigned pointers = isBody ? main.getNumArguments() + main.getNumResults() + 3 : 4;
  auto fn = func::FuncOp::create(b, main.getLoc(), name, b.getFunctionType(SmallVector<Type>(pointers, pointer()), {b.getI32Type()}));
  for (unsigned i = 0; isBody && i < pointers - 3; ++i) fn.setArgAttr(i, kNoAlias, b.getUnitAttr());
  if (isBody) fn->setAttr("llvm.linkage", LLVM::LinkageAttr::get(b.getContext(), LLVM::Linkage::Internal));
  constexpr size_t kMany = 4; // kernels, beside whose time and compilation that of better calls is nothing
  if (!isBody && kernels.size() >= kMany) addAttributes(fn, {b.getStringAttr("noinline"), b.getStringAttr("optnone")});
  Block *body = fn.addEntryBlock();
  b.setInsertionPointToStart(body);
  Emitter e(b, main.getLoc());
  func::ReturnOp::create(b, main.getLoc(), emit(e, body));
  return fn;
}

/// Tells the runtime that a kernel has run.
void ProgramEmitter::emitTick(Emitter &e, Value runtime, size_t kernel) {
  Value tick = LLVM::LoadOp::create(b, e.loc, pointer(), e.address(runtime, DType::U8, int64_t(offsetof(TimedRuntime, tick))));
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()), {b.getI64Type()});
  LLVM::CallOp::create(b, e.loc, type, ValueRange{tick, e.use(*firstNumber + int64_t(kernel))});
}

Value ProgramEmitter::callKernels(Emitter &e, Block *body, ArrayRef<KernelCall> calls) {
  Location loc = main.getLoc();
  unsigned last = body->getNumArguments() - 1;
  Value dims = body->getArgument(isBody ? last - 1 : 2), workspace = body->getArgument(isBody ? last - 2 : 3);
  Value runtime = body->getArgument(isBody ? last : 0);
  int64_t arguments = int64_t(main.getNumArguments());
  SmallVector<Index> starts;
  auto bufferAt = [&](int64_t i) -> Value {
    if (isBody) return body->getArgument(unsigned(i));
    Value buffers = body->getArgument(1);
    Value from = LLVM::GEPOp::create(b, loc, pointer(), pointer(), buffers, ArrayRef<LLVM::GEPArg>{LLVM::GEPArg(int32_t(i))});
    return LLVM::LoadOp::create(b, loc, pointer(), from).getResult();
  };
  auto inWorkspace = [&](int64_t place) {
    return e.address(workspace, DType::U8, place < 0 ? openBlock(e, dims, size_t(-2 - place), starts) : Index(place));
  };
  Value status = e.scalar(DType::I32, 0).value, end = e.address(workspace, DType::U8, planEnd(e, dims, starts));
  SmallVector<Value> onStack;
  for (int64_t bytes : places.stackBytes) onStack.push_back(e.stack(DType::U64, std::max<int64_t>(1, (bytes + 7) / 8)));
  auto addressOf = [&](const Place &p) {
    if (p.kind == Place::Workspace) return inWorkspace(p.number);
    if (p.kind == Place::Stack) return onStack[size_t(p.number)];
    return bufferAt(p.kind == Place::Argument ? p.number : arguments + p.number);
  };
  for (auto &[kernel, slots, number] : calls) {
    SmallVector<Value> args;
    for (const Place &p : slots) args.push_back(addressOf(p));
    args.push_back(end);
    args.push_back(dims);
    args.push_back(runtime);
    Value result = func::CallOp::create(b, loc, kernel, args).getResult(0);
    status = arith::OrIOp::create(b, loc, status, result);
    if (firstNumber) emitTick(e, runtime, number);
  }
  return status;
}

/// Calls kernels in order; many in functions of their own.
Value ProgramEmitter::callInParts(Emitter &e, Block *body, ArrayRef<KernelCall> calls, int &parts) {
  if (calls.size() <= kPart) return callKernels(e, body, calls);
  Value status = e.scalar(DType::I32, 0).value;
  for (; !calls.empty(); calls = calls.drop_front(std::min(kPart, calls.size()))) {
    OpBuilder::InsertPoint here = b.saveInsertionPoint();
    auto name = (main.getName() + ".part_" + Twine(parts++)).str();
    func::FuncOp part = entryFunction(name, [&](Emitter &inner, Block *its) { return callKernels(inner, its, calls.take_front(kPart)); });
    part->setAttr("llvm.linkage", LLVM::LinkageAttr::get(b.getContext(), LLVM::Linkage::Internal));
    b.restoreInsertionPoint(here);
    Value result = func::CallOp::create(b, main.getLoc(), part, ValueRange(body->getArguments())).getResult(0);
    status = arith::OrIOp::create(b, main.getLoc(), status, result);
  }
  return status;
}

/// The status, or that the runtime has stopped the program; 0: what follows may write into inputs.
Value ProgramEmitter::statusToCommit(Emitter &e, Value status, Value runtime) {
  Value stops = askRuntime(e, runtime, int64_t(offsetof(kiln_rt, commits))), zero = e.scalar(DType::I32, 0).value;
  Value isStopped = arith::CmpIOp::create(b, main.getLoc(), arith::CmpIPredicate::ne, stops, zero);
  Value stopped = arith::ConstantIntOp::create(b, main.getLoc(), b.getI32Type(), KILN_STOPPED);
  return arith::SelectOp::create(b, main.getLoc(), isStopped, stopped, status);
}

/// Stores past the caches are seen before what follows.
void ProgramEmitter::emitStoreFence() {
  if (auto name = module->getAttrOfType<StringAttr>(kStoreFence)) LLVM::CallIntrinsicOp::create(b, main.getLoc(), name, ValueRange());
}

func::FuncOp ProgramEmitter::emitEntry() {
  Location loc = main.getLoc();
  return entryFunction(main.getName(), [&](Emitter &e, Block *body) -> Value {
    ArrayRef<KernelCall> all = kernels;
    size_t before = std::min(committing, all.size());
    int parts = 0;
    Value status = callInParts(e, body, all.take_front(before), parts);
    auto fence = [&] {
      if (hasStreams) emitStoreFence();
    };
    if (before == all.size()) return fence(), status;
    status = statusToCommit(e, status, body->getArgument(0));
    Value isWell = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, status, e.scalar(DType::I32, 0).value);
    auto rest = scf::IfOp::create(b, loc, TypeRange(b.getI32Type()), isWell, /*withElseRegion=*/true);
    b.setInsertionPointToStart(rest.thenBlock());
    Value last = callInParts(e, body, all.drop_front(before), parts);
    fence();
    scf::YieldOp::create(b, loc, last);
    b.setInsertionPointToStart(rest.elseBlock());
    scf::YieldOp::create(b, loc, status);
    b.setInsertionPointAfter(rest);
    return rest.getResult(0);
  });
}

} // namespace kiln::cpu
