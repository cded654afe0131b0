#include "lib/Package/Json.h"

#include <algorithm>

namespace kiln::manifest {
namespace {

constexpr const char *kRoles[] = {"argument", "weight", "number", "size", "kept"};
constexpr std::pair<const char *, SizeExpression::Step> kSteps[] = {{"+", SizeExpression::Step::Add},
                                                                    {"*", SizeExpression::Step::Multiply},
                                                                    {"//", SizeExpression::Step::FloorDivide},
                                                                    {"max()", SizeExpression::Step::Maximum},
                                                                    {"min()", SizeExpression::Step::Minimum}};

//===-- writing -----------------------------------------------------------------------------------------------------===//

using Dimensions = std::vector<Dimension>;

/// A number, or a list in postfix order: ["n", 3, "//"].
Json writeExpression(const SizeExpression &expression, const Dimensions &dimensions) {
  using Step = SizeExpression::Step;
  Json list = Json::array();
  for (const SizeExpression::Item &item : expression.items)
    if (item.step == Step::Number) list.push_back(item.value);
    else if (item.step == Step::Dimension) list.push_back(dimensions[size_t(item.value)].name);
    else list.push_back(std::ranges::find(kSteps, item.step, &std::pair<const char *, Step>::second)->first);
  return list.size() == 1 ? list[0] : list;
}

Json writeExpressions(const std::vector<SizeExpression> &expressions, const Dimensions &dimensions) {
  Json list = Json::array();
  for (const SizeExpression &expression : expressions) list.push_back(writeExpression(expression, dimensions));
  return list;
}

/// The sizes of a slot, those of symbols as they follow from the dimensions.
Json writeShape(const PackageEntry &entry, const Shape &shape) {
  Json list = Json::array();
  for (Size size : shape)
    list.push_back(size.isSymbol() ? writeExpression(entry.symbols[size_t(size.symbol())], entry.dimensions) : Json(size.number()));
  return list;
}

Json writeBoxes(const std::vector<SizeBox> &boxes) {
  Json list = Json::array();
  for (const SizeBox &box : boxes) {
    Json ranges = Json::array();
    for (auto [least, most] : box) ranges.push_back({least, most});
    list.push_back(ranges);
  }
  return list;
}

Json writeInput(const PackageEntry &entry, size_t number, const TensorType &type, const Package &package) {
  const PackageInput &input = entry.inputs[number];
  Json json = {{"name", input.name}, {"role", kRoles[size_t(input.role)]}, {"dtype", info(type.dtype).name}};
  if (input.role == Role::Argument) json["shape"] = writeExpressions(input.shape, entry.dimensions);
  if (input.role == Role::Size) json["number"] = writeExpression(input.number, entry.dimensions);
  if (input.weight >= 0) json[input.role == Role::Weight ? "weight" : "initial"] = package.weights[size_t(input.weight)].name;
  return json;
}

std::span<const uint8_t> bytesOf(const std::string &text) { return {reinterpret_cast<const uint8_t *>(text.data()), text.size()}; }

Json writeEntry(const PackageEntry &entry, const std::string &program, const Package &package) {
  Json json = {{"name", entry.name}, {"program", program}, {"symbols", writeExpressions(entry.symbols, entry.dimensions)}};
  json["checked"] = writeBoxes(entry.checked);
  json["assumed"] = writeBoxes(entry.assumed);
  json["signature"] = entry.signature.empty() ? Json() : parse(bytesOf(entry.signature), "signature of '" + entry.name + "'");
  if (!entry.misses.empty()) json["misses"] = entry.misses;
  if (entry.counts) json["counts"] = true;
  json["dimensions"] = json["inputs"] = json["outputs"] = Json::array();
  for (const Dimension &d : entry.dimensions) {
    json["dimensions"].push_back({{"name", d.name}, {"least", d.least}, {"most", d.most}});
    if (d.isCounted()) json["dimensions"].back()["bound"] = writeExpression(d.bound, entry.dimensions);
  }
  std::vector<TensorType> types = inputTypesOf(entry.program);
  for (size_t i = 0; i < entry.inputs.size(); ++i) json["inputs"].push_back(writeInput(entry, i, types[i], package));
  for (size_t i = 0; i < entry.outputs.size(); ++i) {
    const TensorType &type = entry.program.types[size_t(entry.program.outputs[i])];
    Json output = {{"name", entry.outputs[i].name}, {"dtype", info(type.dtype).name}, {"shape", writeShape(entry, type.shape)}};
    if (entry.outputs[i].writes >= 0) output["writes"] = entry.inputs[size_t(entry.outputs[i].writes)].name;
    json["outputs"].push_back(output);
  }
  return json;
}

//===-- reading -----------------------------------------------------------------------------------------------------===//

SizeExpression readExpression(const Value &value, const Dimensions &dimensions) {
  SizeExpression expression;
  auto add = [&](const Value &item) {
    if (!item.json.is_string()) return expression.items.push_back({SizeExpression::Step::Number, item.number()});
    std::string text = item.text();
    for (auto [name, step] : kSteps)
      if (text == name) return expression.items.push_back({step});
    auto dimension = std::ranges::find(dimensions, text, &Dimension::name);
    if (dimension == dimensions.end()) item.wrong("a dimension of the entry or an operation");
    expression.items.push_back({SizeExpression::Step::Dimension, dimension - dimensions.begin()});
  };
  if (!value.json.is_array()) add(value);
  else
    for (const Value &item : value.list()) add(item);
  if (!isValid(expression, dimensions.size())) value.wrong("numbers, dimensions and operations in postfix order");
  return expression;
}

std::vector<SizeExpression> readExpressions(const Value &value, const Dimensions &dimensions) {
  std::vector<SizeExpression> expressions;
  for (const Value &item : value.list()) expressions.push_back(readExpression(item, dimensions));
  return expressions;
}

std::vector<SizeBox> readBoxes(const Value &value) {
  std::vector<SizeBox> boxes;
  for (const Value &box : value.list()) {
    boxes.emplace_back();
    for (const Value &range : box.list()) {
      std::vector<Value> ends = range.list();
      if (ends.size() != 2) range.wrong("a least and a most size");
      boxes.back().emplace_back(ends[0].number(), ends[1].number());
    }
  }
  return boxes;
}

/// The place of what has a name.
template <typename T> int64_t placeOf(const Value &name, const std::vector<T> &among, const char *what) {
  auto found = std::ranges::find(among, name.text(), &T::name);
  if (found == among.end()) name.wrong(what);
  return found - among.begin();
}

PackageInput readInput(const Value &value, const Dimensions &dimensions, const Package &package) {
  PackageInput input;
  input.name = value.at("name").text();
  Value role = value.at("role");
  auto known = std::ranges::find(kRoles, role.text());
  if (known == std::end(kRoles)) role.wrong("the role of an input");
  input.role = Role(known - kRoles);
  if (input.role == Role::Argument) input.shape = readExpressions(value.at("shape"), dimensions);
  if (input.role == Role::Size) input.number = readExpression(value.at("number"), dimensions);
  const char *weight = input.role == Role::Weight ? "weight" : "initial";
  if (input.role == Role::Weight || value.has(weight)) input.weight = placeOf(value.at(weight), package.weights, "a weight of the package");
  return input;
}

PackageEntry readEntry(const Value &value, const Package &package) {
  PackageEntry entry;
  entry.name = value.at("name").text();
  for (const Value &d : value.at("dimensions").list()) {
    Dimension made{d.at("name").text(), d.at("least").number(), d.at("most").number()};
    if (d.has("bound")) made.bound = readExpression(d.at("bound"), entry.dimensions); // in those before
    entry.dimensions.push_back(std::move(made));
  }
  for (const Value &input : value.at("inputs").list()) entry.inputs.push_back(readInput(input, entry.dimensions, package));
  for (const Value &output : value.at("outputs").list()) {
    entry.outputs.push_back({output.at("name").text()});
    if (output.has("writes")) entry.outputs.back().writes = placeOf(output.at("writes"), entry.inputs, "an input of the entry");
  }
  entry.symbols = readExpressions(value.at("symbols"), entry.dimensions);
  entry.checked = readBoxes(value.at("checked"));
  entry.assumed = readBoxes(value.at("assumed"));
  if (value.has("misses"))
    for (const Value &question : value.at("misses").list()) entry.misses.push_back(question.text());
  entry.counts = value.has("counts") && value.at("counts").flag();
  if (const Json &signature = value.at("signature").json; !signature.is_null()) entry.signature = signature.dump();
  return entry;
}

Json writeOp(const PackageOp &op) {
  Json json = {
      {"name", op.op.name}, {"title", op.op.title}, {"symbol", op.symbol}, {"operands", op.op.operands}, {"results", op.op.results}};
  json["attributes"] = op.op.attributes;
  json["sources"] = op.sources;
  json["flags"] = op.flags;
  json["files"] = Json::array();
  for (const auto &[name, member] : op.files) json["files"].push_back({{"name", name}, {"member", member}});
  if (!op.object.empty()) json["object"] = {{"member", op.object}, {"triple", op.triple}};
  if (!op.kernel.empty()) json["kernel"] = op.kernel;
  return json;
}

std::vector<std::string> readTexts(const Value &value) {
  std::vector<std::string> texts;
  for (const Value &text : value.list()) texts.push_back(text.text());
  return texts;
}

/// An op, which is declared: programs that have it can be read from here on.
PackageOp readOp(const Value &value) {
  auto count = [](const Value &number) {
    if (number.number() < 0 || number.number() > 1000) number.wrong("0 to 1000");
    return int(number.number());
  };
  PackageOp op;
  op.op = {value.at("name").text(), value.at("title").text(), count(value.at("operands")), count(value.at("results")),
           readTexts(value.at("attributes"))};
  op.symbol = value.at("symbol").text();
  op.sources = readTexts(value.at("sources"));
  op.flags = readTexts(value.at("flags"));
  for (const Value &file : value.at("files").list()) op.files.emplace_back(file.at("name").text(), file.at("member").text());
  if (value.has("object")) {
    op.object = value.at("object").at("member").text();
    op.triple = value.at("object").at("triple").text();
  }
  if (value.has("kernel")) op.kernel = value.at("kernel").text();
  try {
    declareNative(op.op);
  } catch (const Error &error) { throw Error(ErrorKind::Package, std::string("package: ") + error.what()); }
  return op;
}

/// Throws Error (package) where a manifest says other types than the program has.
void checkTypes(const Value &value, const PackageEntry &entry) {
  std::vector<TensorType> types = inputTypesOf(entry.program);
  std::vector<Value> inputs = value.at("inputs").list(), outputs = value.at("outputs").list();
  auto check = [](const Value &dtype, const TensorType &type) {
    if (dtype.text() != info(type.dtype).name) dtype.wrong(std::string(info(type.dtype).name) + " as the program has");
  };
  for (size_t i = 0; i < std::min(types.size(), inputs.size()); ++i) check(inputs[i].at("dtype"), types[i]);
  for (size_t i = 0; i < std::min(outputs.size(), entry.program.outputs.size()); ++i) {
    const TensorType &type = entry.program.types[size_t(entry.program.outputs[i])];
    check(outputs[i].at("dtype"), type);
    bool isKnown =
        std::ranges::all_of(type.shape, [&](Size size) { return size.isConstant() || size_t(size.symbol()) < entry.symbols.size(); });
    Value shape = outputs[i].at("shape");
    if (isKnown && shape.json != writeShape(entry, type.shape)) shape.wrong("the sizes that the program has");
  }
}

/// The format of a manifest; throws Error (package) where it is not one that is read here.
void checkFormat(const Value &root) {
  std::vector<Value> format = root.at("format").list();
  if (format.size() != 2) root.at("format").wrong("a major and a minor version");
  if (format[0].number() < 1 || format[0].number() > kPackageVersion) format[0].wrong("1 to " + std::to_string(kPackageVersion));
  if (format[1].number() < 0) format[1].wrong("a number of at least 0");
}

} // namespace

std::string write(const SizeExpression &expression, const std::vector<Dimension> &dimensions) {
  return writeExpression(expression, dimensions).dump();
}

std::string write(const Package &package) {
  // The least version whose readers are right: those of the first one know nothing of questions, those of the second nothing of stages.
  bool asks = std::ranges::any_of(package.entries, [](const PackageEntry &entry) { return !entry.misses.empty(); });
  bool counts = std::ranges::any_of(package.entries, &PackageEntry::counts);
  int64_t version = counts ? 3 : asks ? 2 : 1;
  // Code is nothing that a reader must know of.
  Json json = {{"format", {version, package.natives.empty() ? 0 : kPackageMinor}}, {"name", package.name}};
  json["entries"] = json["weights"] = Json::array();
  for (size_t i = 0; i < package.entries.size(); ++i) json["entries"].push_back(writeEntry(package.entries[i], programMember(i), package));
  for (const PackageWeight &weight : package.weights) {
    Json shape = Json::array();
    for (int64_t size : weight.type.shape.numbers()) shape.push_back(size);
    json["weights"].push_back({{"name", weight.name}, {"dtype", info(weight.type.dtype).name}, {"shape", shape}});
  }
  for (const PackageOp &op : package.ops) json["ops"].push_back(writeOp(op));
  for (const PackageNative &native : package.natives)
    json["native"].push_back({{"triple", native.triple}, {"processors", native.processors}, {"member", nativeMember(native.triple)}});
  return json.dump(1) + "\n";
}

Package read(std::span<const uint8_t> text, const std::function<Trace(const std::string &member)> &programOf) {
  Json json = parse(text, "manifest");
  Value root(json, "manifest");
  checkFormat(root);
  Package package;
  package.name = root.at("name").text();
  for (const Value &weight : root.at("weights").list()) {
    PackageWeight made{weight.at("name").text(), {dtypeNamed(weight.at("dtype")), {}}, {}, {}};
    std::vector<Value> sizes = weight.at("shape").list();
    if (sizes.size() > kMaxRank) weight.at("shape").wrong("at most " + std::to_string(kMaxRank) + " axes");
    for (const Value &size : sizes) {
      if (size.number() < 0) size.wrong("a size");
      made.type.shape.push(size.number());
    }
    checkWeight(made);
    package.weights.push_back(std::move(made));
  }
  if (root.has("ops"))
    for (const Value &op : root.at("ops").list()) package.ops.push_back(readOp(op));
  for (const Value &entry : root.at("entries").list()) {
    package.entries.push_back(readEntry(entry, package));
    package.entries.back().program = programOf(entry.at("program").text());
    checkTypes(entry, package.entries.back());
  }
  if (root.has("native"))
    for (const Value &native : root.at("native").list()) {
      package.natives.push_back({native.at("triple").text(), {}, {}, {}});
      for (const Value &processor : native.at("processors").list()) package.natives.back().processors.push_back(processor.text());
      if (native.at("member").text() != nativeMember(package.natives.back().triple)) native.at("member").wrong("that of its triple");
    }
  return package;
}

} // namespace kiln::manifest
