#include "lib/Core/Budget.h"
#include "lib/Core/Stats.h"
#include "passes/Passes.h"
#include "passes/fuse/Fuse/FusionRules.h"
#include "passes/fuse/Fuse/Moves.h"
#include "mlir/IR/IRMapping.h"

#include <deque>

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
  Shape space;   // positions: of the result, or of what is reduced
  int axis = -1; // the reduced one
  llvm::SetVector<Operation *> ops;
  llvm::SetVector<Group *> reads = {}; // the kernels that it reads from; those that have become part of another lead on to it
  Group *partOf = nullptr;
  int64_t first = 0, last = 0;       // places of its operations in the program
  SmallVector<Attribute> apart = {}; // why it is not one with kernels that it reads from
};

class Fuser {
public:
  Fuser(func::FuncOp fn, const FusionRules &rules) : fn(fn), block(fn.getBody().front()), rules(rules), moves(fn, rules) {}
  LogicalResult run();

private:
  func::FuncOp fn;
  Block &block;
  const FusionRules &rules;
  std::vector<std::unique_ptr<Group>> groups;
  DenseMap<Operation *, Group *> groupOf;
  DenseMap<Operation *, int64_t> places; // of operations in the program
  DenseMap<Operation *, int> stages;     // of their kernel, that have run when an operation has
  Moves moves;

  bool isAlias(Operation *op) { return moves.isAlias(op); }
  bool isPulled(Operation *op) { return moves.isPulled(op); }

  Group *place(Operation *op);
  int stageOf(const Group &g, Operation *op);
  bool isPrologue(Group &g, Operation *product, Value operand);
  void takePrologues(Group &g, Operation *product);
  std::unique_ptr<Group> alone(Operation *op);
  StringRef misfit(Group &g, Group &op, Operation *what);
  StringRef cannotJoin(Group &g, Group &home, Operation *op, ArrayRef<Group *> read);
  void note(Group &g, Operation *op, Group &other, StringRef why);
  bool readsNaturally(Group &g, const Group &target, Operation *op, Value operand);
  bool makesCycle(ArrayRef<Group *> merged, ArrayRef<Group *> read);
  bool readsFrom(Group &reader, Group &g);
  Group *onlyReader(Group &g, Operation *op, const DenseMap<Operation *, Group *> &sinking);
  bool isAtHand(Group &g, Group &reader, Value v, const DenseMap<Operation *, Group *> &sinking);
  bool savesMemory(Group &g, Group &reader, ArrayRef<Operation *> ops);
  void sink(Group &g);
  SmallVector<Group *> sorted();

  void emit(Group &g, IRMapping &outer, OpBuilder &b);
  Value cloneInto(Group &g, Value v, IRMapping &inner, SmallVectorImpl<Value> &inputs, Block *body, OpBuilder &b);
  Value outside(Value v, IRMapping &outer, OpBuilder &b);
  bool leavesGroup(Group &g, Value v);
};

static Group *now(Group *g) {
  Group *root = g;
  while (root->partOf) root = root->partOf;
  while (g->partOf) g = std::exchange(g->partOf, root);
  return root;
}

/// `part` becomes a part of `whole`.
static void join(Group &whole, Group &part) {
  whole.ops.insert(part.ops.begin(), part.ops.end());
  whole.reads.insert(part.reads.begin(), part.reads.end());
  whole.first = std::min(whole.first, part.first);
  whole.last = std::max(whole.last, part.last);
  part.ops.clear();
  part.partOf = &whole;
}

std::unique_ptr<Group> Fuser::alone(Operation *op) {
  auto g = std::make_unique<Group>();
  g->ops.insert(op);
  g->first = g->last = places[op];
  g->kind = ir::kernelKindOf(op).value_or(ir::KernelKind::Elementwise);
  g->space = ir::typeOf(op->getResult(0)).shape;
  if (g->kind == ir::KernelKind::Reduction) std::tie(g->space, g->axis) = ir::reducedSpace(op);
  return g;
}

