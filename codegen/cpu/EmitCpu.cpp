// From kernels to functions over flat pointers, and the entry that calls them in order.
//
//   kernel:  i32 kernel_i(ptr noalias buffer..., ptr scratch, ptr dims, ptr rt)
//   entry:   i32 kiln_entry(ptr rt, ptr buffers, ptr dims, ptr workspace)
//   of a program for any size also:  i64 kiln_workspace(ptr dims)
//
// Before the first kernel that writes into an input the entry ends where anything has failed, and asks the runtime for the last time.
//
// The functions that loops and branches run are called by kernels:
//
//   body:    i32 body(ptr noalias argument..., ptr noalias result..., ptr workspace, ptr dims, ptr rt)
//   of a program for any size also:  i64 body.workspace(ptr dims)
//
// dims holds the symbols by number, then the dynamic strides of the inputs and outputs in order.
#include "codegen/cpu/EmitCpu.h"

#include "codegen/cpu/Bodies.h"
#include "codegen/cpu/Kernels.h"
#include "codegen/cpu/MergeEqual.h"
#include "codegen/cpu/RandomSchedule.h"
#include "codegen/cpu/Workspace.h"
#include "dialects/kiln/Program.h"
#include "include/kiln/executable.h"
#include "lib/Core/Budget.h"
#include "lib/Core/Infer.h"
#include "lib/Core/Stats.h"
#include "lib/Core/Timed.h"
#include "lib/Core/Trace.h"
#include "passes/memory/PlanMemory/Planned.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/MapVector.h"

#include <cmath>
#include <cstddef>

using namespace mlir;

namespace kiln::cpu {
void addAttributes(Operation *function, ArrayRef<Attribute> attributes) {
  llvm::SetVector<Attribute> all;
  if (auto others = function->getAttrOfType<ArrayAttr>("passthrough")) all.insert_range(others);
  all.insert_range(attributes);
  function->setAttr("passthrough", ArrayAttr::get(function->getContext(), all.getArrayRef()));
}

namespace {

constexpr llvm::StringLiteral kInPlace = ir::kInPlace, kNoAlias = "llvm.noalias";

class ProgramEmitter {
public:
  /// `firstNumber`: of its kernels, where the runtime is told of each that has run.
  ProgramEmitter(func::FuncOp main, ModuleOp module, EmittedBodies &bodies, std::optional<int64_t> firstNumber)
      : main(main), module(module), b(module.getContext()), bodies(bodies), places(main), isBody(places.isBody), firstNumber(firstNumber) {}
  LogicalResult run();

private:
  func::FuncOp main;
  ModuleOp module;
  OpBuilder b;
  EmittedBodies &bodies;
  Places places;
  bool isBody; // called by a kernel
  std::optional<int64_t> firstNumber;
  int64_t scratch = 0;
  bool hasStreams = false, isRefused = false, hasTasks = false;
  struct KernelCall {
    func::FuncOp function;
    SmallVector<Place> slots;
    size_t number;
  };
  SmallVector<KernelCall> kernels;
  llvm::DenseSet<Value>
      replacing; // results that lie in an input because they replace it; one that was placed there by hand is the caller's
  size_t committing = std::numeric_limits<size_t>::max(); // the first of them that writes into an input of the program

  /// A function that was emitted, for kernels that are equal to its own.
  struct Emitted {
    ir::KernelOp kernel;
    SmallVector<size_t> slots; // of inputs and outputs
    SmallVector<std::pair<Attribute, int64_t>> strides;
    func::FuncOp function;
  };
  std::vector<Emitted> emitted;
  llvm::DenseMap<uint64_t, SmallVector<size_t, 1>> emittedByHash;
  std::vector<OpenScratch> openScratch;

  Index sizeOf(Emitter &e, Value dims, Size d);
  Index openBlock(Emitter &e, Value dims, size_t number, SmallVectorImpl<Index> &starts);
  Index planEnd(Emitter &e, Value dims, SmallVectorImpl<Index> &starts);
  func::FuncOp findEqual(const Emitted &wanted, ArrayRef<size_t> candidates);
  func::FuncOp emitFunction(ir::KernelOp kernel, size_t pointers, ArrayRef<size_t> slots);

