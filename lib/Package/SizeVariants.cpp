#include "lib/Package/SizeVariants.h"

#include "lib/Core/Error.h"
#include "lib/Core/Generalize.h"
#include "lib/Package/BodyNumbers.h"
#include "lib/Package/FitSizes.h"
#include "lib/Package/Programs.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>

namespace kiln {
namespace {

constexpr size_t kMostVariants = 64;

/// A number from its bits, where it is whole.
std::optional<int64_t> wholeNumber(int64_t bits, DType dtype) {
  if (isInteger(dtype) || dtype == DType::Bool) return bits;
  double value = 0;
  float narrow;
  if (dtype == DType::F64) std::memcpy(&value, &bits, sizeof value);
  else if (dtype == DType::F32) std::memcpy(&narrow, &bits, sizeof narrow), value = double(narrow);
  else return std::nullopt;
  bool isWhole = value == double(int64_t(std::clamp(value, -9e15, 9e15))) && !(value == 0 && bits);
  return isWhole ? std::optional(int64_t(value)) : std::nullopt;
}

/// Recordings that are instances of one program.
struct Group {
  Trace program; // open or not
  std::string tag;
  std::vector<Sizes> sizes;
  std::vector<Instance> instances; // of `program`, at the sizes
  size_t inputs = 0;               // of the recordings

  void sort() {
    std::vector<size_t> order(sizes.size());
    std::iota(order.begin(), order.end(), size_t(0));
    std::ranges::sort(order, {}, [&](size_t i) -> const Sizes & { return sizes[i]; });
    Group sorted;
    for (size_t i : order) sorted.sizes.push_back(std::move(sizes[i])), sorted.instances.push_back(std::move(instances[i]));
    sizes = std::move(sorted.sizes), instances = std::move(sorted.instances);
  }
};

class Finder {
public:
  using Record = std::function<std::optional<SizeRecording>(const Sizes &)>;
  explicit Finder(const Record &record) : record(record) {}
  std::vector<SizeVariant> variants;

  /// Adds the variants of a function at some sizes.
  void find(const std::vector<Sizes> &sizes) {
    for (Group &group : gather(sizes)) group.sort(), settle(group);
  }

private:
  const Record &record;

  static void tooMany() {
    throw Error(ErrorKind::Trace, "dynamic: expected a function of at most " + std::to_string(kMostVariants) +
                                      " programs over the sizes, got one of more: declare fewer sizes, or write a loop over them as "
                                      "kn.scan, kn.fori_loop or kn.while_loop");
  }

  /// Groups of recordings of one program each. A program that becomes more general has its instances recorded again.
  std::vector<Group> gather(const std::vector<Sizes> &sizes) {
    std::vector<Group> groups;
    std::vector<Sizes> waiting(sizes.rbegin(), sizes.rend());
    while (!waiting.empty()) {
      Sizes at = std::move(waiting.back());
      waiting.pop_back();
      auto recorded = record(at);
      if (!recorded) continue;
      recorded->program = withNumbersOutside(recorded->program);
      if (std::ranges::any_of(groups, [&](Group &group) { return join(group, at, *recorded); })) continue;
      if (std::ranges::any_of(groups, [&](Group &group) { return widen(group, at, *recorded, waiting); })) continue;
      if (groups.size() + variants.size() == kMostVariants) tooMany();
      Group &group = groups.emplace_back();
      group.program = std::move(recorded->program);
      group.tag = std::move(recorded->tag);
      group.inputs = size_t(group.program.inputs);
      group.sizes.push_back(std::move(at));
      group.instances.emplace_back();
    }
    return groups;
  }

  static bool join(Group &group, const Sizes &at, const SizeRecording &recorded) {
    if (group.tag != recorded.tag) return false;
    auto instance = instantiate(group.program, recorded.program);
    if (!instance) return false;
    group.sizes.push_back(at);
    group.instances.push_back(std::move(*instance));
    return true;
  }

  static bool widen(Group &group, const Sizes &at, const SizeRecording &recorded, std::vector<Sizes> &waiting) {
    if (group.tag != recorded.tag) return false;
    auto wider = generalize(group.program, recorded.program);
    if (!wider || !instantiate(*wider, recorded.program)) return false;
    if (wider->symbols == 0 && wider->inputs == group.program.inputs) return false;
    waiting.insert(waiting.end(), std::make_move_iterator(group.sizes.rbegin()), std::make_move_iterator(group.sizes.rend()));
    group.program = std::move(*wider);
    group.sizes.clear();
    group.instances.clear();
    join(group, at, recorded);
    return true;
  }

