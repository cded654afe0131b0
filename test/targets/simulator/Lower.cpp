#include "test/targets/simulator/Lower.h"

#include "codegen/nvptx/Emit.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/DataLayoutInterfaces.h"
#include "test/targets/simulator/Machine.h"

using namespace mlir;

namespace simulator {
namespace {

struct Lower : PassWrapper<Lower, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Lower)

  void runOnOperation() override {
    ModuleOp module = getOperation();
    std::string plan = kiln::nvptx::planOf(module).write();
    module->setAttr(kPlan, StringAttr::get(&getContext(), plan));
    addText(kPlanSymbol, plan);
    for (auto program : llvm::to_vector(module.getOps<func::FuncOp>())) program.erase();
    for (auto kernels : llvm::to_vector(module.getOps<gpu::GPUModuleOp>())) {
      for (Operation &op : llvm::make_early_inc_range(*kernels.getBody())) {
        auto global = dyn_cast<LLVM::GlobalOp>(op);
        if (global && global.getAddrSpace()) continue; // shared memory is the simulator's
        op.moveBefore(module.getBody(), module.getBody()->end());
        auto kernel = dyn_cast<gpu::GPUFuncOp>(op);
        if (!kernel) continue;
        if (const char *fault = getenv("KILN_SIMULATOR_FAULT")) plant(kernel, fault);
        lower(kernel);
      }
      kernels.erase();
    }
    for (auto op : llvm::to_vector(module.getOps<gpu::BinaryOp>())) op.erase(); // the plan names them
    module->removeAttr(gpu::GPUDialect::getContainerModuleAttrName());
  }

private:
  int32_t sites = 0;

  /// A text that libraries show, with a zero behind it.
  void addText(StringRef name, std::string text) {
    OpBuilder b = OpBuilder::atBlockBegin(getOperation().getBody());
    text.push_back('\0');
    auto type = LLVM::LLVMArrayType::get(b.getI8Type(), text.size());
    LLVM::GlobalOp::create(b, getOperation().getLoc(), type, /*isConstant=*/true, LLVM::Linkage::External, name, b.getStringAttr(text));
  }

