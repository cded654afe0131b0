// Convolutions in register tiles, of static shapes but for the number of images: neighbouring positions of a line by filters in lanes. The
// operand is first laid out with its padding, so that every tap reads in the same way; each result is still one chain over window and
// channels.
#include "codegen/cpu/Pack.h"

using namespace mlir;

namespace kiln::cpu {
namespace {

Dims dimsOf(ArrayRef<int64_t> list) { return Dims(std::span<const int64_t>(list.data(), list.size())); }

class TiledConvolution {
public:
  TiledConvolution(KernelContext &k, Operation *op)
      : k(k), e(k.e), op(op), schedule(k.schedule<ir::ConvolutionAttr>()), out(k.mainOutput()) {
    auto convolution = cast<ir::ConvolutionOp>(op);
    strides = dimsOf(convolution.getStrides()), low = dimsOf(convolution.getLow()), dilation = dimsOf(convolution.getDilation());
    groups = int64_t(convolution.getGroups());
    images = ir::typeOf(convolution.getX()).shape[0];
    x = staticSizes(convolution.getX(), 1);
    w = staticSizes(convolution.getW(), 0);
    spatial = strides.rank;
    channels = w[spatial];
    filters = w[spatial + 1] / groups;
    lanes = schedule.getLanes();
    parts = schedule.getTile()[1] / lanes;
    if (schedule.getParallel() != ir::WindowLoop::None) grain = schedule.getGrain();
    int64_t lines = spatial > 1 ? out.shape[1].number() : 1;
    if (grain && !schedule.getPack() && *grain >= lines) imagesGrain = *std::exchange(grain, std::nullopt) / lines;
    for (int i = 0; i < spatial; ++i) padded.push((out.shape[size_t(i) + 1].number() - 1) * strides[i] + (w[i] - 1) * dilation[i] + 1);
    for (int i = 0; i < spatial; ++i) isPadded |= low[i] != 0 || padded[i] > x[i + 1];
    if (!schedule.getCopy()) {
      readInPlace();
      return;
    }
    step.resize(size_t(spatial));
    step.back() = x[spatial + 1];
    for (int i = spatial - 1; i > 0; --i) step[size_t(i) - 1] = step[size_t(i)] * padded[i];
  }

  void run() {
    int64_t bytes = step[0] * padded[0] * byteSize(out.dtype);
    if (schedule.getCopy()) image = imagesGrain ? k.scratch(bytes) : k.sharedScratch(bytes);
    weights = k.ev.buffers.find(op->getOperand(1))->second;
    int64_t nr = lanes * parts;
    taps = channels;
    for (int i = 0; i < spatial; ++i) taps *= w[i];
    // Packed, blocks of filters are outside and the lines of the result inside.
    if (schedule.getPack()) packed = k.scratch(taps * nr * byteSize(out.dtype));
    Index work = imagesGrain ? Index(taps * filters * numElements(linesOf())) : Index(0);
    k.parallelLoop(imagesGrain, 0, k.ev.sizeOf(images), 1, work, [&](Index n) {
      if (!schedule.getCopy()) image = e.address(operand().pointer, out.dtype, e.mul(n, operand().strides[0]));
      else layOut(n);
      if (!packed) return overLines(0, {n}, taps * filters, [&](ArrayRef<Index> at) { overFilters(false, 0, at); });
      overFilters(true, taps * nr * numElements(linesOf()), {n});
    });
  }

private:
  KernelContext &k;
  Emitter &e;
  Operation *op;
  ir::ConvolutionAttr schedule;
  std::optional<int64_t> grain, imagesGrain; // of the loop that threads share
  const Buffer &out;
  Dims strides, low, dilation, x, w, padded; // x without the number of images
  Size images;
  int64_t groups = 1, channels, filters, lanes, parts, taps = 0;
  int spatial;
  bool isPadded = false;
  SmallVector<int64_t> step; // elements between neighbours of each spatial axis in the image
  Value image, packed;
  Buffer weights;

  using AtLine = llvm::function_ref<void(ArrayRef<Index>)>;
  const Buffer &operand() { return k.ev.buffers.find(op->getOperand(0))->second; }

  void readInPlace() {
    for (Index s : ArrayRef(operand().strides).drop_front().drop_back()) step.push_back(s.number());
  }

  /// The sizes of the result's spatial axes.
  Dims linesOf() {
    Dims result;
    for (int i = 0; i < spatial; ++i) result.push(out.shape[size_t(i) + 1].number());
    return result;
  }

  /// One image with its padding, as far as it is read.
  void layOut(Index n) {
    if (isPadded)
      forEachVector(k.ev, 0, step[0] * padded[0], lanes,
                    [&](Coordinate c) { e.store(image, c.base, e.splat(e.scalar(out.dtype, 0), k.ev.lanes), k.ev.mask); });
    Coordinates from = {{n, 0, {}}};
    auto nest = [&](auto &self, int axis, Index at) -> void {
      if (axis == spatial) {
        from.push_back({});
        forEachVector(k.ev, 0, x[spatial + 1], lanesFor(Index(x[spatial + 1]), lanes), [&](Coordinate c) {
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
      if (axis == 0) k.parallelLoop(grain ? grainOf(end.number(), step[0]) : std::nullopt, 0, end, 1, step[0], body);
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
    if (axis == 0 && !packed) k.parallelLoop(grain, 0, size, 1, each, body);
    else e.loop(0, size, 1, body);
  }

  void line(ArrayRef<Index> at, Index group, Index block, int64_t left) {
    int64_t size = out.shape[size_t(spatial)].number(), tile = std::min(schedule.getTile()[0], size), whole = size / tile * tile;
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
        packPanels(e, side, packed, nr, taps, e.add(e.mul(group, filters), first), 1, 0, taps, filters % nr == 0);
        overLines(0, SmallVector<Index>(at), 0, [&](ArrayRef<Index> position) { line(position, group, first, left); });
      };
      auto whole = [&](Index first) { block(first, nr); };
      if (isOutside) k.parallelLoop(grain, 0, full, nr, work, whole);
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
    k.finishPart(schedule.getEpilogue(), position, first, e.add(first, count), filter, e.add(filter, left));
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

void emitTiledConvolution(KernelContext &k, Operation *op) { TiledConvolution(k, op).run(); }

} // namespace kiln::cpu
