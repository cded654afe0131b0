// Loops and branches: a kernel of its own that calls the functions of bodies. A carried value lies in the memory of its result; the body
// writes the next one into a second place, or over it where the body allows that.
#include "codegen/cpu/Bodies.h"
#include "codegen/cpu/Kernels.h"

#include "include/kiln/executable.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#include <cstddef>

using namespace mlir;

namespace kiln::cpu {
namespace {

/// Up to here a value is copied to its place after each trip: cheaper than to look up where it is.
constexpr int64_t kSmallBytes = 512;

/// The answer of the entry at `offset` of the runtime's table.
Value callRuntime(Emitter &e, Value runtime, int64_t offset) {
  Value entry = LLVM::LoadOp::create(e.b, e.loc, LLVM::LLVMPointerType::get(e.b.getContext()), e.address(runtime, DType::U8, offset));
  auto type = LLVM::LLVMFunctionType::get(e.b.getI32Type(), {});
  return LLVM::CallOp::create(e.b, e.loc, type, ValueRange(entry)).getResult();
}

class ControlEmitter {
public:
  explicit ControlEmitter(KernelContext &k) : k(k), e(k.e) {}
  void loop(ir::LoopOp op);
  void branch(ir::BranchOp op);
  void sized(ir::SizedOp op);

private:
  KernelContext &k;
  Emitter &e;

  Type pointer() { return LLVM::LLVMPointerType::get(e.b.getContext()); }
  Value dims() { // stands before the runtime
    auto runtime = cast<BlockArgument>(k.runtime);
    return runtime.getOwner()->getArgument(runtime.getArgNumber() - 1);
  }
  Value number(int32_t n) { return arith::ConstantIntOp::create(e.b, e.loc, e.b.getI32Type(), n); }
  const EmittedBody &bodyOf(FlatSymbolRefAttr name) { return k.bodies->find(name.getValue())->second; }
  Value operand(Operation *op, unsigned i) { return k.ev.buffers.find(op->getOperand(i))->second.pointer; }
  Index bytesOf(Value array) {
    Index bytes = byteSize(ir::typeOf(array).dtype);
    for (Index size : shapeOf(k, array)) bytes = e.mul(bytes, size);
    return bytes;
  }
  static bool isAtMost(Index bytes, int64_t most) { return bytes.isStatic() && bytes.number() <= most; }
  void copy(Value to, Value from, Index bytes);
  /// Memory for a value of the kernel's own.
  Value memoryFor(Index bytes) {
    return isAtMost(bytes, kOnStackBytes) ? e.stack(DType::U64, (bytes.number() + 7) / 8 + bytes.isConstant(0)) : k.scratch(bytes);
  }
  Index workspaceOf(ArrayRef<const EmittedBody *> bodies);
  Value call(const EmittedBody &body, ArrayRef<Value> inputs, ArrayRef<Value> results, Value workspace, Value sizes = {});
  Value dimsWith(const EmittedBody &body, Value around, ArrayRef<Index> sizes);
  func::FuncOp mostWorkspace(ir::SizedOp op, const EmittedBody &body);
  Value sizesOf(ir::SizedOp op, SmallVectorImpl<Index> &sizes);
  Value holds(const EmittedBody &condition, ArrayRef<Value> inputs, Value workspace, Value flag, Value &status);
  Value poll(Value status, bool isThere = false);
  Value tripsToFirstPoll(int64_t every);
  std::pair<Value, Value> pollSometimes(Value status, Value left, int64_t every);
};

/// LLVM copies what is not small byte by byte, where it is not given memcpy.
void ControlEmitter::copy(Value to, Value from, Index bytes) {
  if (bytes.isConstant(0) || to == from) return;
  if (isAtMost(bytes, kOnStackBytes)) {
    LLVM::MemcpyOp::create(e.b, e.loc, to, from, e.use(bytes), /*isVolatile=*/false);
    return;
  }
  int64_t lanes = Target::of(k.kernel->getParentOfType<ModuleOp>()).vectorBytes;
  Index whole = e.floorTo(bytes, lanes);
  e.loop(0, whole, lanes, [&](Index at) { e.store(to, at, e.load(from, DType::U8, at, lanes)); });
  e.loop(whole, bytes, 1, [&](Index at) { e.store(to, at, e.load(from, DType::U8, at, 0)); });
}

/// What the body that needs most of it asks for.
Index ControlEmitter::workspaceOf(ArrayRef<const EmittedBody *> bodies) {
  int64_t most = 0;
  Value open;
  for (const EmittedBody *body : bodies) {
    most = std::max(most, body->workspace);
    if (!body->workspaceOf) continue;
    Value bytes = func::CallOp::create(e.b, e.loc, body->workspaceOf, ValueRange(dims())).getResult(0);
    open = open ? arith::MaxSIOp::create(e.b, e.loc, open, bytes).getResult() : bytes;
  }
  return open ? Index(arith::MaxSIOp::create(e.b, e.loc, open, e.use(most)).getResult()) : Index(most);
}

/// The status of a body.
Value ControlEmitter::call(const EmittedBody &body, ArrayRef<Value> inputs, ArrayRef<Value> results, Value workspace, Value sizes) {
  SmallVector<Value> arguments(inputs);
  llvm::append_range(arguments, results);
  arguments.append({workspace, sizes ? sizes : dims(), k.runtime});
  return func::CallOp::create(e.b, e.loc, body.function, arguments).getResult(0);
}

/// Whether a loop goes on.
Value ControlEmitter::holds(const EmittedBody &condition, ArrayRef<Value> inputs, Value workspace, Value flag, Value &status) {
  SmallVector<Value> given(inputs);
  if (int64_t replaced = condition.replaced[0]; replaced >= 0) {
    copy(flag, given[size_t(replaced)], byteSize(DType::Bool));
    given[size_t(replaced)] = flag;
  }
  status = call(condition, given, flag, workspace);
  Value isWell = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::eq, status, number(0));
  return arith::AndIOp::create(e.b, e.loc, isWell, e.load(flag, DType::Bool, 0, 0).value);
}

/// The status, or that the runtime says to stop. `isThere`: there is one.
Value ControlEmitter::poll(Value status, bool isThere) {
  constexpr int64_t kStops = int64_t(offsetof(kiln_rt, stops));
  Value stops = isThere ? callRuntime(e, k.runtime, kStops) : askRuntime(e, k.runtime, kStops);
  Value isStopped = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ne, stops, number(0));
  return arith::SelectOp::create(e.b, e.loc, isStopped, number(KILN_STOPPED), status);
}

