#include "dialects/kiln/KilnDialect.h"
#include "dialects/kiln/Schedule.h"

#include "dialects/kiln/Words.h"
#include "lib/Core/Assert.h"
#include "lib/Core/Infer.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"

#include <bit>

using namespace mlir;

#include "kiln/KilnEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "kiln/KilnAttrs.cpp.inc"
#include "kiln/ArrayOp.cpp.inc"

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

Access accessOf(Op op, ArrayRef<Access> record, unsigned operand) {
  if (!record.empty()) return record[std::min<size_t>(operand, record.size() - 1)];
  switch (info(op).kind) {
  case Kind::Elementwise:
  case Kind::Source: return Access::Same;
  case Kind::Index:
  case Kind::Assemble: return Access::Moved;
  case Kind::Reduce:
  case Kind::Argreduce:
  case Kind::Contract:
  case Kind::Scan:
  case Kind::Sort: return Access::Line;
  case Kind::Library:
  case Kind::Control: return Access::Memory;
  case Kind::Gather:
  case Kind::Scatter:
  case Kind::Compact:
  case Kind::Convolve: break;
  }
  return Access::Any;
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
  for (Size d : type.shape) {
    sizes.push_back(d.isSymbol() ? ShapedType::kDynamic : d.number());
    symbols.push_back(d.isSymbol() ? d.symbol() : -1);
    dynamic |= d.isSymbol();
  }
  Attribute encoding = dynamic ? SymbolsAttr::get(context, symbols) : Attribute();
  return RankedTensorType::get(sizes, elementType(context, type.dtype), encoding);
}

LogicalResult SymbolsAttr::verifyEncoding(ArrayRef<int64_t> shape, Type, llvm::function_ref<InFlightDiagnostic()> emitError) const {
  if (getNumbers().size() != shape.size()) return emitError() << "symbols: expected one a dimension, got " << getNumbers().size();
  for (auto [size, number] : llvm::zip(shape, getNumbers()))
    if (ShapedType::isDynamic(size) && (number < 0 || number >= kMostSymbols))
      return emitError() << "symbols: expected 0 to " << kMostSymbols - 1 << " of an open dimension, got " << number;
  return success();
}

TensorType typeOf(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  TensorType result{dtypeOf(tensor.getElementType()), {}};
  auto symbols = dyn_cast_or_null<SymbolsAttr>(tensor.getEncoding());
  for (int i = 0; i < std::min<int64_t>(tensor.getRank(), kMaxRank); ++i) // higher ranks do not verify
    result.shape.push(tensor.isDynamicDim(unsigned(i)) ? Size::symbol(symbols ? symbols.getNumbers()[size_t(i)] : i)
                                                       : Size(tensor.getDimSize(unsigned(i))));
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
  SmallVector<int64_t> words = wordsOf(cast<ArrayOp>(op));
  kiln::Op id = cast<ArrayOp>(op).getId();
  try {
    TensorType want = infer(id, {operands.data(), operands.size()}, {words.data(), words.size()}, kMostSymbols);
    TensorType got = typeOf(op->getResult(0));
    if (!agrees(want, got)) return op->emitOpError() << "result type: expected " << toString(want) << ", got " << toString(got);
  } catch (const Error &error) {
    StringRef message = error.what();
    message.consume_front(info(id).name);
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
    for (Size d : typeOf(type).shape)
      if (d.isSymbol()) symbols = std::max(symbols, d.symbol() + 1);
  };
  llvm::for_each(function->getRegion(0).getArgumentTypes(), visit);
  function->walk([&](Operation *op) { llvm::for_each(op->getOperandTypes(), visit); });
  return symbols;
}

int64_t givenOf(Operation *function) {
  auto given = function->getAttrOfType<IntegerAttr>(kGiven);
  return given ? given.getInt() : 0;
}

bool areSizes(ArrayRef<int64_t> words) {
  return llvm::all_of(words, [](int64_t word) { return Size::ofWord(word, kMostSymbols).has_value(); });
}

SmallVector<Size> sizesOf(ArrayRef<int64_t> words) {
  return llvm::map_to_vector<6>(words, [](int64_t word) {
    auto size = Size::ofWord(word, kMostSymbols);
    KILN_ASSERT(size, "an attribute of sizes, which is verified");
    return *size;
  });
}

SmallVector<int64_t> wordsOfSizes(ArrayRef<Size> sizes) {
  return llvm::map_to_vector<6>(sizes, [](Size size) { return size.word(); });
}

Size productOf(Operation *op, ArrayRef<Size> sizes) {
  SmallVector<Size> factors;
  int64_t number = 1;
  for (Size d : sizes) d.isSymbol() ? factors.push_back(d) : void(number *= d.number());
  if (factors.empty() || number == 0) return Size(number);
  if (factors.size() == 1 && number == 1) return factors[0];
  llvm::sort(factors, [](Size a, Size b) { return Size::isBefore(b, a); });
  if (number != 1) factors.push_back(Size(number));
  Operation *function = op;
  while (function->getParentOp() && !isa<ModuleOp>(function->getParentOp())) function = function->getParentOp();
  Builder b(op->getContext());
  if (!function->hasAttr(kSymbols)) function->setAttr(kSymbols, b.getI64IntegerAttr(symbolsOf(function)));
  SmallVector<Attribute> products;
  if (auto known = function->getAttrOfType<ArrayAttr>(kProducts)) products.assign(known.begin(), known.end());
  Attribute mine = b.getDenseI64ArrayAttr(wordsOfSizes(factors));
  auto found = llvm::find(products, mine);
  Size result = Size::symbol(symbolsOf(function) + (found - products.begin()));
  if (found != products.end()) return result;
  products.push_back(mine);
  function->setAttr(kProducts, b.getArrayAttr(products));
  return result;
}

} // namespace kiln::ir

#include "kiln/KilnDialect.cpp.inc"
#define GET_OP_CLASSES
#include "kiln/KilnOps.cpp.inc"
