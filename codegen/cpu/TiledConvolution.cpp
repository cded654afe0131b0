// Convolutions in register tiles, of static shapes but for the number of images: neighbouring positions of a line by filters in lanes. The
// operand is first laid out with its padding, so that every tap reads in the same way; each result is still one chain over window and
// channels.
#include "codegen/cpu/Pack.h"

using namespace mlir;

namespace kiln::cpu {
namespace {

/// The sizes of an array from axis `first` on, which are static; 0 before it.
Dims staticSizes(Value v, int first) {
  Shape shape = ir::typeOf(v).shape;
  Dims sizes;
  for (int i = 0; i < shape.rank; ++i) sizes.push(i < first ? 0 : shape[i].number());
  return sizes;
}

Dims dimsOf(ArrayRef<int64_t> list) { return Dims(std::span<const int64_t>(list.data(), list.size())); }

class TiledConvolution {
public:
  TiledConvolution(KernelContext &k, Operation *op) : k(k), e(k.e), op(op), out(k.mainOutput()) {
    auto convolution = cast<ir::ConvolutionOp>(op);
    strides = dimsOf(convolution.getStrides()), low = dimsOf(convolution.getLow()), dilation = dimsOf(convolution.getDilation());
    groups = int64_t(convolution.getGroups());
    images = ir::typeOf(convolution.getX()).shape[0];
    x = staticSizes(convolution.getX(), 1);
    w = staticSizes(convolution.getW(), 0);
    spatial = strides.rank;
    channels = w[spatial];
    filters = w[spatial + 1] / groups;
    lanes = std::clamp<int64_t>(64 / byteSize(out.dtype), 8, 16);
    parts = k.target.isWide() && filters > lanes ? 2 : 1;
    for (int i = 0; i < spatial; ++i) padded.push((out.shape[size_t(i) + 1].number - 1) * strides[i] + (w[i] - 1) * dilation[i] + 1);
    for (int i = 0; i < spatial; ++i) isPadded |= low[i] != 0 || padded[i] > x[i + 1];
    if (readsInPlace()) return;
    step.resize(size_t(spatial));
    step.back() = x[spatial + 1];
    for (int i = spatial - 1; i > 0; --i) step[size_t(i) - 1] = step[size_t(i)] * padded[i];
  }

  void run() {
    if (!isInPlace) image = k.sharedScratch(step[0] * padded[0] * byteSize(out.dtype));
    weights = k.ev.buffers.find(op->getOperand(1))->second;
    int64_t nr = lanes * parts;
    taps = channels;
    for (int i = 0; i < spatial; ++i) taps *= w[i];
    // Weights that do not stay in the cache are read once: blocks of filters outside, packed, the lines of the result inside.
    constexpr int64_t kStays = 256 << 10;
    bool isLarge = taps * filters * byteSize(out.dtype) > kStays && areRows();
    if (isLarge) packed = k.scratch(taps * nr * byteSize(out.dtype));
    e.loop(0, k.ev.sizeOf(images), 1, [&](Index n) {
      if (isInPlace) image = e.address(operand().pointer, out.dtype, e.mul(n, operand().strides[0]));
      else layOut(n);
      if (!isLarge) return overLines(0, {n}, taps * filters, [&](ArrayRef<Index> at) { overFilters(false, 0, at); });
      overFilters(true, taps * nr * numElements(linesOf()), {n});
    });
  }

private:
  KernelContext &k;
  Emitter &e;
  Operation *op;
  const Buffer &out;
  Dims strides, low, dilation, x, w, padded; // x without the number of images
  Size images;
  int64_t groups = 1, channels, filters, lanes, parts, taps = 0;
  int spatial;
  bool isPadded = false, isInPlace = false;
  SmallVector<int64_t> step; // elements between neighbours of each spatial axis in the image
  Value image, packed;
  Buffer weights;

  using AtLine = llvm::function_ref<void(ArrayRef<Index>)>;
  const Buffer &operand() { return k.ev.buffers.find(op->getOperand(0))->second; }

  /// An operand in memory, without padding, its channels one after the other.
  bool readsInPlace() {
    auto found = k.ev.buffers.find(op->getOperand(0));
    if (isPadded || found == k.ev.buffers.end() || !found->second.strides.back().isConstant(1)) return false;
    for (Index s : ArrayRef(found->second.strides).drop_back()) {
      if (!s.isStatic()) return false;
      step.push_back(s.number);
    }
    step.erase(step.begin()); // of the images
    return isInPlace = true;
  }

