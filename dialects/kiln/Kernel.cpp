// The kernel op: its text, and what each kind of kernel may hold, on which the emitters rely.
#include "dialects/kiln/Inputs.h"
#include "dialects/kiln/KilnDialect.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace kiln::ir {

bool addsOnlyUnitAxes(Operation *op) {
  auto reshape = dyn_cast<ReshapeOp>(op);
  if (!reshape) return false;
  auto sizes = [](Value v) {
    SmallVector<Size> result;
    for (Size d : typeOf(v).shape)
      if (!d.is(1)) result.push_back(d);
    return result;
  };
  return sizes(reshape.getX()) == sizes(reshape.getResult());
}

bool isVectorProduct(Operation *op) {
  auto dot = dyn_cast<DotGeneralOp>(op);
  return dot && (typeOf(dot.getX()).shape.rank != typeOf(dot.getY()).shape.rank);
}

Value memoryOf(Value value) {
  while (auto alias = value.getDefiningOp<ReshapeOp>()) value = alias.getX();
  return value;
}

bool changesOneElement(Operation *op) {
  if (!isa<UpdateOp, DynamicUpdateOp>(op)) return false;
  return llvm::all_of(typeOf(op->getOperand(1)).shape, [](Size size) { return size.is(1); });
}

bool isCompress(GatherOp gather) {
  auto nonzero = gather.getIndices().getDefiningOp<NonzeroOp>();
  if (!nonzero || gather.getAxis() != 0) return false;
  Shape x = typeOf(gather.getX()).shape;
  return x == typeOf(nonzero.getMask()).shape && !x[0].is(0);
}

bool isCount(Operation *op) {
  if (!isa<SumOp>(op) || !isInteger(typeOf(op->getOperand(0)).dtype)) return false;
  auto cast = op->getOperand(0).getDefiningOp<CastOp>();
  return cast && typeOf(cast.getX()).dtype == DType::Bool;
}

std::optional<KernelKind> kernelKindOf(Operation *op) {
  switch (cast<ArrayOp>(op).getKind()) {
  case Kind::Reduce:
  case Kind::Argreduce: return KernelKind::Reduction;
  case Kind::Contract: return isVectorProduct(op) ? KernelKind::Reduction : KernelKind::Contraction;
  case Kind::Assemble: return KernelKind::Assemble;
  case Kind::Scatter: return KernelKind::Scatter;
  case Kind::Scan: return KernelKind::Scan;
  case Kind::Compact: return KernelKind::Compact;
  case Kind::Sort: return KernelKind::Sort;
  case Kind::Convolve: return KernelKind::Convolution;
  case Kind::Library: return KernelKind::Library;
  case Kind::Control: return KernelKind::Control;
  case Kind::Elementwise:
  case Kind::Index:
  case Kind::Source:
  case Kind::Gather: break;
  }
  return std::nullopt;
}

std::pair<Shape, int> reducedSpace(Operation *op) {
  auto array = cast<ArrayOp>(op);
  return {typeOf(array.getMain()).shape, int(array.getAlong()[0])};
}

void KernelOp::print(OpAsmPrinter &printer) {
  printer << " \"" << stringifyKernelKind(getKind()) << "\"";
  printInputs(printer, getBody().getArguments(), getInputs());
  if (getNumResults()) printer << "-> (" << getResultTypes() << ") ";
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
  printer.printOptionalAttrDict((*this)->getAttrs(), {"kind"});
}

static std::string allKinds() {
  SmallVector<StringRef> names;
  for (uint32_t kind = 0; kind <= getMaxEnumValForKernelKind(); ++kind) names.push_back(stringifyKernelKind(KernelKind(kind)));
  return llvm::join(names, ", ");
}

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  std::string name;
  Inputs inputs;
  SmallVector<Type> results;
  SMLoc where = parser.getCurrentLocation();
  if (parser.parseString(&name)) return failure();
  auto kind = symbolizeKernelKind(name);
  if (!kind) return parser.emitError(where, "kind: expected " + allKinds() + ", got '" + name + "'");
  result.addAttribute(getKindAttrName(result.name), KernelKindAttr::get(parser.getContext(), *kind));
  if (inputs.parse(parser)) return failure();
  if (succeeded(parser.parseOptionalArrow()))
    if (parser.parseLParen() || parser.parseTypeList(results) || parser.parseRParen()) return failure();
  if (parser.parseRegion(*result.addRegion(), inputs.arguments) || parser.parseOptionalAttrDict(result.attributes) ||
      inputs.resolve(parser, result))
    return failure();
  result.addTypes(results);
  return success();
}

