#include "codegen/nvptx/Emit.h"

#include "codegen/cpu/Layout.h"
#include "codegen/cpu/Schedule.h"
#include "codegen/nvptx/Control.h"
#include "codegen/nvptx/Custom.h"
#include "codegen/nvptx/Kernels.h"
#include "codegen/nvptx/LibraryCalls.h"
#include "codegen/nvptx/PlanNumbers.h"
#include "codegen/nvptx/Schedule.h"
#include "dialects/kiln/Program.h"
#include "lib/Core/Budget.h"
#include "lib/Core/Stats.h"
#include "lib/Core/Trace.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Iterators.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace kiln::nvptx {
namespace {

using cpu::Place;
using cpu::Places;

constexpr int64_t kScratch = std::numeric_limits<int64_t>::min(); // the place behind the planned workspace

/// The sizes that a function is given, its last arguments.
class GivenSizes {
public:
  GivenSizes(func::FuncOp main, Block *body, int64_t count) : main(main), symbols(ir::symbolsOf(main)), body(body), count(count) {}

  Index of(int64_t number) const { return Index(body->getArgument(body->getNumArguments() - unsigned(count - number))); }
  /// What a call says of a symbol, or the product of such.
  Index of(Emitter &e, Size d) const {
    if (d.isConstant()) return d.number();
    if (d.symbol() < symbols) return of(d.symbol());
    Index result = 1;
    for (Size factor : ir::factorsOf(main, d.symbol())) result = e.mul(result, of(e, factor));
    return result;
  }

private:
  mutable func::FuncOp main;
  int64_t symbols;
  Block *body;
  int64_t count;
};

/// How many sizes a call of a program gives.
int64_t countSizes(func::FuncOp main, const Places &places) {
  int64_t count = places.symbols;
  auto add = [&](Attribute strides) {
    if (auto list = dyn_cast_or_null<DenseI64ArrayAttr>(strides)) count += llvm::count(list.asArrayRef(), kDynamicStride);
  };
  for (unsigned i = 0; i < main.getNumArguments(); ++i) add(main.getArgAttr(i, ir::kStrides));
  for (unsigned i = 0; i < main.getNumResults(); ++i)
    if (!main.getResultAttr(i, ir::kInPlace)) add(main.getResultAttr(i, ir::kStrides));
  return count;
}

/// Bytes from a pointer on, and before it where strides are negative.
using Extent = std::pair<Index, Index>;

class ProgramEmitter {
public:
  ProgramEmitter(func::FuncOp main, gpu::GPUModuleOp kernels, EmittedBodies &bodies)
      : main(main), kernels(kernels), bodies(bodies), b(main.getContext()), places(main, /*hasStack=*/false),
        sizes(countSizes(main, places)) {}

  LogicalResult run() {
    makeProgram();
    for (ir::KernelOp kernel : main.getOps<ir::KernelOp>()) {
      if (failed(emitKernel(kernel))) return failure();
      if (Budget::isUsedUp()) return main.emitError(Budget::why());
    }
    std::optional<EmittedBody> body;
    if (places.isBody) body = describeBody(main);
    emitSteps();
    if (body) {
      body->function = program, body->workspace = program->getAttrOfType<IntegerAttr>(ir::kWorkspaceBytes).getInt(),
      body->canFail = canFail;
      bodies[main.getName()] = *body;
    }
    main.erase();
    return success();
  }

private:
  func::FuncOp main, program;
  gpu::GPUModuleOp kernels;
  EmittedBodies &bodies;
  OpBuilder b;
  Places places;
  int64_t sizes; // that a call gives
  struct Launch {
    gpu::GPUFuncOp function;
    Index blocks; // as the program knows them
    int64_t threads;
    SmallVector<Place> slots;
    SmallVector<int64_t> sizes; // numbers of those that it takes
    ir::KernelOp host = {};     // what the host does instead, a loop or branch or a call, or the op whose kernel it is
    std::optional<LibraryCalls::Step> call = {};
  };
  std::vector<Launch> launches;
  SmallVector<Index> starts; // of open blocks in the workspace, and the end of the last one
  bool canFail = false;      // a kernel may set bits of the status
  Index scratch = 0;         // bytes behind the planned workspace, of the kernel that asks for most