/// How many trips there are to the first question; without a runtime there is none.
Value ControlEmitter::tripsToFirstPoll(int64_t every) {
  if (every == 1) return e.use(every);
  Value none = LLVM::ZeroOp::create(e.b, e.loc, pointer());
  Value isThere = LLVM::ICmpOp::create(e.b, e.loc, LLVM::ICmpPredicate::ne, k.runtime, none);
  return arith::SelectOp::create(e.b, e.loc, isThere, e.use(every), e.use(std::numeric_limits<int64_t>::max()));
}

/// Asks once in `every` trips, of which `left` are left before; the status, and how many are left then.
std::pair<Value, Value> ControlEmitter::pollSometimes(Value status, Value left, int64_t every) {
  if (every == 1) return {poll(status), left};
  Value less = arith::SubIOp::create(e.b, e.loc, left, e.use(1));
  Value isDue = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::eq, less, e.use(0));
  auto due = scf::IfOp::create(e.b, e.loc, TypeRange{status.getType(), less.getType()}, isDue, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(e.b);
  e.b.setInsertionPointToStart(due.thenBlock());
  Value polled = poll(status, /*isThere=*/true);
  scf::YieldOp::create(e.b, e.loc, ValueRange{polled, e.use(every)});
  e.b.setInsertionPointToStart(due.elseBlock());
  scf::YieldOp::create(e.b, e.loc, ValueRange{status, less});
  return {due.getResult(0), due.getResult(1)};
}

