// Scans. A line a thread; lines that a warp fetches through shared memory, where the steps of each are in order; and where elements may be
// joined in any groups of neighbours, blocks of threads that exchange what they have.
#include "codegen/nvptx/GroupScanner.h"

using namespace mlir;

namespace kiln::nvptx {
namespace {

class ScanEmitter {
protected:
  ScanEmitter(GpuKernel &k)
      : k(k), e(k.e), ev(k.ev), op(cast<ir::ArrayOp>(k.yielded()[0].getDefiningOp())), out(k.outputs[0]), axis(size_t(op.getAlong()[0])),
        outer(out.shape), size(outer[axis]), dtype(out.dtype) {
    outer[axis] = 1;
    lines = k.product(outer);
  }

  GpuKernel &k;
  Emitter &e;
  Evaluator &ev;
  ir::ArrayOp op;
  const Buffer &out;
  size_t axis;
  Sizes outer;
  Index size, lines; // of a line; how many there are
  DType dtype;
  Coordinates position;

  Expr expr(Value v) { return Expr(e.b, e.loc, v, dtype); }
  Value next(Value before, Value x) { return cpu::scalarOp(op.getId(), expr(before), expr(x), expr(x), dtype).value; }
  Value elementAt(Index i) {
    position[axis] = {i, 0, {}};
    return ev.at(op.getMain(), position).value;
  }
  void storeAt(Index i, Value value) {
    position[axis] = {i, 0, {}};
    ev.storeAt(out, position, expr(value));
  }
  Value either(Value condition, Value yes, Value no) { return arith::SelectOp::create(e.b, e.loc, condition, yes, no); }
};

/// A line a thread; `each` elements are loaded before the first step.
class LineScan : ScanEmitter {
public:
  LineScan(GpuKernel &k, ir::LinesAttr schedule) : ScanEmitter(k), threads(schedule.getThreads()), each(schedule.getEach()) {}

  void run() {
    if (size.isConstant(0)) return;
    forEachPosition(
        k, threads, outer,
        [&](Coordinates &at) {
          position = at;
          position.resize(outer.size());
          Value first = elementAt(0);
          storeAt(0, first);
          Index whole = e.add(e.mul(k.quotient(e.sub(size, 1), each), each), 1);
          Value before = e.loop(1, whole, each, ValueRange{first}, [&](Index from, ValueRange carried) {
            Evaluator::Scope scope(ev, 0, {});
            return SmallVector<Value>{steps(from, each, carried[0])};
          })[0];
          if (size.isStatic()) steps(whole, size.number() - whole.number(), before);
          else
            e.loop(whole, size, 1, ValueRange{before}, [&](Index from, ValueRange carried) {
              Evaluator::Scope scope(ev, 0, {});
              return SmallVector<Value>{steps(from, 1, carried[0])};
            });
        },
        int64_t(axis));
  }

private:
  int64_t threads, each;

  Value steps(Index from, int64_t count, Value before) {
    SmallVector<Value> elements;
    for (int64_t i = 0; i < count; ++i) elements.push_back(elementAt(e.add(from, i)));
    for (int64_t i = 0; i < count; ++i) storeAt(e.add(from, i), elements[size_t(i)] = before = next(before, elements[size_t(i)]));
    return before;
  }
};

/// A warp fetches tiles of some lines into shared memory, a thread goes along each of them, and the warp writes the tile: accesses lie
/// beside each other, and no step waits for memory.
class StagedScan : ScanEmitter {
public:
  StagedScan(GpuKernel &k, ir::LinesAttr schedule) : ScanEmitter(k), held(schedule.getStage()), columns(kTile / held) {}

  void run() {
    k.threads = kWarp, k.blocks = e.ceilDiv(lines, held);
    if (size.isConstant(0)) k.blocks = 0;
    if (k.blocks.isConstant(0)) return;
    memory = k.shared(held * (columns + 1) * byteSize(dtype));
    lane = k.thread(), first = e.mul(k.block(), held);
    for (int64_t line = 0; line < held; ++line) {
      Index number = e.add(first, line);
      bool isThere = isMultiple(lines, held) || line == 0;
      Value condition = isThere ? Value() : e.lessThan(number, lines);
      Coordinates place;
      k.place(place, condition ? Index(either(condition, e.use(number), e.use(first))) : number, outer, int64_t(axis));
      places.push_back({place, condition});
    }
    // The line of this thread goes on from tile to tile.
    e.loop(0, size, columns, ValueRange{e.scalar(dtype, 0).value}, [&](Index from, ValueRange carried) {
      Evaluator::Scope scope(ev, 0, {});
      fetch(from);
      k.barrier();
      Value last = walk(from, carried[0]);
      k.barrier();
      write(from);
      k.barrier();
      return SmallVector<Value>{last};
    });
  }

private:
  static constexpr int64_t kTile = 1024; // elements
  int64_t held, columns;                 // lines; of a tile
  Value memory;
  Index lane, first;
  struct Line {
    Coordinates place;
    Value isThere; // null: it is
  };
  SmallVector<Line> places;