/// The shapes of values in a reduction: all positions, without the reduced axis, or with it as a unit axis.
bool belongs(const Group &g, const Shape &shape) {
  if (shape == g.space) return true;
  if (g.axis < 0) return false;
  Shape reduced = g.space, unit = g.space;
  reduced.erase(g.axis);
  unit[g.axis] = Size(1);
  return shape == reduced || shape == unit;
}

/// Whether `op`, in a kernel of the shape of `target`, reads `operand` out of `g` only at the position it runs over itself.
bool Fuser::readsNaturally(Group &g, const Group &target, Operation *op, Value operand) {
  // Axes of the kernel by number, -1 for a unit axis.
  auto natural = [&](const Shape &shape) {
    SmallVector<int> axes;
    bool isReduced = shape.rank < target.space.rank;
    for (int i = 0; i < target.space.rank; ++i)
      if (i != target.axis) axes.push_back(i);
      else if (!isReduced) axes.push_back(shape == target.space ? i : -1);
    return axes;
  };
  bool isReducing = ir::kernelKindOf(op) == ir::KernelKind::Reduction;
  DenseMap<Value, SmallVector<SmallVector<int>, 1>> seen; // and found natural, or under way
  auto walk = [&](auto &self, Value v, SmallVector<int> axes) -> bool {
    Operation *producer = v.getDefiningOp();
    if (!producer || llvm::is_contained(seen[v], axes)) return true;
    seen[v].push_back(axes);
    if (groupOf.lookup(producer) == &g) return belongs(target, ir::typeOf(v).shape) && axes == natural(ir::typeOf(v).shape);
    if (isAlias(producer)) { // read from memory: written before this kernel, not in it
      llvm::SetVector<Operation *> found;
      moves.producers(v, found);
      return llvm::none_of(found, [&](Operation *p) { return groupOf.lookup(p) == &g; });
    }
    if (!isPulled(producer) && producer != op) return true;
    SmallVector<int> from;
    if (auto broadcast = dyn_cast<ir::BroadcastOp>(producer)) {
      Shape x = ir::typeOf(broadcast.getX()).shape, to = ir::typeOf(broadcast.getResult()).shape;
      for (int i = 0; i < x.rank; ++i) {
        int64_t a = broadcast.getAxes()[size_t(i)];
        from.push_back(x[i].is(1) && !to[int(a)].is(1) ? -1 : axes[size_t(a)]);
      }
    } else if (auto reshape = dyn_cast<ir::ReshapeOp>(producer)) {
      Shape x = ir::typeOf(reshape.getX()).shape, to = ir::typeOf(reshape.getResult()).shape;
      from = ir::throughUnitAxes(x, to, ArrayRef(axes), -1);
    } else if (ir::isKind(producer, Kind::Index)) {
      llvm::SetVector<Operation *> found;
      for (Value x : producer->getOperands()) moves.producers(x, found);
      return llvm::none_of(found, [&](Operation *p) { return groupOf.lookup(p) == &g; });
    }
    return llvm::all_of(producer->getOperands(), [&](Value x) { return self(self, x, from); });
  };
  if (ir::isVectorProduct(op) && ir::typeOf(operand).shape.rank != target.space.rank) { // the vector: read at other positions
    llvm::SetVector<Operation *> found;
    moves.producers(operand, found);
    return llvm::none_of(found, [&](Operation *p) { return groupOf.lookup(p) == &g; });
  }
  if (ir::isKind(op, Kind::Index)) return walk(walk, op->getResult(0), natural(ir::typeOf(op->getResult(0)).shape)); // moves itself
  return walk(walk, operand, natural(isReducing ? target.space : ir::typeOf(op->getResult(0)).shape));
}

/// Whether an op takes, from an array as long as a mask, the elements where that is true, which the kernel of `g` finds for it alone.
static bool takesWhereTrue(const Group &g, Operation *op) {
  auto gather = dyn_cast<ir::GatherOp>(op);
  return gather && g.kind == ir::KernelKind::Compact && g.ops.size() == 1 && ir::isCompress(gather) &&
         gather.getIndices().getDefiningOp() == g.ops[0] && gather.getIndices().hasOneUse();
}

