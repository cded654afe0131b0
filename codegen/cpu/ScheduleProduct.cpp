// Products: tiles of the result in registers, blocks in the caches, and what is packed.
#include "codegen/cpu/Schedule.h"

#include <map>

using namespace mlir;

namespace kiln::cpu {
namespace {

/// How an array lies, or another one that it repeats; none where it is computed.
std::optional<Layout> layoutOf(const KernelLayout &layout, Value operand) {
  auto known = layout.inputs.find(operand);
  if (known != layout.inputs.end()) return known->second;
  auto broadcast = operand.getDefiningOp<ir::BroadcastOp>();
  auto from = broadcast ? layout.inputs.find(broadcast.getX()) : layout.inputs.end();
  if (from == layout.inputs.end()) return std::nullopt;
  Shape x = ir::typeOf(broadcast.getX()).shape, to = ir::typeOf(operand).shape;
  Layout view{from->second.dtype, extentsOf(operand), {}};
  view.strides.assign(view.shape.size(), 0);
  for (auto [i, axis] : llvm::enumerate(broadcast.getAxes()))
    if (x[int(i)] == to[int(axis)]) view.strides[size_t(axis)] = from->second.strides[i];
  return view;
}

/// The sizes of a product and how its operands lie: `across` their own axis and `along` the contracted one.
struct Product {
  struct Side {
    Extent across, along;
    bool isComputed;
  };
  DType dtype;
  Extent rows, columns, depth;
  Side a, b;
  int64_t mostFolded = 0; // batch axes that can count as rows

  Product(ir::KernelOp kernel, const KernelLayout &layout, std::optional<int64_t> fold) {
    auto dot = cast<ir::DotGeneralOp>(mainOp(kernel));
    const Layout &c = layout.outputs[mainResult(kernel)];
    dtype = c.dtype;
    size_t batches = dot.getXBatch().size(), xAxis = size_t(dot.getXAxis()), yAxis = size_t(dot.getYAxis());
    size_t xFree = 2 * batches + 1 - xAxis, yFree = 2 * batches + 1 - yAxis; // the other of the last two
    auto left = layoutOf(layout, dot.getX()), right = layoutOf(layout, dot.getY());
    auto x = extentsOf(dot.getX()), y = extentsOf(dot.getY());
    auto side = [](const std::optional<Layout> &array, ArrayRef<Extent> shape, size_t free, size_t along) {
      if (array) return Side{array->strides[free], array->strides[along], false};
      bool isAcross = free > along; // the last axis
      return Side{isAcross ? 1 : shape[along], isAcross ? shape[free] : 1, true};
    };
    rows = x[xFree], columns = y[yFree], depth = x[xAxis];
    a = side(left, x, xFree, xAxis), b = side(right, y, yFree, yAxis);
    // The right operand repeats along batch axes, and the left one and the result lie row behind row; only along the contracted axis can a
    // computed row be read by lanes.
    bool canFold = right && xAxis == batches + 1 && (!left || left->isRowMajor) && c.isRowMajor;
    auto repeats = [&](size_t axis) { return right->strides[axis] == 0 || right->shape[axis] == 1; };
    while (canFold && size_t(mostFolded) < batches && repeats(batches - 1 - size_t(mostFolded))) ++mostFolded;
    for (int64_t i = 0; i < fold.value_or(mostFolded); ++i) rows = rows * c.shape[batches - 1 - size_t(i)];
  }
};

constexpr int64_t kMostFewRows = 16; // of a rank update, each in registers of its own
/// Bytes of a right operand: a larger one comes from memory, which is fastest in order of rows; strips of few columns are for caches.
constexpr int64_t kMostInStrips = 32 << 20;
constexpr int64_t kFewRows = 12; // up to where it is the fastest

/// Whether a product streams through one large operand for few rows.
bool isSkinny(const Product &p, const Target &target) {
  constexpr int64_t kLargeBytes = 512 << 10;
  if (!p.rows || !p.columns || !p.depth || p.b.across != 1) return false;
  int64_t bytes = *p.depth * *p.columns * byteSize(p.dtype), most = bytes <= kMostInStrips ? kFewRows : kMostFewRows;
  return *p.rows <= (target.isWide() ? most : 8) && *p.depth > 0 && bytes >= kLargeBytes;
}

ir::ScheduleAttr scheduleSkinny(const Planner &planner, const Product &p) {
  bool isNarrow = *p.rows > 4 && *p.rows <= 8;
  int64_t full = std::clamp<int64_t>(64 / byteSize(p.dtype), 8, 16), lanes = *p.rows <= 4 || planner.target.isWide() ? full : full / 2;
  return ir::RankUpdateAttr::get(planner.context(), isNarrow ? 4 : 8, lanes, p.mostFolded, planner.epilogueLanes());
}

/// Equal blocks of at most `block`, in multiples of `unit`; from four on, their number is a multiple of `group`.
int64_t balance(int64_t size, int64_t block, int64_t unit, int64_t group = 1) {
  int64_t count = std::max<int64_t>((size + block - 1) / block, 1);
  if (count >= 4) count = (count + group - 1) / group * group;
  int64_t each = (size + count - 1) / count;
  return std::max<int64_t>((each + unit - 1) / unit * unit, unit);
}

class TiledProduct {
public:
  TiledProduct(const Planner &planner, const Product &p)
      : planner(planner), p(p), M(p.rows), N(p.columns), K(p.depth), isWide(planner.target.isWide()), bytes(byteSize(p.dtype)) {}