/// Each result lies in memory of its own, or in that of an input of its type.
static LogicalResult verifyInPlace(KernelOp kernel) {
  auto list = kernel.getInPlace();
  if (!list) return success();
  if (list->size() != kernel.getNumResults())
    return kernel.emitOpError() << "in_place: expected " << kernel.getNumResults() << " inputs, got " << list->size();
  for (auto [i, input] : llvm::enumerate(*list)) {
    if (input == -1) continue;
    if (input < 0 || input >= int64_t(kernel.getInputs().size()))
      return kernel.emitOpError() << "in_place: expected -1 or one of " << kernel.getInputs().size() << " inputs, got " << input;
    if (Type type = kernel.getInputs()[size_t(input)].getType(); type != kernel.getResult(unsigned(i)).getType())
      return kernel.emitOpError() << "in_place: expected an input of type " << kernel.getResult(unsigned(i)).getType() << ", got " << type;
    if (llvm::is_contained(list->take_front(i), input))
      return kernel.emitOpError() << "in_place: expected an input of its own for each result, got " << input << " again";
  }
  return success();
}

static LogicalResult verifyApart(KernelOp kernel) {
  auto isNote = [](Attribute note) {
    auto parts = dyn_cast<ArrayAttr>(note);
    return parts && parts.size() == 5 && isa<StringAttr>(parts[0]) && isa<IntegerAttr>(parts[1]) && isa<StringAttr>(parts[2]) &&
           isa<IntegerAttr>(parts[3]) && isa<StringAttr>(parts[4]);
  };
  for (Attribute note : kernel.getApartAttr() ? kernel.getApartAttr().getValue() : ArrayRef<Attribute>())
    if (!isNote(note))
      return kernel.emitOpError() << "apart: expected a name and a line, those of the other kernel, and a text, got " << note;
  return success();
}

LogicalResult KernelOp::verify() {
  Block &block = getBody().front();
  if (block.getArgumentTypes() != getInputs().getTypes()) return emitOpError() << "block arguments: expected the types of the inputs";
  if (getWorkspace() && getWorkspace()->size() != getNumResults())
    return emitOpError() << "workspace: expected " << getNumResults() << " offsets, got " << getWorkspace()->size();
  return failed(verifyInPlace(*this)) || failed(verifyApart(*this)) ? failure() : success();
}

namespace {

/// A kernel whose operations hold each for itself, against its kind.
class KernelVerifier {
public:
  explicit KernelVerifier(KernelOp kernel) : kernel(kernel), kind(kernel.getKind()) {}

  LogicalResult run() {
    auto yield = dyn_cast<YieldOp>(kernel.getBody().front().getTerminator());
    if (!yield || yield.getValues().getTypes() != kernel.getResultTypes())
      return kernel.emitOpError() << "yield: expected the types of the results";
    yielded = yield.getValues();
    if (yielded.empty()) return kernel.emitOpError() << "yield: expected at least one value";
    for (Operation &op : kernel.getBody().front().without_terminator())
      if (failed(check(op)) || failed(checkDepth(op))) return failure();
    if (kind == KernelKind::Elementwise) return checkElementwise();
    if (mains.empty()) return kernel.emitOpError() << "expected an operation of kind '" << stringifyKernelKind(kind) << "', got none";
    if (kind == KernelKind::Reduction) return checkReduction();
    if (mains.size() > 1)
      return kernel.emitOpError() << "expected one operation of kind '" << stringifyKernelKind(kind) << "', got " << mains.size();
    if (takesEpilogue(kind)) return checkEpilogue();
    if (kind == KernelKind::Compact && yielded.size() == 1)
      if (auto gather = yielded[0].getDefiningOp<GatherOp>(); gather && isCompress(gather)) return success();
    if (!llvm::equal(yielded, mains[0]->getResults()))
      return kernel.emitOpError() << "yield: expected the result of '" << mains[0]->getName() << "' alone";
    if (isCall(kind) && !llvm::all_of(mains[0]->getOperands(), [](Value v) { return isa<BlockArgument>(v); }))
      return mains[0]->emitOpError() << "in a kernel: expected inputs of the kernel as operands";
    return success();
  }

private:
  KernelOp kernel;
  KernelKind kind;
  ValueRange yielded;
  SmallVector<Operation *> mains; // that give the kernel its kind
  DenseMap<Operation *, int> depths;

