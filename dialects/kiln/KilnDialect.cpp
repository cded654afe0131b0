#include "dialects/kiln/KilnDialect.h"
#include "dialects/kiln/Schedule.h"

#include "lib/Core/Assert.h"
#include "lib/Core/Infer.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"

#include <bit>

using namespace mlir;

#define GET_ATTRDEF_CLASSES
#include "kiln/KilnAttrs.cpp.inc"

namespace kiln::ir {

void KilnDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "kiln/KilnOps.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "kiln/KilnAttrs.cpp.inc"
      >();
}

/// The table entries of op classes; kernel and yield have none.
template <typename... Ops> static llvm::DenseMap<TypeID, Op> entriesOf() {
  llvm::DenseMap<TypeID, Op> entries = {{TypeID::get<CustomOp>(), Op::Custom}};
  auto add = [&](TypeID id, StringRef name) {
    if (auto found = findOp(name.drop_front(strlen("kiln.")))) entries[id] = *found;
  };
  (add(TypeID::get<Ops>(), Ops::getOperationName()), ...);
  return entries;
}

std::optional<Op> opOf(Operation *op) {
  static const llvm::DenseMap<TypeID, Op> entries = entriesOf<
#define GET_OP_LIST
#include "kiln/KilnOps.cpp.inc"
      >();
  auto found = entries.find(op->getName().getTypeID());
  return found == entries.end() ? std::nullopt : std::optional(found->second);
}

Type elementType(MLIRContext *context, DType dtype) {
  switch (dtype) {
  case DType::Bool: return IntegerType::get(context, 1);
  case DType::F16: return Float16Type::get(context);
  case DType::BF16: return BFloat16Type::get(context);
  case DType::F32: return Float32Type::get(context);
  case DType::F64: return Float64Type::get(context);
  case DType::F8E4M3: return Float8E4M3FNType::get(context);
  case DType::F8E5M2: return Float8E5M2Type::get(context);
  case DType::C64:
  case DType::C128: return ComplexType::get(elementType(context, realType(dtype)));
  default: break;
  }
  auto sign = info(dtype).isSigned ? IntegerType::Signless : IntegerType::Unsigned;
  return IntegerType::get(context, unsigned(8 * byteSize(dtype)), sign);
}

DType dtypeOf(Type element) {
  if (auto complex = dyn_cast<ComplexType>(element)) return complexType(dtypeOf(complex.getElementType()));
  if (element.isF16()) return DType::F16;
  if (element.isBF16()) return DType::BF16;
  if (element.isF32()) return DType::F32;
  if (element.isF64()) return DType::F64;
  if (isa<Float8E4M3FNType>(element)) return DType::F8E4M3;
  if (isa<Float8E5M2Type>(element)) return DType::F8E5M2;
  if (element.isInteger(1)) return DType::Bool;
  DType first = element.isUnsignedInteger() ? DType::U8 : DType::I8;
  return DType(int(first) + std::countr_zero(element.getIntOrFloatBitWidth() / 8));
}

bool isElement(Type type) {
  for (int i = 0; i < kNumDTypes; ++i)
    if (type == elementType(type.getContext(), DType(i))) return true;
  return false;
}

bool isArray(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() <= kMaxRank && isElement(tensor.getElementType());
}

RankedTensorType tensorType(MLIRContext *context, const TensorType &type) {
  SmallVector<int64_t> sizes, symbols;
  bool dynamic = false;
  for (int64_t d : type.shape) {
    sizes.push_back(isSymbol(d) ? ShapedType::kDynamic : d);
    symbols.push_back(isSymbol(d) ? -1 - d : -1);
    dynamic |= isSymbol(d);
  }
  Attribute encoding = dynamic ? SymbolsAttr::get(context, symbols) : Attribute();
  return RankedTensorType::get(sizes, elementType(context, type.dtype), encoding);
}