  ir::ScheduleAttr schedule() {
    chooseTile();
    chooseBlocks();
    auto pack = ir::Packing(uint32_t(packsA ? ir::Packing::A : ir::Packing::None) | uint32_t(packsB ? ir::Packing::B : ir::Packing::None));
    auto grain = isOneBlock() ? columnsGrain() : rowsGrain();
    auto loop = !grain ? ir::ProductLoop::None : isOneBlock() ? ir::ProductLoop::Columns : ir::ProductLoop::Rows;
    bool masks = isWide && N && *N % nr != 0 && *N <= kFewStrips * nr, first = packsFirst(loop);
    return ir::ProductAttr::get(planner.context(), {mr, nr}, lanes, kUnroll, {mc, nc, kc}, pack, p.mostFolded, isSymmetric(), masks,
                                /*prefetch=*/packsA, loop, grain.value_or(1), planner.epilogueLanes(), mayBeStrip() ? kStripDepth : 0,
                                first, isSharable(first));
  }

private:
  static constexpr int64_t kUnroll = 1;
  static constexpr int64_t kOneBlock = 48;    // rows, up to which b is packed by the tiles that read it first
  static constexpr int64_t kFewStrips = 8;    // up to here masks cost less than a second nest takes to compile
  static constexpr int64_t kStripDepth = 512; // so that the rows of a tile share few sets of the cache
  const Planner &planner;
  const Product &p;
  Extent M, N, K;
  bool isWide, packsA = true, packsB = true;
  int64_t bytes, lanes, mr, nr, mc, nc, kc;

  /// Registers: mr x parts sums, the parts of a row of b, and one element of a. Of the heights, the one that leaves the least of the last
  /// tile unused.
  void chooseTile() {
    lanes = std::clamp<int64_t>(64 / bytes, 8, 16);
    bool isNarrow = N && *N <= lanes;
    nr = isWide && !isNarrow ? 2 * lanes : lanes;
    SmallVector<int64_t> heights = isWide ? SmallVector<int64_t>{12, 8} : SmallVector<int64_t>{6};
    if (M && *M < (isWide ? 256 : 64)) heights = isWide ? SmallVector<int64_t>{12, 10, 9, 8} : SmallVector<int64_t>{6, 5, 4};
    mr = heights[0];
    if (!M) return;
    auto waste = [&](int64_t h) { return (*M + h - 1) / h * h - *M; };
    for (int64_t h : heights)
      if (waste(h) < waste(mr)) mr = h;
    mr = std::min(mr, std::max<int64_t>(*M, 1));
  }

