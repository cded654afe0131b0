#include "lib/Core/Ops.h"

#include "lib/Core/Control.h"
#include "lib/Core/Infer.h"
#include "lib/Core/Registry.h"

#include <algorithm>
#include <unordered_map>

namespace kiln {

const OpInfo kOpTable[] = {
#define KILN_OP(Id, name, summary, kind, accepts, operands, ufunc, floatResult, native, blocked, needsElement, eager, byNumber, cost,      \
                infer, words, attributes, version, upgrade, inferMany)                                                                     \
  {name, summary, Kind::kind, Accepts::accepts, operands, ufunc,   floatResult, native, blocked, needsElement, eager, byNumber,            \
   cost, infer,   words,      attributes,       version,  upgrade, inferMany},
#include "kiln/Ops.inc"
};

const OpInfo kCustomOp = {
    .name = "custom",
    .summary = "An op that the process registered.",
    .kind = Kind::Library,
    .accepts = Accepts::Any,
    .operands = -1,
    .ufunc = false,
    .floatResult = false,
    .native = false,
    .blocked = false,
    .needsElement = false,
    .eager = false,
    .byNumber = false,
    .cost = 1000,
    .infer = nullptr,
    .words = "o",
    .attributes = "",
    .version = 1,
    .upgrade = nullptr,
    .inferMany = inferRegistered,
};

const OpInfo &info(Op op, std::span<const int64_t> words) { return op == Op::Custom ? registeredOp(words).info : info(op); }

std::optional<Op> findOp(std::string_view name) {
  static const auto *byName = [] {
    auto *map = new std::unordered_map<std::string_view, Op>;
    for (int i = 0; i < int(Op::Count); ++i) map->emplace(kOpTable[i].name, Op(i));
    return map;
  }();
  auto found = byName->find(name);
  return found == byName->end() ? std::nullopt : std::optional(found->second);
}

std::string_view nextAttribute(std::string_view &attributes, char kind) {
  if (kind == 'o') return "";
  if (attributes.empty()) return kind == 'd' ? "dtype" : "shape";
  std::string_view name = attributes.substr(0, attributes.find(','));
  attributes.remove_prefix(std::min(attributes.size(), name.size() + 1));
  return name;
}

std::vector<WordGroup> groupsOf(const OpInfo &record, std::span<const int64_t> words) {
  std::vector<WordGroup> groups;
  std::string_view attributes = record.attributes;
  size_t at = 0;
  auto refuse = [&](const std::string &expected, const std::string &got) { fail(ErrorKind::Value, record.name, "words", expected, got); };
  for (const char *kind = record.words; *kind; ++kind) {
    size_t count = *kind == 's' ? 2 : 1;
    bool isList = *kind == 'I' || *kind == 'N' || *kind == 'S', isAnyNumber = *kind == 'B';
    if (isList && at < words.size()) {
      if (words[at] < 0 || words[at] > kMaxRank)
        refuse("lists of at most " + std::to_string(kMaxRank) + " values", std::to_string(words[at]));
      count += size_t(words[at]);
    }
    if (isAnyNumber && at < words.size()) {
      if (words[at] < 0 || size_t(words[at]) >= words.size()) refuse("a number of bodies", std::to_string(words[at]));
      count += size_t(words[at]);
    }
    if (count > words.size() - at) refuse("all of them", std::to_string(words.size()));
    bool isTyped = *kind == 's' || *kind == 'd';
    if (isTyped && (words[at] < 0 || words[at] >= kNumDTypes)) refuse("the number of a dtype", std::to_string(words[at]));
    groups.push_back({*kind, nextAttribute(attributes, *kind), words.subspan(at, count)});
    at += count;
  }
  if (at != words.size()) refuse(std::to_string(at), std::to_string(words.size()));
  return groups;
}

Shape WordReader::sizes(const char *op, int64_t symbols) {
  int64_t n = at < words.size() ? next() : -1;
  if (n < 0 || n > kMaxRank || size_t(n) > words.size() - at)
    fail(ErrorKind::Shape, op, "number of sizes", "0 to " + std::to_string(kMaxRank) + ", and as many words", std::to_string(n));
  at += size_t(n);
  return Shape::ofWords(op, words.subspan(at - size_t(n), size_t(n)), symbols);
}

std::optional<Shape> WordReader::sizesOfGroup(char kind, const char *op, int64_t symbols) {
  if (!followsSizes(kind)) return std::nullopt;
  if (kind != 'n') return sizes(op, symbols);
  if (at >= words.size()) fail(ErrorKind::Shape, op, "words", "a size", "none");
  return Shape::ofWords(op, words.subspan(at++, 1), symbols);
}

} // namespace kiln