TensorType typeOf(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  TensorType result{dtypeOf(tensor.getElementType()), {}};
  auto symbols = dyn_cast_or_null<SymbolsAttr>(tensor.getEncoding());
  for (int i = 0; i < std::min<int64_t>(tensor.getRank(), kMaxRank); ++i) // higher ranks do not verify
    result.shape.push(tensor.isDynamicDim(unsigned(i))
                          ? -1 - (symbols && size_t(i) < symbols.getNumbers().size() ? symbols.getNumbers()[size_t(i)] : i)
                          : tensor.getDimSize(unsigned(i)));
  return result;
}

int64_t scalarBits(Attribute value) {
  if (auto f = dyn_cast<FloatAttr>(value)) return int64_t(f.getValue().bitcastToAPInt().getZExtValue());
  auto i = cast<IntegerAttr>(value);
  bool isSigned = !i.getType().isInteger(1) && !i.getType().isUnsignedInteger();
  return isSigned ? i.getValue().getSExtValue() : int64_t(i.getValue().getZExtValue());
}

TypedAttr scalarAttr(MLIRContext *context, DType dtype, int64_t bits) {
  Type type = elementType(context, dtype);
  if (auto f = dyn_cast<FloatType>(type)) {
    APInt raw(f.getWidth(), uint64_t(bits), false, true);
    return FloatAttr::get(type, APFloat(f.getFloatSemantics(), raw));
  }
  return IntegerAttr::get(type, APInt(type.getIntOrFloatBitWidth(), uint64_t(bits), false, true));
}

static void forEachWord(Op op, llvm::function_ref<void(char, StringRef)> visit) {
  SmallVector<StringRef> names;
  StringRef(info(op).attributes).split(names, ',', -1, false);
  for (size_t i = 0; const char w : StringRef(info(op).words)) visit(w, i < names.size() ? names[i] : StringRef()), ++i;
}

SmallVector<int64_t> wordsOf(Operation *op) {
  if (auto custom = dyn_cast<CustomOp>(op)) return customWords(custom);
  SmallVector<int64_t> words;
  TensorType type = typeOf(op->getResult(0));
  forEachWord(*opOf(op), [&](char kind, StringRef name) {
    Attribute value = name.empty() ? nullptr : op->getAttr(name);
    if (kind == 'i') words.push_back(cast<IntegerAttr>(value).getInt());
    if (kind == 'I' || kind == 'N') {
      auto list = cast<DenseI64ArrayAttr>(value).asArrayRef();
      words.push_back(int64_t(list.size()));
      words.append(list.begin(), list.end());
    }
    if (kind == 's') words.append({int64_t(type.dtype), scalarBits(value)});
    if (kind == 'd') words.push_back(int64_t(type.dtype));
    if (kind == 'S') appendWords(words, type.shape);
  });
  return words;
}

Operation *buildOp(OpBuilder &builder, Location loc, Op op, ValueRange operands, ArrayRef<int64_t> words, const TensorType &type) {
  return buildOp(builder, loc, op, operands, words, ArrayRef(type));
}

Operation *buildOp(OpBuilder &builder, Location loc, Op op, ValueRange operands, ArrayRef<int64_t> words, ArrayRef<TensorType> types) {
  MLIRContext *context = builder.getContext();
  OperationState state(loc, (llvm::Twine("kiln.") + info(op).name).str());
  state.addOperands(operands);
  for (const TensorType &type : types) state.addTypes(tensorType(context, type));
  if (op == Op::Custom) {
    addCustomAttributes(state, builder, words);
    return builder.create(state);
  }
  WordReader reader{{words.data(), words.size()}};
  forEachWord(op, [&](char kind, StringRef name) {
    if (name.empty()) return; // a result parameter: in the type
    if (kind == 'i') state.addAttribute(name, builder.getI64IntegerAttr(reader.next()));
    if (kind == 'I' || kind == 'N') {
      Dims list = reader.dims();
      state.addAttribute(name, builder.getDenseI64ArrayAttr({list.begin(), size_t(list.rank)}));
    }
    if (kind == 's') {
      DType dtype = reader.dtype();
      state.addAttribute(name, scalarAttr(context, dtype, reader.next()));
    }
  });
  return builder.create(state);
}