  void chooseBlocks() {
    int64_t l1 = isWide ? 48 << 10 : 24 << 10; // with 512-bit registers, strips of b come from L2
    kc = l1 / (nr * bytes);
    mc = (isWide ? 288 << 10 : 144 << 10) / (kc * bytes) / mr * mr; // a share of L2
    nc = 2048;
    if (isOneBlock()) { // one panel of b at a time, which stays in L1 with rows of a; some blocks of columns to share
      kc = std::min<int64_t>(kc, 192), nc = 1024;
      if (N) nc = std::min(nc, std::max<int64_t>(256, (*N + 3) / 4));
    } else if (M && *M <= 32) { // little reuse: the block of b stays in L2
      kc = std::min<int64_t>(kc, 64), nc = 1024;
    }
    if (K) kc = balance(*K, kc, kUnroll);
    if (M) mc = balance(*M, std::min(mc, std::max<int64_t>(96, *M / 6)), mr, 4); // blocks to share evenly
    if (N) nc = balance(*N, nc, nr);
    if (!M || !N || !K) return;
    bool isSmall = (*M * *K + *K * *N + *M * *N) * bytes <= 160 << 10;
    packsB = p.b.isComputed || !(p.b.across == 1 && p.b.along && isSmall);
    bool isFewLines = p.a.across && (*p.a.across * bytes) % 2048 != 0; // rows do not share sets of the cache
    bool isReadOnce = *N <= nr && p.a.along == 1, isKept = *M * *K * bytes <= 256 << 10;
    packsA = p.a.isComputed || !(p.a.across && p.a.along && (isSmall || (isFewLines && (isReadOnce || isKept))));
    if (!packsB && !packsA) kc = balance(*K, std::max<int64_t>(*K, 1), kUnroll);
  }

  /// Where half of the products cost more than a second way over the result.
  bool isSymmetric() const {
    constexpr int64_t kLeastRows = 64, kLeastDepth = 32;
    return !p.mostFolded && ir::isOfItself(cast<ir::DotGeneralOp>(mainOp(planner.kernel))) && M && *M >= kLeastRows && K &&
           *K >= kLeastDepth;
  }

  /// Whether a call may have few columns: panels of a would be read once, and the other lanes and parts of a tile be for nothing.
  bool mayBeStrip() const { return !N && !p.a.isComputed && !p.b.isComputed && p.b.across == 1 && !planner.hasEpilogue(); }

  /// Whether all tiles are whole, and a call costs little beside one.
  bool isSharable(bool first) const {
    constexpr int64_t kLeastDepth = 8;
    bool isWhole = M && N && K && *M % mr == 0 && *N % nr == 0 && *K >= kLeastDepth;
    return isWhole && isFloat(p.dtype) && !isNarrow(p.dtype) && !(first && *M <= mr); // that packs b as well
  }

  bool isOneBlock() const { return M && *M <= kOneBlock && !isFromMemory(); }
  bool isFromMemory() const { return K && N && *K * *N * byteSize(p.dtype) > kMostInStrips; }

  bool packsFirst(ir::ProductLoop loop) const {
    return packsB && M && *M <= mc && loop != ir::ProductLoop::Rows && !p.b.isComputed && p.b.across == 1 && !isFromMemory();
  }

  std::optional<int64_t> columnsGrain() {
    if (N && *N <= nc) return std::nullopt;
    Extent count = N ? Extent((*N + nc - 1) / nc) : N;
    return grainOf(count, M * K * std::max<int64_t>(nc / 16, 1));
  }