  /// Makes a variant of a group where all that varies follows from the sizes; else of parts of it.
  void settle(Group &group) {
    SizeVariant variant;
    std::vector<TensorType> types = inputTypesOf(group.program);
    std::vector<size_t> numberInputs = findNumbers(group);
    size_t symbols = size_t(std::max<int64_t>(group.program.symbols, 0));
    for (size_t i = 0; i < symbols + numberInputs.size(); ++i) {
      std::vector<int64_t> bits, values;
      bool isWhole = true;
      for (const Instance &instance : group.instances) {
        bits.push_back(i < symbols ? instance.symbols[i] : instance.numbers[i - symbols]);
        auto value = i < symbols ? std::optional(bits.back()) : wholeNumber(bits.back(), types[numberInputs[i - symbols]].dtype);
        isWhole &= value.has_value();
        values.push_back(value.value_or(0));
      }
      auto fitted = isWhole ? fitSizes(group.sizes, values) : std::nullopt;
      if (!fitted) return divide(group, bits);
      (i < symbols ? variant.symbols : variant.numbers).push_back(std::move(*fitted));
    }
    std::vector<size_t> order;
    for (size_t i = 0; i < types.size(); ++i)
      if (std::ranges::find(numberInputs, i) == numberInputs.end()) order.push_back(i);
    order.insert(order.end(), numberInputs.begin(), numberInputs.end());
    variant.program = withNumbersInside(withInputs(group.program, order));
    if (variant.program.symbols == 0) variant.program.symbols = leastSymbols(variant.program);
    variant.tag = std::move(group.tag);
    variant.sizes = std::move(group.sizes);
    variants.push_back(std::move(variant));
  }

  /// The inputs of a group's program that are constants of its recordings: those that come behind operations, or more than these have.
  static std::vector<size_t> findNumbers(const Group &group) {
    std::vector<size_t> numbers;
    for (size_t i = group.inputs; i < size_t(group.program.inputs); ++i) numbers.push_back(i);
    return numbers;
  }

  /// Parts of a group in which what did not follow from the sizes does: by its value where there are few, else halves.
  void divide(const Group &group, std::span<const int64_t> values) {
    constexpr size_t kFew = 16;
    std::map<int64_t, std::vector<Sizes>> parts;
    for (size_t i = 0; i < values.size(); ++i) parts[values[i]].push_back(group.sizes[i]);
    if (parts.size() > kFew) {
      parts.clear();
      for (size_t i = 0; i < values.size(); ++i) parts[i >= values.size() / 2].push_back(group.sizes[i]);
    }
    if (variants.size() + parts.size() > kMostVariants) tooMany();
    for (auto &[value, sizes] : parts) find(sizes);
  }
};

} // namespace

std::vector<SizeVariant> findVariants(const std::vector<Sizes> &sizes,
                                      const std::function<std::optional<SizeRecording>(const Sizes &)> &record) {
  Finder finder(record);
  finder.find(sizes);
  std::ranges::sort(finder.variants, {}, [](const SizeVariant &variant) -> const Sizes & { return variant.sizes[0]; });
  return std::move(finder.variants);
}

std::vector<SizeBox> boxesOf(std::vector<Sizes> sizes) {
  std::vector<SizeBox> boxes;
  for (const Sizes &point : sizes) {
    SizeBox &box = boxes.emplace_back();
    for (int64_t size : point) box.emplace_back(size, size);
  }
  size_t dimensions = boxes.empty() ? 0 : boxes[0].size();
  for (size_t axis = dimensions; axis-- > 0;) { // neighbours along one axis become one, axis by axis
    auto others = [&](const SizeBox &box) {
      SizeBox key = box;
      std::rotate(key.begin() + ptrdiff_t(axis), key.begin() + ptrdiff_t(axis) + 1, key.end());
      return key;
    };
    std::ranges::sort(boxes, {}, others);
    std::vector<SizeBox> joined;
    for (SizeBox &box : boxes) {
      bool isNext = !joined.empty() && joined.back()[axis].second + 1 == box[axis].first;
      for (size_t i = 0; isNext && i < dimensions; ++i) isNext = i == axis || joined.back()[i] == box[i];
      if (isNext) joined.back()[axis].second = box[axis].second;
      else joined.push_back(std::move(box));
    }
    boxes = std::move(joined);
  }
  std::ranges::sort(boxes);
  return boxes;
}

} // namespace kiln
