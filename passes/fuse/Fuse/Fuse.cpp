#include "lib/Core/Stats.h"
#include "passes/Passes.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/SetVector.h"

namespace kiln {
#define GEN_PASS_DEF_FUSE
#include "kiln/Passes.h.inc"
} // namespace kiln

using namespace mlir;

namespace kiln {
namespace {

/// Operations that become one kernel.
struct Group {
  ir::KernelKind kind;
  Dims space;    // positions: of the result, or of what is reduced
  int axis = -1; // the reduced one
  llvm::SetVector<Operation *> ops;
  llvm::SetVector<Group *> reads = {}; // the kernels that it reads from; those that have become part of another lead on to it
  Group *partOf = nullptr;
  SmallVector<Attribute> apart = {}; // why it is not one with kernels that it reads from
};
constexpr size_t kMostOps = 256;

bool addsOnlyUnitAxes(Operation *op) {
  auto reshape = dyn_cast<ir::ReshapeOp>(op);
  if (!reshape) return false;
  auto sizes = [](Value v) {
    SmallVector<int64_t> result;
    for (int64_t d : ir::typeOf(v).shape)
      if (d != 1) result.push_back(d);
    return result;
  };
  return sizes(reshape.getX()) == sizes(reshape.getResult());
}

bool isReducer(Operation *op) { return ir::isKind(op, Kind::Reduce) || ir::isKind(op, Kind::Argreduce); }

/// A contraction with a vector runs as a reduction of the matrix.
bool isVectorProduct(Operation *op) {
  auto dot = dyn_cast<ir::DotGeneralOp>(op);
  return dot && (ir::typeOf(dot.getX()).shape.rank != ir::typeOf(dot.getY()).shape.rank);
}

class Fuser {
public:
  Fuser(func::FuncOp fn) : fn(fn), block(fn.getBody().front()) {}
  void run();

private:
  func::FuncOp fn;
  Block &block;
  std::vector<std::unique_ptr<Group>> groups;
  DenseMap<Operation *, Group *> groupOf;
  DenseSet<Operation *> roots; // moves that must lie in memory

  void copyAliasedOutputs();
  void findRoots();
  void copyReshapedArguments();
  bool isAlias(Operation *op) { return isa<ir::ReshapeOp>(op) && (roots.contains(op) || !addsOnlyUnitAxes(op)); }
  bool isMove(Operation *op);
  bool isPulled(Operation *op) { return op && !roots.contains(op) && isMove(op) && !isAlias(op); }
  void requireMemory(Value v);

  Group *place(Operation *op);
  bool isPrologue(Group &g, Operation *product, Value operand);
  void takePrologues(Group &g, Operation *product);
  std::unique_ptr<Group> alone(Operation *op);
  StringRef misfit(Group &g, Group &op, Operation *what);
  StringRef cannotJoin(Group &g, Group &home, Operation *op, ArrayRef<Group *> read);
  void note(Group &g, Operation *op, Group &other, StringRef why);
  bool readsNaturally(Group &g, const Group &target, Operation *op, Value operand);
  void producers(Value v, llvm::SetVector<Operation *> &found);
  bool makesCycle(ArrayRef<Group *> merged, ArrayRef<Group *> read);
  bool readsFrom(Group &reader, Group &g);
  SmallVector<Group *> sorted();

