#include "codegen/nvptx/Control.h"

#include "codegen/nvptx/Emit.h"
#include "codegen/nvptx/Kernels.h"
#include "lib/Core/Infer.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace kiln::nvptx {
namespace {

//===-- what bodies do ----------------------------------------------------------------------------------------------===//

bool isNumber(Value v) { return ir::typeOf(v) == TensorType{DType::I64, {}}; }

/// What a value of a program is inside of the kernel that makes it; null: it is none's.
Value inside(Value v) {
  auto kernel = v.getDefiningOp<ir::KernelOp>();
  return kernel ? kernel.getBody().front().getTerminator()->getOperand(cast<OpResult>(v).getResultNumber()) : Value();
}

std::optional<int64_t> constantOf(Value v) {
  auto constant = v ? v.getDefiningOp<ir::ConstantOp>() : nullptr;
  auto number = constant ? dyn_cast<IntegerAttr>(constant.getValue()) : nullptr;
  return number && isNumber(v) ? std::optional(number.getInt()) : std::nullopt;
}

/// The argument of the function that a value in a kernel is; -1: none.
int64_t argumentOf(Value v) {
  auto argument = dyn_cast<BlockArgument>(v);
  auto kernel = argument ? dyn_cast<ir::KernelOp>(argument.getOwner()->getParentOp()) : nullptr;
  auto outer = kernel ? dyn_cast<BlockArgument>(kernel.getInputs()[argument.getArgNumber()]) : nullptr;
  return outer && isNumber(outer) ? int64_t(outer.getArgNumber()) : -1;
}

std::optional<EmittedBody::Side> sideOf(Value v) {
  if (auto constant = constantOf(v)) return EmittedBody::Side{-1, *constant};
  int64_t argument = argumentOf(v);
  return argument >= 0 ? std::optional(EmittedBody::Side{argument, 0}) : std::nullopt;
}

std::optional<std::pair<EmittedBody::Side, EmittedBody::Side>> comparisonOf(Value flag) {
  Value made = inside(flag);
  Operation *op = made ? made.getDefiningOp() : nullptr;
  if (!isa_and_nonnull<ir::LessOp, ir::GreaterOp>(op)) return std::nullopt;
  auto x = sideOf(op->getOperand(0)), y = sideOf(op->getOperand(1));
  if (!x || !y) return std::nullopt;
  if (isa<ir::GreaterOp>(op)) std::swap(x, y);
  return std::pair(*x, *y);
}

/// What a result of a body adds to an argument.
int64_t countOf(Value result, int64_t argument) {
  Value made = inside(result);
  Operation *op = made ? made.getDefiningOp() : nullptr;
  if (!isa_and_nonnull<ir::AddOp, ir::SubtractOp>(op)) return 0;
  Value x = op->getOperand(0), y = op->getOperand(1);
  if (isa<ir::AddOp>(op) && constantOf(x)) std::swap(x, y);
  auto by = constantOf(y);
  if (!by || argumentOf(x) != argument || std::abs(*by) != 1) return 0;
  return isa<ir::AddOp>(op) ? *by : -*by;
}

//===-- steps -------------------------------------------------------------------------------------------------------===//

class ControlEmitter {
public:
  ControlEmitter(ControlKernel &k, EmittedBodies &bodies) : k(k), e(k.e), bodies(bodies) {}

  int64_t run() {
    Operation *op = &k.kernel.getBody().front().front();
    if (auto loop = dyn_cast<ir::LoopOp>(op)) emitLoop(loop);
    else emitBranch(cast<ir::BranchOp>(op));
    return end;
  }

private:
  ControlKernel &k;
  cpu::Emitter &e;
  EmittedBodies &bodies;
  int64_t end = k.free;

  /// Where the values of a loop are, and where the next ones go: the same place for what a body writes in place.
  struct Values {
    SmallVector<Value> homes, others, reads;
    SmallVector<unsigned> swapped; // those with two places
  };

  static int64_t bytesOf(Value v) { return numElements(ir::typeOf(v).shape) * byteSize(ir::typeOf(v).dtype); }
  EmittedBody &bodyOf(FlatSymbolRefAttr name) { return bodies.find(name.getValue())->second; }
  Value memoryFor(int64_t bytes) {
    Value place = e.address(k.workspace, DType::U8, end);
    end += ceilDiv(bytes, kLine) * kLine;
    return place;
  }
  void copy(Value to, Value from, int64_t bytes) {
    if (bytes && to != from) LLVM::MemcpyOp::create(e.b, e.loc, to, from, e.use(bytes), /*isVolatile=*/false);
  }
  void call(func::FuncOp body, ArrayRef<Value> inputs, ArrayRef<Value> outputs, Value workspace) {
    SmallVector<Value> arguments(inputs);
    llvm::append_range(arguments, outputs);
    arguments.append({workspace, k.status});
    func::CallOp::create(e.b, e.loc, body, arguments);
  }

