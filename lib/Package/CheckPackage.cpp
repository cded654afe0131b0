// Whether the parts of a package fit together: what is written is asked for it as what is read is.
#include "lib/Package/Manifest.h"

#include "lib/Core/Infer.h"

#include <algorithm>
#include <set>

namespace kiln {
namespace {

using manifest::malformed;

void checkName(const std::string &what, const std::string &name) {
  auto isLetter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  bool isFit = !name.empty() && name.size() <= 128 && isLetter(name[0]);
  for (char c : name) isFit &= isLetter(c) || (c >= '0' && c <= '9');
  if (!isFit) malformed(what, "a name of letters, digits and _", "'" + name + "'");
}

class EntryChecker {
public:
  /// `before`: the entries of its name of the stage before.
  EntryChecker(const Package &package, const PackageEntry &entry, std::span<const PackageEntry> before)
      : package(package), entry(entry), before(before), types(inputTypesOf(entry.program)) {}

  void run() {
    checkName("name of an entry", entry.name);
    if (entry.inputs.size() != types.size()) wrong("inputs", std::to_string(types.size()) + " as its program has", entry.inputs.size());
    if (entry.outputs.size() != entry.program.outputs.size())
      wrong("outputs", std::to_string(entry.program.outputs.size()) + " as its program has", entry.outputs.size());
    auto symbols = size_t(std::max<int64_t>(entry.program.symbols, 0));
    if (entry.symbols.size() != symbols) wrong("symbols", std::to_string(symbols) + " as its program has", entry.symbols.size());
    for (const SizeExpression &symbol : entry.symbols) checkExpression(symbol);
    checkDimensions();
    checkProgram();
    for (size_t i = 0; i < entry.inputs.size(); ++i) checkInput(entry.inputs[i], types[i]);
    for (size_t i = 0; i < entry.outputs.size(); ++i) checkOutput(entry.outputs[i], entry.program.outputs[i]);
    checkMisses();
    checkStage();
    checkBoxes(entry.checked);
    checkBoxes(entry.assumed);
    if (entry.checked.empty() && entry.assumed.empty()) wrong("sizes", "some that it is for", 0);
  }

private:
  const Package &package;
  const PackageEntry &entry;
  std::span<const PackageEntry> before;
  std::vector<TensorType> types;
  std::set<std::string> names;
  std::set<int64_t> written;

  [[noreturn]] void wrong(const std::string &what, const std::string &expected, size_t got) const {
    malformed(what + " of '" + entry.name + "'", expected, std::to_string(got));
  }
  void take(const std::string &what, const std::string &name) {
    checkName("name of " + what + " of '" + entry.name + "'", name);
    if (!names.insert(name).second) malformed("names of '" + entry.name + "'", "each once", "'" + name + "' twice");
  }
  void checkExpression(const SizeExpression &expression) const {
    if (!isValid(expression, entry.dimensions.size()))
      malformed("expressions of '" + entry.name + "'", "numbers, dimensions and operations in postfix order", "others");
  }

  /// Those that callers choose first, then those that values decide, each within what follows from those before.
  void checkDimensions() {
    for (size_t i = 0; i < entry.dimensions.size(); ++i) {
      const Dimension &dimension = entry.dimensions[i];
      take("a dimension", dimension.name);
      if (dimension.least < 0 || dimension.least > dimension.most)
        malformed("bounds of '" + dimension.name + "'", "a least and a most size",
                  std::to_string(dimension.least) + " and " + std::to_string(dimension.most));
      if (dimension.isCounted() ? !isValid(dimension.bound, i) : i && entry.dimensions[i - 1].isCounted())
        malformed("bound of '" + dimension.name + "'", "one in the dimensions before it", dimension.isCounted() ? "another" : "none");
    }
  }

  bool isNumber(size_t output) const {
    return entry.outputs[output].writes == -1 && entry.program.types[size_t(entry.program.outputs[output])] == TensorType{DType::I64, {}};
  }
  void checkMisses() const {
    if (entry.misses.empty()) return;
    if (entry.outputs.empty() || !isNumber(entry.outputs.size() - 1))
      malformed("last output of '" + entry.name + "'", "an int64 of rank 0, the number of a question", "another");
  }
  /// What an entry that counts leaves to the next stage.
  void checkStage() const {
    if (!entry.counts) return;
    if (entry.outputs.size() < (entry.misses.empty() ? 1u : 2u) || !isNumber(countOf(entry)) || !written.empty())
      malformed("outputs of '" + entry.name + "'", "what is kept and an int64 of rank 0, the next dimension", "others");
  }
  void checkKept(const PackageInput &input, const TensorType &type) const {
    auto keeps = [&](const PackageEntry &other) {
      auto place = keptAs(other, input.name);
      if (!place) return false;
      const TensorType &kept = other.program.types[size_t(other.program.outputs[*place])];
      return kept.dtype == type.dtype && kept.shape.rank == type.shape.rank;
    };
    if (std::ranges::none_of(before, keeps))
      malformed("input '" + input.name + "' of '" + entry.name + "'", "one of its type that the stage before keeps", "none");
  }