  /// Whether the weights of one tap and channel follow those of the one before.
  bool areRows() {
    for (int i = 0; i < spatial; ++i)
      if (weights.strides[size_t(i)].number != weights.strides[size_t(i) + 1].number * w[i + 1]) return false;
    return true;
  }

  /// The sizes of the result's spatial axes.
  Dims linesOf() {
    Dims result;
    for (int i = 0; i < spatial; ++i) result.push(out.shape[size_t(i) + 1].number);
    return result;
  }

  /// One image with its padding, as far as it is read.
  void layOut(Index n) {
    if (isPadded)
      forEachVector(k.ev, 0, step[0] * padded[0], lanes,
                    [&](Coordinate c) { e.store(image, c.base, e.splat(e.scalar(out.dtype, 0), lanes), k.ev.mask); });
    Coordinates from = {{n, 0, {}}};
    auto nest = [&](auto &self, int axis, Index at) -> void {
      if (axis == spatial) {
        from.push_back({});
        forEachVector(k.ev, 0, x[spatial + 1], lanesFor(x[spatial + 1], lanes), [&](Coordinate c) {
          from.back() = c;
          e.store(image, e.add(at, c.base), k.ev.vectorAt(op->getOperand(0), from), k.ev.mask);
        });
        return from.pop_back();
      }
      auto body = [&](Index i) {
        from.push_back({i, 0, {}});
        self(self, axis + 1, e.add(at, e.mul(e.add(i, low[axis]), step[size_t(axis)])));
        from.pop_back();
      };
      Index end = std::max<int64_t>(std::min(x[axis + 1], padded[axis] - low[axis]), 0);
      if (axis == 0) k.parallelLoop(0, end, 1, step[0], body);
      else e.loop(0, end, 1, body);
    };
    nest(nest, 0, 0);
  }

  /// The lines of the result along its last spatial axis; `at` is the image and the position so far.
  void overLines(int axis, SmallVector<Index> at, Index work, AtLine visit) {
    Index size = out.shape[size_t(axis) + 1];
    if (axis + 1 == spatial) return visit(at);
    Index each = work;
    for (int i = axis + 1; i < spatial; ++i) each = e.mul(each, out.shape[size_t(i) + 1]);
    auto body = [&](Index i) {
      SmallVector<Index> next(at);
      next.push_back(i);
      overLines(axis + 1, next, work, visit);
    };
    if (axis == 0) k.parallelLoop(0, size, 1, each, body);
    else e.loop(0, size, 1, body);
  }

  /// Positions in a tile: of what the registers hold, the number that leaves the least behind.
  int64_t tileSize(int64_t size) {
    SmallVector<int64_t> sizes = k.target.isWide() ? SmallVector<int64_t>{12, 10, 8, 7} : SmallVector<int64_t>{6, 5, 4};
    int64_t best = sizes[0];
    auto tiles = [&](int64_t t) { return (size + t - 1) / t * t; };
    for (int64_t t : sizes)
      if (tiles(t) < tiles(best)) best = t;
    return std::min(best, size);
  }

  void line(ArrayRef<Index> at, Index group, Index block, int64_t left) {
    int64_t size = out.shape[size_t(spatial)].number, tile = tileSize(size), whole = size / tile * tile;
    e.loop(0, whole, tile, [&](Index first) { computeTile(at, group, block, left, first, tile); });
    if (whole < size) computeTile(at, group, block, left, whole, size - whole);
  }

  /// The blocks of filters: of one line, or (outside) each for all lines of the image `at[0]`.
  void overFilters(bool isOutside, Index work, ArrayRef<Index> at) {
    int64_t nr = lanes * parts, full = filters / nr * nr;
    e.loop(0, groups, 1, [&](Index group) {
      auto block = [&](Index first, int64_t left) {
        if (!isOutside) return line(at, group, first, left);
        Side side{weights.pointer, out.dtype, w[spatial + 1], 1, weights.strides[size_t(spatial)]};
        packPanels(e, side, packed, nr, taps, e.add(e.mul(group, filters), first), 1, 0, taps);
        overLines(0, SmallVector<Index>(at), 0, [&](ArrayRef<Index> position) { line(position, group, first, left); });
      };
      auto whole = [&](Index first) { block(first, nr); };
      if (isOutside) k.parallelLoop(0, full, nr, work, whole);
      else e.loop(0, full, nr, whole);
      if (full < filters) block(full, filters - full);
    });
  }