  func::FuncOp standAlone(EmittedBody &body, ArrayRef<int64_t> apart);
  func::FuncOp makeStandAlone(const EmittedBody &body, ArrayRef<int64_t> apart);
  void emitLoop(ir::LoopOp op);
  void emitBranch(ir::BranchOp op);
  Values placeValues(ir::LoopOp op, const EmittedBody &body);
  Value numberOf(ir::LoopOp op, EmittedBody::Side side);
  std::optional<std::pair<unsigned, int64_t>> counterOf(ir::LoopOp op, const EmittedBody &condition, const EmittedBody &body);
  Operation *emitWhile(func::FuncOp condition, const EmittedBody &body, const Values &values, Value workspace);
  Operation *emitCounted(Value low, Value high, const EmittedBody &body, const Values &values, Value workspace);
};

static bool isGiven(int64_t n) { return n >= 0; }
static int64_t workspaceOf(func::FuncOp body) { return body->getAttrOfType<IntegerAttr>(ir::kWorkspaceBytes).getInt(); }

/// A body that leaves its inputs alone and makes all of its results where the caller says: what it would write over inputs goes to copies
/// of them. `apart`: results whose memory an input has, by their bytes, or -1; they are made elsewhere first.
func::FuncOp ControlEmitter::standAlone(EmittedBody &body, ArrayRef<int64_t> apart) {
  if (llvm::any_of(apart, isGiven)) return makeStandAlone(body, apart);
  if (llvm::none_of(body.replaced, isGiven)) return body.function;
  if (!body.copying) body.copying = makeStandAlone(body, {});
  return body.copying;
}

func::FuncOp ControlEmitter::makeStandAlone(const EmittedBody &body, ArrayRef<int64_t> apart) {
  func::FuncOp inner = body.function;
  OpBuilder::InsertionGuard guard(e.b);
  e.b.setInsertionPoint(inner); // behind those who run it
  auto module = inner->getParentOfType<ModuleOp>();
  std::string name;
  for (int i = 0; name.empty() || module.lookupSymbol(name); ++i) name = (inner.getName() + ".apart_" + Twine(i)).str();
  auto fn = cast<func::FuncOp>(inner->cloneWithoutRegions());
  e.b.insert(fn);
  fn.setName(name);
  Block *block = fn.addEntryBlock();
  e.b.setInsertionPointToStart(block);
  unsigned results = unsigned(body.replaced.size()), inputs = block->getNumArguments() - 2 - results;
  SmallVector<int64_t> bytes(fn->getAttrOfType<DenseI64ArrayAttr>(kBytes).asArrayRef());
  SmallVector<Value> given(block->getArguments().take_front(inputs)), made(block->getArguments().slice(inputs, results));
  Value memory = block->getArgument(inputs + results);
  int64_t taken = ceilDiv(body.workspace, kLine) * kLine;
  for (unsigned r = 0; r < results; ++r) {
    if (int64_t replaced = body.replaced[r]; replaced >= 0) {
      copy(made[r], given[size_t(replaced)], bytes[inputs + r]);
      given[size_t(replaced)] = made[r];
    } else if (!apart.empty() && apart[r] >= 0) {
      made[r] = e.address(memory, DType::U8, taken);
      taken += ceilDiv(apart[r], kLine) * kLine;
    }
  }
  SmallVector<Value> arguments(given);
  llvm::append_range(arguments, made);
  llvm::append_range(arguments, block->getArguments().take_back(2));
  func::CallOp::create(e.b, e.loc, inner, arguments);
  for (unsigned r = 0; r < results; ++r) copy(block->getArgument(inputs + r), made[r], bytes[inputs + r]);
  func::ReturnOp::create(e.b, e.loc);
  bytes.back() = taken;
  fn->setAttr(kBytes, e.b.getDenseI64ArrayAttr(bytes));
  fn->setAttr(ir::kWorkspaceBytes, e.b.getI64IntegerAttr(taken));
  return fn;
}

//===-- loops -------------------------------------------------------------------------------------------------------===//

ControlEmitter::Values ControlEmitter::placeValues(ir::LoopOp op, const EmittedBody &body) {
  Values values;
  for (unsigned i = 0; i < op.getNumResults(); ++i) {
    Value home = body.isKept[i] ? k.operands[i] : k.results[i];
    int64_t bytes = bytesOf(op.getResult(i));
    copy(home, k.operands[i], bytes);
    bool isInPlace = body.replaced[i] == int64_t(i) || !bytes;
    values.homes.push_back(home);
    values.others.push_back(isInPlace ? home : memoryFor(bytes));
    if (!isInPlace) values.swapped.push_back(i);
  }
  for (unsigned i = op.getNumResults(); i < op->getNumOperands(); ++i) values.reads.push_back(k.operands[i]);
  return values;
}

/// The value that counts the trips of a loop, and by what.
std::optional<std::pair<unsigned, int64_t>> ControlEmitter::counterOf(ir::LoopOp op, const EmittedBody &condition,
                                                                      const EmittedBody &body) {
  if (!condition.less) return std::nullopt;
  auto [low, high] = *condition.less;
  auto carried = int64_t(op.getNumResults());
  auto isFixed = [&](EmittedBody::Side side) { return side.input < 0 || side.input >= carried || body.isKept[size_t(side.input)]; };
  auto counts = [&](EmittedBody::Side side, int64_t by) {
    return side.input >= 0 && side.input < carried && body.counts[size_t(side.input)] == by;
  };
  if (counts(low, 1) && isFixed(high)) return std::pair(unsigned(low.input), 1);
  if (counts(high, -1) && isFixed(low)) return std::pair(unsigned(high.input), -1);
  return std::nullopt;
}

/// A number that a condition compares, before the first trip.
Value ControlEmitter::numberOf(ir::LoopOp op, EmittedBody::Side side) {
  if (side.input < 0) return e.use(side.constant);
  auto argument = cast<BlockArgument>(op->getOperand(unsigned(side.input)));
  if (auto constant = constantOf(inside(k.kernel.getInputs()[argument.getArgNumber()]))) return e.use(*constant);
  return e.load(k.operands[size_t(side.input)], DType::I64, 0, 0).value;
}

void ControlEmitter::emitLoop(ir::LoopOp op) {
  EmittedBody &condition = bodyOf(op.getConditionAttr()), &body = bodyOf(op.getBodyAttr());
  Values values = placeValues(op, body);
  auto counter = counterOf(op, condition, body);
  Operation *loop = nullptr;
  if (counter) {
    Value workspace = memoryFor(body.workspace);
    loop = emitCounted(numberOf(op, condition.less->first), numberOf(op, condition.less->second), body, values, workspace);
    loop->setAttr(kCounts, e.b.getDenseI64ArrayAttr({int64_t(counter->first), counter->second}));
  } else {
    func::FuncOp asked = standAlone(condition, {});
    loop = emitWhile(asked, body, values, memoryFor(std::max(workspaceOf(asked), body.workspace)));
  }
  // Values that changed places are where they began, as a plan says of loops.
  for (unsigned i = 0; i < op.getNumResults(); ++i) copy(k.results[i], values.homes[i], bytesOf(op.getResult(i)));
}

/// The values as the arguments of a block say, from number `first` on; what it yields has them changed.
static SmallVector<Value> placed(Block *block, unsigned first, ArrayRef<unsigned> swapped, SmallVector<Value> &now,
                                 SmallVector<Value> &next) {
  SmallVector<Value> yielded;
  for (auto [at, i] : llvm::enumerate(swapped)) {
    now[i] = block->getArgument(first + 2 * unsigned(at)), next[i] = block->getArgument(first + 2 * unsigned(at) + 1);
    yielded.append({next[i], now[i]});
  }
  return yielded;
}

Operation *ControlEmitter::emitCounted(Value low, Value high, const EmittedBody &body, const Values &values, Value workspace) {
  SmallVector<Value> start, now(values.homes), next(values.others);
  for (unsigned i : values.swapped) start.append({values.homes[i], values.others[i]});
  auto loop = scf::ForOp::create(e.b, e.loc, low, high, e.use(1), start);
  OpBuilder::InsertionGuard guard(e.b);
  Block *block = loop.getBody();
  e.b.setInsertionPointToStart(block);
  SmallVector<Value> yielded = placed(block, 1, values.swapped, now, next);
  llvm::append_range(now, values.reads);
  call(body.function, now, next, workspace);
  if (!yielded.empty()) scf::YieldOp::create(e.b, e.loc, yielded);
  return loop;
}

Operation *ControlEmitter::emitWhile(func::FuncOp condition, const EmittedBody &body, const Values &values, Value workspace) {
  Value flag = memoryFor(byteSize(DType::Bool));
  SmallVector<Value> start, now(values.homes), next(values.others);
  for (unsigned i : values.swapped) start.append({values.homes[i], values.others[i]});
  SmallVector<Type> types = llvm::map_to_vector(start, [](Value v) { return v.getType(); });
  SmallVector<Location> places(types.size(), e.loc);
  auto loop = scf::WhileOp::create(e.b, e.loc, types, start);
  OpBuilder::InsertionGuard guard(e.b);
  Block *before = e.b.createBlock(&loop.getBefore(), {}, types, places);
  placed(before, 0, values.swapped, now, next);
  llvm::append_range(now, values.reads);
  call(condition, now, flag, workspace);
  scf::ConditionOp::create(e.b, e.loc, e.load(flag, DType::Bool, 0, 0).value, before->getArguments());
  Block *after = e.b.createBlock(&loop.getAfter(), {}, types, places);
  SmallVector<Value> yielded = placed(after, 0, values.swapped, now, next);
  call(body.function, now, next, workspace);
  scf::YieldOp::create(e.b, e.loc, yielded);
  return loop;
}

//===-- branches ----------------------------------------------------------------------------------------------------===//

void ControlEmitter::emitBranch(ir::BranchOp op) {
  SmallVector<Value> inputs(ArrayRef(k.operands).drop_front());
  int64_t workspaceBytes = 0;
  SmallVector<func::FuncOp> functions;
  for (FlatSymbolRefAttr name : ir::bodiesOf(op)) {
    EmittedBody &body = bodyOf(name);
    SmallVector<int64_t> apart;
    for (unsigned r = 0; r < op.getNumResults(); ++r)
      apart.push_back(body.replaced[r] < 0 && llvm::is_contained(inputs, k.results[r]) ? bytesOf(op.getResult(r)) : -1);
    functions.push_back(standAlone(body, apart));
    workspaceBytes = std::max(workspaceBytes, workspaceOf(functions.back()));
  }
  Value workspace = memoryFor(workspaceBytes);
  DType dtype = ir::typeOf(op->getOperand(0)).dtype;
  Value chosen = e.load(k.operands[0], dtype, 0, 0).value;
  if (dtype == DType::Bool) chosen = arith::ExtUIOp::create(e.b, e.loc, e.b.getI64Type(), chosen);
  chosen = arith::MinSIOp::create(e.b, e.loc, chosen, e.use(int64_t(functions.size()) - 1));
  SmallVector<int64_t> cases; // the first body is the default
  for (size_t i = 1; i < functions.size(); ++i) cases.push_back(int64_t(i));
  Value at = arith::IndexCastOp::create(e.b, e.loc, e.b.getIndexType(), chosen);
  auto choice = scf::IndexSwitchOp::create(e.b, e.loc, TypeRange(), at, cases, unsigned(cases.size()));
  for (auto [i, function] : llvm::enumerate(functions)) {
    OpBuilder::InsertionGuard guard(e.b);
    e.b.createBlock(i == 0 ? &choice.getDefaultRegion() : &choice.getCaseRegions()[i - 1]);
    call(function, inputs, k.results, workspace);
    scf::YieldOp::create(e.b, e.loc);
  }
}

} // namespace

EmittedBody describeBody(func::FuncOp fn) {
  EmittedBody body;
  for (auto [r, value] : llvm::enumerate(fn.getBody().front().getTerminator()->getOperands())) {
    auto replaced = fn.getResultAttrOfType<IntegerAttr>(unsigned(r), ir::kInPlace);
    body.replaced.push_back(replaced ? replaced.getInt() : -1);
    body.isKept.push_back(r < fn.getNumArguments() && value == fn.getArgument(unsigned(r)));
    body.counts.push_back(countOf(value, int64_t(r)));
    if (r == 0) body.less = comparisonOf(value);
  }
  return body;
}

int64_t emitControl(ControlKernel &k, EmittedBodies &bodies) { return ControlEmitter(k, bodies).run(); }

} // namespace kiln::nvptx