  void emit(Group &g, IRMapping &outer, OpBuilder &b);
  Value cloneInto(Group &g, Value v, IRMapping &inner, SmallVectorImpl<Value> &inputs, Block *body, OpBuilder &b);
  Value outside(Value v, IRMapping &outer, OpBuilder &b);
  bool leavesGroup(Group &g, Value v);
};

bool Fuser::isMove(Operation *op) {
  if (ir::isKind(op, Kind::Index) || ir::isKind(op, Kind::Source)) return true;
  // A scalar of arithmetic is hoisted out of every loop.
  return ir::isKind(op, Kind::Elementwise) && ir::typeOf(op->getResult(0)).shape.rank == 0;
}

void Fuser::requireMemory(Value v) {
  Operation *op = v.getDefiningOp();
  if (!op) return;
  if (isa<ir::ReshapeOp>(op)) {
    if (roots.insert(op).second) requireMemory(op->getOperand(0));
  } else if (isMove(op)) {
    roots.insert(op);
  }
}

/// Each output needs memory of its own: one that is an argument, or another output, is copied.
void Fuser::copyAliasedOutputs() {
  Operation *end = block.getTerminator();
  DenseSet<Value> taken;
  OpBuilder b(end);
  for (OpOperand &output : end->getOpOperands()) {
    Value root = output.get();
    while (auto alias = root.getDefiningOp<ir::ReshapeOp>()) root = alias.getX();
    if (!isa<BlockArgument>(root) && taken.insert(root).second) continue;
    output.set(ir::CastOp::create(b, end->getLoc(), output.get().getType(), output.get()));
    count("fuse.copies");
  }
}

void Fuser::findRoots() {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
    if (op.hasTrait<OpTrait::IsTerminator>()) {
      for (Value v : op.getOperands()) requireMemory(v);
      continue;
    }
    if (op.use_empty()) {
      op.erase();
      continue;
    }
    if (isa<ir::ReshapeOp>(op) && !addsOnlyUnitAxes(&op)) requireMemory(op.getOperand(0));
    if (isa<ir::DotGeneralOp>(op)) {
      bool isVector = isVectorProduct(&op);
      for (Value v : op.getOperands())
        if (!isVector) requireMemory(v);
    }
    if (isa<ir::GatherOp>(op)) requireMemory(op.getOperand(0));
    if (ir::isKind(&op, Kind::Library)) llvm::for_each(op.getOperands(), [&](Value v) { requireMemory(v); });
  }
}

/// A reshape names the memory of its operand by other sizes, which a strided argument's memory does not allow: it is copied.
void Fuser::copyReshapedArguments() {
  OpBuilder b = OpBuilder::atBlockBegin(&block);
  for (BlockArgument argument : block.getArguments()) {
    if (!fn.getArgAttr(argument.getArgNumber(), "kiln.strides")) continue;
    Value copy;
    for (OpOperand &use : llvm::make_early_inc_range(argument.getUses())) {
      if (!isAlias(use.getOwner())) continue;
      if (!copy) copy = ir::CastOp::create(b, argument.getLoc(), argument.getType(), argument);
      use.set(copy);
    }
    if (copy) count("fuse.copies");
  }
}

/// The operations in groups that a value is read from through pulled moves.
void Fuser::producers(Value v, llvm::SetVector<Operation *> &found) {
  DenseSet<Operation *> seen;
  auto visit = [&](auto &self, Value v) -> void {
    Operation *op = v.getDefiningOp();
    if (!op) return;
    if (!isPulled(op) && !isAlias(op)) return void(found.insert(op));
    if (!seen.insert(op).second) return;
    for (Value operand : op->getOperands()) self(self, operand);
  };
  visit(visit, v);
}

static Group *now(Group *g) {
  while (g->partOf) g = g->partOf;
  return g;
}

std::unique_ptr<Group> Fuser::alone(Operation *op) {
  auto g = std::make_unique<Group>();
  g->ops.insert(op);
  g->kind = ir::KernelKind::Elementwise;
  g->space = ir::typeOf(op->getResult(0)).shape;
  auto words = ir::wordsOf(op);
  if (isReducer(op)) {
    g->kind = ir::KernelKind::Reduction;
    g->space = ir::typeOf(op->getOperand(0)).shape;
    g->axis = int(ir::isKind(op, Kind::Reduce) ? words[1] : words[0]);
  } else if (isVectorProduct(op)) {
    g->kind = ir::KernelKind::Reduction;
    bool xIsMatrix = ir::typeOf(op->getOperand(0)).shape.rank > ir::typeOf(op->getOperand(1)).shape.rank;
    g->space = ir::typeOf(op->getOperand(xIsMatrix ? 0 : 1)).shape;
    g->axis = int(words[words.size() - (xIsMatrix ? 2 : 1)]);
  } else if (isa<ir::DotGeneralOp>(op)) {
    g->kind = ir::KernelKind::Contraction;
  } else {
    switch (info(*ir::opOf(op)).kind) {
    case Kind::Assemble: g->kind = ir::KernelKind::Assemble; break;
    case Kind::Scatter: g->kind = ir::KernelKind::Scatter; break;
    case Kind::Scan: g->kind = ir::KernelKind::Scan; break;
    case Kind::Compact: g->kind = ir::KernelKind::Compact; break;
    case Kind::Sort: g->kind = ir::KernelKind::Sort; break;
    case Kind::Convolve: g->kind = ir::KernelKind::Convolution; break;
    case Kind::Library: g->kind = ir::KernelKind::Library; break;
    default: break;
    }
  }
  return g;
}

/// The shapes of values in a reduction: all positions, without the reduced axis, or with it as a unit axis.
bool belongs(const Group &g, const Dims &shape) {
  if (shape == g.space) return true;
  if (g.axis < 0) return false;
  Dims reduced = g.space, unit = g.space;
  reduced.erase(g.axis);
  unit[g.axis] = 1;
  return shape == reduced || shape == unit;
}

/// Whether `op`, in a kernel of the shape of `target`, reads `operand` out of `g` only at the position it runs over itself.
bool Fuser::readsNaturally(Group &g, const Group &target, Operation *op, Value operand) {
  // Axes of the kernel by number, -1 for a unit axis.
  auto natural = [&](const Dims &shape) {
    SmallVector<int> axes;
    bool isReduced = shape.rank < target.space.rank;
    for (int i = 0; i < target.space.rank; ++i)
      if (i != target.axis) axes.push_back(i);
      else if (!isReduced) axes.push_back(shape == target.space ? i : -1);
    return axes;
  };
  bool isReducing = isReducer(op) || isVectorProduct(op);
  DenseMap<Value, SmallVector<SmallVector<int>, 1>> seen; // and found natural, or under way
  auto walk = [&](auto &self, Value v, SmallVector<int> axes) -> bool {
    Operation *producer = v.getDefiningOp();
    if (!producer || llvm::is_contained(seen[v], axes)) return true;
    seen[v].push_back(axes);
    if (groupOf.lookup(producer) == &g) return belongs(target, ir::typeOf(v).shape) && axes == natural(ir::typeOf(v).shape);
    if (isAlias(producer)) { // read from memory: written before this kernel, not in it
      llvm::SetVector<Operation *> found;
      producers(v, found);
      return llvm::none_of(found, [&](Operation *p) { return groupOf.lookup(p) == &g; });
    }
    if (!isPulled(producer) && producer != op) return true;
    auto words = ir::wordsOf(producer);
    SmallVector<int> from;
    if (auto broadcast = dyn_cast<ir::BroadcastOp>(producer)) {
      Dims x = ir::typeOf(broadcast.getX()).shape, to = ir::typeOf(broadcast.getResult()).shape;
      for (int i = 0; i < x.rank; ++i) {
        int64_t a = broadcast.getAxes()[size_t(i)];
        from.push_back(x[i] == 1 && to[int(a)] != 1 ? -1 : axes[size_t(a)]);
      }
    } else if (auto reshape = dyn_cast<ir::ReshapeOp>(producer)) {
      Dims x = ir::typeOf(reshape.getX()).shape, to = ir::typeOf(reshape.getResult()).shape;
      from = ir::throughUnitAxes(x, to, ArrayRef(axes), -1);
    } else if (ir::isKind(producer, Kind::Index)) {
      llvm::SetVector<Operation *> found;
      for (Value x : producer->getOperands()) producers(x, found);
      return llvm::none_of(found, [&](Operation *p) { return groupOf.lookup(p) == &g; });
    }
    return llvm::all_of(producer->getOperands(), [&](Value x) { return self(self, x, from); });
  };
  if (isVectorProduct(op) && ir::typeOf(operand).shape.rank != target.space.rank) { // the vector: read at other positions
    llvm::SetVector<Operation *> found;
    producers(operand, found);
    return llvm::none_of(found, [&](Operation *p) { return groupOf.lookup(p) == &g; });
  }
  if (ir::isKind(op, Kind::Index)) return walk(walk, op->getResult(0), natural(ir::typeOf(op->getResult(0)).shape)); // moves itself
  return walk(walk, operand, natural(isReducing ? target.space : ir::typeOf(op->getResult(0)).shape));
}

/// Products and convolutions go on elementwise from their result, part by part.
bool takesEpilogue(const Group &g) { return g.kind == ir::KernelKind::Contraction || g.kind == ir::KernelKind::Convolution; }

/// Why the kernel of `g` cannot also run `what`, whose kernel would be `op`; empty: it can, and then takes over its reduction.
StringRef Fuser::misfit(Group &g, Group &op, Operation *what) {
  constexpr StringRef kOtherShape = "has another shape";
  if (g.ops.size() > kMostOps) return "that kernel is full";
  if (isa<ir::GatherOp>(what)) return "reads any position of it";
  if (op.kind > ir::KernelKind::Reduction) return "is a kernel of its own";
  if (takesEpilogue(g)) {
    if (!ir::isKind(what, Kind::Elementwise)) return "is not elementwise";
    if (!(op.space == g.space)) return kOtherShape;
  } else if (g.kind > ir::KernelKind::Reduction) {
    return "that kernel takes nothing behind it";
  }
  Group target = {g.kind, g.space, g.axis, {}};
  if (op.axis >= 0) {
    if (g.axis >= 0 && !(g.axis == op.axis && g.space == op.space)) return "reduces another axis";
    target = {ir::KernelKind::Reduction, op.space, op.axis, {}};
    for (Operation *member : g.ops)
      if (!(ir::typeOf(member->getResult(0)).shape == target.space) && g.axis < 0) return kOtherShape;
  } else if (!belongs(g, op.space)) {
    return kOtherShape;
  }
  bool isNatural = llvm::all_of(what->getOperands(), [&](Value v) { return readsNaturally(g, target, what, v); });
  return isNatural ? "" : "reads it at other positions";
}

/// Remembers for people why `op`, of which `g` is made, is not in `other`.
void Fuser::note(Group &g, Operation *op, Group &other, StringRef why) {
  Builder b(op->getContext());
  auto nameOf = [&](Operation *o) { return b.getStringAttr(o->getName().stripDialect()); };
  auto placeOf = [&](Operation *o) {
    auto place = dyn_cast<FileLineColLoc>(o->getLoc());
    return b.getI64IntegerAttr(place ? int64_t(place.getLine()) : -1);
  };
  Operation *from = other.ops.back();
  g.apart.push_back(b.getArrayAttr({nameOf(op), placeOf(op), nameOf(from), placeOf(from), b.getStringAttr(why)}));
}

/// Whether one of the groups, with `op`, would be read from outside by what it reads itself.
bool Fuser::makesCycle(ArrayRef<Group *> merged, ArrayRef<Group *> read) {
  DenseSet<Group *> inside(merged.begin(), merged.end()), seen;
  auto reaches = [&](auto &self, Group *g) -> bool {
    if (inside.contains(g)) return true;
    if (!seen.insert(g).second) return false;
    return llvm::any_of(g->reads, [&](Group *from) { return now(from) != g && self(self, now(from)); });
  };
  auto leadsBack = [&](Group *g) { return !inside.contains(now(g)) && reaches(reaches, now(g)); };
  return llvm::any_of(read, leadsBack) || llvm::any_of(merged, [&](Group *g) { return llvm::any_of(g->reads, leadsBack); });
}

bool Fuser::readsFrom(Group &reader, Group &g) {
  return llvm::any_of(reader.reads, [&](Group *from) { return now(from) == &g; });
}

/// Why the kernel of `g`, which `op` in that of `home` reads from, cannot become a part of it.
StringRef Fuser::cannotJoin(Group &g, Group &home, Operation *op, ArrayRef<Group *> read) {
  if (g.kind > ir::KernelKind::Reduction) return "that kernel takes nothing behind it";
  if (!(g.space == home.space)) return "has another shape";
  if (g.axis != home.axis && g.axis >= 0) return "reduces another axis";
  if (g.ops.size() + home.ops.size() > kMostOps) return "both would be too many operations";
  if (makesCycle({&home, &g}, read)) return "would come both before and after another kernel";
  bool isNatural = llvm::all_of(op->getOperands(), [&](Value v) { return readsNaturally(g, home, op, v); });
  // Kernels of which one reads the other are two because it does so at other positions.
  return isNatural && !readsFrom(g, home) && !readsFrom(home, g) ? "" : "reads it at other positions";
}

/// Whether what `g` computes is little, and read by a matrix product alone, as its operand.
bool Fuser::isPrologue(Group &g, Operation *product, Value operand) {
  constexpr int kLittle = 8; // in costs of the records: a product reads an element several times at most
  DType dtype = ir::typeOf(operand).dtype;
  if (g.kind != ir::KernelKind::Elementwise || (dtype != DType::F32 && dtype != DType::F64)) return false;
  int cost = 0;
  for (Operation *member : g.ops) {
    cost += info(*ir::opOf(member)).cost;
    bool isInside = llvm::all_of(member->getUsers(), [&](Operation *user) { return user == product || groupOf.lookup(user) == &g; });
    if (!isInside || !ir::isKind(member, Kind::Elementwise)) return false;
    if (!(ir::typeOf(member->getResult(0)).shape == ir::typeOf(operand).shape)) return false;
  }
  return cost <= kLittle && operand.hasOneUse();
}

/// The operands of a product that become part of its kernel.
void Fuser::takePrologues(Group &g, Operation *product) {
  for (Value operand : product->getOperands()) {
    Operation *from = operand.getDefiningOp();
    Group *other = from ? groupOf.lookup(from) : nullptr;
    if (!other || !isPrologue(*other, product, operand)) continue;
    for (Operation *member : other->ops) groupOf[member] = &g;
    g.ops.insert(other->ops.begin(), other->ops.end());
    g.reads.insert(other->reads.begin(), other->reads.end());
    other->ops.clear();
    other->partOf = &g;
    count("fuse.prologues");
  }
}

Group *Fuser::place(Operation *op) {
  auto mine = alone(op);
  if (mine->kind == ir::KernelKind::Contraction) takePrologues(*mine, op);
  llvm::SetVector<Operation *> found;
  for (Value v : op->getOperands()) producers(v, found);
  // The latest producer's kernel first: what it reads is there already.
  llvm::SetVector<Group *> candidates;
  for (Operation *p : llvm::reverse(found))
    if (Group *g = groupOf.lookup(p); g && g != mine.get()) candidates.insert(g);
  SmallVector<Group *> inOrder(candidates.begin(), candidates.end());
  llvm::stable_sort(inOrder, [](Group *a, Group *b) { return takesEpilogue(*a) > takesEpilogue(*b); }); // others can join it
  Group *home = nullptr;
  for (Group *g : inOrder) {
    if (!home) {
      StringRef why = misfit(*g, *mine, op);
      if (why.empty() && makesCycle({g}, inOrder)) why = "would come both before and after another kernel";
      if (!why.empty()) {
        note(*mine, op, *g, why);
        continue;
      }
      home = g;
      if (mine->axis >= 0) home->kind = ir::KernelKind::Reduction, home->space = mine->space, home->axis = mine->axis;
      continue;
    }
    // Another producer over the same positions joins as well.
    StringRef why = cannotJoin(*g, *home, op, inOrder);
    if (!why.empty()) {
      note(*home, op, *g, why);
      continue;
    }
    for (Operation *member : g->ops) groupOf[member] = home;
    home->ops.insert(g->ops.begin(), g->ops.end());
    home->reads.insert(g->reads.begin(), g->reads.end());
    home->apart.append(g->apart);
    g->ops.clear();
    g->partOf = home;
  }
  Group *reader = home ? home : mine.get();
  for (Group *g : inOrder)
    if (now(g) != reader) reader->reads.insert(now(g));
  if (home) {
    home->ops.insert(op);
    count("fuse.fused-ops");
    return home;
  }
  groups.push_back(std::move(mine));
  return groups.back().get();
}

/// Kernels in an order in which each reads only what earlier ones wrote.
SmallVector<Group *> Fuser::sorted() {
  SmallVector<Group *> order;
  DenseSet<Group *> done;
  auto visit = [&](auto &self, Group *g) -> void {
    if (!done.insert(g).second) return;
    for (Operation *member : g->ops) {
      llvm::SetVector<Operation *> found;
      for (Value v : member->getOperands()) producers(v, found);
      for (Operation *p : found)
        if (Group *from = groupOf.lookup(p); from && from != g) self(self, from);
    }
    order.push_back(g);
  };
  for (auto &g : groups)
    if (!g->ops.empty()) visit(visit, g.get());
  return order;
}

bool Fuser::leavesGroup(Group &g, Value v) {
  DenseSet<Operation *> seen;
  auto leaves = [&](auto &self, Value v) -> bool {
    return llvm::any_of(v.getUsers(), [&](Operation *user) {
      if (user->hasTrait<OpTrait::IsTerminator>() || isAlias(user)) return true;
      if (!isPulled(user)) return groupOf.lookup(user) != &g;
      return seen.insert(user).second && self(self, user->getResult(0));
    });
  };
  return leaves(leaves, v);
}

/// The memory of a value of the old program in the new one.
Value Fuser::outside(Value v, IRMapping &outer, OpBuilder &b) {
  if (Value known = outer.lookupOrNull(v)) return known;
  Operation *alias = v.getDefiningOp();
  if (!alias) return v;
  Value x = outside(alias->getOperand(0), outer, b);
  Operation *copy = b.clone(*alias);
  copy->setOperand(0, x);
  outer.map(v, copy->getResult(0));
  return copy->getResult(0);
}

Value Fuser::cloneInto(Group &g, Value v, IRMapping &inner, SmallVectorImpl<Value> &inputs, Block *body, OpBuilder &b) {
  if (Value known = inner.lookupOrNull(v)) return known;
  Operation *op = v.getDefiningOp();
  if (op && (groupOf.lookup(op) == &g || isPulled(op))) {
    for (Value operand : op->getOperands()) cloneInto(g, operand, inner, inputs, body, b);
    b.clone(*op, inner);
    return inner.lookup(v);
  }
  inputs.push_back(v);
  inner.map(v, body->addArgument(v.getType(), v.getLoc()));
  return inner.lookup(v);
}

/// Where the operation stands that gives a kernel with an epilogue its kind.
size_t mainOf(ArrayRef<Operation *> ops) {
  return size_t(llvm::find_if(ops, [](Operation *op) { return ir::isKind(op, Kind::Contract) || ir::isKind(op, Kind::Convolve); }) -
                ops.begin());
}

void Fuser::emit(Group &g, IRMapping &outer, OpBuilder &b) {
  SmallVector<Operation *> ops(g.ops.begin(), g.ops.end());
  llvm::sort(ops, [](Operation *a, Operation *c) { return a->isBeforeInBlock(c); });
  SmallVector<Value> results;
  for (Operation *op : ops)
    if (op->getNumResults() > 1) llvm::append_range(results, op->getResults()); // its routine writes all of them
    else if (leavesGroup(g, op->getResult(0))) results.push_back(op->getResult(0));
  // The main result needs memory on the way, that of a result of its type.
  if (takesEpilogue(g) && llvm::none_of(results, [&](Value v) { return v.getType() == ops[mainOf(ops)]->getResult(0).getType(); }))
    results.push_back(ops[mainOf(ops)]->getResult(0));

  auto region = std::make_unique<Region>();
  Block *body = new Block;
  region->push_back(body);
  IRMapping inner;
  SmallVector<Value> inputs, yielded;
  OpBuilder in(b.getContext());
  in.setInsertionPointToEnd(body);
  for (Value v : results) yielded.push_back(cloneInto(g, v, inner, inputs, body, in));
  ir::YieldOp::create(in, fn.getLoc(), yielded);

  SmallVector<Value> operands;
  for (Value v : inputs) operands.push_back(outside(v, outer, b));
  auto kernel = ir::KernelOp::create(b, ops.back()->getLoc(), TypeRange(ValueRange(results).getTypes()), operands,
                                     b.getStringAttr(ir::kKernelKinds[size_t(g.kind)]), nullptr);
  kernel.getBody().takeBody(*region);
  if (!g.apart.empty()) kernel->setAttr(ir::kApart, b.getArrayAttr(g.apart));
  for (auto [old, result] : llvm::zip(results, kernel.getResults())) outer.map(old, result);
  count("fuse.kernels");
}

void Fuser::run() {
  copyAliasedOutputs();
  findRoots();
  copyReshapedArguments();
  for (Operation &op : block.without_terminator())
    if (!isPulled(&op) && !isAlias(&op)) {
      Group *g = place(&op);
      groupOf[&op] = g;
    }
  Operation *end = block.getTerminator();
  OpBuilder b(end);
  IRMapping outer;
  SmallVector<Operation *> old;
  for (Operation &op : block.without_terminator()) old.push_back(&op);
  for (Group *g : sorted()) emit(*g, outer, b);
  for (OpOperand &output : end->getOpOperands()) output.set(outside(output.get(), outer, b));
  for (Operation *op : llvm::reverse(old)) op->erase();
}

struct Fuse : impl::FuseBase<Fuse> {
  void runOnOperation() override {
    if (getOperation().isDeclaration()) return;
    for (Operation &op : getOperation().getBody().front().without_terminator())
      if (!ir::opOf(&op)) {
        op.emitOpError("expected only operations of the kiln dialect before fusion");
        return signalPassFailure();
      }
    Fuser(getOperation()).run();
  }
};

} // namespace
} // namespace kiln