  void computeTile(ArrayRef<Index> at, Index group, Index block, int64_t left, Index first, int64_t count) {
    int64_t used = (left + lanes - 1) / lanes; // vectors of filters
    Index origin = e.add(e.mul(group, channels), e.mul(first, strides[spatial - 1] * step.back()));
    for (int i = 0; i + 1 < spatial; ++i) origin = e.add(origin, e.mul(at[size_t(i) + 1], strides[i] * step[size_t(i)]));
    Index filter = e.add(e.mul(group, filters), block);
    SmallVector<Value> masks(static_cast<size_t>(used));
    for (int64_t part = 0; part < used; ++part)
      if (left - part * lanes < lanes) masks[size_t(part)] = e.maskBelow(left - part * lanes, lanes);
    SmallVector<Value> sums(size_t(count * used), e.splat(e.scalar(out.dtype, 0), lanes).value);
    sums = overWindow(0, origin, packed ? Index(0) : filter, sums, count, used, masks);
    for (int64_t t = 0; t < count; ++t) {
      Index to = e.add(filter, e.mul(e.add(first, t), out.strides[size_t(spatial)]));
      for (int i = 0; i < spatial; ++i) to = e.add(to, e.mul(at[size_t(i)], out.strides[size_t(i)]));
      for (int64_t part = 0; part < used; ++part)
        e.store(out.pointer, e.add(to, part * lanes), Expr{e.b, e.loc, sums[size_t(t * used + part)], out.dtype}, masks[size_t(part)]);
    }
    if (!k.hasEpilogue()) return;
    Coordinates position;
    for (Index i : at) position.push_back({i, 0, {}});
    position.resize(size_t(spatial) + 2);
    k.finishPart(position, first, e.add(first, count), filter, e.add(filter, left));
  }

  /// Between the weights of neighbours along an axis: of the window, or the channels.
  Index weightStep(int axis) {
    if (!packed) return weights.strides[size_t(axis)];
    int64_t step = lanes * parts;
    for (int i = spatial; i > axis; --i) step *= w[i];
    return step;
  }

  /// `from` and `weight`: where the operand and the weights of this place in the window start.
  SmallVector<Value> overWindow(int axis, Index from, Index weight, ValueRange sums, int64_t count, int64_t used, ArrayRef<Value> masks) {
    if (axis < spatial)
      return e.loop(0, w[axis], 1, sums, [&](Index tap, ValueRange carried) {
        return overWindow(axis + 1, e.add(from, e.mul(tap, dilation[axis] * step[size_t(axis)])),
                          e.add(weight, e.mul(tap, weightStep(axis))), carried, count, used, masks);
      });
    return e.loop(0, channels, 1, sums, [&](Index c, ValueRange carried) {
      SmallVector<Value> next(carried);
      SmallVector<Expr> right;
      Index row = e.add(weight, e.mul(c, weightStep(spatial)));
      for (int64_t part = 0; part < used; ++part)
        right.push_back(packed ? e.load(packed, out.dtype, e.add(row, part * lanes), lanes)
                               : e.load(weights.pointer, out.dtype, e.add(row, part * lanes), lanes, masks[size_t(part)]));
      for (int64_t t = 0; t < count; ++t) {
        Index at = e.add(e.add(from, c), t * strides[spatial - 1] * step.back());
        Expr one = e.splat(e.load(image, out.dtype, at, 0), lanes);
        for (int64_t part = 0; part < used; ++part) {
          Value &sum = next[size_t(t * used + part)];
          sum = scalarOp(Op::Convolution, one, right[size_t(part)], one.with(sum), out.dtype).value;
        }
      }
      return next;
    });
  }
};

} // namespace

bool fitsTiledConvolution(KernelContext &k, Operation *op) {
  const Buffer &out = k.mainOutput();
  auto weights = k.ev.buffers.find(op->getOperand(1));
  if (weights == k.ev.buffers.end() || !isFloat(out.dtype) || llvm::is_contained(ir::typeOf(op->getResult(0)).shape, Size::constant(0)))
    return false;
  auto isStatic = [](Value v, int first) {
    Shape shape = ir::typeOf(v).shape;
    return std::all_of(shape.begin() + first, shape.end(), [](Size size) { return size.isConstant(); });
  };
  bool isPlain = llvm::all_of(weights->second.strides, [](Index s) { return s.isStatic(); });
  return isPlain && weights->second.strides.back().isConstant(1) && isStatic(op->getOperand(0), 1) && isStatic(op->getOperand(1), 0);
}

void emitTiledConvolution(KernelContext &k, Operation *op) { TiledConvolution(k, op).run(); }

} // namespace kiln::cpu