  /// Each element is found by recursion through what moves elements, down to inputs and to what the kernel's own loops compute.
  LogicalResult checkDepth(Operation &op) {
    constexpr int kDeepest = 256;
    if (kernelKindOf(&op)) return success();
    int depth = 0;
    for (Value operand : op.getOperands()) depth = std::max(depth, depths.lookup(operand.getDefiningOp()));
    depths[&op] = depth += !isKind(&op, Kind::Elementwise);
    if (depth <= kDeepest) return success();
    return op.emitOpError() << "in a kernel: expected at most " << kDeepest << " operations one behind the other that move elements";
  }

  LogicalResult check(Operation &op) {
    if (!isa<ArrayOp>(op)) return op.emitOpError() << "in a kernel: expected operations on arrays alone";
    if (isa<ReshapeOp>(op) && !addsOnlyUnitAxes(&op))
      return op.emitOpError() << "in a kernel: expected a reshape that only adds or drops axes of size 1";
    if (isa<GatherOp>(op) && !isa<BlockArgument>(cast<GatherOp>(op).getX()))
      return op.emitOpError() << "in a kernel: expected an input of the kernel to gather from";
    auto own = kernelKindOf(&op);
    if (own && *own != kind)
      return op.emitOpError() << "in a kernel: expected one of kind '" << stringifyKernelKind(*own) << "', got '"
                              << stringifyKernelKind(kind) << "'";
    if (own) mains.push_back(&op);
    return success();
  }

  LogicalResult checkElementwise() {
    for (Value v : yielded)
      if (!(typeOf(v).shape == typeOf(yielded[0]).shape))
        return kernel.emitOpError() << "results: expected one shape, got " << toString(typeOf(yielded[0]).shape) << " and "
                                    << toString(typeOf(v).shape);
    return success();
  }

  /// Batch axes come first; a matrix has two more, a vector one.
  LogicalResult checkProduct(DotGeneralOp dot) {
    int64_t batches = int64_t(dot.getXBatch().size());
    auto areFirst = [&](ArrayRef<int64_t> axes) {
      return llvm::all_of(llvm::enumerate(axes), [](auto pair) { return int64_t(pair.index()) == pair.value(); });
    };
    int64_t x = typeOf(dot.getX()).shape.rank - batches, y = typeOf(dot.getY()).shape.rank - batches;
    if (areFirst(dot.getXBatch()) && areFirst(dot.getYBatch()) && std::max(x, y) == 2 && std::min(x, y) >= 1) return success();
    return dot.emitOpError() << "in a kernel: expected batch axes before the others, and a matrix: run kiln-simplify first";
  }

  LogicalResult checkReduction() {
    for (Operation *op : mains)
      if (cast<ArrayOp>(op).getAlong().size() != 1) return op->emitOpError() << "in a kernel: expected one axis: run kiln-simplify first";
    auto [space, axis] = reducedSpace(mains[0]);
    for (Operation *op : mains) {
      if (auto dot = dyn_cast<DotGeneralOp>(op); dot && failed(checkProduct(dot))) return failure();
      auto [mine, along] = reducedSpace(op);
      if (!(mine == space) || along != axis)
        return op->emitOpError() << "in a kernel: expected a reduction of axis " << axis << " of " << toString(space) << ", got axis "
                                 << along << " of " << toString(mine);
    }
    Shape reduced = space, unit = space;
    reduced.erase(axis);
    unit[axis] = Size(1);
    for (Value v : yielded)
      if (Shape shape = typeOf(v).shape; !(shape == space || shape == reduced || shape == unit))
        return kernel.emitOpError() << "results: expected " << toString(space) << ", or that without axis " << axis << ", got "
                                    << toString(shape);
    return success();
  }

  /// Products and convolutions, and what follows elementwise.
  LogicalResult checkEpilogue() {
    if (auto dot = dyn_cast<DotGeneralOp>(mains[0]); dot && failed(checkProduct(dot))) return failure();
    TensorType type = typeOf(mains[0]->getResult(0));
    for (Value v : yielded)
      if (!(typeOf(v).shape == type.shape))
        return kernel.emitOpError() << "results: expected " << toString(type.shape) << ", got " << toString(typeOf(v).shape);
    if (llvm::none_of(yielded, [&](Value v) { return typeOf(v) == type; }))
      return kernel.emitOpError() << "results: expected one of type " << toString(type);
    return success();
  }
};

} // namespace

LogicalResult KernelOp::verifyRegions() {
  if (failed(KernelVerifier(*this).run())) return failure();
  return getSchedule() ? getSchedule()->verifyFor(*this) : success();
}

} // namespace kiln::ir