  Type pointer() { return LLVM::LLVMPointerType::get(b.getContext()); }
  Block *body() { return &program.getBody().front(); }
  GivenSizes given() { return {main, body(), sizes}; }
  static Index aligned(Emitter &e, Index bytes) { return e.mul(e.ceilDiv(bytes, kLine), kLine); }

  Buffer bufferOf(Emitter &e, Value array, const Place &place, Value memory, const GivenSizes &given) {
    Buffer buffer{memory, ir::typeOf(array).dtype, {}, {}};
    for (Size d : ir::typeOf(array).shape) buffer.shape.push_back(given.of(e, d));
    if (place.strides) {
      int64_t next = place.firstStride;
      for (int64_t s : place.strides.asArrayRef()) buffer.strides.push_back(s == kDynamicStride ? given.of(next++) : Index(s));
      return buffer;
    }
    buffer.isRowMajor = true;
    buffer.strides.resize(buffer.shape.size());
    Index step = 1;
    for (size_t i = buffer.shape.size(); i-- > 0; step = e.mul(step, buffer.shape[i])) buffer.strides[i] = step;
    return buffer;
  }

  static Extent extentOf(Emitter &e, const Buffer &buffer) {
    if (buffer.isRowMajor) {
      Index bytes = byteSize(buffer.dtype);
      for (Index size : buffer.shape) bytes = e.mul(bytes, size);
      return {0, bytes};
    }
    Index low = 0, high = 1;
    for (auto [size, stride] : llvm::zip(buffer.shape, buffer.strides)) {
      if (size.isConstant(0)) return {0, 0};
      Index distance = e.mul(e.sub(size, 1), stride);
      if (!stride.isStatic()) low = e.add(low, e.min(distance, 0)), high = e.add(high, e.max(distance, 0));
      else if (stride.number() < 0) low = e.add(low, distance);
      else high = e.add(high, distance);
    }
    return {e.mul(low, byteSize(buffer.dtype)), e.mul(high, byteSize(buffer.dtype))};
  }

  void makeProgram();
  LogicalResult emitKernel(ir::KernelOp kernel);
  gpu::GPUFuncOp makeFunction(Location loc, size_t slots);
  LogicalResult emitLibrary(ir::KernelOp kernel);
  using Body = llvm::function_ref<void(GpuKernel &)>;
  LogicalResult emitLaunch(ir::KernelOp kernel, Body body, int64_t launch, int64_t &launches);
  void finish(GpuKernel &k, SmallVector<Place> slots, std::vector<Extent> extents);
  SmallVector<int64_t> dropUnused(gpu::GPUFuncOp fn, unsigned pointers);
  Index inProgram(GpuKernel &k, Index index);
  using PointerOf = llvm::function_ref<Value(const Place &)>;
  void emitSteps();
  void emitLaunch(Emitter &e, const Launch &launch, PointerOf pointerOf);
  void emitControlOf(Emitter &e, ir::KernelOp kernel, PointerOf pointerOf);
  void emitOp(Emitter &e, ir::KernelOp kernel, PointerOf pointerOf);
  void emitCall(Emitter &e, ir::KernelOp kernel, const LibraryCalls::Step &call, int64_t end, PointerOf pointerOf);
  void describe(Index workspace);
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
  if (launchesOp(kernel)) {
    auto hasStrides = [&](Value v) { return places.of(v).strides != nullptr; };
    if (llvm::any_of(kernel.getInputs(), hasStrides) || llvm::any_of(kernel.getResults(), hasStrides))
      return kernel.emitError("target 'nvptx': expected arrays row by row for the kernel of a custom op, got one with strides");
    launches.push_back({nullptr, 0, 0, {}, {}, kernel});
    return success();
  }
  if (kernel.getKind() == ir::KernelKind::Control) {
    launches.push_back({nullptr, 0, 0, {}, {}, kernel});
    for (FlatSymbolRefAttr name : ir::bodiesOf(&kernel.getBody().front().front())) canFail |= bodies[name.getValue()].canFail;
    return success();
  }
  if (kernel.getKind() == ir::KernelKind::Library) return emitLibrary(kernel);
  for (int64_t launch = 0, launches = 1; launch < launches; ++launch)
    if (failed(emitLaunch(kernel, emitBody, launch, launches))) return failure();
  count("emit-nvptx.kernels");
  return success();
}

LogicalResult ProgramEmitter::emitLibrary(ir::KernelOp kernel) {
  auto isPlain = [&](Value v) {
    auto argument = dyn_cast<BlockArgument>(v);
    return !places.of(argument ? kernel.getInputs()[argument.getArgNumber()] : kernel.getResult(0)).strides;
  };
  LibraryCalls calls(cast<ir::ArrayOp>(cpu::mainOp(kernel)), isPlain);
  deviceRoutineOf(kernel)(calls);
  auto withParts = [&](const LibraryCalls::Kernel &emit) {
    return [&](GpuKernel &k) {
      emit(k);
      if (calls.bytes) k.scratch(calls.bytes);
    };
  };
  for (const LibraryCalls::Step &step : calls.steps) {
    int64_t one = 1;
    if (!step.kernel) launches.push_back({nullptr, 0, 0, {}, {}, kernel, step});
    else if (failed(emitLaunch(kernel, withParts(step.kernel), 0, one))) return failure();
  }
  count("emit-nvptx.library-calls");
  return success();
}

gpu::GPUFuncOp ProgramEmitter::makeFunction(Location loc, size_t slots) {
  b.setInsertionPointToEnd(kernels.getBody());
  SmallVector<Type> types(slots + 2, pointer()); // the scratch memory and the status follow the arrays
  types.append(size_t(sizes), b.getI64Type());
  auto name = "kernel_" + std::to_string(llvm::range_size(kernels.getOps<gpu::GPUFuncOp>()));
  auto fn = gpu::GPUFuncOp::create(b, loc, name, b.getFunctionType(types, {}));
  fn->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), b.getUnitAttr());
  for (unsigned i = 0; i <= slots; ++i) fn.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(), b.getUnitAttr());
  b.setInsertionPointToEnd(&fn.getBody().front());
  return fn;
}

