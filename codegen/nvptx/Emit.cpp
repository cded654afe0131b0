#include "codegen/nvptx/Emit.h"

#include "codegen/cpu/Layout.h"
#include "codegen/nvptx/Kernels.h"
#include "codegen/nvptx/Schedule.h"
#include "lib/Core/Budget.h"
#include "lib/Core/Stats.h"
#include "lib/Core/Trace.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace kiln::nvptx {
namespace {

using cpu::Place;
using cpu::Places;

class ProgramEmitter {
public:
  ProgramEmitter(func::FuncOp main, gpu::GPUModuleOp kernels) : main(main), kernels(kernels), b(main.getContext()), places(main) {}

  LogicalResult run() {
    for (ir::KernelOp kernel : main.getOps<ir::KernelOp>()) {
      if (failed(emitKernel(kernel))) return failure();
      if (Budget::isUsedUp()) return main.emitError(Budget::why());
    }
    emitLaunches();
    main.erase();
    return success();
  }

private:
  func::FuncOp main;
  gpu::GPUModuleOp kernels;
  OpBuilder b;
  Places places;
  struct Launch {
    gpu::GPUFuncOp function;
    int64_t blocks, threads;
    SmallVector<Place> slots;
  };
  std::vector<Launch> launches;
  bool canFail = false; // a kernel may set bits of the status
  int64_t scratch = 0;  // bytes behind the planned workspace, of the kernel that asks for most

  int64_t alignedEnd() { return ceilDiv(places.planned, kLine) * kLine; }
  Type pointer() { return LLVM::LLVMPointerType::get(b.getContext()); }

  Buffer bufferOf(Value array, const Place &place, Value memory) {
    Buffer buffer{memory, ir::typeOf(array).dtype, {}, {}};
    for (Size d : ir::typeOf(array).shape) buffer.shape.push_back(d.number());
    if (place.strides) {
      for (int64_t s : place.strides.asArrayRef()) buffer.strides.push_back(s);
      return buffer;
    }
    buffer.isRowMajor = true;
    buffer.strides.resize(buffer.shape.size());
    int64_t step = 1;
    for (size_t i = buffer.shape.size(); i-- > 0; step *= buffer.shape[i].number()) buffer.strides[i] = step;
    return buffer;
  }

  /// The bytes from a buffer's pointer on, and before it where strides are negative.
  static std::pair<int64_t, int64_t> extentOf(const Buffer &buffer) {
    int64_t low = 0, high = 1;
    for (auto [size, stride] : llvm::zip(buffer.shape, buffer.strides)) {
      if (size.isConstant(0)) return {0, 0};
      (stride.number() < 0 ? low : high) += (size.number() - 1) * stride.number();
    }
    return {low * byteSize(buffer.dtype), high * byteSize(buffer.dtype)};
  }