  Type pointer() { return LLVM::LLVMPointerType::get(b.getContext()); }
  void emitKernel(ir::KernelOp kernel);
  Buffer bufferOf(Emitter &e, Value array, const Place &place, Value memory, Value dims);
  func::FuncOp entryFunction(StringRef name, llvm::function_ref<Value(Emitter &, Block *)> emit);
  void emitTick(Emitter &e, Value runtime, size_t kernel);
  Value callKernels(Emitter &e, Block *body, ArrayRef<KernelCall> calls);
  Value callInParts(Emitter &e, Block *body, ArrayRef<KernelCall> calls, int &parts);
  Value statusToCommit(Emitter &e, Value status, Value runtime);
  func::FuncOp emitEntry();
  void emitStoreFence();
  int64_t inlinedOps(func::FuncOp entry);
  void finishBody(func::FuncOp entry);
};

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

/// Equal kernels are one function: an unrolled loop compiles its body once.
func::FuncOp ProgramEmitter::findEqual(const Emitted &wanted, ArrayRef<size_t> candidates) {
  for (size_t i : candidates) {
    Emitted &e = emitted[i];
    ir::KernelOp a = e.kernel, b = wanted.kernel;
    bool sameUse =
        e.slots == wanted.slots && e.strides == wanted.strides && a.getKind() == b.getKind() && a.getSchedule() == b.getSchedule();
    if (!sameUse || a.getBody().front().getArgumentTypes() != b.getBody().front().getArgumentTypes()) continue;
    if (OperationEquivalence::isRegionEquivalentTo(&a.getBody(), &b.getBody(), OperationEquivalence::IgnoreLocations)) return e.function;
  }
  return nullptr;
}

void ProgramEmitter::emitKernel(ir::KernelOp kernel) {
  // One pointer for each place: an array read under two shapes is one buffer.
  SmallVector<Place> slots;
  auto slotOf = [&](Value v) {
    Place place = places.of(v);
    auto found = llvm::find(slots, place);
    if (found == slots.end()) slots.push_back(place);
    return size_t(llvm::find(slots, place) - slots.begin());
  };
  Emitted wanted{kernel, {}, {}, nullptr};
  for (Value v : llvm::concat<Value>(SmallVector<Value>(kernel.getInputs()), SmallVector<Value>(kernel.getResults()))) {
    wanted.slots.push_back(slotOf(v));
    const Place &place = places.of(v);
    wanted.strides.push_back({place.strides, place.strides ? place.firstStride : 0});
  }
  auto &candidates =
      emittedByHash[llvm::hash_combine(kernel.getKindAttr(), llvm::hash_combine_range(wanted.slots), hashOf(kernel.getBody()))];
  wanted.function = findEqual(wanted, candidates);
  if (!wanted.function) {
    wanted.function = emitFunction(kernel, slots.size(), wanted.slots);
    wanted.function.walk([](Operation *) { Budget::spend(1); });
    candidates.push_back(emitted.size());
    emitted.push_back(wanted);
    count("emit-cpu.functions");
  }
  if (llvm::any_of(kernel.getResults(), [&](Value v) { return replacing.contains(v); })) committing = std::min(committing, kernels.size());
  kernels.push_back({wanted.function, slots, kernels.size()});
  count("emit-cpu.kernels");
}

/// LLVM cuts vectors into registers of so many bits.
static void cutVectors(func::FuncOp fn, int64_t bits) {
  Builder b(fn.getContext());
  std::string width = std::to_string(bits);
  for (StringRef name : {"prefer-vector-width", "min-legal-vector-width"}) addAttributes(fn, b.getStrArrayAttr({name, width}));
}

static LogicalResult emitBody(KernelContext &k) {
  switch (k.kernel.getKind()) {
  case ir::KernelKind::Elementwise: return emitElementwise(k);
  case ir::KernelKind::Reduction: return emitReduction(k);
  case ir::KernelKind::Contraction: return emitContraction(k);
  case ir::KernelKind::Assemble: return emitAssemble(k);
  case ir::KernelKind::Scatter: return emitScatter(k);
  case ir::KernelKind::Scan: return emitScan(k);
  case ir::KernelKind::Compact: return emitCompact(k);
  case ir::KernelKind::Sort: return emitSort(k);
  case ir::KernelKind::Convolution: return emitConvolution(k);
  case ir::KernelKind::Library: return emitLibrary(k);
  case ir::KernelKind::Control: return emitControl(k);
  }
  llvm_unreachable("a kind of kernel");
}

/// Where a trace has an operation, for whoever names the code of its kernel as the program does (lib/Cache/NamedCode.h).
static std::string slotName(Operation *op) {
  auto place = op ? dyn_cast<FileLineColLoc>(op->getLoc()) : FileLineColLoc();
  return place && place.getFilename() == ir::kSlot ? ".slot_" + std::to_string(place.getLine()) : "";
}

func::FuncOp ProgramEmitter::emitFunction(ir::KernelOp kernel, size_t pointers, ArrayRef<size_t> slots) {
  ArrayRef<size_t> inputs = slots.take_front(kernel.getInputs().size()), outputs = slots.drop_front(inputs.size());
  Location loc = kernel.getLoc();
  b.setInsertionPointToEnd(module.getBody());
  SmallVector<Type> types(pointers + 3, pointer());
  auto name = main.getName().str() + ".kernel_" + std::to_string(emitted.size()) + slotName(mainOp(kernel));
  auto fn = func::FuncOp::create(b, loc, name, b.getFunctionType(types, b.getI32Type()));
  fn->setAttr("llvm.linkage", LLVM::LinkageAttr::get(b.getContext(), LLVM::Linkage::Internal));
  if (auto nest = dyn_cast_or_null<ir::NestAttr>(kernel.getScheduleAttr()); nest && nest.getRegisters())
    cutVectors(fn, nest.getRegisters());
  for (unsigned i = 0; i < pointers; ++i) fn.setArgAttr(i, kNoAlias, b.getUnitAttr());
  Block *body = fn.addEntryBlock();
  b.setInsertionPointToStart(body);

  Emitter e(b, loc);
  Evaluator ev(e);
  Value scratchPointer = body->getArgument(unsigned(pointers)), dims = body->getArgument(unsigned(pointers) + 1);
  KernelContext context{e, ev, kernel, {}, scratchPointer, body->getArgument(unsigned(pointers) + 2), &bodies};
  DenseMap<int64_t, Value> sizes; // by symbol, at the start of the function
  auto openSize = [&](Size d) {
    Value &known = sizes[d.symbol()];
    if (known) return Index(known);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(body);
    return Index(known = e.use(sizeOf(e, dims, d)));
  };
  ev.openSize = openSize;
  ev.isFast = main->hasAttr(ir::kFastMath);
  for (auto [argument, slot] : llvm::zip(kernel.getBody().getArguments(), inputs))
    if (outputs.size() == 1 && slot == outputs[0]) context.placedWithResult = argument;
  for (auto [argument, outer, slot] : llvm::zip(kernel.getBody().getArguments(), kernel.getInputs(), inputs))
    ev.buffers[argument] = bufferOf(e, argument, places.of(outer), body->getArgument(unsigned(slot)), dims);
  for (Value argument : kernel.getBody().getArguments()) // once: a load would stay in loops, whose stores might write what it reads
    if (Buffer &number = ev.buffers[argument]; number.shape.empty()) ev.remember(argument, {}, e.load(number.pointer, number.dtype, 0, 0));
  for (auto [result, slot] : llvm::zip(kernel.getResults(), outputs))
    context.outputs.push_back(bufferOf(e, result, places.of(result), body->getArgument(unsigned(slot)), dims));
  isRefused |= failed(emitBody(context));
  if (context.streamsIf) e.when(context.streamsIf, [&] { emitStoreFence(); });
  else hasStreams |= llvm::any_of(context.outputs, [](Buffer &output) { return output.streams; });
  isRefused |= ev.isRefused;
  hasTasks |= context.tasks > 0;
  Value status = ev.statusFlag ? e.load(ev.statusFlag, DType::I32, 0, 0).value : e.scalar(DType::I32, 0).value;
  if (context.status) status = context.status;
  func::ReturnOp::create(b, loc, status);
  bool isFixed = context.scratchUsed.isStatic();
  scratch = std::max(scratch, context.sharedBytes + (isFixed ? context.scratchUsed.number() : 0));
  if (!isFixed && places.isOpen) openScratch.push_back({fn, e.add(context.scratchUsed, context.sharedBytes)});
  return fn;
}

/// A function with the arguments of the entry, whose body `emit` makes from them; it gives the status.
func::FuncOp ProgramEmitter::entryFunction(StringRef name, llvm::function_ref<Value(Emitter &, Block *)> emit) {
  b.setInsertionPointToEnd(module.getBody());
  unsigned pointers = isBody ? main.getNumArguments() + main.getNumResults() + 3 : 4;
  auto fn = func::FuncOp::create(b, main.getLoc(), name, b.getFunctionType(SmallVector<Type>(pointers, pointer()), {b.getI32Type()}));
  for (unsigned i = 0; isBody && i < pointers - 3; ++i) fn.setArgAttr(i, kNoAlias, b.getUnitAttr());
  if (isBody) fn->setAttr("llvm.linkage", LLVM::LinkageAttr::get(b.getContext(), LLVM::Linkage::Internal));
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

/// What a kernel does between two questions whether to stop, in cheap element operations, at the most; what is not known is much.
static int64_t workOf(ir::KernelOp kernel, const EmittedBodies &bodies) {
  using Kind = ir::KernelKind;
  constexpr int64_t kLoops = 16; // between two questions of the loop around them; the time is the same for any number of trips
  Operation &first = kernel.getBody().front().front();
  if (isa<ir::LoopOp>(first)) return kWorkBetweenPolls / kLoops;
  if (isa<ir::BranchOp>(first)) {
    int64_t most = 1;
    for (FlatSymbolRefAttr name : ir::bodiesOf(&first)) most = std::max(most, bodies.find(name.getValue())->second.work);
    return most;
  }
  constexpr Kind kKnown[] = {Kind::Elementwise, Kind::Reduction, Kind::Assemble,   Kind::Scatter,
                             Kind::Scan,        Kind::Compact,   Kind::Contraction};
  if (!llvm::is_contained(kKnown, kernel.getKind())) return kWorkBetweenPolls;
  auto isOpen = [](Value v) { return !ir::typeOf(v).shape.isStatic(); };
  for (Operation &op : kernel.getBody().front().without_terminator())
    if (llvm::any_of(op.getOperands(), isOpen) || llvm::any_of(op.getResults(), isOpen)) return kWorkBetweenPolls;
  int64_t most = 1, cost = 0;
  auto elements = [](Value v) { return double(numElements(ir::typeOf(v).shape)); };
  for (Operation &op : kernel.getBody().front().without_terminator())
    if (ir::isKind(&op, ::kiln::Kind::Contract)) // each element of the result: about sqrt(|x| |y| / |result|) products
      most = int64_t(std::sqrt(elements(op.getOperand(0)) * elements(op.getOperand(1)) * std::max(1.0, elements(op.getResult(0)))));
  using enum ::kiln::Kind;
  constexpr ::kiln::Kind kOncePerResult[] = {Elementwise, Index, Source, Assemble, Gather};
  for (Operation &op : kernel.getBody().front().without_terminator()) {
    auto array = cast<ir::ArrayOp>(op);
    cost += array.getCost();
    bool isUpdate = isa<ir::UpdateOp, ir::DynamicUpdateOp>(op), isInPlace = (isUpdate || array.getKind() == Scatter) && kernel.getInPlace();
    for (Value v : op.getResults()) most = std::max(most, numElements(ir::typeOf(isInPlace ? op.getOperand(isUpdate ? 1 : 2) : v).shape));
    if (isInPlace || llvm::is_contained(kOncePerResult, array.getKind())) continue;
    for (Value v : op.getOperands()) most = std::max(most, numElements(ir::typeOf(v).shape));
  }
  return std::min<int64_t>(kWorkBetweenPolls, most) * std::max<int64_t>(cost, 1);
}

/// How many operations a call of a body becomes where its kernels and the bodies that they run are inlined into it; 0: too many.
int64_t ProgramEmitter::inlinedOps(func::FuncOp entry) {
  constexpr int64_t kMost = 8000;
  int64_t count = 0;
  auto add = [&](Operation *) { ++count; };
  entry.walk(add);
  for (KernelCall &call : kernels) {
    call.function.walk(add);
    if (hasTasks || count > kMost) return 0;
  }
  for (ir::KernelOp kernel : main.getOps<ir::KernelOp>())
    for (FlatSymbolRefAttr name : ir::bodiesOf(&kernel.getBody().front().front())) {
      int64_t inner = bodies[name.getValue()].inlined;
      if (!inner) return 0;
      count += inner;
    }
  return count > kMost ? 0 : count;
}

/// LLVM puts a function into those that call it.
static void inlineCalls(func::FuncOp fn) { addAttributes(fn, StringAttr::get(fn.getContext(), "alwaysinline")); }

/// What callers of a body have to know.
void ProgramEmitter::finishBody(func::FuncOp entry) {
  EmittedBody &body = bodies[main.getName()];
  body.function = entry;
  body.workspace = places.planned + scratch;
  body.symbols = places.symbols;
  body.given = ir::givenOf(main);
  if (places.isOpen) {
    body.workspaceOf = emitWorkspace(main, (main.getName() + ".workspace").str(), places, scratch, openScratch);
    body.workspaceOf->setAttr("llvm.linkage", LLVM::LinkageAttr::get(b.getContext(), LLVM::Linkage::Internal));
  }
  body.inlined = inlinedOps(entry);
  if (body.inlined) {
    inlineCalls(entry);
    for (Emitted &kernel : emitted) inlineCalls(kernel.function);
  }
  for (ir::KernelOp kernel : main.getOps<ir::KernelOp>()) body.work = std::min(kWorkBetweenPolls, body.work + workOf(kernel, bodies));
  for (unsigned i = 0; i < main.getNumResults(); ++i) {
    auto argument = main.getResultAttrOfType<IntegerAttr>(i, kInPlace);
    body.replaced.push_back(argument ? argument.getInt() : -1);
  }
}

/// Bytes of the workspace for given sizes: the plan, and the most scratch of a kernel, computed as its function does.
LogicalResult ProgramEmitter::run() {
  constexpr double kShare = 0.25; // measured: emission takes a tenth of the time
  for (OpOperand &output : main.getBody().front().getTerminator()->getOpOperands())
    if (unsigned i = output.getOperandNumber(); main.getResultAttr(i, ir::kReplaces) && main.getResultAttr(i, kInPlace))
      replacing.insert(ir::memoryOf(output.get()));
  for (ir::KernelOp kernel : main.getOps<ir::KernelOp>()) {
    if (failed(checkSchedule(kernel, layoutOf(kernel, places)))) return failure();
    emitKernel(kernel);
    if (Budget::isUsedUp(kShare)) return main.emitError(Budget::why());
    if (isRefused) return failure();
  }
  if (places.planned + scratch > kMostWorkspace)
    return main.emitError("workspace: expected at most ") << kMostWorkspace << " bytes, got " << places.planned + scratch;
  func::FuncOp entry = emitEntry();
  if (isBody) {
    finishBody(entry);
    main.erase();
    return success();
  }
  if (places.isOpen) emitWorkspace(main, "kiln_workspace", places, scratch, openScratch);
  auto before = module->getAttrOfType<IntegerAttr>(ir::kWorkspaceBytes); // of the other programs of the module
  if (committing < kernels.size()) {
    SmallVector<int64_t> inPlace;
    for (unsigned i = 0; i < main.getNumResults(); ++i) {
      auto argument = main.getResultAttrOfType<IntegerAttr>(i, kInPlace);
      inPlace.push_back(argument ? argument.getInt() : -1);
    }
    module->setAttr(kInPlace, b.getDenseI64ArrayAttr(inPlace));
  }
  module->setAttr(ir::kWorkspaceBytes,
                  b.getI64IntegerAttr(places.isOpen ? -1 : std::max(before ? before.getInt() : 0, places.planned + scratch)));
  main.erase();
  return success();
}

} // namespace

LogicalResult scheduleCpu(func::FuncOp fn, uint64_t seed) {
  if (fn.isDeclaration()) return success();
  if (failed(verifyPlanned(fn))) return failure();
  Places places(fn);
  Target target = Target::of(fn->getParentOfType<ModuleOp>());
  std::mt19937_64 random(seed);
  for (ir::KernelOp kernel : fn.getOps<ir::KernelOp>()) {
    if (kernel.getSchedule()) continue;
    KernelLayout layout = layoutOf(kernel, places);
    auto schedule = seed ? randomSchedule(kernel, layout, target, random) : scheduleOf(kernel, layout, target);
    if (schedule) kernel.setScheduleAttr(schedule);
    count("schedule.kernels");
  }
  return success();
}

LogicalResult emitCpu(ModuleOp module) {
  SmallVector<func::FuncOp> programs, bodyFunctions;
  for (auto fn : module.getOps<func::FuncOp>())
    if (!fn.isDeclaration()) (fn.isPrivate() ? bodyFunctions : programs).push_back(fn);
  EmittedBodies bodies; // each before what runs it, which stands before it
  llvm::DenseMap<Operation *, std::optional<int64_t>> firstNumbers;
  int64_t number = 0;
  for (auto fn : module.getOps<func::FuncOp>()) {
    if (module->hasAttr(ir::kTimed)) firstNumbers[fn] = number;
    number += int64_t(llvm::range_size(fn.getOps<ir::KernelOp>()));
  }
  for (func::FuncOp fn : llvm::concat<func::FuncOp>(llvm::to_vector(llvm::reverse(bodyFunctions)), programs))
    if (failed(verifyPlanned(fn)) || failed(ProgramEmitter(fn, module, bodies, firstNumbers.lookup(fn)).run())) return failure();
  count("emit-cpu.merged", mergeEqual(module));
  return success();
}

} // namespace kiln::cpu