LogicalResult ProgramEmitter::emitLaunch(ir::KernelOp kernel, Body emit, int64_t launch, int64_t &launches) {
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
  GivenSizes given(main, body, sizes);
  DenseMap<int64_t, Value> known; // by symbol, at the start of the function
  auto openSize = [&](Size d) {
    Value &size = known[d.symbol()];
    if (size) return Index(size);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(body);
    return Index(size = e.use(given.of(e, d)));
  };
  ev.openSize = openSize;
  ev.statusFlag = body->getArgument(unsigned(slots.size()) + 1);
  GpuKernel k{e, ev, kernel, fn, {}, {}, {}};
  k.launch = launch, k.launches = launches, k.scratchPointer = body->getArgument(unsigned(slots.size()));
  std::vector<Extent> extents(slots.size(), {0, 0});
  auto buffer = [&](Value inside, Value outer, unsigned slot) {
    Buffer buffer = bufferOf(e, inside, places.of(outer), body->getArgument(slot), given);
    auto &[from, to] = extents[slot];
    auto [low, high] = extentOf(e, buffer);
    from = from.isConstant(0) ? low : e.min(from, low), to = to.isConstant(0) ? high : e.max(to, high);
    return buffer;
  };
  for (auto [argument, outer, slot] : llvm::zip(kernel.getBody().getArguments(), kernel.getInputs(), inputs)) {
    ev.buffers[argument] = buffer(argument, outer, slot);
    if (outputs.size() == 1 && slot == outputs[0]) k.placedWithResult = argument;
  }
  for (auto [result, slot] : llvm::zip(kernel.getResults(), outputs)) k.outputs.push_back(buffer(result, result, slot));
  for (auto [place, pointer] : llvm::zip(slots, body->getArguments()))
    if (place.kind != Place::Workspace) k.givenPointers.push_back(pointer);
  emit(k);
  launches = k.launches;
  if (!ev.isRefused) finish(k, std::move(slots), std::move(extents));
  return failure(ev.isRefused);
}