  LogicalResult emitKernel(ir::KernelOp kernel);
  gpu::GPUFuncOp makeFunction(Location loc, size_t slots);
  LogicalResult emitLaunch(ir::KernelOp kernel, int64_t launch, int64_t &launches);
  void finish(GpuKernel &k, SmallVector<Place> slots, std::vector<std::pair<int64_t, int64_t>> extents);
  void emitLaunches();
};

void emitBody(GpuKernel &k) {
  Attribute schedule = *k.kernel.getSchedule();
  if (auto rows = dyn_cast<ir::RowGroupsAttr>(schedule)) return rows.getSplit() ? emitSplitReduction(k) : emitRowGroups(k);
  if (auto columns = dyn_cast<ir::ColumnThreadsAttr>(schedule)) return columns.getSplit() ? emitSplitReduction(k) : emitColumnThreads(k);
  if (isa<ir::ThreadTilesAttr>(schedule)) return emitThreadTiles(k);
  if (isa<ir::MatrixTilesAttr>(schedule)) return emitMatrixTiles(k);
  switch (k.kernel.getKind()) {
  case ir::KernelKind::Assemble: return emitAssemble(k);
  case ir::KernelKind::Sort: return emitSort(k);
  case ir::KernelKind::Scan: return emitScan(k);
  case ir::KernelKind::Compact: return emitCompact(k);
  case ir::KernelKind::Scatter: return emitScatter(k);
  case ir::KernelKind::Contraction:
  case ir::KernelKind::Convolution: return emitPointwiseProduct(k);
  default: return cast<ir::GridAttr>(schedule).getTranspose() < 0 ? emitGrid(k) : emitTransposed(k);
  }
}

LogicalResult ProgramEmitter::emitKernel(ir::KernelOp kernel) {
  for (int64_t launch = 0, launches = 1; launch < launches; ++launch)
    if (failed(emitLaunch(kernel, launch, launches))) return failure();
  count("emit-nvptx.kernels");
  return success();
}

gpu::GPUFuncOp ProgramEmitter::makeFunction(Location loc, size_t slots) {
  b.setInsertionPointToEnd(kernels.getBody());
  SmallVector<Type> types(slots + 2, pointer()); // the scratch memory and the status follow the arrays
  auto name = "kernel_" + std::to_string(llvm::range_size(kernels.getOps<gpu::GPUFuncOp>()));
  auto fn = gpu::GPUFuncOp::create(b, loc, name, b.getFunctionType(types, {}));
  fn->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), b.getUnitAttr());
  for (unsigned i = 0; i <= slots; ++i) fn.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(), b.getUnitAttr());
  b.setInsertionPointToEnd(&fn.getBody().front());
  return fn;
}

LogicalResult ProgramEmitter::emitLaunch(ir::KernelOp kernel, int64_t launch, int64_t &launches) {
  SmallVector<Place> slots; // one pointer for each place: an array read under two shapes is one buffer
  auto slotOf = [&](Value v) {
    Place place = places.of(v);
    auto found = llvm::find(slots, place);
    if (found == slots.end()) slots.push_back(place);
    return unsigned(llvm::find(slots, place) - slots.begin());
  };
  SmallVector<unsigned> inputs = llvm::map_to_vector(kernel.getInputs(), slotOf),
                        outputs = llvm::map_to_vector(kernel.getResults(), slotOf);
  gpu::GPUFuncOp fn = makeFunction(kernel.getLoc(), slots.size());
  Block *body = &fn.getBody().front();
  Emitter e(b, kernel.getLoc());
  Evaluator ev(e);
  auto noSymbols = [](Size) { return Index(0); }; // the target takes no programs for any size
  ev.openSize = noSymbols;
  ev.statusFlag = body->getArguments().back();
  GpuKernel k{e, ev, kernel, fn, {}, {}, {}};
  k.launch = launch, k.launches = launches, k.scratchPointer = body->getArgument(unsigned(slots.size()));
  std::vector<std::pair<int64_t, int64_t>> extents(slots.size(), {0, 0});
  auto buffer = [&](Value inside, Value outer, unsigned slot) {
    Buffer buffer = bufferOf(inside, places.of(outer), body->getArgument(slot));
    auto [low, high] = extentOf(buffer);
    extents[slot] = {std::min(extents[slot].first, low), std::max(extents[slot].second, high)};
    return buffer;
  };
  for (auto [argument, outer, slot] : llvm::zip(kernel.getBody().getArguments(), kernel.getInputs(), inputs)) {
    ev.buffers[argument] = buffer(argument, outer, slot);
    if (outputs.size() == 1 && slot == outputs[0]) k.placedWithResult = argument;
  }
  for (auto [result, slot] : llvm::zip(kernel.getResults(), outputs)) k.outputs.push_back(buffer(result, result, slot));
  for (auto [place, pointer] : llvm::zip(slots, body->getArguments()))
    if (place.kind != Place::Workspace) k.givenPointers.push_back(pointer);
  emitBody(k);
  launches = k.launches;
  if (!ev.isRefused) finish(k, std::move(slots), std::move(extents));
  return failure(ev.isRefused);
}

