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

#include "codegen/cpu/MergeEqual.h"
#include "codegen/cpu/ProgramEmitter.h"
#include "codegen/cpu/RandomSchedule.h"
#include "dialects/kiln/Program.h"
#include "lib/Core/Budget.h"
#include "lib/Core/Stats.h"
#include "lib/Core/Trace.h"
#include "passes/memory/PlanMemory/Planned.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace kiln::cpu {

void addAttributes(Operation *function, ArrayRef<Attribute> attributes) {
  llvm::SetVector<Attribute> all;
  if (auto others = function->getAttrOfType<ArrayAttr>("passthrough")) all.insert_range(others);
  all.insert_range(attributes);
  function->setAttr("passthrough", ArrayAttr::get(function->getContext(), all.getArrayRef()));
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

LogicalResult scheduleCpu(func::FuncOp fn, uint64_t seed) {
  if (fn.isDeclaration()) return success();
  if (failed(verifyPlanned(fn))) return failure();
  Places places(fn);
  Target target = Target::of(fn->getParentOfType<ModuleOp>());
  std::mt19937_64 random(seed);
  SmallVector<ir::KernelOp> scheduled;
  for (ir::KernelOp kernel : fn.getOps<ir::KernelOp>()) {
    if (kernel.getSchedule()) continue;
    KernelLayout layout = layoutOf(kernel, places);
    auto schedule = seed ? randomSchedule(kernel, layout, target, random) : scheduleOf(kernel, layout, target);
    if (schedule) kernel.setScheduleAttr(schedule), scheduled.push_back(kernel);
    count("schedule.kernels");
  }
  if (!seed) dropLoneShared(scheduled);
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