/// Ends a function, and says on it what its launch must give it.
void ProgramEmitter::finish(GpuKernel &k, SmallVector<Place> slots, std::vector<Extent> extents) {
  gpu::GPUFuncOp fn = k.function;
  b.setInsertionPointToEnd(&fn.getBody().front());
  gpu::ReturnOp::create(b, k.kernel.getLoc());
  if (k.blocks.isConstant(0)) return fn.erase(); // no element
  unsigned pointers = unsigned(slots.size()) + 2;
  canFail |= !fn.getArgument(pointers - 1).use_empty();
  Index blocks = inProgram(k, k.blocks), bytes = inProgram(k, k.scratchBytes);
  bool hasScratch = !k.scratchBytes.isConstant(0);
  if (hasScratch) {
    Emitter e(b, k.kernel.getLoc());
    b.setInsertionPointToEnd(body());
    slots.push_back({Place::Workspace, kScratch, nullptr, 0});
    extents.push_back({0, k.scratchBytes});
    scratch = scratch.isConstant(0) ? bytes : e.max(scratch, bytes);
  }
  extents.push_back({0, byteSize(DType::I32)}); // of the status
  PlanNumbers numbers(&fn.getBody().front(), sizes);
  auto attributes =
      llvm::map_to_vector(extents, [&](const Extent &e) { return extentAttribute(b, numbers.of(e.first), numbers.of(e.second)); });
  if (!hasScratch) (void)fn.eraseArgument(unsigned(slots.size()));
  if (k.sharedBytes > kDeclaredShared) { // the launch asks for it
    auto shared = kernels.lookupSymbol<LLVM::GlobalOp>(fn.getName().str() + "_shared");
    shared.setGlobalType(LLVM::LLVMArrayType::get(b.getI8Type(), 0)), shared.setLinkage(LLVM::Linkage::External);
  }
  fn.setKnownBlockSize(ArrayRef<int32_t>{int32_t(k.threads), 1, 1});
  fn->setAttr(kExtents, b.getArrayAttr(attributes));
  if (k.occupancy) fn->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(), b.getI32IntegerAttr(int32_t(k.occupancy)));
  if (k.sharedBytes) fn->setAttr(kSharedBytes, b.getI64IntegerAttr(k.sharedBytes));
  launches.push_back({fn, blocks, k.threads, slots, dropUnused(fn, unsigned(slots.size()) + 1)});
}

/// Erases what only said how a number follows from sizes, and the sizes that a kernel has no use for. Numbers of the others.
SmallVector<int64_t> ProgramEmitter::dropUnused(gpu::GPUFuncOp fn, unsigned pointers) {
  SmallVector<int64_t> used;
  if (!sizes) return used;
  fn.walk<WalkOrder::PostOrder, ReverseIterator>([](Operation *op) {
    if (isOpTriviallyDead(op)) op->erase();
  });
  for (int64_t i = 0; i < sizes; ++i) {
    unsigned at = pointers + unsigned(used.size());
    if (fn.getArgument(at).use_empty()) (void)fn.eraseArgument(at);
    else used.push_back(i);
  }
  return used;
}

/// What a kernel computes from sizes, computed again by its program.
Index ProgramEmitter::inProgram(GpuKernel &k, Index index) {
  if (index.isStatic()) return index;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(body());
  IRMapping map;
  Block *from = &k.function.getBody().front();
  for (int64_t i = 0; i < sizes; ++i) map.map(GivenSizes(main, from, sizes).of(i).base(), given().of(i).base());
  auto remake = [&](auto &self, Value v) -> Value {
    if (Value known = map.lookupOrNull(v)) return known;
    for (Value operand : v.getDefiningOp()->getOperands()) self(self, operand);
    b.clone(*v.getDefiningOp(), map);
    return map.lookup(v);
  };
  return Index::behind(remake(remake, index.base()), index.offset());
}

