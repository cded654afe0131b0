// Convolutions: register tiles where shapes are static, else position by position.
#include "codegen/cpu/Schedule.h"

using namespace mlir;

namespace kiln::cpu {
namespace {

/// Of floats and of static shapes but for the number of images, with weights that lie in rows.
bool fitsTiles(ir::ConvolutionOp op, const KernelLayout &layout) {
  auto weights = layout.inputs.find(op.getW());
  DType dtype = ir::typeOf(op.getResult()).dtype;
  if (weights == layout.inputs.end() || !isFloat(dtype) || llvm::is_contained(ir::typeOf(op.getResult()).shape, Size(0))) return false;
  auto isStatic = [](Value v, int first) {
    Shape shape = ir::typeOf(v).shape;
    return std::all_of(shape.begin() + first, shape.end(), [](Size size) { return size.isConstant(); });
  };
  bool isPlain = llvm::all_of(weights->second.strides, [](Extent s) { return s.has_value(); });
  return isPlain && weights->second.strides.back() == 1 && isStatic(op.getX(), 1) && isStatic(op.getW(), 0);
}

/// Sizes of a convolution that fits tiles.
struct Shapes {
  Dims x, w, out; // the first and the last without the number of images
  int spatial;
  int64_t channels, filters, taps = 1; // filters of a group; taps: products of one result
  bool isPadded = false;

  explicit Shapes(ir::ConvolutionOp op) : x(staticSizes(op.getX(), 1)), w(staticSizes(op.getW(), 0)), out(staticSizes(op.getResult(), 1)) {
    spatial = x.rank - 2;
    channels = w[spatial];
    filters = w[spatial + 1] / int64_t(op.getGroups());
    taps = channels;
    for (int i = 0; i < spatial; ++i) {
      int64_t read = (out[i + 1] - 1) * op.getStrides()[size_t(i)] + (w[i] - 1) * op.getDilation()[size_t(i)] + 1;
      isPadded |= op.getLow()[size_t(i)] != 0 || read > x[i + 1];
      taps *= w[i];
    }
  }
};

/// Whether images can be read where they lie: without padding, their channels one after the other.
bool canReadInPlace(ir::ConvolutionOp op, const Shapes &shapes, const KernelLayout &layout) {
  auto found = layout.inputs.find(op.getX());
  return !shapes.isPadded && found != layout.inputs.end() && found->second.strides.back() == 1 &&
         llvm::all_of(found->second.strides, [](Extent s) { return s.has_value(); });
}

/// Whether the weights of one tap and channel follow those of the one before.
bool canPack(ir::ConvolutionOp op, const Shapes &shapes, const KernelLayout &layout) {
  const Layout &weights = layout.inputs.find(op.getW())->second;
  for (int i = 0; i < shapes.spatial; ++i)
    if (*weights.strides[size_t(i)] != *weights.strides[size_t(i) + 1] * shapes.w[i + 1]) return false;
  return true;
}

/// Positions in a tile: of what the registers hold, the number that leaves the least behind.
int64_t tilePositions(int64_t size, bool isWide) {
  SmallVector<int64_t> sizes = isWide ? SmallVector<int64_t>{12, 10, 8, 7} : SmallVector<int64_t>{6, 5, 4};
  int64_t best = sizes[0];
  auto tiles = [&](int64_t t) { return (size + t - 1) / t * t; };
  for (int64_t t : sizes)
    if (tiles(t) < tiles(best)) best = t;
  return std::min(best, size);
}

ir::ScheduleAttr scheduleTiles(const Planner &p, ir::ConvolutionOp op) {
  constexpr int64_t kStays = 256 << 10; // weights of more bytes do not stay in the cache, and are read once
  constexpr int64_t kFewLines = 8;
  Shapes s(op);
  int64_t bytes = byteSize(ir::typeOf(op.getResult()).dtype), lanes = std::clamp<int64_t>(64 / bytes, 8, 16);
  int64_t nr = p.target.isWide() && s.filters > lanes ? 2 * lanes : lanes, positions = 1;
  for (int i = 0; i < s.spatial; ++i) positions *= s.out[i + 1];
  bool pack = s.filters > nr && s.taps * s.filters * bytes > kStays && canPack(op, s, p.layout), copy = !canReadInPlace(op, s, p.layout);
  int64_t lines = s.spatial > 1 ? s.out[1] : 1, work = s.taps * s.filters * (positions / lines);
  Extent images = extentsOf(op.getResult())[0];
  std::optional<int64_t> grain;
  if (pack) grain = grainOf(s.filters / nr, s.taps * nr * positions);
  else if (lines >= kFewLines || !images || *images <= lines) grain = lines > 1 ? grainOf(lines, work) : std::nullopt;
  else if (auto each = grainOf(images, work * lines)) grain = *each * lines;
  auto loop = !grain ? ir::WindowLoop::None : pack ? ir::WindowLoop::Filters : ir::WindowLoop::Lines;
  return ir::ConvolutionAttr::get(p.context(), {tilePositions(s.out[s.spatial], p.target.isWide()), nr}, lanes, pack, copy, loop,
                                  grain.value_or(1), p.epilogueLanes());
}

} // namespace

ir::ScheduleAttr scheduleConvolution(const Planner &p) {
  auto op = cast<ir::ConvolutionOp>(mainOp(p.kernel));
  if (fitsTiles(op, p.layout)) return scheduleTiles(p, op);
  auto out = extentsOf(op.getResult()), w = extentsOf(op.getW());
  int64_t groups = int64_t(op.getGroups());
  Extent filters = out.back() ? Extent((*out.back() + groups - 1) / groups) : Extent(),
         work = out.back() * w[w.size() - 2]; // a product each
  for (size_t i = 0; i + 2 < w.size(); ++i) work = work * w[i];
  Sharing sharing = shareOuter(out, {int64_t(out.size()) - 1}, work);
  int64_t lanes = lanesFor(filters, byteSize(ir::typeOf(op.getResult()).dtype) == 8 ? 16 : 32);
  return ir::WindowAttr::get(p.context(), lanes, sharing.axis, sharing.grain);
}

LogicalResult checkConvolution(ir::KernelOp kernel, const KernelLayout &layout) {
  auto op = cast<ir::ConvolutionOp>(mainOp(kernel));
  auto schedule = cast<ir::ConvolutionAttr>(*kernel.getSchedule());
  if (!fitsTiles(op, layout)) return refuse(kernel, "convolution") << "expected floats of known sizes, with weights in rows";
  Shapes shapes(op);
  if (!schedule.getCopy() && !canReadInPlace(op, shapes, layout))
    return refuse(kernel, "copy") << "expected true for an operand with padding, or not in rows";
  if (schedule.getPack() && !canPack(op, shapes, layout))
    return refuse(kernel, "pack") << "expected false for weights that do not lie in rows";
  return success();
}

} // namespace kiln::cpu
