// Custom ops that bring a kernel for devices: a program launches it as it launches its own. The op's words say how (lib/Core/NativeOps.h).
#include "codegen/nvptx/Custom.h"

#include "codegen/nvptx/Emit.h"
#include "codegen/nvptx/PlanNumbers.h"
#include "dialects/kiln/Words.h"
#include "lib/Core/NativeOps.h"
#include "lib/Core/Trace.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace kiln::nvptx {

using cpu::Index;

namespace {

/// The numbers of an op, its own and those of its launch: each is a dtype and bits.
SmallVector<int64_t> numbersOf(ir::CustomOp op) {
  SmallVector<int64_t> words = ir::wordsOf(cast<ir::ArrayOp>(op.getOperation())), numbers;
  size_t at = 1;
  for (unsigned i = 0; i < op->getNumResults(); ++i) at += 2 + size_t(words[at + 1]);
  for (; at + 1 < words.size(); at += 2) numbers.push_back(words[at + 1]);
  return numbers;
}

/// What stands for the code of an op, which whoever loads the plan has.
SymbolRefAttr symbolOf(ModuleOp module, StringRef name) {
  MLIRContext *context = module.getContext();
  if (!module.lookupSymbol(name)) {
    OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
    auto none = gpu::ObjectAttr::get(context, NVVM::NVVMTargetAttr::get(context), gpu::CompilationTarget::Assembly, b.getStringAttr(""),
                                     /*properties=*/{}, /*kernels=*/{});
    gpu::BinaryOp::create(b, module.getLoc(), name, /*offloadingHandler=*/Attribute(), b.getArrayAttr({none}));
  }
  return SymbolRefAttr::get(context, name, {FlatSymbolRefAttr::get(context, "kernel")});
}

} // namespace

bool launchesOp(ir::KernelOp kernel) {
  auto op = dyn_cast<ir::CustomOp>(kernel.getBody().front().front());
  const RegisteredOp *registered = op ? findRegistered(op.getName().str()) : nullptr;
  if (!registered || !isLaunched(*registered)) return false;
  SmallVector<int64_t> numbers = numbersOf(op);
  ArrayRef<int64_t> shape = ArrayRef(numbers).take_back(3);
  constexpr int64_t kMostBlocks = (int64_t(1) << 31) - 1, kMostThreads = 1024;
  return shape[0] >= kBlocksForElements && shape[0] <= kMostBlocks && shape[1] > 0 && shape[1] <= kMostThreads && shape[2] >= 0;
}

bool launchesForAnySize(ir::KernelOp kernel) {
  if (!launchesOp(kernel)) return false;
  SmallVector<int64_t> numbers = numbersOf(cast<ir::CustomOp>(kernel.getBody().front().front()));
  return numbers[numbers.size() - 3] == kBlocksForElements;
}

void emitOpLaunch(OpKernel k) {
  cpu::Emitter &e = k.e;
  auto op = cast<ir::CustomOp>(k.kernel.getBody().front().front());
  SmallVector<int64_t> numbers = numbersOf(op), shape(ArrayRef(numbers).take_back(3));
  Index count = k.elementsOf(k.kernel.getResult(0)), blocks = shape[0] == kBlocksForElements ? e.ceilDiv(count, shape[1]) : Index(shape[0]);
  if (blocks.isConstant(0)) return;
  SmallVector<Value> arguments;
  SmallVector<Attribute> extents;
  auto add = [&](Value array) {
    arguments.push_back(k.pointerOf(array));
    Index bytes = e.mul(k.elementsOf(array), byteSize(ir::typeOf(array).dtype));
    extents.push_back(extentAttribute(e.b, 0, k.numbers.of(bytes)));
  };
  for (Value operand : op->getOperands()) add(k.kernel.getInputs()[cast<BlockArgument>(operand).getArgNumber()]);
  for (Value result : k.kernel.getResults()) add(result);
  arguments.push_back(e.use(count));
  for (int64_t number : ArrayRef(numbers).drop_back(3)) arguments.push_back(e.use(number));
  auto index = [&](Index n) -> Value { return arith::IndexCastUIOp::create(e.b, e.loc, e.b.getIndexType(), e.use(n)); };
  Value one = index(1), shared = arith::ConstantIntOp::create(e.b, e.loc, shape[2], 32);
  auto launch =
      gpu::LaunchFuncOp::create(e.b, e.loc, symbolOf(k.kernel->getParentOfType<ModuleOp>(), op.getName()),
                                gpu::KernelDim3{index(blocks), one, one}, gpu::KernelDim3{index(shape[1]), one, one}, shared, arguments);
  launch->setAttr(kExtents, e.b.getArrayAttr(extents));
}

LaunchPlan::Launch opLaunchOf(gpu::LaunchFuncOp op, const PlanNumbers &numbers, PointerArgument pointerArgument) {
  auto known = [&](Value v) { return numbers.of(cpu::Index(v)); };
  auto extents = op->getAttrOfType<ArrayAttr>(kExtents);
  LaunchPlan::Launch launch{op.getKernelModuleName().str(),
                            known(op.getGridSizeX()),
                            known(op.getBlockSizeX()).constant(),
                            known(op.getDynamicSharedMemorySize()).constant(),
                            {},
                            /*isOp=*/true};
  for (auto [i, value] : llvm::enumerate(op.getKernelOperands())) {
    if (i < extents.size()) launch.arguments.push_back(pointerArgument(value, extents[i]));
    else launch.arguments.push_back({LaunchPlan::Memory::Constant, known(value), 0, 0});
  }
  return launch;
}

} // namespace kiln::nvptx