/// The function of the program, still without launches, and where what lies in its workspace starts.
void ProgramEmitter::makeProgram() {
  b.setInsertionPoint(main);
  unsigned inputs = main.getNumArguments(), arrays = inputs + main.getNumResults();
  SmallVector<Type> types(arrays + 2, pointer()), results;
  types.append(size_t(sizes), b.getI64Type());
  if (sizes) results.push_back(b.getI64Type());
  program = func::FuncOp::create(b, main.getLoc(), main.getName(), b.getFunctionType(types, results));
  program->setAttr(kInputs, b.getI64IntegerAttr(inputs));
  program.addEntryBlock();
  b.setInsertionPointToEnd(body());
  Emitter e(b, main.getLoc());
  starts.push_back(places.planned);
  for (const TensorType &type : ir::blocksOf(main)) {
    Index bytes = byteSize(type.dtype);
    for (Size d : type.shape) bytes = e.mul(bytes, given().of(e, d));
    starts.push_back(e.add(starts.back(), aligned(e, bytes)));
  }
}

/// Launches the kernels, with what the host does between them.
void ProgramEmitter::emitSteps() {
  Location loc = main.getLoc();
  unsigned inputs = main.getNumArguments(), arrays = inputs + main.getNumResults();
  Emitter e(b, loc);
  b.setInsertionPointToEnd(body());
  Index end = scratch.isConstant(0) ? starts.back() : aligned(e, starts.back());
  llvm::DenseMap<int64_t, Value> known; // what lies at a known place in the workspace
  auto pointerOf = [&](const Place &place) -> Value {
    if (place.kind != Place::Workspace) return body()->getArgument(unsigned(place.number) + (place.kind == Place::Result ? inputs : 0));
    Index offset = place.number == kScratch ? end : place.number < 0 ? starts[size_t(-2 - place.number)] : Index(place.number);
    if (!offset.isStatic()) return e.address(body()->getArgument(arrays), DType::U8, offset);
    Value &address = known[offset.number()];
    if (!address) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(body());
      address = e.address(body()->getArgument(arrays), DType::U8, offset);
    }
    return address;
  };
  for (Launch &launch : launches) {
    if (launch.call) emitCall(e, launch.host, *launch.call, end.number(), pointerOf);
    else if (launch.host && launchesOp(launch.host)) emitOp(e, launch.host, pointerOf);
    else if (launch.host) emitControlOf(e, launch.host, pointerOf);
    else emitLaunch(e, launch, pointerOf);
  }
  Index all = scratch.isConstant(0) ? starts.back() : e.add(aligned(e, starts.back()), scratch);
  describe(all);
  func::ReturnOp::create(b, loc, sizes ? ValueRange{e.use(all)} : ValueRange{});
}

void ProgramEmitter::emitLaunch(Emitter &e, const Launch &launch, PointerOf pointerOf) {
  auto count = [&](Index n) -> Value {
    if (n.isStatic()) return arith::ConstantIndexOp::create(b, e.loc, n.number());
    return arith::IndexCastUIOp::create(b, e.loc, b.getIndexType(), e.use(n));
  };
  Value one = count(1);
  SmallVector<Value> arguments = llvm::map_to_vector(launch.slots, pointerOf);
  arguments.push_back(body()->getArgument(main.getNumArguments() + main.getNumResults() + 1));
  for (int64_t size : launch.sizes) arguments.push_back(given().of(size).base());
  auto symbol = SymbolRefAttr::get(kernels.getNameAttr(), {FlatSymbolRefAttr::get(gpu::GPUFuncOp(launch.function).getNameAttr())});
  gpu::LaunchFuncOp::create(b, e.loc, symbol, gpu::KernelDim3{count(launch.blocks), one, one},
                            gpu::KernelDim3{count(launch.threads), one, one}, Value(), arguments);
}

/// In a program of fixed sizes.
void ProgramEmitter::emitControlOf(Emitter &e, ir::KernelOp kernel, PointerOf pointerOf) {
  auto placed = [&](Value v) { return pointerOf(places.of(v)); };
  unsigned last = body()->getNumArguments() - 1;
  int64_t end = ceilDiv(starts.back().number(), kLine) * kLine;
  ControlKernel k{e,
                  kernel,
                  llvm::map_to_vector(kernel.getBody().front().front().getOperands(),
                                      [&](Value v) { return placed(kernel.getInputs()[cast<BlockArgument>(v).getArgNumber()]); }),
                  llvm::map_to_vector(kernel.getResults(), placed),
                  body()->getArgument(last - 1),
                  body()->getArgument(last),
                  end};
  scratch = std::max(scratch.number(), emitControl(k, bodies) - end);
}