  /// Inputs are row-major, on the host, and left as they are: weights cannot be written over.
  void checkProgram() const {
    if (!entry.program.replaces.empty()) malformed("outputs of '" + entry.name + "'", "memory of their own", "that of inputs");
    for (const std::string &device : entry.program.devices)
      if (device != kHostDevice) malformed("inputs of '" + entry.name + "'", "arrays of the host", "one of '" + device + "'");
    for (size_t at = 0; at < entry.program.words.size();) {
      TraceOp op = Trace::decode(entry.program.words, at);
      if (op.op == Op::Input && op.words[2 + size_t(op.words[1])]) malformed("inputs of '" + entry.name + "'", "row-major ones", "strides");
    }
  }

  void checkInput(const PackageInput &input, const TensorType &type) {
    take("an input", input.name);
    bool isWeight = input.role == Role::Weight, mayStart = isWeight || input.role == Role::Argument;
    bool isKnown = mayStart && input.weight >= 0 && size_t(input.weight) < package.weights.size();
    std::string what = "input '" + input.name + "' of '" + entry.name + "'";
    if (!isKnown && (isWeight || input.weight != -1)) malformed(what, "a weight of the package", "none");
    if (isKnown && !(package.weights[size_t(input.weight)].type == type))
      malformed(what, toString(type), toString(package.weights[size_t(input.weight)].type));
    if (input.role == Role::Argument && input.shape.size() != size_t(type.shape.rank))
      malformed(what, std::to_string(type.shape.rank) + " axes", std::to_string(input.shape.size()));
    for (const SizeExpression &size : input.shape) {
      bool isPlain = size.items.size() == 1 && isValid(size, entry.dimensions.size());
      if (!isPlain || (size.items[0].step == SizeExpression::Step::Number && size.items[0].value < 0))
        malformed("shape of " + what, "numbers and dimensions", "others");
    }
    bool isScalar = input.role == Role::Number || input.role == Role::Size;
    if (isScalar && type.shape.rank) malformed(what, "an array of rank 0", toString(type));
    if (input.role == Role::Size) checkExpression(input.number);
    if (input.role == Role::Kept) checkKept(input, type);
  }

  void checkOutput(const PackageOutput &output, int64_t slot) {
    if (output.writes == -1) return take("an output", output.name);
    std::string what = "output '" + output.name + "' of '" + entry.name + "'";
    bool isArgument =
        output.writes >= 0 && size_t(output.writes) < entry.inputs.size() && entry.inputs[size_t(output.writes)].role == Role::Argument;
    if (!isArgument || output.name != entry.inputs[size_t(output.writes)].name)
      malformed(what, "the name of the argument that it writes", "another");
    const TensorType &type = entry.program.types[size_t(slot)], &target = types[size_t(output.writes)];
    if (!(type == target)) malformed(what, toString(target), toString(type));
    if (!written.insert(output.writes).second) malformed(what, "one output that writes it", "two");
  }

