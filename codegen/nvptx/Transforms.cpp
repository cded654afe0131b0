// Fourier transforms by cuFFT, over the last axes of what lies row by row: an operand is copied where its axes are others, and a result is
// where it is scaled.
#include "codegen/nvptx/LibraryCalls.h"

#include <cmath>

using namespace mlir;

namespace kiln::nvptx {
namespace {

using Part = LibraryCalls::Part;
using Pointer = LibraryCalls::Pointer;

constexpr size_t kMostAxes = 3; // of one call

SmallVector<int64_t> sizesOf(Value array) {
  return llvm::map_to_vector(ir::typeOf(array).shape, [](Size size) { return size.number(); });
}

/// The axes of an array with those of `last` behind all others.
SmallVector<int64_t> orderOf(int64_t rank, ArrayRef<int64_t> last) {
  SmallVector<int64_t> order;
  for (int64_t axis = 0; axis < rank; ++axis)
    if (!llvm::is_contained(last, axis)) order.push_back(axis);
  llvm::append_range(order, last);
  return order;
}
bool isSorted(ArrayRef<int64_t> order) { return llvm::is_sorted(order); }

/// Where an element lies that is row by row with its axes in another order.
Index placeOf(GpuKernel &k, ArrayRef<Coordinate> position, ArrayRef<int64_t> sizes, ArrayRef<int64_t> order) {
  Index place = 0;
  for (int64_t axis : order) place = k.e.add(k.e.mul(place, sizes[size_t(axis)]), position[size_t(axis)].base);
  return place;
}

/// An array with its axes in some order.
struct Ordered {
  Part part;
  SmallVector<int64_t> sizes, order;
};
using ElementAt = std::function<Expr(GpuKernel &, ArrayRef<Coordinate>)>;

ElementAt elementOf(Value array) {
  return [=](GpuKernel &k, ArrayRef<Coordinate> position) { return k.ev.at(array, position); };
}
ElementAt elementOf(const Ordered &x) {
  return [=](GpuKernel &k, ArrayRef<Coordinate> position) { return load(k, x.part, placeOf(k, position, x.sizes, x.order)); };
}
SmallVector<Index, 4> shapeOf(ArrayRef<int64_t> sizes) {
  return llvm::map_to_vector<4>(sizes, [](int64_t size) { return Index(size); });
}
void bring(LibraryCalls &calls, ElementAt from, const Ordered &to) {
  calls.launch([=](GpuKernel &k) {
    forEachPosition(k, kCopyThreads, shapeOf(to.sizes),
                    [&](Coordinates &at) { store(k, to.part, placeOf(k, at, to.sizes, to.order), from(k, at)); });
  });
}

class Transform {
public:
  Transform(LibraryCalls &calls, int64_t norm, int64_t points)
      : calls(calls), x(calls.op->getOperand(0)), out(calls.op->getResult(0)), in(sizesOf(x)), made(sizesOf(out)),
        factor(factorOf(realType(ir::typeOf(out).dtype), norm, points)) {}

  LibraryCalls &calls;
  Value x, out;
  SmallVector<int64_t> in, made; // sizes of the operand, and of the result
  double factor;

  bool isEmpty() const { return llvm::is_contained(made, 0); }
  int64_t axisOf(int64_t axis) const { return axis < 0 ? axis + int64_t(in.size()) : axis; }
  Ordered ordered(DType dtype, ArrayRef<int64_t> sizes, ArrayRef<int64_t> order) {
    int64_t count = 1;
    for (int64_t size : sizes) count *= size;
    return {calls.part(dtype, count, 1), SmallVector<int64_t>(sizes), SmallVector<int64_t>(order)};
  }
  /// Whether the result is what a call leaves with the axes in that order.
  bool isAsMade(ArrayRef<int64_t> order) const { return factor == 1 && isSorted(order) && calls.isPlain(out); }