void ControlEmitter::loop(ir::LoopOp op) {
  const EmittedBody &condition = bodyOf(op.getConditionAttr()), &body = bodyOf(op.getBodyAttr());
  unsigned carried = op.getNumResults();
  SmallVector<Value> homes, others(carried), reads, start;
  SmallVector<Index> bytes;
  SmallVector<unsigned> swapped; // values that change places with each trip
  for (unsigned i = 0; i < carried; ++i) {
    bytes.push_back(bytesOf(op.getResult(i)));
    homes.push_back(isAtMost(bytes[i], kOnStackBytes) ? memoryFor(bytes[i]) : k.outputs[i].pointer);
    copy(homes[i], operand(op, i), bytes[i]);
    if (body.replaced[i] == i) continue;
    others[i] = memoryFor(bytes[i]);
    if (!isAtMost(bytes[i], kSmallBytes)) swapped.push_back(i), start.append({homes[i], others[i]});
  }
  for (unsigned i = carried; i < op->getNumOperands(); ++i) reads.push_back(operand(op, i));
  Value workspace = k.scratch(workspaceOf({&condition, &body})), flag = e.stack(DType::U8, 1);
  int64_t every = std::clamp<int64_t>(kWorkBetweenPolls / std::max<int64_t>(1, condition.work + body.work), 1, kWorkBetweenPolls);
  start.append({number(0), tripsToFirstPoll(every)});

  SmallVector<Type> types = llvm::map_to_vector(start, [](Value v) { return v.getType(); });
  SmallVector<Location> places(types.size(), e.loc);
  auto loop = scf::WhileOp::create(e.b, e.loc, types, start);
  OpBuilder::InsertPoint behind = e.b.saveInsertionPoint();
  Block *before = e.b.createBlock(&loop.getBefore(), {}, types, places), *after = e.b.createBlock(&loop.getAfter(), {}, types, places);
  // Where the values are now, and where the next ones go.
  auto placed = [&](Block *block, SmallVectorImpl<Value> &now, SmallVectorImpl<Value> &next) {
    now.assign(homes.begin(), homes.end());
    next.assign(others.begin(), others.end());
    for (auto [at, i] : llvm::enumerate(swapped)) now[i] = block->getArgument(2 * at), next[i] = block->getArgument(2 * at + 1);
    for (unsigned i = 0; i < carried; ++i)
      if (!next[i]) next[i] = now[i];
  };
  unsigned atStatus = unsigned(types.size()) - 2;
  {
    SmallVector<Value> now, next;
    e.b.setInsertionPointToStart(before);
    placed(before, now, next);
    llvm::append_range(now, reads);
    // The status of the last trip ends the loop before the condition is asked.
    Value isWell = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::eq, before->getArgument(atStatus), number(0));
    auto asked = scf::IfOp::create(e.b, e.loc, TypeRange{e.b.getI1Type(), e.b.getI32Type()}, isWell, /*withElseRegion=*/true);
    e.b.setInsertionPointToStart(asked.thenBlock());
    Value status, goesOn = holds(condition, now, workspace, flag, status);
    scf::YieldOp::create(e.b, e.loc, ValueRange{goesOn, status});
    e.b.setInsertionPointToStart(asked.elseBlock());
    scf::YieldOp::create(e.b, e.loc, ValueRange{isWell, before->getArgument(atStatus)});
    e.b.setInsertionPointToEnd(before);
    SmallVector<Value> passed(before->getArguments());
    passed[atStatus] = asked.getResult(1);
    scf::ConditionOp::create(e.b, e.loc, asked.getResult(0), passed);

    e.b.setInsertionPointToStart(after);
    placed(after, now, next);
    SmallVector<Value> inputs(now);
    llvm::append_range(inputs, reads);
    status = call(body, inputs, next, workspace);
    for (unsigned i = 0; i < carried; ++i)
      if (others[i] && isAtMost(bytes[i], kSmallBytes)) copy(homes[i], others[i], bytes[i]);
    Value left;
    std::tie(status, left) = pollSometimes(status, after->getArgument(atStatus + 1), every);
    SmallVector<Value> yielded;
    for (size_t at = 0; at < swapped.size(); ++at) yielded.append({after->getArgument(2 * at + 1), after->getArgument(2 * at)});
    yielded.append({status, left});
    scf::YieldOp::create(e.b, e.loc, yielded);
  }
  e.b.restoreInsertionPoint(behind);
  for (auto [at, i] : llvm::enumerate(swapped)) {
    Value last = loop.getResult(2 * at);
    Value isAway = LLVM::ICmpOp::create(e.b, e.loc, LLVM::ICmpPredicate::ne, last, homes[i]);
    e.when(isAway, [&] { copy(homes[i], last, bytes[i]); });
  }
  for (unsigned i = 0; i < carried; ++i)
    if (homes[i] != k.outputs[i].pointer) copy(k.outputs[i].pointer, homes[i], bytes[i]);
  k.status = loop.getResult(atStatus);
}