/// Ends a function, and says on it what its launch must give it.
void ProgramEmitter::finish(GpuKernel &k, SmallVector<Place> slots, std::vector<std::pair<int64_t, int64_t>> extents) {
  gpu::GPUFuncOp fn = k.function;
  b.setInsertionPointToEnd(&fn.getBody().front());
  gpu::ReturnOp::create(b, k.kernel.getLoc());
  if (!k.blocks) return fn.erase(); // no element
  canFail |= !fn.getBody().front().getArguments().back().use_empty();
  if (k.scratchBytes) {
    slots.push_back({Place::Workspace, alignedEnd(), nullptr, 0});
    extents.push_back({0, k.scratchBytes});
    scratch = std::max(scratch, k.scratchBytes);
  } else {
    (void)fn.eraseArgument(unsigned(slots.size()));
  }
  extents.push_back({0, byteSize(DType::I32)}); // of the status
  if (k.sharedBytes > kDeclaredShared) {        // the launch asks for it
    auto shared = kernels.lookupSymbol<LLVM::GlobalOp>(fn.getName().str() + "_shared");
    shared.setGlobalType(LLVM::LLVMArrayType::get(b.getI8Type(), 0)), shared.setLinkage(LLVM::Linkage::External);
  }
  fn.setKnownBlockSize(ArrayRef<int32_t>{int32_t(k.threads), 1, 1});
  fn->setAttr(kExtents, b.getArrayAttr(llvm::map_to_vector(
                            extents, [&](auto extent) -> Attribute { return b.getDenseI64ArrayAttr({extent.first, extent.second}); })));
  if (k.occupancy) fn->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(), b.getI32IntegerAttr(int32_t(k.occupancy)));
  if (k.sharedBytes) fn->setAttr(kSharedBytes, b.getI64IntegerAttr(k.sharedBytes));
  launches.push_back({fn, k.blocks, k.threads, slots});
}

void ProgramEmitter::emitLaunches() {
  Location loc = main.getLoc();
  b.setInsertionPoint(main);
  unsigned inputs = main.getNumArguments(), arrays = inputs + main.getNumResults();
  auto fn = func::FuncOp::create(b, loc, main.getName(), b.getFunctionType(SmallVector<Type>(arrays + 2, pointer()), {}));
  fn->setAttr(ir::kWorkspaceBytes, b.getI64IntegerAttr(scratch ? alignedEnd() + scratch : places.planned));
  fn->setAttr(kInputs, b.getI64IntegerAttr(inputs));
  fn->setAttr(kCanFail, b.getBoolAttr(canFail));
  SmallVector<int64_t> inPlace;
  for (unsigned i = 0; i < main.getNumResults(); ++i) {
    auto input = main.getResultAttrOfType<IntegerAttr>(i, ir::kInPlace);
    inPlace.push_back(input ? input.getInt() : -1);
  }
  if (llvm::any_of(inPlace, [](int64_t input) { return input >= 0; })) fn->setAttr(ir::kInPlace, b.getDenseI64ArrayAttr(inPlace));
  Block *body = fn.addEntryBlock();
  b.setInsertionPointToStart(body);
  Emitter e(b, loc);
  auto index = [&](int64_t n) -> Value { return arith::ConstantIndexOp::create(b, loc, n); };
  Value one = index(1);
  for (Launch &launch : launches) {
    SmallVector<Value> arguments;
    for (const Place &place : launch.slots) {
      if (place.kind == Place::Workspace) arguments.push_back(e.address(body->getArgument(arrays), DType::U8, place.number));
      else arguments.push_back(body->getArgument(unsigned(place.number) + (place.kind == Place::Result ? inputs : 0)));
    }
    arguments.push_back(body->getArguments().back());
    auto symbol = SymbolRefAttr::get(kernels.getNameAttr(), {FlatSymbolRefAttr::get(launch.function.getNameAttr())});
    gpu::LaunchFuncOp::create(b, loc, symbol, gpu::KernelDim3{index(launch.blocks), one, one},
                              gpu::KernelDim3{index(launch.threads), one, one}, Value(), arguments);
  }
  func::ReturnOp::create(b, loc);
}

} // namespace