  /// A call over the last axes of `order`; `points`: their sizes in real or complex elements.
  void call(Pointer from, Pointer to, bool isInverse, ArrayRef<int64_t> order, ArrayRef<int64_t> points) {
    int64_t count = 1;
    for (int64_t axis : ArrayRef(order).drop_back(points.size())) count *= in[size_t(axis)];
    SmallVector<int64_t> words = {int64_t(ir::typeOf(x).dtype), int64_t(ir::typeOf(out).dtype), isInverse, count};
    llvm::append_range(words, points);
    calls.call("fft", words, {from, to});
  }
  /// The result, scaled.
  void put(ElementAt from) {
    double by = factor;
    calls.launch([=, sizes = made](GpuKernel &k) {
      forEachPosition(k, kCopyThreads, shapeOf(sizes), [&](Coordinates &at) {
        Expr element = scalar::cast(from(k, at), k.outputs[0].dtype);
        auto scaled = [&](Expr part) { return by == 1 ? part : part * constant(part, by); };
        k.ev.storeAt(k.outputs[0], at, isComplex(element.dtype) ? scalar::map(element, scaled) : scaled(element));
      });
    });
  }

private:
  /// What sums are multiplied with, in the precision of the numbers.
  static double factorOf(DType dtype, int64_t norm, int64_t points) {
    auto of = [&](auto number) { return double(norm == 0 ? 1 : 1 / (norm == 1 ? std::sqrt(number) : number)); };
    return dtype == DType::F32 ? of(float(points)) : of(double(points));
  }
};

/// The axes that have more than a point, as many together as a call takes.
SmallVector<SmallVector<int64_t>> groupsOf(ArrayRef<int64_t> axes, ArrayRef<int64_t> sizes) {
  SmallVector<SmallVector<int64_t>> groups;
  for (int64_t axis : axes) {
    if (sizes[size_t(axis)] == 1) continue;
    if (groups.empty() || groups.back().size() == kMostAxes) groups.emplace_back();
    groups.back().push_back(axis);
  }
  for (auto &group : groups) llvm::sort(group);
  return groups;
}

} // namespace

namespace library {

void fft(LibraryCalls &calls) {
  int64_t count = calls.words[0], points = 1;
  SmallVector<int64_t> sizes = sizesOf(calls.op->getOperand(0)), axes;
  for (int64_t axis : ArrayRef(calls.words).slice(1, size_t(count))) {
    axes.push_back(axis < 0 ? axis + int64_t(sizes.size()) : axis);
    points *= sizes[size_t(axes.back())];
  }
  bool isInverse = calls.words[size_t(count) + 1];
  Transform t(calls, calls.words[size_t(count) + 2], points);
  if (t.isEmpty()) return;
  auto groups = groupsOf(axes, sizes);
  ElementAt element = elementOf(t.x);
  for (const auto &group : groups) {
    SmallVector<int64_t> order = orderOf(int64_t(sizes.size()), group), ends;
    for (int64_t axis : group) ends.push_back(sizes[size_t(axis)]);
    bool isFirst = &group == &groups.front(), isLast = &group == &groups.back();
    bool readsPlain = isFirst && isSorted(order) && calls.isPlain(t.x), writesPlain = isLast && t.isAsMade(order);
    if (readsPlain && writesPlain) return t.call(Pointer(t.x), Pointer(t.out), isInverse, order, ends);
    Ordered now = t.ordered(ir::typeOf(t.x).dtype, sizes, order);
    if (!readsPlain) bring(calls, element, now);
    t.call(readsPlain ? Pointer(t.x) : now.part, writesPlain ? Pointer(t.out) : now.part, isInverse, order, ends);
    if (writesPlain) return;
    element = elementOf(now);
  }
  t.put(element);
}

void rfft(LibraryCalls &calls) {
  Value x = calls.op->getOperand(0);
  int64_t rank = ir::typeOf(x).shape.rank, axis = calls.words[0] < 0 ? calls.words[0] + rank : calls.words[0];
  int64_t points = sizesOf(x)[size_t(axis)];
  Transform t(calls, calls.words[1], points);
  if (t.isEmpty()) return;
  if (points == 1) return t.put(elementOf(x));
  auto order = orderOf(rank, axis);
  Ordered from = t.ordered(ir::typeOf(x).dtype, t.in, order);
  bring(calls, elementOf(x), from);
  if (t.isAsMade(order)) return t.call(from.part, Pointer(t.out), /*isInverse=*/false, order, points);
  Ordered to = t.ordered(ir::typeOf(t.out).dtype, t.made, order);
  t.call(from.part, to.part, /*isInverse=*/false, order, points);
  t.put(elementOf(to));
}

/// The imaginary parts that stand for nothing are made 0. A call may write over what it reads, so it gets a copy in any case.
void irfft(LibraryCalls &calls) {
  Value x = calls.op->getOperand(0);
  int64_t rank = ir::typeOf(x).shape.rank, axis = calls.words[0] < 0 ? calls.words[0] + rank : calls.words[0], points = calls.words[1];
  Transform t(calls, calls.words[2], points);
  if (t.isEmpty()) return;
  if (points == 1) return t.put(elementOf(x));
  auto order = orderOf(rank, axis);
  Ordered from = t.ordered(ir::typeOf(x).dtype, t.in, order);
  ElementAt read = [=](GpuKernel &k, ArrayRef<Coordinate> position) {
    Expr element = k.ev.at(x, position), frequency(k.e.b, k.e.loc, k.e.use(position[size_t(axis)].base), DType::I64);
    Expr isReal = scalar::equal(frequency, constant(frequency, 0));
    if (points % 2 == 0) isReal = scalar::bitwise_or(isReal, scalar::equal(frequency, constant(frequency, double(points / 2))));
    Expr turn = ir::imagPart(element);
    return ir::makeComplex(ir::realPart(element), scalar::select(isReal, constant(turn, 0), turn));
  };
  bring(calls, read, from);
  if (t.isAsMade(order)) return t.call(from.part, Pointer(t.out), /*isInverse=*/true, order, points);
  Ordered to = t.ordered(ir::typeOf(t.out).dtype, t.made, order);
  t.call(from.part, to.part, /*isInverse=*/true, order, points);
  t.put(elementOf(to));
}

} // namespace library
} // namespace kiln::nvptx