void ControlEmitter::branch(ir::BranchOp op) {
  SmallVector<const EmittedBody *> bodies;
  for (FlatSymbolRefAttr name : ir::bodiesOf(op)) bodies.push_back(&bodyOf(name));
  Value workspace = k.scratch(workspaceOf(bodies));
  Value first = op->getOperand(0);
  Expr given = e.load(operand(op, 0), ir::typeOf(first).dtype, 0, 0);
  Value chosen = given.value;
  if (ir::typeOf(first).dtype == DType::Bool) chosen = arith::ExtUIOp::create(e.b, e.loc, e.b.getI64Type(), chosen);
  chosen = arith::MinSIOp::create(e.b, e.loc, chosen, e.use(int64_t(bodies.size()) - 1));
  // Where a result has the memory of an operand, a body that makes it anew does so elsewhere first.
  SmallVector<Value> operands, apart(op.getNumResults());
  for (unsigned i = 1; i < op->getNumOperands(); ++i) operands.push_back(operand(op, i));
  for (unsigned r = 0; r < op.getNumResults(); ++r)
    if (llvm::is_contained(operands, k.outputs[r].pointer) && llvm::any_of(bodies, [&](auto *body) { return body->replaced[r] < 0; }))
      apart[r] = memoryFor(bytesOf(op.getResult(r)));
  SmallVector<int64_t> cases; // the first body is the default
  for (size_t i = 1; i < bodies.size(); ++i) cases.push_back(int64_t(i));
  Value at = arith::IndexCastOp::create(e.b, e.loc, e.b.getIndexType(), chosen);
  auto choice = scf::IndexSwitchOp::create(e.b, e.loc, TypeRange(e.b.getI32Type()), at, cases, unsigned(cases.size()));
  for (auto [i, body] : llvm::enumerate(bodies)) {
    OpBuilder::InsertionGuard guard(e.b);
    e.b.createBlock(i == 0 ? &choice.getDefaultRegion() : &choice.getCaseRegions()[i - 1]);
    SmallVector<Value> inputs(operands), results;
    for (unsigned r = 0; r < op.getNumResults(); ++r) {
      int64_t replaced = body->replaced[r];
      results.push_back(replaced < 0 && apart[r] ? apart[r] : k.outputs[r].pointer);
      if (replaced < 0) continue;
      copy(results[r], inputs[size_t(replaced)], bytesOf(op.getResult(r)));
      inputs[size_t(replaced)] = results[r];
    }
    Value status = call(*body, inputs, results, workspace);
    for (unsigned r = 0; r < op.getNumResults(); ++r) copy(k.outputs[r].pointer, results[r], bytesOf(op.getResult(r)));
    scf::YieldOp::create(e.b, e.loc, status);
  }
  k.status = choice.getResult(0);
}

/// The sizes of a body: those that are given, and behind them what it has of those around it.
Value ControlEmitter::dimsWith(const EmittedBody &body, Value around, ArrayRef<Index> sizes) {
  Value list = e.stack(DType::I64, body.symbols);
  auto put = [&](int64_t at, Value size) { e.store(list, at, {e.b, e.loc, size, DType::I64}); };
  for (auto [i, size] : llvm::enumerate(sizes)) put(int64_t(i), e.use(size));
  for (int64_t i = body.given; i < body.symbols; ++i) put(i, e.load(around, DType::I64, i - body.given, 0).value);
  return list;
}

/// `i64 name(ptr dims)`: the workspace of a body at its largest sizes. A function, as those of programs compute it once more.
func::FuncOp ControlEmitter::mostWorkspace(ir::SizedOp op, const EmittedBody &body) {
  OpBuilder::InsertionGuard guard(e.b);
  auto module = k.kernel->getParentOfType<ModuleOp>();
  std::string name;
  for (int i = 0; name.empty() || module.lookupSymbol(name); ++i) name = (op.getBody() + ".at_most_" + Twine(i)).str();
  e.b.setInsertionPointToEnd(module.getBody());
  auto fn = func::FuncOp::create(e.b, e.loc, name, e.b.getFunctionType({pointer()}, {e.b.getI64Type()}));
  fn->setAttr("llvm.linkage", LLVM::LinkageAttr::get(e.b.getContext(), LLVM::Linkage::Internal));
  Block *entry = fn.addEntryBlock();
  e.b.setInsertionPointToStart(entry);
  Value around = entry->getArgument(0);
  SmallVector<Index> most;
  for (Size size : op.getMost())
    most.push_back(size.isConstant() ? Index(size.number()) : Index(e.load(around, DType::I64, size.symbol(), 0).value));
  Value inside = dimsWith(body, around, most);
  func::ReturnOp::create(e.b, e.loc, func::CallOp::create(e.b, e.loc, body.workspaceOf, ValueRange(inside)).getResult(0));
  return fn;
}

