#include "codegen/library/Interface.h"

#include "lib/Core/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

namespace kiln::library {

std::vector<SizeExpression> shapeOf(const PackageEntry &entry, const TensorType &type) {
  std::vector<SizeExpression> shape;
  for (Size size : type.shape)
    shape.push_back(size.isSymbol() ? entry.symbols.at(size_t(size.symbol())) : SizeExpression::number(size.number()));
  return shape;
}

namespace {

/// As many as a call keeps on its stack (support/library.h, tensors.c).
constexpr size_t kMostArguments = 1024, kMostDimensions = 64, kMostSymbols = 256;

const char *const kKeywords[] = {
    "alignas", "alignof",  "and",       "asm",      "auto",     "bitand",    "bitor",    "bool",     "break",   "case",    "catch",
    "char",    "class",    "compl",     "concept",  "const",    "constexpr", "continue", "decltype", "default", "delete",  "do",
    "double",  "else",     "enum",      "explicit", "export",   "extern",    "false",    "float",    "for",     "friend",  "goto",
    "if",      "inline",   "int",       "long",     "mutable",  "namespace", "new",      "noexcept", "not",     "nullptr", "operator",
    "or",      "private",  "protected", "public",   "register", "requires",  "restrict", "return",   "short",   "signed",  "sizeof",
    "static",  "struct",   "switch",    "template", "this",     "throw",     "true",     "try",      "typedef", "typeid",  "typename",
    "union",   "unsigned", "using",     "virtual",  "void",     "volatile",  "wchar_t",  "while",    "xor"};

bool isNameInC(llvm::StringRef name) {
  bool isPlain = !name.empty() && !llvm::isDigit(name[0]) && !name.starts_with("__");
  return isPlain && llvm::all_of(name, [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

/// A name that is free among those of one function, made from `wanted`.
std::string freeName(std::string wanted, llvm::StringSet<> &taken) {
  if (!isNameInC(wanted)) fail(ErrorKind::Package, "library", "name of an argument", "letters, digits and _", "'" + wanted + "'");
  while (llvm::is_contained(kKeywords, wanted) || !taken.insert(wanted).second) wanted += "_";
  return wanted;
}

/// Numbers that registers hold; the others are read from memory.
bool isGivenByValue(DType dtype) { return !isComplex(dtype) && !isNarrow(dtype); }

} // namespace

bool isMiss(const PackageEntry &entry, const PackageOutput &output) { return !entry.misses.empty() && &output == &entry.outputs.back(); }

namespace {

std::vector<Argument> argumentsOf(const PackageEntry &entry, llvm::StringSet<> taken) {
  std::vector<Argument> arguments;
  std::vector<TensorType> types = inputTypesOf(entry.program);
  auto writes = [&](size_t i) { return llvm::any_of(entry.outputs, [&](const PackageOutput &o) { return o.writes == int64_t(i); }); };
  for (auto [i, input] : llvm::enumerate(entry.inputs)) {
    if (input.role != Role::Argument && input.role != Role::Number) continue;
    bool isValue = input.role == Role::Number && isGivenByValue(types[i].dtype);
    Use use = isValue ? Use::Value : writes(i) ? Use::ReadAndWritten : Use::Read;
    bool isScalar = input.role == Role::Number;
    arguments.push_back(
        {freeName(input.name, taken), use, types[i].dtype, isScalar ? std::vector<SizeExpression>() : input.shape, input.weight});
  }
  for (auto [output, slot] : llvm::zip(entry.outputs, entry.program.outputs)) {
    if (entry.counts) break; // nothing of it is a result
    if (output.writes >= 0 || isMiss(entry, output)) continue;
    const TensorType &type = entry.program.types[size_t(slot)];
    arguments.push_back({freeName(output.name, taken), Use::Written, type.dtype, shapeOf(entry, type), -1});
  }
  return arguments;
}

const char *const kOwnArguments[] = {"m", "workspace", "workspace_bytes", "err", "errlen"};

/// How many of its dimensions values decide: the stages before.
size_t countedOf(const PackageEntry &entry) {
  return size_t(llvm::count_if(entry.dimensions, [](auto &d) { return d.isCounted(); }));
}

void addVariant(Function &f, const PackageEntry &entry) {
  llvm::StringSet<> taken;
  for (const char *name : kOwnArguments) taken.insert(name);
  if (entry.counts) {
    f.stages.resize(std::max(f.stages.size(), 1 + countedOf(entry)));
    f.stages[countedOf(entry)].push_back(&entry);
    return;
  }
  f.sizes.clear();
  for (const Dimension &d : entry.dimensions) f.sizes.push_back(freeName(d.name, taken));
  f.variants.push_back(&entry);
  f.arguments.push_back(argumentsOf(entry, taken));
  const std::vector<Argument> &arguments = f.arguments.back();
  f.given = size_t(llvm::count_if(arguments, [](const Argument &a) { return a.isInput(); }));
  if (arguments.size() > kMostArguments || entry.dimensions.size() > kMostDimensions || entry.symbols.size() > kMostSymbols)
    fail(ErrorKind::Package, "library", f.name, "at most 1024 arguments, 64 sizes and 256 symbols",
         std::to_string(arguments.size()) + ", " + std::to_string(entry.dimensions.size()) + " and " +
             std::to_string(entry.symbols.size()));
}

} // namespace

std::vector<const PackageEntry *> Function::programs() const {
  std::vector<const PackageEntry *> all;
  for (const auto &stage : stages) llvm::append_range(all, stage);
  llvm::append_range(all, variants);
  return all;
}

/// What C gives beside what a function of fixed sizes has.
static void addCounted(Function &f) {
  constexpr size_t kMostStages = 4; // support/call.h
  if (f.stages.size() > kMostStages)
    fail(ErrorKind::Package, "library", f.name, "at most 4 sizes that values decide", std::to_string(f.stages.size()));
  llvm::StringSet<> taken;
  for (const char *name : kOwnArguments) taken.insert(name);
  for (const std::string &name : f.sizes) taken.insert(name);
  for (const Argument &a : f.arguments[0]) taken.insert(a.name);
  findCounted(f, [&](std::string wanted) { return freeName(std::move(wanted), taken); });
}

std::vector<std::string> Function::dimensionNames() const {
  std::vector<std::string> names;
  for (const Dimension &d : dimensions()) names.push_back(d.name);
  return names;
}

Interface interfaceOf(const Package &package, const std::string &name) {
  if (!isNameInC(name) || llvm::is_contained(kKeywords, name)) fail(ErrorKind::Package, "library", "name", "a name of C", "'" + name + "'");
  Interface result{name, {}, {}, &package};
  llvm::StringSet<> symbols, weights;
  for (const char *own : {"_open", "_close", "_get_weights", "_set_weights", "_signature", "_status_text", "_abi_version", "_options",
                          "_weights", "_task", "_init", "_alloc", "_free"})
    symbols.insert(name + own);
  for (const PackageWeight &weight : package.weights) {
    std::string plain = weight.name; // "layers.0.w"
    for (char &c : plain)
      if (!llvm::isAlnum(c)) c = '_';
    result.weights.push_back(freeName(llvm::isDigit(plain[0]) ? "w" + plain : plain, weights));
  }
  for (const PackageEntry &entry : package.entries) {
    if (result.functions.empty() || result.functions.back().name != entry.name) {
      std::string symbol = name + "_" + entry.name;
      if (!isNameInC(entry.name)) fail(ErrorKind::Package, "library", "name of a function", "a name of C", "'" + entry.name + "'");
      for (const char *suffix : {"", "_workspace_size", "_dlpack"})
        if (!symbols.insert(symbol + suffix).second)
          fail(ErrorKind::Package, "library", "name of a function", "one whose names in C are free", "'" + entry.name + "'");
      result.functions.push_back({entry.name, symbol});
    }
    addVariant(result.functions.back(), entry);
  }
  for (Function &f : result.functions) addCounted(f);
  if (result.functions.empty()) fail(ErrorKind::Package, "library", "package", "at least one function", "none");
  return result;
}

std::string elementInC(DType dtype) {
  switch (dtype) {
  case DType::Bool:
  case DType::F8E4M3:
  case DType::F8E5M2: return "uint8_t";
  case DType::F16:
  case DType::BF16: return "uint16_t";
  case DType::F32:
  case DType::C64: return "float";
  case DType::F64:
  case DType::C128: return "double";
  default: return std::string(info(dtype).name) + "_t";
  }
}

std::string typeInC(const Argument &argument) {
  std::string element = elementInC(argument.dtype);
  if (argument.use == Use::Value) return element + " ";
  return (argument.use == Use::Read ? "const " : "") + element + " *";
}

std::string describe(const Function &f, size_t argument) {
  std::vector<std::string> shapes;
  for (const std::vector<Argument> &arguments : f.arguments) {
    std::string shape;
    for (const SizeExpression &size : arguments[argument].shape) shape += (shape.empty() ? "" : ", ") + toString(size, f.sizes);
    if (!llvm::is_contained(shapes, shape)) shapes.push_back(shape);
  }
  const Argument &first = f.arguments[0][argument];
  std::string text = info(first.dtype).name;
  if (first.use == Use::Value) return text;
  for (auto [i, shape] : llvm::enumerate(shapes)) text += (i ? " or (" : " (") + shape + (first.shape.size() == 1 ? ",)" : ")");
  return text;
}

std::string describe(const Function &f, const FoundSize &size) {
  std::vector<std::string> all;
  for (const SizeExpression &expression : size.size)
    if (std::string text = toString(expression, f.sizes); !llvm::is_contained(all, text)) all.push_back(text);
  return llvm::join(all, " or ");
}

} // namespace kiln::library