LogicalResult emitPrograms(ModuleOp module) {
  OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
  module->setAttr(gpu::GPUDialect::getContainerModuleAttrName(), b.getUnitAttr());
  auto kernels = gpu::GPUModuleOp::create(b, module.getLoc(), "kernels");
  for (auto fn : llvm::to_vector(module.getOps<func::FuncOp>())) {
    if (fn.isDeclaration()) {
      fn.erase();
      continue;
    }
    if (failed(checkPlanned(fn))) return failure();
    for (ir::KernelOp kernel : fn.getOps<ir::KernelOp>())
      if (!kernel.getSchedule()) return kernel.emitOpError("expected a schedule: run kiln-schedule-nvptx first");
    if (failed(ProgramEmitter(fn, kernels).run())) return failure();
  }
  int64_t most = 0; // of the programs
  for (auto fn : module.getOps<func::FuncOp>()) most = std::max(most, fn->getAttrOfType<IntegerAttr>(ir::kWorkspaceBytes).getInt());
  module->setAttr(ir::kWorkspaceBytes, b.getI64IntegerAttr(most));
  expandRemainders(kernels);
  return success();
}

/// Where a pointer that a program hands to a kernel comes from.
static LaunchPlan::Argument argumentOf(func::FuncOp program, Value value, int64_t inputs, DenseI64ArrayAttr extent) {
  using Memory = LaunchPlan::Memory;
  int64_t offset = 0;
  if (auto address = value.getDefiningOp<LLVM::GEPOp>()) {
    APInt constant;
    if (matchPattern(Value(address.getDynamicIndices().front()), m_ConstantInt(&constant))) offset = constant.getSExtValue();
    value = address.getBase();
  }
  int64_t number = int64_t(cast<BlockArgument>(value).getArgNumber()), arrays = int64_t(program.getNumArguments()) - 2;
  LaunchPlan::Argument argument{Memory::Input, number, extent[0], extent[1]};
  if (number == arrays + 1) argument.memory = Memory::Status, argument.number = 0;
  else if (number == arrays) argument.memory = Memory::Workspace, argument.number = offset;
  else if (number >= inputs) argument.memory = Memory::Output, argument.number = number - inputs;
  return argument;
}

LaunchPlan planOf(ModuleOp module) {
  LaunchPlan plan;
  SymbolTableCollection symbols;
  auto constantOf = [](Value v) { return v.getDefiningOp<arith::ConstantIndexOp>().value(); };
  for (auto fn : module.getOps<func::FuncOp>()) {
    int64_t inputs = fn->getAttrOfType<IntegerAttr>(kInputs).getInt();
    LaunchPlan::Program program{fn.getName().str(),
                                inputs,
                                int64_t(fn.getNumArguments()) - 2 - inputs,
                                fn->getAttrOfType<IntegerAttr>(ir::kWorkspaceBytes).getInt(),
                                {},
                                fn->getAttrOfType<BoolAttr>(kCanFail).getValue(),
                                {}};
    if (auto inPlace = fn->getAttrOfType<DenseI64ArrayAttr>(ir::kInPlace))
      program.inPlace.assign(inPlace.asArrayRef().begin(), inPlace.asArrayRef().end());
    for (auto op : fn.getOps<gpu::LaunchFuncOp>()) {
      Operation *kernel = symbols.lookupSymbolIn(module, op.getKernel());
      auto shared = kernel->getAttrOfType<IntegerAttr>(kSharedBytes);
      LaunchPlan::Launch launch{
          op.getKernelName().str(), constantOf(op.getGridSizeX()), constantOf(op.getBlockSizeX()), shared ? shared.getInt() : 0, {}};
      auto extents = kernel->getAttrOfType<ArrayAttr>(kExtents);
      for (auto [value, extent] : llvm::zip(op.getKernelOperands(), extents))
        launch.arguments.push_back(argumentOf(fn, value, inputs, cast<DenseI64ArrayAttr>(extent)));
      program.launches.push_back(launch);
    }
    plan.programs.push_back(program);
  }
  return plan;
}

} // namespace kiln::nvptx