/// Why the kernel of `g` cannot also run `what`, whose kernel would be `op`; empty: it can, and then takes over its reduction.
StringRef Fuser::misfit(Group &g, Group &op, Operation *what) {
  constexpr StringRef kOtherShape = "has another shape";
  if (g.ops.size() > rules.mostOps || stageOf(g, what) > rules.mostStages) return "that kernel is full";
  if (StringRef why = rules.refuses(g.kind, cast<ir::ArrayOp>(what)); !why.empty()) return why;
  if (takesWhereTrue(g, what)) return "";
  if (isa<ir::GatherOp>(what)) return "reads any position of it";
  if (!ir::isNest(op.kind)) return "is a kernel of its own";
  if (ir::takesEpilogue(g.kind)) {
    if (!ir::isKind(what, Kind::Elementwise)) return "is not elementwise";
    if (!(op.space == g.space)) return kOtherShape;
  } else if (!ir::isNest(g.kind)) {
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

/// How many stages of reductions of `g` have run when `op`, in it, has.
int Fuser::stageOf(const Group &g, Operation *op) {
  llvm::SetVector<Operation *> found;
  for (Value v : op->getOperands()) moves.producers(v, found);
  int stage = 0;
  for (Operation *p : found)
    if (groupOf.lookup(p) == &g) stage = std::max(stage, stages.lookup(p));
  return stage + (ir::kernelKindOf(op) == ir::KernelKind::Reduction);
}

/// Whether one of the groups, with `op`, would be read from outside by what it reads itself; also where finding out takes too long.
bool Fuser::makesCycle(ArrayRef<Group *> merged, ArrayRef<Group *> read) {
  constexpr size_t kMostSteps = 4096;
  DenseSet<Group *> inside(merged.begin(), merged.end()), seen;
  int64_t first = std::numeric_limits<int64_t>::max();
  for (Group *g : merged) first = std::min(first, g->first);
  std::deque<Group *> ahead;      // the nearest first
  auto visit = [&](Group *from) { // what ends before they start does not read them
    if (Group *g = now(from); !inside.contains(g) && g->last > first && seen.insert(g).second) ahead.push_back(g);
  };
  llvm::for_each(read, visit);
  for (Group *g : merged) llvm::for_each(g->reads, visit);
  for (; !ahead.empty(); ahead.pop_front()) {
    auto leadsBack = [&](Group *from) { return inside.contains(now(from)); };
    if (seen.size() > kMostSteps || llvm::any_of(ahead.front()->reads, leadsBack)) return true;
    llvm::for_each(ahead.front()->reads, visit);
  }
  return false;
}

bool Fuser::readsFrom(Group &reader, Group &g) {
  return llvm::any_of(reader.reads, [&](Group *from) { return now(from) == &g; });
}

/// Why the kernel of `g`, which `op` in that of `home` reads from, cannot become a part of it.
StringRef Fuser::cannotJoin(Group &g, Group &home, Operation *op, ArrayRef<Group *> read) {
  if (!ir::isNest(g.kind)) return "that kernel takes nothing behind it";
  if (!ir::isNest(home.kind) && !ir::takesEpilogue(home.kind)) return "is a kernel of its own";
  if (!(g.space == home.space)) return "has another shape";
  if (g.axis != home.axis && g.axis >= 0) return "reduces another axis";
  if (g.ops.size() + home.ops.size() > rules.mostOps) return "both would be too many operations";
  if (makesCycle({&home, &g}, read)) return "would come both before and after another kernel";
  bool isNatural = llvm::all_of(op->getOperands(), [&](Value v) { return readsNaturally(g, home, op, v); });
  // Kernels of which one reads the other are two because it does so at other positions.
  return isNatural && !readsFrom(g, home) && !readsFrom(home, g) ? "" : "reads it at other positions";
}

/// Whether what `g` computes is little, and read by a matrix product alone, as its operand.
bool Fuser::isPrologue(Group &g, Operation *product, Value operand) {
  DType dtype = ir::typeOf(operand).dtype;
  if (g.kind != ir::KernelKind::Elementwise || (dtype != DType::F32 && dtype != DType::F64)) return false;
  int cost = 0;
  for (Operation *member : g.ops) {
    cost += rules.costOf(cast<ir::ArrayOp>(member));
    bool isInside = llvm::all_of(member->getUsers(), [&](Operation *user) { return user == product || groupOf.lookup(user) == &g; });
    if (!isInside || !ir::isKind(member, Kind::Elementwise)) return false;
    if (!(ir::typeOf(member->getResult(0)).shape == ir::typeOf(operand).shape)) return false;
  }
  return cost <= rules.mostPrologue && operand.hasOneUse();
}

/// The operands of a product that become part of its kernel.
void Fuser::takePrologues(Group &g, Operation *product) {
  for (Value operand : product->getOperands()) {
    Operation *from = operand.getDefiningOp();
    Group *other = from ? groupOf.lookup(from) : nullptr;
    if (!other || !isPrologue(*other, product, operand)) continue;
    for (Operation *member : other->ops) groupOf[member] = &g;
    join(g, *other);
    count("fuse.prologues");
  }
}

Group *Fuser::place(Operation *op) {
  auto mine = alone(op);
  if (mine->kind == ir::KernelKind::Contraction) takePrologues(*mine, op);
  llvm::SetVector<Operation *> found;
  for (Value v : op->getOperands()) moves.producers(v, found);
  // The latest producer's kernel first: what it reads is there already.
  llvm::SetVector<Group *> candidates;
  for (Operation *p : llvm::reverse(found))
    if (Group *g = groupOf.lookup(p); g && g != mine.get()) candidates.insert(g);
  SmallVector<Group *> inOrder(candidates.begin(), candidates.end());
  llvm::stable_sort(inOrder,
                    [](Group *a, Group *b) { return ir::takesEpilogue(a->kind) > ir::takesEpilogue(b->kind); }); // others can join it
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
    home->apart.append(g->apart);
    join(*home, *g);
  }
  Group *reader = home ? home : mine.get();
  for (Group *g : inOrder)
    if (now(g) != reader) reader->reads.insert(now(g));
  if (home) {
    home->ops.insert(op);
    home->last = places[op];
    count("fuse.fused-ops");
    return home;
  }
  groups.push_back(std::move(mine));
  return groups.back().get();
}

/// The kernel that alone reads an operation of `g`, besides operations that are to move there; null where there is none or it cannot run
/// it.
Group *Fuser::onlyReader(Group &g, Operation *op, const DenseMap<Operation *, Group *> &sinking) {
  if (!ir::isKind(op, Kind::Elementwise) || op->use_empty()) return nullptr;
  const Shape &shape = ir::typeOf(op->getResult(0)).shape;
  Group *reader = nullptr;
  for (Operation *user : op->getUsers()) {
    Group *from = groupOf.lookup(user);
    if (from == &g) from = sinking.lookup(user);
    bool isAlike = from && !isPulled(user) && !isAlias(user) &&
                   (ir::kernelKindOf(user) == ir::KernelKind::Reduction ||
                    (ir::isKind(user, Kind::Elementwise) && ir::typeOf(user->getResult(0)).shape == shape));
    if (!isAlike || (reader && from != reader)) return nullptr;
    reader = from;
  }
  bool isRoomy =
      reader->space == shape && reader->ops.size() < rules.mostOps && (ir::isNest(reader->kind) || ir::takesEpilogue(reader->kind));
  return isRoomy && rules.refuses(reader->kind, cast<ir::ArrayOp>(op)).empty() ? reader : nullptr;
}

/// Whether `reader` has an operand of an operation that moves there from `g`, or finds it in memory that is written anyway.
bool Fuser::isAtHand(Group &g, Group &reader, Value v, const DenseMap<Operation *, Group *> &sinking) {
  Operation *from = v.getDefiningOp();
  if (from && isPulled(from)) return isa<ir::BroadcastOp, ir::ConstantOp>(from);
  if (from && groupOf.lookup(from) == &g) return sinking.contains(from) || leavesGroup(g, v);
  return llvm::any_of(v.getUsers(), [&](Operation *user) { return groupOf.lookup(user) == &reader; });
}

/// Whether operations of `g` write no less than what `reader` has to read in their place.
bool Fuser::savesMemory(Group &g, Group &reader, ArrayRef<Operation *> ops) {
  auto bytesOf = [](Value v) { return byteSize(ir::typeOf(v).dtype); };
  auto isReadBy = [&](Value v, Group &by) {
    return llvm::any_of(v.getUsers(), [&](Operation *user) { return groupOf.lookup(user) == &by; });
  };
  int64_t written = 0, read = 0;
  llvm::SetVector<Value> needed;
  for (Operation *op : ops) {
    if (isReadBy(op->getResult(0), reader)) written += bytesOf(op->getResult(0));
    for (Value v : op->getOperands())
      if (Operation *from = v.getDefiningOp(); from && groupOf.lookup(from) == &g && !llvm::is_contained(ops, from)) needed.insert(v);
  }
  for (Value v : needed) read += isReadBy(v, reader) ? 0 : bytesOf(v);
  return read <= written;
}

/// What only another kernel reads moves there, where it follows from what is in memory: of `tanh`, whose derivative is computed with its
/// gradient, the result alone is written.
void Fuser::sink(Group &g) {
  DenseMap<Operation *, Group *> sinking;
  SmallVector<Operation *> ops(g.ops.begin(), g.ops.end());
  llvm::sort(ops, [](Operation *a, Operation *c) { return a->isBeforeInBlock(c); });
  for (Operation *op : llvm::reverse(ops))
    if (Group *reader = onlyReader(g, op, sinking); reader && reader != &g) sinking[op] = reader;
  for (bool isStable = false; !isStable;) { // what has to stay keeps what it reads
    isStable = true;
    for (Operation *op : ops) {
      Group *reader = sinking.lookup(op);
      if (!reader) continue;
      bool mayMove = onlyReader(g, op, sinking) == reader &&
                     llvm::all_of(op->getOperands(), [&](Value v) { return isAtHand(g, *reader, v, sinking); });
      if (!mayMove) isStable = !sinking.erase(op);
    }
  }
  llvm::MapVector<Group *, SmallVector<Operation *>> moved;
  for (Operation *op : ops)
    if (Group *reader = sinking.lookup(op)) moved[reader].push_back(op);
  for (auto &[reader, found] : moved) {
    if (found.size() == ops.size() || reader->ops.size() + found.size() > rules.mostOps || !savesMemory(g, *reader, found)) continue;
    for (Operation *op : found) groupOf[op] = reader, g.ops.remove(op), reader->ops.insert(op);
    count("fuse.sunk", int64_t(found.size()));
  }
}

/// Kernels in an order in which each reads only what earlier ones wrote.
SmallVector<Group *> Fuser::sorted() {
  SmallVector<Group *> order;
  DenseSet<Group *> seen;
  struct Visit {
    Group *group;
    SmallVector<Group *> reads; // not looked at yet, the next one last
  };
  std::vector<Visit> path;
  auto enter = [&](Group *g) {
    if (!seen.insert(g).second) return;
    llvm::SetVector<Group *> reads;
    for (Operation *member : g->ops) {
      llvm::SetVector<Operation *> found;
      for (Value v : member->getOperands()) moves.producers(v, found);
      for (Operation *p : found)
        if (Group *from = groupOf.lookup(p); from && from != g) reads.insert(from);
    }
    path.push_back({g, SmallVector<Group *>(llvm::reverse(reads.getArrayRef()))});
  };
  for (auto &g : groups) {
    if (!g->ops.empty()) enter(g.get());
    while (!path.empty()) {
      if (!path.back().reads.empty()) {
        enter(path.back().reads.pop_back_val());
        continue;
      }
      order.push_back(path.back().group);
      path.pop_back();
    }
  }
  return order;
}

bool Fuser::leavesGroup(Group &g, Value v) {
  DenseSet<Operation *> seen;
  SmallVector<Value> ahead = {v};
  while (!ahead.empty())
    for (Operation *user : ahead.pop_back_val().getUsers()) {
      if (user->hasTrait<OpTrait::IsTerminator>() || isAlias(user)) return true;
      if (isPulled(user)) {
        if (seen.insert(user).second) ahead.push_back(user->getResult(0));
      } else if (groupOf.lookup(user) != &g) {
        return true;
      }
    }
  return false;
}

/// The memory of a value of the old program in the new one.
Value Fuser::outside(Value v, IRMapping &outer, OpBuilder &b) {
  SmallVector<Operation *> aliases;
  Value root = v;
  while (!outer.contains(root) && root.getDefiningOp()) {
    aliases.push_back(root.getDefiningOp());
    root = aliases.back()->getOperand(0);
  }
  Value known = outer.lookupOrDefault(root);
  for (Operation *alias : llvm::reverse(aliases)) {
    Operation *copy = b.clone(*alias);
    copy->setOperand(0, known);
    known = copy->getResult(0);
    outer.map(alias->getResult(0), known);
  }
  return known;
}

/// A value with what it follows from, in the body of the kernel of `g`; what comes from elsewhere is an input.
Value Fuser::cloneInto(Group &g, Value v, IRMapping &inner, SmallVectorImpl<Value> &inputs, Block *body, OpBuilder &b) {
  SmallVector<std::pair<Value, unsigned>> path = {{v, 0}}; // values under way, and the operand to look at next
  while (!path.empty()) {
    auto &[value, next] = path.back();
    Operation *op = value.getDefiningOp();
    bool isOutside = !op || (groupOf.lookup(op) != &g && !isPulled(op));
    if (inner.contains(value)) {
      path.pop_back();
    } else if (isOutside) {
      inputs.push_back(value);
      inner.map(value, body->addArgument(value.getType(), value.getLoc()));
    } else if (next < op->getNumOperands()) {
      Value operand = op->getOperand(next++);
      path.push_back({operand, 0});
    } else {
      b.clone(*op, inner);
    }
  }
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
  if (ir::takesEpilogue(g.kind) && llvm::none_of(results, [&](Value v) { return v.getType() == ops[mainOf(ops)]->getResult(0).getType(); }))
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
  auto kernel = ir::KernelOp::create(b, ops.back()->getLoc(), TypeRange(ValueRange(results).getTypes()), operands, g.kind, nullptr, nullptr,
                                     nullptr, g.apart.empty() ? nullptr : b.getArrayAttr(g.apart));
  kernel.getBody().takeBody(*region);
  for (auto [old, result] : llvm::zip(results, kernel.getResults())) outer.map(old, result);
  count("fuse.kernels");
}

LogicalResult Fuser::run() {
  constexpr int64_t kBetween = 1024; // looks at the budget
  constexpr double kShare = 0.25;
  moves.prepare();
  for (auto [i, op] : llvm::enumerate(block.without_terminator())) {
    if (isPulled(&op) || isAlias(&op)) continue;
    if (i % kBetween == 0 && Budget::isUsedUp(kShare)) return fn.emitError(Budget::why());
    places[&op] = int64_t(i);
    Group *g = place(&op);
    stages[&op] = stageOf(*g, &op);
    groupOf[&op] = g;
  }
  for (auto &g : groups) sink(*g);
  Operation *end = block.getTerminator();
  OpBuilder b(end);
  IRMapping outer;
  SmallVector<Operation *> old;
  for (Operation &op : block.without_terminator()) old.push_back(&op);
  for (Group *g : sorted()) emit(*g, outer, b);
  for (OpOperand &output : end->getOpOperands()) output.set(outside(output.get(), outer, b));
  for (Operation *op : llvm::reverse(old)) op->erase();
  return success();
}

struct Fuse : impl::FuseBase<Fuse> {
  static inline const FusionRules common;
  const FusionRules *rules = &common;

  void runOnOperation() override {
    if (getOperation().isDeclaration()) return;
    if (!getOperation().getBody().hasOneBlock()) {
      getOperation().emitError("expected a function of one block before fusion");
      return signalPassFailure();
    }
    for (Operation &op : getOperation().getBody().front().without_terminator())
      if (!isa<ir::ArrayOp>(op)) {
        op.emitOpError("expected only operations of the kiln dialect before fusion");
        return signalPassFailure();
      }
    if (failed(Fuser(getOperation(), *rules).run())) signalPassFailure();
  }
};

} // namespace

std::unique_ptr<Pass> createFuseFor(const FusionRules &rules) {
  auto pass = std::make_unique<Fuse>();
  pass->rules = &rules;
  return pass;
}

} // namespace kiln
