// Bodies of computed sizes: what keeps each of their operations inside of the arrays that there are, for any numbers that operands give.
// Symbols of a call are checked with the numbers of each recording; these are known while the program runs.
#include "lib/Core/Control.h"
#include "lib/Core/Infer.h"
#include "lib/Core/Trace.h"

#include <algorithm>

namespace kiln {
namespace {

/// By symbol, the most that it is; none: nothing has to be known of it here.
using Bounds = std::vector<std::optional<Size>>;

class BodyChecker {
public:
  BodyChecker(const Trace &body, const Bounds &bounds) : body(body), bounds(bounds) {}

  /// Throws Error (shape) for an operation that may leave an array for some of the sizes.
  void run() {
    for (size_t at = 0; at < body.words.size();) {
      TraceOp entry = Trace::decode(body.words, at);
      if (entry.op != Op::Input && isComputed(entry)) check(entry);
      slot += entry.results;
    }
    for (const auto &inner : body.bodies) {
      Bounds inside(size_t(inner->given)); // whose own operation has checked it
      for (const auto &bound : bounds) inside.push_back(bound ? std::optional(bound->shifted(inner->given)) : bound);
      BodyChecker(*inner, inside).run();
    }
  }

private:
  const Trace &body;
  const Bounds &bounds;
  size_t slot = 0; // of the operation under way

  std::optional<Size> boundOf(Size size) const {
    return size.isSymbol() && size_t(size.symbol()) < bounds.size() ? bounds[size_t(size.symbol())] : std::nullopt;
  }
  bool isComputed(const TensorType &type) const {
    return std::ranges::any_of(type.shape, [&](Size size) { return boundOf(size).has_value(); });
  }
  const TensorType &typeOf(const TraceOp &entry, size_t i) const { return body.types[size_t(entry.operands[i])]; }
  bool isComputed(const TraceOp &entry) const {
    auto results = std::span(body.types).subspan(slot, entry.results);
    return std::ranges::any_of(entry.operands, [&](int64_t operand) { return isComputed(body.types[size_t(operand)]); }) ||
           std::ranges::any_of(results, [&](const TensorType &type) { return isComputed(type); });
  }

  [[noreturn]] static void refuse(const TraceOp &entry, const std::string &what) {
    fail(ErrorKind::Shape, info(Op::Sized).name, std::string(info(entry.op).name) + " of computed sizes", "positions within its array",
         what);
  }

  void check(const TraceOp &entry) const {
    WordReader words{entry.words};
    switch (entry.op) {
    case Op::Slice: {
      Shape starts = words.sizes("slice", body.symbols), sizes = words.sizes("slice", body.symbols);
      return checkRegion(entry, starts, sizes, words.dims());
    }
    case Op::Update: {
      Shape starts = words.sizes("update", body.symbols);
      return checkRegion(entry, starts, typeOf(entry, 1).shape, words.dims());
    }
    case Op::DynamicSlice: return checkPart(entry, words.sizes("dynamic_slice", body.symbols));
    case Op::DynamicUpdate: return checkPart(entry, typeOf(entry, 1).shape);
    case Op::Reshape: return checkReshape(entry);
    case Op::Broadcast:
    case Op::Transpose: return;
    default: break;
    }
    constexpr Kind kExact[] = {Kind::Elementwise, Kind::Source,  Kind::Reduce, Kind::Argreduce, Kind::Contract,
                               Kind::Gather,      Kind::Scatter, Kind::Scan,   Kind::Sort,      Kind::Control};
    if (std::ranges::find(kExact, info(entry.op).kind) == std::end(kExact)) refuse(entry, "an operation whose result has another size");
  }

  /// Whether `count` positions, from `start` on, lie in an axis of `size` for all numbers.
  bool fits(Size size, int64_t start, Size count) const {
    auto bound = boundOf(count);
    if (!bound && count.isSymbol() && size_t(count.symbol()) < bounds.size()) return true; // its own operation checks it
    bool isComputed = boundOf(size).has_value();                                           // then it may be 2
    if (!bound && !isComputed) return true;                                                // as in any program
    if (size == count) return start == 0;
    Size most = bound ? *bound : count;
    if (size == most) return start == 0;
    if (!most.isConstant() || (!size.isConstant() && !isComputed)) return false;
    return Wide(start) + most.number() <= (isComputed ? 2 : size.number());
  }

  void checkPart(const TraceOp &entry, const Shape &sizes) const {
    for (int i = 0; i < sizes.rank; ++i)
      if (!fits(typeOf(entry, 0).shape[i], 0, sizes[i])) refuse(entry, toString(sizes) + " of " + toString(typeOf(entry, 0)));
  }
  void checkRegion(const TraceOp &entry, const Shape &starts, const Shape &sizes, const Dims &steps) const {
    const Shape &x = typeOf(entry, 0).shape;
    for (int i = 0; i < sizes.rank; ++i) {
      bool isFixed = !boundOf(x[i]) && !boundOf(sizes[i]) && !boundOf(starts[i]);
      bool isPlain = steps[i] == 1 && starts[i].isConstant() && fits(x[i], starts[i].number(), sizes[i]);
      if (!isFixed && !isPlain) refuse(entry, toString(sizes) + " from " + toString(starts) + " of " + toString(x));
    }
  }
  /// Only axes of one element come and go.
  void checkReshape(const TraceOp &entry) const {
    auto longer = [](const Shape &shape) {
      std::vector<Size> sizes;
      for (Size size : shape)
        if (!size.is(1)) sizes.push_back(size);
      return sizes;
    };
    if (longer(typeOf(entry, 0).shape) != longer(body.types[slot].shape)) refuse(entry, toString(body.types[slot]));
  }
};

} // namespace

void checkSizedBody(const Trace &body, const Shape &most) {
  Bounds bounds;
  for (Size size : most) bounds.push_back(size.shifted(body.given));
  BodyChecker(body, bounds).run();
}

} // namespace kiln
