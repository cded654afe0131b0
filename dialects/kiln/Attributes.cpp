// The attributes that the dialect puts on functions, their arguments and results, and on modules: what each may say.
#include "dialects/kiln/KilnDialect.h"

#include "lib/Core/Trace.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace kiln::ir {
namespace {

std::optional<int64_t> numberOf(Attribute value) {
  auto number = dyn_cast<IntegerAttr>(value);
  return number && number.getType().isSignlessInteger(64) ? std::optional(number.getInt()) : std::nullopt;
}

LogicalResult expectNumber(Operation *op, NamedAttribute attribute, int64_t least) {
  auto number = numberOf(attribute.getValue());
  if (number && *number >= least) return success();
  return op->emitOpError() << "attribute " << attribute.getName() << ": expected a number of 64 bits from " << least << ", got "
                           << attribute.getValue();
}

/// The symbols of a body that operands give are among those that it has.
LogicalResult verifyGiven(Operation *op, NamedAttribute attribute) {
  auto given = numberOf(attribute.getValue()), symbols = op->hasAttr(kSymbols) ? numberOf(op->getAttr(kSymbols)) : std::nullopt;
  int64_t most = std::clamp<int64_t>(symbols.value_or(0), 0, kMostGiven);
  if (given && *given >= 1 && *given <= most) return success();
  return op->emitOpError() << "attribute " << attribute.getName() << ": expected 1 to " << most << " of the symbols of a body, got "
                           << attribute.getValue();
}

/// What each further symbol is the product of: sizes of the caller, or symbols before it.
LogicalResult verifyProducts(Operation *op, NamedAttribute attribute) {
  auto list = dyn_cast<ArrayAttr>(attribute.getValue());
  int64_t known = 0;
  if (auto symbols = op->getAttr(kSymbols)) known = numberOf(symbols).value_or(0);
  for (Attribute product : list ? list.getValue() : ArrayRef<Attribute>()) {
    auto factors = dyn_cast<DenseI64ArrayAttr>(product);
    if (!factors || !areSizes(factors.asArrayRef()))
      return op->emitOpError() << "attribute " << attribute.getName() << ": expected lists of sizes, got " << product;
    for (Size factor : sizesOf(factors.asArrayRef()))
      if (factor.isSymbol() && factor.symbol() >= known)
        return op->emitOpError() << "attribute " << attribute.getName() << ": expected symbols below " << known << ", got "
                                 << factor.symbol();
    ++known;
  }
  if (list) return success();
  return op->emitOpError() << "attribute " << attribute.getName() << ": expected a list, got " << attribute.getValue();
}

LogicalResult verifyBlocks(Operation *op, NamedAttribute attribute) {
  auto list = dyn_cast<ArrayAttr>(attribute.getValue());
  auto isBlock = [](Attribute type) { return isa<TypeAttr>(type) && isArray(cast<TypeAttr>(type).getValue()); };
  if (list && llvm::all_of(list, isBlock)) return success();
  return op->emitOpError() << "attribute " << attribute.getName() << ": expected a list of types of arrays, got " << attribute.getValue();
}

/// A result that names the argument whose content, or whose memory, it takes the place of: a row-major one of its type, on the host.
LogicalResult verifyPlace(FunctionOpInterface fn, unsigned result, NamedAttribute attribute) {
  auto number = numberOf(attribute.getValue());
  auto fail = [&] { return fn->emitOpError() << "attribute " << attribute.getName() << " of result " << result << ": "; };
  if (!number || *number < 0 || *number >= int64_t(fn.getNumArguments()))
    return fail() << "expected one of " << fn.getNumArguments() << " arguments, got " << attribute.getValue();
  auto argument = unsigned(*number);
  if (fn.getArgumentTypes()[argument] != fn.getResultTypes()[result])
    return fail() << "expected an argument of type " << fn.getResultTypes()[result] << ", got " << fn.getArgumentTypes()[argument];
  if (fn.getArgAttr(argument, kStrides) || fn.getArgAttr(argument, kDevice)) return fail() << "expected a row-major argument of the host";
  for (unsigned other = 0; other < result; ++other)
    if (fn.getResultAttr(other, attribute.getName()) == attribute.getValue())
      return fail() << "expected an argument of its own, got that of result " << other;
  return success();
}

LogicalResult verifyStrides(FunctionOpInterface fn, unsigned argument, NamedAttribute attribute) {
  auto strides = dyn_cast<DenseI64ArrayAttr>(attribute.getValue());
  auto type = dyn_cast<RankedTensorType>(fn.getArgumentTypes()[argument]);
  if (strides && type && strides.size() == type.getRank()) return success();
  return fn->emitOpError() << "attribute " << attribute.getName() << " of argument " << argument << ": expected a stride for each axis of "
                           << fn.getArgumentTypes()[argument] << ", got " << attribute.getValue();
}

} // namespace

LogicalResult KilnDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  StringRef name = attribute.getName();
  if (name == kSymbols) return expectNumber(op, attribute, 0);
  if (name == kGiven) return verifyGiven(op, attribute);
  if (name == kWorkspaceBytes) return expectNumber(op, attribute, -1);
  if (name == kProducts) return verifyProducts(op, attribute);
  if (name == kBlocks) return verifyBlocks(op, attribute);
  if (name == kFastMath && !(isa<UnitAttr>(attribute.getValue()) && isa<FunctionOpInterface>(op)))
    return op->emitOpError() << "attribute " << name << ": expected none but its name, of a function, got " << attribute.getValue();
  if (name == kInPlace && !(isa<DenseI64ArrayAttr>(attribute.getValue()) && isa<ModuleOp, FunctionOpInterface>(op)))
    return op->emitOpError() << "attribute " << name << ": expected a list of arguments, of a module or function, got "
                             << attribute.getValue();
  return success(); // of a target, which reads it
}

LogicalResult KilnDialect::verifyRegionArgAttribute(Operation *op, unsigned, unsigned argument, NamedAttribute attribute) {
  auto fn = dyn_cast<FunctionOpInterface>(op);
  if (fn && attribute.getName() == kStrides) return verifyStrides(fn, argument, attribute);
  bool isText = llvm::is_contained({kDevice, kInput, kName}, attribute.getName().getValue());
  if (fn && isText && isa<StringAttr>(attribute.getValue())) return success();
  return op->emitOpError() << "attribute " << attribute.getName() << " of argument " << argument << ": expected " << kStrides << ", or "
                           << kDevice << ", " << kInput << " or " << kName << " with a text, of a function";
}

LogicalResult KilnDialect::verifyRegionResultAttribute(Operation *op, unsigned, unsigned result, NamedAttribute attribute) {
  auto fn = dyn_cast<FunctionOpInterface>(op);
  if (fn && (attribute.getName() == kReplaces || attribute.getName() == kInPlace)) return verifyPlace(fn, result, attribute);
  if (fn && attribute.getName() == kName && isa<StringAttr>(attribute.getValue())) return success();
  return op->emitOpError() << "attribute " << attribute.getName() << " of result " << result << ": expected " << kReplaces << " or "
                           << kInPlace << ", or " << kName << " with a text, of a function";
}

} // namespace kiln::ir
