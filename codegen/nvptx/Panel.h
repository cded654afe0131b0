// A block of an operand of a product in shared memory, once for each stage: while threads multiply one stage, the next are on their way.
#pragma once

#include "codegen/nvptx/Kernels.h"

namespace kiln::nvptx {

/// How an operand comes into shared memory: by asynchronous copies of 16 bytes or of an element each, or through registers.
enum class Copying { Wide, Single, None };

/// Who reads it: threads; or matrix units, which want zeros behind the last step: those of a warp, rows of 16 bytes, of which eight lie in
/// all banks; those of four warps, rows of 128 bytes in blocks of eight, whose pieces of 16 bytes have other places in each row.
enum class Reader { Threads, Warp, Group };

class Panel {
public:
  struct Form {
    int64_t lines, depth, stages; // rows or columns of the result, steps of the contracted axis
    Copying copying;
    Reader reader = Reader::Threads;
  };
  /// `along` is the contracted axis of the operand, `across` the one of its lines.
  Panel(GpuKernel &k, Value operand, size_t along, size_t across, Form form);

  /// The lines of block `number` of the matrix at `batch`; makes the memory. The last block starts where it ends with the lines: what it
  /// has in common with the one before is computed twice.
  void place(const Coordinates &batch, Index number);
  /// Starts what brings the steps from `from` on into a stage, where `isThere` (null: always). `count`: all of a stage, or fewer, the last.
  void start(Index from, Index stage, Value isThere, Index count);
  /// Stores what came through registers.
  void finish(Index stage);
  /// Lines that lie beside each other in shared memory, and so in the registers of a thread.
  int64_t run() const { return isAlong ? 1 : std::min(lanes, tile); }
  /// Threads share the lines: each takes `tile`, in runs that lie as far apart as all threads' runs are long.
  void share(int64_t threads) { tile = form.lines / threads; }
  int64_t line(int64_t i) const { return i / run() * (form.lines / tile * run()) + i % run(); }
  Index firstLine(Index thread) { return k.e.mul(thread, run()); }
  /// Steps that are read at once.
  int64_t group() const { return lanes; }
  /// Forgets what was read: another group of steps begins.
  void forget() { known.clear(); }
  /// Element `i` of the thread whose lines start at `first`, at a step of a stage; in wide accesses that fetch the next ones too.
  Expr read(Index stage, Index first, int64_t i, int64_t step);
  Expr readAlone(Index stage, Index first, int64_t i, Index step);
  /// Where a line of the block is in the operand; and whether it is for this block to store, null: always.
  Index positionOf(Index line) { return e.add(from, line); }
  Value isMine(Index position);

  /// The address of an element in a stage.
  Value addressOf(Index stage, Index line, Index step) { return e.address(memory, dtype, elementAt(stage, line, step)); }

  bool isAsync() const { return form.copying != Copying::None; }
  bool lies() const { return isAlong; }

private:
  struct Spot {
    Coordinates source;
    Index target; // of the stage, in elements
    Value isIn;   // null: always
    Value isStep; // whether it is not behind the last step, null: it is not
  };

  GpuKernel &k;
  Emitter &e;
  Value operand;
  size_t along, across;
  Form form;
  DType dtype;
  int64_t bytes, lanes, tile = 1; // of an element; in an access of up to 16 bytes; lines of a thread
  Index size, steps;              // lines and steps of the operand
  bool isAlong;                   // in shared memory steps of a line lie beside each other, not lines of a step
  Coordinates batch;
  Index begin, from; // of the block: its own first line, and the first one there is
  Value memory, isAligned;
  llvm::SmallVector<std::pair<Spot, Expr>> onTheWay;
  std::map<std::pair<int64_t, int64_t>, Value> known;

  Index elementAt(Index stage, Index line, Index step);
  int64_t pitch() const { return (isAlong ? form.depth : form.lines) + (isAlong || form.reader == Reader::Warp ? 16 / bytes : 0); }
  int64_t stageElements() const {
    return form.reader == Reader::Group ? form.lines * form.depth : pitch() * (isAlong ? form.lines : form.depth);
  }
  Index placeOf(Index far, Index near);
  bool isShort() const { return !size.isStatic() || size.number() < form.lines; } // or may be: there is not even one whole block
  void forEachSpot(int64_t width, Index step, Index count, llvm::function_ref<void(const Spot &)> body);
  void copy(const Spot &spot, Index stage, int64_t at, int64_t count);
  void clear(const Spot &spot, Index stage, int64_t count);
  Value both(Value x, Value y);
};

} // namespace kiln::nvptx