  void checkBoxes(const std::vector<SizeBox> &boxes) const {
    for (const SizeBox &box : boxes) {
      if (box.size() != entry.dimensions.size())
        wrong("sizes", "ranges of " + std::to_string(entry.dimensions.size()) + " dimensions", box.size());
      for (size_t i = 0; i < box.size(); ++i)
        if (box[i].first < entry.dimensions[i].least || box[i].second > entry.dimensions[i].most || box[i].first > box[i].second)
          malformed("sizes of '" + entry.name + "'", "ranges within the bounds of '" + entry.dimensions[i].name + "'",
                    std::to_string(box[i].first) + " to " + std::to_string(box[i].second));
    }
  }
};

/// What a caller gives: the same of all entries of a name.
bool takesAs(const PackageEntry &a, const PackageEntry &b) {
  auto isArgument = [](const PackageInput &input) { return input.role == Role::Argument || input.role == Role::Number; };
  std::vector<PackageInput> mine, theirs;
  std::ranges::copy_if(a.inputs, std::back_inserter(mine), isArgument);
  std::ranges::copy_if(b.inputs, std::back_inserter(theirs), isArgument);
  return mine == theirs;
}
/// Whether the next stage finds what is kept by both in the same places. At some sizes there may be less to keep.
bool keepsAs(const PackageEntry &a, const PackageEntry &b) {
  for (size_t i = 0; i < std::min(countOf(a), countOf(b)); ++i)
    if (a.outputs[i].name != b.outputs[i].name) return false;
  return true;
}
/// What is seen of entries of one stage.
bool looksAs(const PackageEntry &a, const PackageEntry &b) {
  auto haveSameNames = std::ranges::equal(a.outputs, b.outputs, {}, &PackageOutput::name, &PackageOutput::name);
  return takesAs(a, b) && a.dimensions == b.dimensions && a.counts == b.counts && (a.counts ? keepsAs(a, b) : haveSameNames);
}
/// Whether an entry is of the stage behind another one, which counts.
bool follows(const PackageEntry &entry, const PackageEntry &before) {
  size_t count = before.dimensions.size();
  return before.counts && takesAs(entry, before) && entry.dimensions.size() == count + 1 && entry.dimensions.back().isCounted() &&
         std::equal(before.dimensions.begin(), before.dimensions.end(), entry.dimensions.begin());
}

/// The entries: those of one name one after another, in the order of their stages, from the one that needs no values to one with results.
void checkEntries(const Package &package) {
  std::set<std::string> names;
  std::span<const PackageEntry> before, stage; // of the stage before, and of this one so far
  for (size_t i = 0; i < package.entries.size(); ++i) {
    const PackageEntry &entry = package.entries[i], *last = i ? &package.entries[i - 1] : nullptr;
    bool isNew = !last || last->name != entry.name, isNext = !isNew && follows(entry, *last);
    if (isNew || isNext) before = isNew ? std::span<const PackageEntry>() : stage, stage = {&entry, 0};
    stage = {stage.data(), stage.size() + 1};
    if (isNew && !names.insert(entry.name).second) malformed("entries", "those of one name one after another", "'" + entry.name + "'");
    if (isNew && !entry.dimensions.empty() && entry.dimensions.back().isCounted())
      malformed("entries of '" + entry.name + "'", "a stage that counts '" + entry.dimensions.back().name + "'", "none");
    if (!isNew && !isNext && !looksAs(*last, entry))
      malformed("entries of '" + entry.name + "'", "the same arguments, outputs and dimensions", "others");
    EntryChecker(package, entry, before).run();
    bool isLast = i + 1 == package.entries.size() || package.entries[i + 1].name != entry.name;
    if (isLast && entry.counts) malformed("entries of '" + entry.name + "'", "a last stage, which has the results", "one that counts");
  }
}

} // namespace

void manifest::checkWeight(const PackageWeight &weight) {
  try {
    checkSize(("weight '" + weight.name + "'").c_str(), weight.type);
  } catch (const Error &error) { throw Error(ErrorKind::Package, std::string("package: ") + error.what()); }
}

/// Files have names that lead nowhere else, members beside those of the package, and contents.
static void checkOps(const Package &package) {
  for (const PackageOp &op : package.ops) {
    std::set<std::string> names;
    for (const auto &[name, member] : op.files) {
      bool leadsOut = name.empty() || name[0] == '/' || ("/" + name + "/").find("/../") != std::string::npos;
      if (leadsOut || !names.insert(name).second)
        malformed("file of op '" + op.op.title + "'", "a name of its own within a folder", "'" + name + "'");
      if (!member.starts_with("ops/")) malformed("file of op '" + op.op.title + "'", "a member ops/*", "'" + member + "'");
      package.file(member);
    }
    for (const std::string &source : op.sources)
      if (!names.contains(source)) malformed("sources of op '" + op.op.title + "'", "files of it", "'" + source + "'");
    for (const std::string &member : {op.object, op.kernel})
      if (!member.empty()) package.file(member);
    if (op.sources.empty() && op.object.empty()) malformed("op '" + op.op.title + "'", "sources or an object", "neither");
  }
}

void checkPackage(const Package &package) {
  checkName("name", package.name);
  std::set<std::string> weights;
  for (const PackageWeight &weight : package.weights) {
    manifest::checkWeight(weight);
    bool isWhole = int64_t(weight.bytes.size()) == numElements(weight.type.shape) * byteSize(weight.type.dtype);
    if (!isWhole) malformed("weight '" + weight.name + "'", "the bytes of " + toString(weight.type), std::to_string(weight.bytes.size()));
    if (weight.name == "__metadata__" || !weights.insert(weight.name).second)
      malformed("names of weights", "each once, and no '__metadata__'", "'" + weight.name + "'");
  }
  checkOps(package);
  std::set<std::string> triples;
  for (const PackageNative &native : package.natives) {
    auto isPlain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'; };
    if (native.triple.empty() || native.triple.size() > 128 || !std::ranges::all_of(native.triple, isPlain))
      malformed("triple of code", "a triple of LLVM", "'" + native.triple + "'");
    if (!triples.insert(native.triple).second) malformed("code", "one for a triple", "two for '" + native.triple + "'");
  }
  if (package.entries.empty()) malformed("entries", "at least one", "none");
  checkEntries(package);
}

} // namespace kiln