  std::optional<int64_t> rowsGrain() {
    auto within = [](Extent size, int64_t block) { return size ? Extent(std::min(*size, block)) : size; };
    auto count = [](Extent size, int64_t block) { return size ? Extent((*size + block - 1) / block) : size; };
    return grainOf(count(M, mc), count(within(N, nc), nr) * within(K, kc) * (mc * nr / 16));
  }
};

/// What emission cannot do for these operands.
LogicalResult checkRankUpdate(ir::KernelOp kernel, const Product &p) {
  if (p.rows && *p.rows <= kMostFewRows && p.columns && p.depth && *p.depth > 0 && p.b.across == 1) return success();
  return refuse(kernel, "rank_update") << "expected known sizes, 1 to " << kMostFewRows << " rows, and an operand b in rows";
}

LogicalResult checkTiled(ir::KernelOp kernel, const Product &p, ir::ProductAttr schedule) {
  auto packs = [&](ir::Packing side) { return uint32_t(schedule.getPack()) & uint32_t(side); };
  if (p.a.isComputed && !packs(ir::Packing::A)) return refuse(kernel, "pack") << "expected a among them, which is computed";
  if ((p.b.isComputed || p.b.across != 1) && !packs(ir::Packing::B))
    return refuse(kernel, "pack") << "expected b among them, which does not lie in rows";
  if (schedule.getStrip() && (p.a.isComputed || p.b.isComputed || p.b.across != 1))
    return refuse(kernel, "strip") << "expected operands that lie in memory, b in rows";
  bool hasAllRows = p.rows && *p.rows <= schedule.getBlock()[0] && schedule.getParallel() != ir::ProductLoop::Rows;
  if (schedule.getFirst() && (!packs(ir::Packing::B) || !hasAllRows || p.b.isComputed || p.b.across != 1))
    return refuse(kernel, "first") << "expected b in rows that is packed, and all rows in a block that threads do not share";
  return success();
}

} // namespace

ir::ScheduleAttr scheduleContraction(const Planner &planner) {
  Product p(planner.kernel, planner.layout, std::nullopt);
  return isSkinny(p, planner.target) ? scheduleSkinny(planner, p) : TiledProduct(planner, p).schedule();
}

TileForm tileFormOf(ir::KernelOp kernel, ir::ProductAttr schedule) {
  auto dot = cast<ir::DotGeneralOp>(mainOp(kernel));
  Extent depth = extentsOf(dot.getX())[size_t(dot.getXAxis())];
  int64_t lanes = schedule.getLanes();
  return {ir::typeOf(dot.getResult()).dtype,        schedule.getTile()[0], schedule.getTile()[1] / lanes, lanes, schedule.getPrefetch(),
          !depth || *depth > schedule.getBlock()[2]};
}

void dropLoneShared(ArrayRef<ir::KernelOp> kernels) {
  std::map<TileForm, SmallVector<ir::KernelOp>> byForm;
  for (ir::KernelOp kernel : kernels)
    if (auto schedule = dyn_cast_or_null<ir::ProductAttr>(kernel.getScheduleAttr()); schedule && schedule.getShared())
      byForm[tileFormOf(kernel, schedule)].push_back(kernel);
  for (auto &[form, alike] : byForm) {
    if (alike.size() > 1) continue;
    auto s = cast<ir::ProductAttr>(*alike[0].getSchedule());
    alike[0].setScheduleAttr(ir::ProductAttr::get(s.getContext(), s.getTile(), s.getLanes(), s.getUnroll(), s.getBlock(), s.getPack(),
                                                  s.getFold(), s.getSymmetric(), s.getMask(), s.getPrefetch(), s.getParallel(),
                                                  s.getGrain(), s.getEpilogue(), s.getStrip(), s.getFirst(), /*shared=*/false));
  }
}

LogicalResult checkContraction(ir::KernelOp kernel, const KernelLayout &layout) {
  auto tiled = dyn_cast<ir::ProductAttr>(*kernel.getSchedule());
  int64_t fold = tiled ? tiled.getFold() : cast<ir::RankUpdateAttr>(*kernel.getSchedule()).getFold();
  Product p(kernel, layout, fold);
  if (fold > p.mostFolded)
    return refuse(kernel, "fold") << "expected at most " << p.mostFolded << " batch axes for these operands, got " << fold;
  return tiled ? checkTiled(kernel, p, tiled) : checkRankUpdate(kernel, p);
}

} // namespace kiln::cpu
