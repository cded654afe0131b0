#include "dialects/kiln/Words.h"

#include "lib/Core/Error.h"
#include "lib/Core/Registry.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace kiln::ir {
namespace {

/// The words of an attribute; none where it has another form than its letter says, or a dtype that is none.
std::optional<SmallVector<int64_t>> wordsOfAttribute(char kind, Attribute value) {
  using Words = SmallVector<int64_t>;
  if (auto i = dyn_cast<IntegerAttr>(value); i && isNumber(kind) && i.getType().isInteger(64)) return Words{i.getInt()};
  if (auto list = dyn_cast<DenseI64ArrayAttr>(value); list && (kind == 'I' || kind == 'N') && list.size() <= kMaxRank) {
    Words words = {list.size()};
    words.append(list.asArrayRef().begin(), list.asArrayRef().end());
    return words;
  }
  if (auto scalar = dyn_cast<TypedAttr>(value); scalar && kind == 's' && isa<IntegerAttr, FloatAttr>(value) && isElement(scalar.getType()))
    return Words{int64_t(dtypeOf(scalar.getType())), scalarBits(value)};
  if (auto type = dyn_cast<TypeAttr>(value); type && kind == 'd' && isElement(type.getValue()))
    return Words{int64_t(dtypeOf(type.getValue()))};
  return std::nullopt;
}

StringRef formOf(char kind) {
  static const std::string list = "array<i64: ...> of at most " + std::to_string(kMaxRank);
  switch (kind) {
  case 'i':
  case 'n': return "an i64";
  case 'I': return list;
  case 's': return "a number with its type";
  case 'd': return "the type of an element";
  default: return "a body, which the dialect does not hold";
  }
}

SmallVector<int64_t> customWords(CustomOp op) {
  const RegisteredOp *registered = findRegistered(op.getName());
  if (!registered) throw Error(ErrorKind::Value, "expected an op that is registered in this process, got '" + op.getName().str() + "'");
  SmallVector<int64_t> words = {registered->id};
  std::string_view names = registered->info.attributes;
  size_t used = 1; // the name
  for (const char *kind = registered->info.words + 1; *kind; ++kind, ++used) {
    StringRef name = nextAttribute(names, *kind);
    Attribute value = op->getAttr(name);
    auto mine = value ? wordsOfAttribute(*kind, value) : std::nullopt;
    if (!mine)
      throw Error(ErrorKind::Value,
                  ("attribute '" + name + "': expected " + formOf(*kind) + ", got " + (value ? "another" : "none")).str());
    words.append(*mine);
  }
  if (op->getAttrs().size() != used)
    throw Error(ErrorKind::Value, "attributes: expected " + std::to_string(used) + ", got " + std::to_string(op->getAttrs().size()));
  return words;
}

} // namespace

SmallVector<int64_t> wordsOf(ArrayOp op) {
  if (auto custom = dyn_cast<CustomOp>(op.getOperation())) return customWords(custom);
  SmallVector<int64_t> words;
  TensorType type = typeOf(op->getResult(0));
  std::string_view names = op.getRecord().attributes;
  int64_t body = 0;
  for (const char *kind = op.getRecord().words; *kind; ++kind) {
    bool isInType = names.empty(); // a result parameter
    StringRef name = nextAttribute(names, *kind);
    if (*kind == 'b') words.push_back(body++);
    else if (*kind == 'B') {
      auto list = cast<ArrayAttr>(op->getAttr(name));
      words.push_back(int64_t(list.size()));
      for (size_t i = 0; i < list.size(); ++i) words.push_back(body++);
    } else if (!isInType && *kind == 's') words.append({int64_t(type.dtype), scalarBits(op->getAttr(name))});
    else if (!isInType) words.append(*wordsOfAttribute(*kind, op->getAttr(name))); // as ODS has verified
    else if (*kind == 'd') words.push_back(int64_t(type.dtype));
    else appendWords(words, type.shape);
  }
  return words;
}

Operation *buildOp(OpBuilder &builder, Location loc, kiln::Op op, ValueRange operands, ArrayRef<int64_t> words, ArrayRef<TensorType> types,
                   ArrayRef<FlatSymbolRefAttr> bodies) {
  MLIRContext *context = builder.getContext();
  const OpInfo &record = info(op, {words.data(), words.size()});
  bool isCustom = op == kiln::Op::Custom;
  OperationState state(loc, isCustom ? "kiln.custom" : (Twine("kiln.") + record.name).str());
  state.addOperands(operands);
  for (const TensorType &type : types) state.addTypes(tensorType(context, type));
  if (isCustom) state.addAttribute("name", builder.getStringAttr(registeredOp({words.data(), words.size()}).op.name));
  bool hasTypes = isCustom; // as attributes; else in the result's type
  for (const WordGroup &group : groupsOf(record, {words.data(), words.size()})) {
    auto add = [&](Attribute value) { state.addAttribute(StringRef(group.name), value); };
    if (isNumber(group.kind)) add(builder.getI64IntegerAttr(group.words[0]));
    if (group.kind == 'I' || group.kind == 'N') add(builder.getDenseI64ArrayAttr({group.words.data() + 1, group.words.size() - 1}));
    if (group.kind == 'b' && !isCustom) add(bodies[size_t(group.words[0])]);
    if (group.kind == 'B') {
      SmallVector<Attribute> list;
      for (int64_t number : group.words.subspan(1)) list.push_back(bodies[size_t(number)]);
      add(builder.getArrayAttr(list));
    }
    if (group.kind == 's') add(scalarAttr(context, DType(group.words[0]), group.words[1]));
    if (group.kind == 'd' && hasTypes) add(TypeAttr::get(elementType(context, DType(group.words[0]))));
  }
  return builder.create(state);
}

} // namespace kiln::ir