/// In a program of fixed sizes: parts lie in the memory behind the planned workspace.
void ProgramEmitter::emitOp(Emitter &e, ir::KernelOp kernel, PointerOf pointerOf) {
  auto elementsOf = [&](Value v) {
    Index count = 1;
    for (Size d : ir::typeOf(v).shape) count = e.mul(count, given().of(e, d));
    return count;
  };
  emitOpLaunch({e, kernel, PlanNumbers(body(), sizes), [&](Value v) { return pointerOf(places.of(v)); }, elementsOf});
}

void ProgramEmitter::emitCall(Emitter &e, ir::KernelOp kernel, const LibraryCalls::Step &call, int64_t end, PointerOf pointerOf) {
  SmallVector<Value> pointers;
  SmallVector<int64_t> bytes;
  for (const LibraryCalls::Pointer &p : call.pointers) {
    auto argument = dyn_cast_or_null<BlockArgument>(p.array);
    Value array = argument ? kernel.getInputs()[argument.getArgNumber()] : kernel.getResult(0);
    pointers.push_back(pointerOf(p.array ? places.of(array) : Place{Place::Workspace, end + p.offset, nullptr, 0}));
    bytes.push_back(p.bytes);
  }
  emitLibraryCall(e, call.routine, call.words, pointers, bytes);
}

/// What a plan says of a program.
void ProgramEmitter::describe(Index workspace) {
  program.setVisibility(main.getVisibility());
  program->setAttr(kCanFail, b.getBoolAttr(canFail));
  if (sizes) program->setAttr(kSizes, b.getI64IntegerAttr(sizes));
  else program->setAttr(ir::kWorkspaceBytes, b.getI64IntegerAttr(workspace.number()));
  if (places.isBody) {
    SmallVector<int64_t> bytes;
    for (Type type : llvm::concat<const Type>(main.getArgumentTypes(), main.getResultTypes()))
      bytes.push_back(numElements(ir::typeOf(type).shape) * byteSize(ir::typeOf(type).dtype));
    bytes.push_back(workspace.number());
    return program->setAttr(kBytes, b.getDenseI64ArrayAttr(bytes));
  }
  SmallVector<int64_t> inPlace;
  for (unsigned i = 0; i < main.getNumResults(); ++i) {
    auto input = main.getResultAttrOfType<IntegerAttr>(i, ir::kInPlace);
    inPlace.push_back(input ? input.getInt() : -1);
  }
  if (llvm::any_of(inPlace, [](int64_t input) { return input >= 0; })) program->setAttr(ir::kInPlace, b.getDenseI64ArrayAttr(inPlace));
}

} // namespace

LogicalResult emitPrograms(ModuleOp module) {
  OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
  module->setAttr(gpu::GPUDialect::getContainerModuleAttrName(), b.getUnitAttr());
  auto kernels = gpu::GPUModuleOp::create(b, module.getLoc(), "kernels");
  SmallVector<func::FuncOp> programs, bodyFunctions;
  for (auto fn : llvm::to_vector(module.getOps<func::FuncOp>())) {
    if (fn.isDeclaration()) fn.erase();
    else (fn.isPrivate() ? bodyFunctions : programs).push_back(fn);
  }
  EmittedBodies bodies; // each before what runs it, which stands before it
  for (func::FuncOp fn : llvm::concat<func::FuncOp>(llvm::to_vector(llvm::reverse(bodyFunctions)), programs)) {
    if (failed(checkPlanned(fn))) return failure();
    for (ir::KernelOp kernel : fn.getOps<ir::KernelOp>())
      if (!kernel.getSchedule() && !isOfHost(kernel)) return kernel.emitOpError("expected a schedule: run kiln-schedule-nvptx first");
    if (failed(ProgramEmitter(fn, kernels, bodies).run())) return failure();
  }
  int64_t most = 0; // of the programs
  for (auto fn : module.getOps<func::FuncOp>())
    if (auto bytes = fn->getAttrOfType<IntegerAttr>(ir::kWorkspaceBytes)) most = std::max(most, bytes.getInt());
  module->setAttr(ir::kWorkspaceBytes, b.getI64IntegerAttr(most));
  expandRemainders(kernels);
  return success();
}

} // namespace kiln::nvptx