  Value call(OpBuilder &b, Location loc, StringRef name, Type result, ValueRange operands) {
    auto module = getOperation();
    auto type = b.getFunctionType(operands.getTypes(), result ? TypeRange(result) : TypeRange());
    if (!module.lookupSymbol(name)) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(module.getBody());
      func::FuncOp::create(b, loc, name, type).setPrivate();
    }
    auto call = func::CallOp::create(b, loc, name, type.getResults(), operands);
    return result ? call.getResult(0) : Value();
  }

  /// What a wrong emitter might do, for tests of the simulator.
  void plant(gpu::GPUFuncOp kernel, StringRef fault) {
    SmallVector<Operation *> barriers, guards, threads, waits, products;
    kernel.walk([&](Operation *op) {
      if (isa<gpu::BarrierOp>(op)) barriers.push_back(op);
      if (isa<scf::IfOp>(op)) guards.push_back(op);
      if (isa<gpu::ThreadIdOp>(op)) threads.push_back(op);
      if (isa<NVVM::CpAsyncWaitGroupOp>(op)) waits.push_back(op);
      if (isa<NVVM::WgmmaWaitGroupSyncOp>(op)) products.push_back(op);
    });
    OpBuilder b(kernel);
    if (fault == "no-barrier") {
      for (Operation *barrier : barriers) barrier->erase();
    } else if (fault == "no-wait") {
      for (Operation *wait : waits) wait->erase();
    } else if (fault == "early-wait") { // for one group less
      for (Operation *wait : waits) cast<NVVM::CpAsyncWaitGroupOp>(wait).setN(cast<NVVM::CpAsyncWaitGroupOp>(wait).getN() + 1);
    } else if (fault == "divergent-barrier" || fault == "divergent-shuffle") { // one more, to which not all threads come
      b.setInsertionPoint(kernel.getBody().back().getTerminator());
      Value thread = gpu::ThreadIdOp::create(b, kernel.getLoc(), gpu::Dimension::x);
      Value few = arith::ConstantIndexOp::create(b, kernel.getLoc(), 16);
      Value isFirst = arith::CmpIOp::create(b, kernel.getLoc(), arith::CmpIPredicate::ult, thread, few);
      auto branch = scf::IfOp::create(b, kernel.getLoc(), isFirst, false);
      b.setInsertionPoint(branch.thenBlock()->getTerminator());
      if (fault == "divergent-barrier") return void(gpu::BarrierOp::create(b, kernel.getLoc()));
      Value one = arith::ConstantIntOp::create(b, kernel.getLoc(), b.getI32Type(), 1);
      Value lanes = arith::ConstantIntOp::create(b, kernel.getLoc(), b.getI32Type(), 32);
      gpu::ShuffleOp::create(b, kernel.getLoc(), one, one, lanes, gpu::ShuffleMode::DOWN);
    } else if (fault == "no-guard") {
      for (Operation *guard : guards) {
        b.setInsertionPoint(guard);
        guard->setOperand(0, arith::ConstantOp::create(b, kernel.getLoc(), b.getBoolAttr(true)));
      }
    } else if (fault == "no-product-wait") {
      for (Operation *wait : products) wait->erase();
    } else if (fault == "unaligned") { // no fault: as if no array lay at a multiple of 16 bytes
      kernel.walk([&](LLVM::PtrToIntOp address) {
        if (!address.getType().isInteger(64)) return; // of a matrix in shared memory
        b.setInsertionPointAfter(address);
        Value one = arith::ConstantIntOp::create(b, kernel.getLoc(), b.getI64Type(), 1);
        address.replaceAllUsesWith(one);
      });
    } else if (fault == "same-thread") {
      for (Operation *thread : threads) {
        b.setInsertionPointAfter(thread);
        Value zero = arith::ConstantIndexOp::create(b, kernel.getLoc(), 0);
        thread->getResult(0).replaceAllUsesWith(zero);
      }
    } else {
      kernel.emitError() << "KILN_SIMULATOR_FAULT: expected the name of a fault, got " << fault;
      signalPassFailure();
    }
  }

  void lower(gpu::GPUFuncOp kernel) {
    OpBuilder b(kernel);
    Location loc = kernel.getLoc();
    Type pointer = LLVM::LLVMPointerType::get(&getContext());
    auto fn = func::FuncOp::create(b, loc, kernel.getName(), b.getFunctionType(pointer, {}));
    fn.getBody().takeBody(kernel.getBody());
    kernel.erase();
    Block &body = fn.getBody().front();
    fn.walk([&](Operation *op) { lower(op); });
    // The arguments come in an array, 64 bits each.
    unsigned count = body.getNumArguments();
    Value array = body.addArgument(pointer, loc);
    b.setInsertionPointToStart(&body);
    for (unsigned i = 0; i < count; ++i) {
      Value argument = body.getArgument(i), at = LLVM::GEPOp::create(b, loc, pointer, pointer, array, ArrayRef<LLVM::GEPArg>{int32_t(i)});
      argument.replaceAllUsesWith(LLVM::LoadOp::create(b, loc, argument.getType(), at));
    }
    body.eraseArguments(0, count);
  }

  /// What a call that four words come from has left for this thread.
  Value words(OpBuilder &b, Location loc, Type type) {
    Value all = LLVM::PoisonOp::create(b, loc, type);
    for (int64_t i = 0; i < 4; ++i) {
      Value at = arith::ConstantIntOp::create(b, loc, b.getI32Type(), i);
      Value word = call(b, loc, "kiln_simulator_word", b.getI32Type(), at);
      Type part = cast<LLVM::LLVMStructType>(type).getBody()[size_t(i)];
      if (part != word.getType()) word = LLVM::BitcastOp::create(b, loc, part, word);
      all = LLVM::InsertValueOp::create(b, loc, all, word, i);
    }
    return all;
  }

  /// A product of four warps: sums go through the stack.
  void lowerGroup(OpBuilder &b, NVVM::WgmmaMmaAsyncOp product) {
    Location loc = product.getLoc();
    Type type = product.getInouts().getType(), pointer = LLVM::LLVMPointerType::get(&getContext());
    auto number = [&](int64_t n) -> Value { return arith::ConstantIntOp::create(b, loc, b.getI32Type(), n); };
    Value memory;
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(&product->getParentOfType<func::FuncOp>().getBody().front());
      memory = LLVM::AllocaOp::create(b, loc, pointer, type, number(1));
    }
    LLVM::StoreOp::create(b, loc, product.getInouts(), memory);
    int32_t form = (product.getLayoutA() == NVVM::MMALayout::col) | (product.getLayoutB() == NVVM::MMALayout::row) << 1 |
                   (product.getTypeA() == NVVM::WGMMATypes::f16) << 2;
    SmallVector<Value> operands = {memory,       product.getDescriptorA(), product.getDescriptorB(), number(product.getShape().getN()),
                                   number(form), number(sites++)};
    call(b, loc, "kiln_simulator_multiply_group", {}, operands);
    product.getResult().replaceAllUsesWith(LLVM::LoadOp::create(b, loc, type, memory));
    product->erase();
  }

  void lower(Operation *op) {
    OpBuilder b(op);
    Location loc = op->getLoc();
    auto number = [&](int32_t n) -> Value { return arith::ConstantIntOp::create(b, loc, b.getI32Type(), n); };
    auto replace = [&](Value value) {
      op->getResult(0).replaceAllUsesWith(value);
      op->erase();
    };
    auto access = [&](Value at, Type type, std::optional<uint64_t> alignment, bool isWrite) {
      int64_t bytes = int64_t(DataLayout::closest(op).getTypeSize(type).getFixedValue());
      Value size = arith::ConstantIntOp::create(b, loc, b.getI64Type(), bytes);
      call(b, loc, "kiln_simulator_access", {}, {at, size, number(int32_t(alignment.value_or(1))), number(isWrite)});
    };
    if (isa<gpu::ThreadIdOp, gpu::BlockIdOp>(op)) {
      Value n = call(b, loc, isa<gpu::ThreadIdOp>(op) ? "kiln_simulator_thread" : "kiln_simulator_block", b.getI64Type(), {});
      replace(arith::IndexCastOp::create(b, loc, b.getIndexType(), n));
    } else if (isa<gpu::BarrierOp>(op)) {
      call(b, loc, "kiln_simulator_barrier", {}, {number(sites++)});
      op->erase();
    } else if (auto shuffle = dyn_cast<gpu::ShuffleOp>(op)) {
      SmallVector<Value> operands = {shuffle.getValue(), shuffle.getOffset(), number(int32_t(shuffle.getMode())), number(sites++)};
      replace(call(b, loc, "kiln_simulator_shuffle", b.getI32Type(), operands));
    } else if (auto load = dyn_cast<NVVM::LdMatrixOp>(op)) {
      auto from = load.getPtr().getDefiningOp<LLVM::AddrSpaceCastOp>();
      Value isTurned = number(load.getLayout() == NVVM::MMALayout::col);
      call(b, loc, "kiln_simulator_load_matrices", {}, {from.getArg(), isTurned, number(sites++)});
      replace(words(b, loc, load.getType()));
      from->erase();
    } else if (auto product = dyn_cast<NVVM::MmaOp>(op)) {
      SmallVector<Value> operands;
      for (Value operand : product->getOperands()) {
        if (operand.getType() != b.getI32Type()) operand = LLVM::BitcastOp::create(b, loc, b.getI32Type(), operand);
        operands.push_back(operand);
      }
      operands.append({number(product.getMultiplicandAPtxType() == NVVM::MMATypes::f16), number(sites++)});
      call(b, loc, "kiln_simulator_multiply", {}, operands);
      replace(words(b, loc, product.getType()));
    } else if (auto product = dyn_cast<NVVM::WgmmaMmaAsyncOp>(op)) {
      lowerGroup(b, product);
    } else if (isa<NVVM::WgmmaGroupSyncAlignedOp>(op)) {
      call(b, loc, "kiln_simulator_commit_products", {}, {});
      op->erase();
    } else if (auto wait = dyn_cast<NVVM::WgmmaWaitGroupSyncOp>(op)) {
      call(b, loc, "kiln_simulator_finish_products", {}, {number(int32_t(wait.getGroup()))});
      op->erase();
    } else if (auto wait = dyn_cast<LLVM::InlineAsmOp>(op)) { // for all products, whose sums go through it
      call(b, loc, "kiln_simulator_finish_products", {}, {number(0)});
      Value all = LLVM::PoisonOp::create(b, loc, wait.getRes().getType());
      for (auto [i, part] : llvm::enumerate(wait.getOperands())) all = LLVM::InsertValueOp::create(b, loc, all, part, int64_t(i));
      replace(all);
    } else if (isa<NVVM::FenceProxyOp, NVVM::WgmmaFenceAlignedOp>(op)) {
      op->erase();
    } else if (auto address = dyn_cast<LLVM::PtrToIntOp>(op)) {
      auto from = address.getArg().getDefiningOp<LLVM::AddrSpaceCastOp>();
      if (!from) return;
      address.getArgMutable().assign(from.getArg());
      from->erase();
    } else if (auto copy = dyn_cast<NVVM::CpAsyncOp>(op)) {
      auto to = copy.getDst().getDefiningOp<LLVM::AddrSpaceCastOp>(), from = copy.getSrc().getDefiningOp<LLVM::AddrSpaceCastOp>();
      call(b, loc, "kiln_simulator_copy", {}, {to.getArg(), from.getArg(), number(int32_t(copy.getSize()))});
      op->erase(), to->erase(), from->erase();
    } else if (isa<NVVM::CpAsyncCommitGroupOp>(op)) {
      call(b, loc, "kiln_simulator_commit", {}, {});
      op->erase();
    } else if (auto wait = dyn_cast<NVVM::CpAsyncWaitGroupOp>(op)) {
      call(b, loc, "kiln_simulator_arrive", {}, {number(int32_t(wait.getN()))});
      op->erase();
    } else if (auto cast = dyn_cast<LLVM::AddrSpaceCastOp>(op)) {
      if (!cast.getArg().getDefiningOp<LLVM::AddressOfOp>()) return; // of a copy or a matrix
      Operation *global = cast.getArg().getDefiningOp();
      replace(call(b, loc, "kiln_simulator_shared", cast.getType(), {}));
      global->erase();
    } else if (auto load = dyn_cast<LLVM::LoadOp>(op)) {
      access(load.getAddr(), load.getType(), load.getAlignment(), false);
    } else if (auto store = dyn_cast<LLVM::StoreOp>(op)) {
      access(store.getAddr(), store.getValue().getType(), store.getAlignment(), true);
    } else if (isa<gpu::ReturnOp>(op)) {
      func::ReturnOp::create(b, loc);
      op->erase();
    }
  }
};

} // namespace

std::unique_ptr<Pass> createLower() { return std::make_unique<Lower>(); }

} // namespace simulator