/// Lists longer than the largest rank would overrun Dims.
static LogicalResult verifyWordLengths(Operation *op) {
  for (Type t : llvm::concat<Type>(SmallVector<Type>(op->getOperandTypes()), SmallVector<Type>(op->getResultTypes())))
    if (cast<RankedTensorType>(t).getRank() > kMaxRank)
      return op->emitOpError() << "rank: expected at most " << kMaxRank << ", got " << cast<RankedTensorType>(t).getRank();
  for (NamedAttribute a : op->getAttrs())
    if (auto list = dyn_cast<DenseI64ArrayAttr>(a.getValue()); list && list.size() > kMaxRank)
      return op->emitOpError() << "'" << a.getName().getValue() << "': expected at most " << kMaxRank << " values, got " << list.size();
  return success();
}

LogicalResult verifyInferred(Operation *op) {
  if (failed(verifyWordLengths(op))) return failure();
  SmallVector<TensorType> operands;
  for (Value v : op->getOperands()) operands.push_back(typeOf(v));
  SmallVector<int64_t> words = wordsOf(op);
  try {
    TensorType want = infer(*opOf(op), {operands.data(), operands.size()}, {words.data(), words.size()});
    TensorType got = typeOf(op->getResult(0));
    if (!agrees(want, got)) return op->emitOpError() << "result type: expected " << toString(want) << ", got " << toString(got);
  } catch (const Error &error) {
    StringRef message = error.what();
    message.consume_front(info(*opOf(op)).name);
    message.consume_front(": ");
    return op->emitOpError() << message;
  }
  return success();
}

//===-- sizes -------------------------------------------------------------------------------------------------------===//

int64_t symbolsOf(Operation *function) {
  if (auto known = function->getAttrOfType<IntegerAttr>(kSymbols)) return known.getInt();
  int64_t symbols = 0;
  auto visit = [&](Type type) {
    if (!isa<RankedTensorType>(type)) return;
    for (int64_t d : typeOf(type).shape)
      if (isSymbol(d)) symbols = std::max(symbols, -d);
  };
  llvm::for_each(function->getRegion(0).getArgumentTypes(), visit);
  function->walk([&](Operation *op) { llvm::for_each(op->getOperandTypes(), visit); });
  return symbols;
}

int64_t productOf(Operation *op, ArrayRef<int64_t> sizes) {
  SmallVector<int64_t> factors;
  int64_t number = 1;
  for (int64_t d : sizes) isSymbol(d) ? factors.push_back(d) : void(number *= d);
  if (factors.empty() || number == 0) return number;
  if (factors.size() == 1 && number == 1) return factors[0];
  llvm::sort(factors);
  if (number != 1) factors.push_back(number);
  Operation *function = op;
  while (function->getParentOp() && !isa<ModuleOp>(function->getParentOp())) function = function->getParentOp();
  Builder b(op->getContext());
  if (!function->hasAttr(kSymbols)) function->setAttr(kSymbols, b.getI64IntegerAttr(symbolsOf(function)));
  SmallVector<Attribute> products;
  if (auto known = function->getAttrOfType<ArrayAttr>(kProducts)) products.assign(known.begin(), known.end());
  Attribute mine = b.getDenseI64ArrayAttr(factors);
  auto found = llvm::find(products, mine);
  int64_t result = -1 - symbolsOf(function) - (found - products.begin());
  if (found != products.end()) return result;
  products.push_back(mine);
  function->setAttr(kProducts, b.getArrayAttr(products));
  return result;
}

} // namespace kiln::ir

#include "kiln/KilnDialect.cpp.inc"
#define GET_OP_CLASSES
#include "kiln/KilnOps.cpp.inc"
