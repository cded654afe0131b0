// Results whose sizes values decide: callers say how much room there is for each, and are told the sizes.
#include "codegen/library/Interface.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>

namespace kiln::library {
namespace {

using Step = SizeExpression::Step;

bool isChosen(const SizeExpression &size, size_t chosen) {
  return llvm::none_of(size.items, [&](auto &item) { return item.step == Step::Dimension && size_t(item.value) >= chosen; });
}

/// Whether all sizes that an expression follows from are one number in a box.
bool isFixed(const SizeExpression &size, const SizeBox &box) {
  return llvm::all_of(size.items, [&](const SizeExpression::Item &item) {
    return item.step != Step::Dimension || box[size_t(item.value)].first == box[size_t(item.value)].second;
  });
}

/// Whether two expressions are known to be the same number at all sizes of an entry: the same expression, or fixed in each box.
bool agree(const PackageEntry &entry, const SizeExpression &a, const SizeExpression &b) {
  if (a == b) return true;
  for (const SizeBox &box : llvm::concat<const SizeBox>(entry.checked, entry.assumed)) {
    std::vector<int64_t> sizes;
    for (auto [low, high] : box) sizes.push_back(low);
    if (!isFixed(a, box) || !isFixed(b, box) || evaluate(a, sizes) != evaluate(b, sizes)) return false;
  }
  return true;
}

/// What a size of a result is in the dimensions that callers choose alone, in all variants; null where values decide it.
const SizeExpression *withoutValues(const Function &f, const std::vector<SizeExpression> &size) {
  for (const SizeExpression &candidate : size) {
    if (!isChosen(candidate, f.chosen())) continue;
    auto fits = [&](size_t v) { return agree(*f.variants[v], candidate, size[v]); };
    if (llvm::all_of(llvm::seq(size.size()), fits)) return &candidate;
  }
  return nullptr;
}

} // namespace

void findCounted(Function &f, const std::function<std::string(std::string)> &freeName) {
  for (size_t i = f.given; i < f.arguments[0].size() && !f.stages.empty(); ++i) {
    std::vector<std::pair<int, std::vector<SizeExpression>>> counted; // axes
    for (size_t axis = 0; axis < f.arguments[0][i].shape.size(); ++axis) {
      std::vector<SizeExpression> size;
      for (const std::vector<Argument> &arguments : f.arguments) size.push_back(arguments[i].shape[axis]);
      if (const SizeExpression *same = withoutValues(f, size))
        for (std::vector<Argument> &arguments : f.arguments) arguments[i].shape[axis] = *same;
      else counted.emplace_back(int(axis), std::move(size));
    }
    if (counted.empty()) continue;
    std::string name = f.arguments[0][i].name, capacity = freeName(name + "_capacity");
    std::vector<size_t> places;
    for (auto &[axis, size] : counted) {
      auto isSame = [&](const FoundSize &known) {
        return llvm::all_of(llvm::seq(size.size()), [&](size_t v) { return agree(*f.variants[v], known.size[v], size[v]); });
      };
      if (llvm::any_of(f.found, isSame)) continue; // it was told before
      places.push_back(f.found.size());
      f.found.push_back({freeName(name + "_size" + (counted.size() > 1 ? std::to_string(axis) : "")), std::move(size)});
    }
    for (std::vector<Argument> &arguments : f.arguments) arguments[i].capacity = capacity, arguments[i].found = places;
  }
}

} // namespace kiln::library
