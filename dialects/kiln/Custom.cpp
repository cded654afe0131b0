// Ops that the process registered, in the dialect.
#include "dialects/kiln/KilnDialect.h"

#include "lib/Core/Infer.h"
#include "lib/Core/Registry.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace kiln::ir {

/// The words of an attribute; none where it has another form than its letter says, or a dtype that is none.
static std::optional<SmallVector<int64_t>> wordsOf(char kind, Attribute value) {
  using Words = SmallVector<int64_t>;
  if (auto i = dyn_cast<IntegerAttr>(value); i && kind == 'i' && i.getType().isInteger(64)) return Words{i.getInt()};
  if (auto list = dyn_cast<DenseI64ArrayAttr>(value); list && kind == 'I' && list.size() <= kMaxRank) {
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

static StringRef formOf(char kind) {
  switch (kind) {
  case 'i': return "an i64";
  case 'I': return "array<i64: ...> of at most 8";
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
    auto mine = value ? wordsOf(*kind, value) : std::nullopt;
    if (!mine)
      throw Error(ErrorKind::Value,
                  ("attribute '" + name + "': expected " + formOf(*kind) + ", got " + (value ? "another" : "none")).str());
    words.append(*mine);
  }
  if (op->getAttrs().size() != used)
    throw Error(ErrorKind::Value, "attributes: expected " + std::to_string(used) + ", got " + std::to_string(op->getAttrs().size()));
  return words;
}

void addCustomAttributes(OperationState &state, OpBuilder &builder, ArrayRef<int64_t> words) {
  const RegisteredOp &registered = registeredOp({words.data(), words.size()});
  state.addAttribute("name", builder.getStringAttr(registered.op.name));
  for (const WordGroup &group : groupsOf(registered.info, {words.data(), words.size()})) {
    auto add = [&](Attribute value) { state.addAttribute(StringRef(group.name), value); };
    if (group.kind == 'i') add(builder.getI64IntegerAttr(group.words[0]));
    if (group.kind == 'I') add(builder.getDenseI64ArrayAttr({group.words.data() + 1, group.words.size() - 1}));
    if (group.kind == 's') add(scalarAttr(builder.getContext(), DType(group.words[0]), group.words[1]));
    if (group.kind == 'd') add(TypeAttr::get(elementType(builder.getContext(), DType(group.words[0]))));
  }
}

LogicalResult CustomOp::verify() {
  for (Value v : llvm::concat<Value>(SmallVector<Value>(getInputs()), SmallVector<Value>(getOutputs())))
    if (cast<RankedTensorType>(v.getType()).getRank() > kMaxRank)
      return emitOpError() << "rank: expected at most " << kMaxRank << ", got " << cast<RankedTensorType>(v.getType()).getRank();
  SmallVector<TensorType> operands, results;
  for (Value v : getInputs()) operands.push_back(typeOf(v));
  for (Value v : getOutputs()) results.push_back(typeOf(v));
  try {
    SmallVector<int64_t> words = customWords(*this);
    auto want = inferAll(kiln::Op::Custom, {operands.data(), operands.size()}, {words.data(), words.size()});
    if (want.size() != results.size()) return emitOpError() << "results: expected " << want.size() << ", got " << results.size();
    for (size_t i = 0; i < want.size(); ++i)
      if (!agrees(want[i], results[i]))
        return emitOpError() << "type of result " << i << ": expected " << toString(want[i]) << ", got " << toString(results[i]);
  } catch (const Error &error) { return emitOpError() << error.what(); }
  return success();
}

} // namespace kiln::ir