/// The sizes that operands give, and whether each is in its bounds.
Value ControlEmitter::sizesOf(ir::SizedOp op, SmallVectorImpl<Index> &sizes) {
  Value isWell = arith::ConstantIntOp::create(e.b, e.loc, e.b.getI1Type(), 1);
  for (auto [i, most] : llvm::enumerate(op.getMost())) {
    Value size = e.load(operand(op, unsigned(i)), DType::I64, 0, 0).value;
    Value bound = most.isConstant() ? e.use(most.number()) : e.load(dims(), DType::I64, most.symbol(), 0).value;
    auto holds = [&](arith::CmpIPredicate predicate, Value than) {
      Value flag = arith::CmpIOp::create(e.b, e.loc, predicate, size, than);
      isWell = arith::AndIOp::create(e.b, e.loc, isWell, flag);
    };
    holds(arith::CmpIPredicate::sge, e.use(2));
    holds(arith::CmpIPredicate::sle, bound);
    sizes.push_back(Index(size));
  }
  return isWell;
}

void ControlEmitter::sized(ir::SizedOp op) {
  const EmittedBody &body = bodyOf(op.getBodyAttr());
  unsigned given = unsigned(op.getMost().size());
  SmallVector<Index> sizes, bytes;
  SmallVector<Value> inputs, results;
  for (unsigned i = given; i < op->getNumOperands(); ++i) inputs.push_back(operand(op, i));
  for (unsigned r = 0; r < op.getNumResults(); ++r) {
    bytes.push_back(bytesOf(op.getResult(r)));
    int64_t replaced = body.replaced[r];
    // A body's arrays lie apart: what it makes anew of the input whose memory the result has goes elsewhere first.
    bool isElsewhere = replaced < 0 && llvm::is_contained(inputs, k.outputs[r].pointer);
    results.push_back(isElsewhere ? memoryFor(bytes[r]) : k.outputs[r].pointer);
  }
  for (unsigned r = 0; r < op.getNumResults(); ++r)
    if (int64_t replaced = body.replaced[r]; replaced >= 0) {
      copy(results[r], inputs[size_t(replaced)], bytes[r]);
      inputs[size_t(replaced)] = results[r];
    }
  Value most = func::CallOp::create(e.b, e.loc, mostWorkspace(op, body), ValueRange(dims())).getResult(0);
  Value workspace = k.scratch(Index(most)), isWell = sizesOf(op, sizes);
  auto run = scf::IfOp::create(e.b, e.loc, TypeRange(e.b.getI32Type()), isWell, /*withElseRegion=*/true);
  OpBuilder::InsertPoint behind = e.b.saveInsertionPoint();
  e.b.setInsertionPointToStart(run.thenBlock());
  scf::YieldOp::create(e.b, e.loc, call(body, inputs, results, workspace, dimsWith(body, dims(), sizes)));
  e.b.setInsertionPointToStart(run.elseBlock());
  scf::YieldOp::create(e.b, e.loc, number(KILN_INDEX_OUT_OF_RANGE));
  e.b.restoreInsertionPoint(behind);
  for (unsigned r = 0; r < op.getNumResults(); ++r)
    if (results[r] != k.outputs[r].pointer) copy(k.outputs[r].pointer, results[r], bytes[r]);
  k.status = run.getResult(0);
}

} // namespace

Value askRuntime(Emitter &e, Value runtime, int64_t offset) {
  Type pointer = LLVM::LLVMPointerType::get(e.b.getContext()), answer = e.b.getI32Type();
  Value none = LLVM::ZeroOp::create(e.b, e.loc, pointer);
  Value isThere = LLVM::ICmpOp::create(e.b, e.loc, LLVM::ICmpPredicate::ne, runtime, none);
  auto asked = scf::IfOp::create(e.b, e.loc, TypeRange(answer), isThere, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(e.b);
  e.b.setInsertionPointToStart(asked.thenBlock());
  scf::YieldOp::create(e.b, e.loc, callRuntime(e, runtime, offset));
  e.b.setInsertionPointToStart(asked.elseBlock());
  scf::YieldOp::create(e.b, e.loc, arith::ConstantIntOp::create(e.b, e.loc, answer, 0).getResult());
  return asked.getResult(0);
}

LogicalResult emitControl(KernelContext &k) {
  Operation *op = k.mainOp();
  if (auto loop = dyn_cast<ir::LoopOp>(op)) ControlEmitter(k).loop(loop);
  else if (auto sized = dyn_cast<ir::SizedOp>(op)) ControlEmitter(k).sized(sized);
  else ControlEmitter(k).branch(cast<ir::BranchOp>(op));
  return success();
}

} // namespace kiln::cpu