  Index at(Index line, Index column) { return e.add(e.mul(line, columns + 1), column); }

  void forEach(Index from, llvm::function_ref<void(const Line &, int64_t, Index, Value)> body) {
    for (int64_t i = 0; i < kTile; i += kWarp) {
      int64_t line = i / columns;
      Index column = e.add(lane, i % columns);
      Value isInside = isMultiple(size, columns) ? Value() : e.lessThan(e.add(from, column), size);
      body(places[size_t(line)], line, column, isInside);
    }
  }

  void fetch(Index from) {
    SmallVector<std::pair<Index, Value>> elements; // all before the first is stored
    forEach(from, [&](const Line &line, int64_t number, Index column, Value isInside) {
      position = line.place;
      Value x = GroupScanner::loadWhere(k, dtype, isInside, e.add(from, column), from, [&](Index i) { return elementAt(i); });
      elements.push_back({at(number, column), x});
    });
    for (auto [to, x] : elements) e.store(memory, to, expr(x));
  }

  Value walk(Index from, Value before) {
    constexpr int64_t kSome = 16;
    auto branch = scf::IfOp::create(e.b, e.loc, TypeRange{before.getType()}, e.lessThan(lane, held), true);
    OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(e.b, e.loc, before);
    e.b.setInsertionPointToStart(branch.thenBlock());
    Value last = e.loop(0, columns, kSome, ValueRange{before}, [&](Index column, ValueRange carried) {
      SmallVector<Value> elements;
      for (int64_t i = 0; i < kSome; ++i) elements.push_back(e.load(memory, dtype, at(lane, e.add(column, i)), 0).value);
      Value sum = carried[0];
      for (int64_t i = 0; i < kSome; ++i) {
        Value both = next(sum, elements[size_t(i)]);
        // The first element as it is.
        sum = i ? both : either(e.lessThan(e.add(from, column), 1), elements[0], both);
        elements[size_t(i)] = sum;
      }
      for (int64_t i = 0; i < kSome; ++i) e.store(memory, at(lane, e.add(column, i)), expr(elements[size_t(i)]));
      return SmallVector<Value>{sum};
    })[0];
    scf::YieldOp::create(e.b, e.loc, last);
    return branch.getResult(0);
  }

  void write(Index from) {
    forEach(from, [&](const Line &line, int64_t number, Index column, Value isInside) {
      Value condition = isInside;
      if (line.isThere) condition = condition ? arith::AndIOp::create(e.b, e.loc, condition, line.isThere).getResult() : line.isThere;
      position = line.place;
      k.when(condition, [&] { storeAt(e.add(from, column), e.load(memory, dtype, at(number, column), 0).value); });
    });
  }
};

/// Groups of neighbours, by blocks of threads.
class GroupScan : ScanEmitter {
public:
  GroupScan(GpuKernel &k, ir::ScanGroupsAttr schedule) : ScanEmitter(k), schedule(schedule) {}

  void run() {
    auto join = [&](Value before, Value x) { return next(before, x); };
    GroupScanner scanner(k, dtype, lines, size, schedule, join);
    k.launches = scanner.launches();
    if (size.isConstant(0) || lines.isConstant(0)) return;
    auto go = [&](Index line) { k.place(position, line, outer, int64_t(axis)); };
    scanner.emit(
        k.launch,
        [&](Index line, Index at) {
          go(line);
          return elementAt(at);
        },
        [&](Index line, Index at, Value joined) {
          go(line);
          storeAt(at, joined);
        });
  }

private:
  ir::ScanGroupsAttr schedule;
};

} // namespace

void emitScan(GpuKernel &k) {
  if (auto groups = dyn_cast<ir::ScanGroupsAttr>(*k.kernel.getSchedule())) return GroupScan(k, groups).run();
  auto lines = k.schedule<ir::LinesAttr>();
  if (lines.getStage()) StagedScan(k, lines).run();
  else LineScan(k, lines).run();
}

} // namespace kiln::nvptx
