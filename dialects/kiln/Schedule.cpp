// What schedules may say of a kernel, whatever the target: sizes and axes in their ranges.
#include "dialects/kiln/Schedule.h"
#include "dialects/kiln/KilnDialect.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

#include "kiln/KilnAttrInterfaces.cpp.inc"

namespace kiln::ir {

bool isInBlocks(Operation *reduction) {
  auto [space, axis] = reducedSpace(reduction);
  return cast<ArrayOp>(reduction).getRecord().blocked && (axis == space.rank - 1 || !isa<DotGeneralOp>(reduction));
}

FailureOr<SmallVector<int64_t>> parseExtents(AsmParser &parser) {
  SmallVector<int64_t> extents;
  if (parser.parseDimensionList(extents, /*allowDynamic=*/false, /*withTrailingX=*/false)) return failure();
  return extents;
}

void printExtents(AsmPrinter &printer, ArrayRef<int64_t> extents) { llvm::interleave(extents, printer.getStream(), "x"); }

FailureOr<int64_t> parseGrain(AsmParser &parser) {
  int64_t grain = kOpenGrain;
  if (failed(parser.parseOptionalQuestion()) && parser.parseInteger(grain)) return failure();
  return grain;
}

void printGrain(AsmPrinter &printer, int64_t grain) {
  if (grain == kOpenGrain) printer << "?";
  else printer << grain;
}

FailureOr<SmallVector<int64_t>> parseNumbers(AsmParser &parser) { return parseList<int64_t>(parser); }

void printNumbers(AsmPrinter &printer, ArrayRef<int64_t> numbers) {
  printer << '[';
  llvm::interleaveComma(numbers, printer.getStream());
  printer << ']';
}

namespace {

constexpr int64_t kMostLanes = 64, kMostUnrolled = 16, kMostTileBytes = 4096, kMostPanelBytes = 64 << 20;
constexpr int64_t kMostSize = int64_t(1) << 40; // of a block: products of sizes stay far from overflow

/// The fields of a schedule against the kernel it is of; the first that does not fit is the diagnostic.
class Fields {
public:
  Fields(KernelOp kernel, KernelKind kind, StringRef name) : kernel(kernel) {
    if (kernel.getKind() != kind)
      fail(name) << "expected a kernel of kind '" << stringifyKernelKind(kind) << "', got '" << stringifyKernelKind(kernel.getKind())
                 << "'";
  }

  LogicalResult result() { return success(isFine); }
  explicit operator bool() const { return isFine; }

  InFlightDiagnostic fail(const Twine &field) {
    isFine = false;
    return kernel.emitOpError() << "schedule: " << field << ": ";
  }

  Fields &range(StringRef field, int64_t value, int64_t least, int64_t most) {
    if (isFine && (value < least || value > most)) fail(field) << "expected " << least << " to " << most << ", got " << value;
    return *this;
  }
  Fields &powerOfTwo(StringRef field, int64_t value, int64_t least, int64_t most) {
    if (isFine && (value < least || value > most || !llvm::isPowerOf2_64(uint64_t(value))))
      fail(field) << "expected a power of two from " << least << " to " << most << ", got " << value;
    return *this;
  }
  Fields &extents(StringRef field, ArrayRef<int64_t> extents, size_t count) {
    if (isFine && extents.size() != count) fail(field) << "expected " << count << " sizes, got " << extents.size();
    for (int64_t extent : extents) range(field, extent, 1, kMostSize);
    return *this;
  }
  Fields &multiple(StringRef field, int64_t value, int64_t of) {
    if (isFine && value % of) fail(field) << "expected a multiple of " << of << ", got " << value;
    return *this;
  }
  Fields &bytes(StringRef field, int64_t value, int64_t most) {
    if (isFine && value > most) fail(field) << "expected at most " << most << " bytes, got " << value;
    return *this;
  }
  Fields &grain(StringRef field, int64_t value, int64_t least = 1) {
    return value == kOpenGrain ? *this : range(field, value, least, kMostSize);
  }

private:
  KernelOp kernel;
  bool isFine = true;
};

Operation *mainOf(KernelOp kernel) {
  for (Operation &op : kernel.getBody().front().without_terminator())
    if (kernelKindOf(&op)) return &op;
  return nullptr;
}

Shape resultShape(KernelOp kernel) { return typeOf(kernel.getResult(0)).shape; }

/// Results by their numbers.
void checkStream(Fields &fields, KernelOp kernel, ArrayRef<int64_t> stream) {
  for (int64_t result : stream) fields.range("stream", result, 0, int64_t(kernel.getNumResults()) - 1);
}

/// The axis whose iterations are shared: one of `rank` but `except`.
void checkParallel(Fields &fields, int64_t axis, int64_t grain, int64_t rank, int64_t except = -1) {
  fields.range("parallel", axis, -1, rank - 1).grain("grain", grain);
  if (fields && axis >= 0 && axis == except)
    fields.fail("parallel") << "expected another axis than " << except << ", whose steps depend on each other";
}

/// Batch axes of a product that count as rows.
void checkFold(Fields &fields, KernelOp kernel, int64_t fold) {
  if (fields) fields.range("fold", fold, 0, typeOf(mainOf(kernel)->getResult(0)).shape.rank - 2);
}

/// Lanes of what follows from the main result; 0: nothing does.
void checkEpilogue(Fields &fields, KernelOp kernel, int64_t lanes) {
  if (!fields) return;
  auto values = cast<YieldOp>(kernel.getBody().front().getTerminator()).getValues();
  bool hasEpilogue = values.size() > 1 || values[0] != mainOf(kernel)->getResult(0);
  if (hasEpilogue) fields.powerOfTwo("epilogue", lanes, 1, kMostLanes);
  else fields.range("epilogue", lanes, 0, 0);
}

void checkNest(Fields &fields, NestAttr nest, int64_t rank) {
  fields.powerOfTwo("lanes", nest.getLanes(), 1, rank ? kMostLanes : 1);
  fields.powerOfTwo("rows", nest.getRows(), 1, kMostUnrolled).range("transpose", nest.getTranspose(), -1, std::max<int64_t>(rank - 2, -1));
  checkParallel(fields, nest.getParallel(), nest.getGrain(), nest.getCollapse() ? 1 : rank);
  if (!fields) return;
  if (nest.getCollapse()) fields.range("collapse", rank, 1, kMaxRank);
  if (nest.getCollapse() + (nest.getRows() > 1) + (nest.getTranspose() >= 0) > 1)
    fields.fail("nest") << "expected one of collapse, rows and transpose";
  else if (nest.getRows() > 1) fields.range("rows", rank, 2, kMaxRank);
  if (nest.getTranspose() < 0) return void(fields.range("block", nest.getBlock(), 0, 0));
  fields.powerOfTwo("lanes", nest.getLanes(), 2, 16)
      .range("block", nest.getBlock(), 1, 1 << 20)
      .multiple("block", nest.getBlock(), nest.getLanes());
  if (fields && nest.getParallel() == rank - 1) fields.fail("parallel") << "expected another axis than the last, which squares cross";
}

/// Each reduction once, and behind those that it needs; kept values where all that they need is known.
class StageCheck {
public:
  StageCheck(Fields &fields, KernelOp kernel) : fields(fields) {
    for (Operation &op : kernel.getBody().front().without_terminator()) {
      numbers[&op] = int64_t(ops.size());
      ops.push_back(&op);
      if (kernelKindOf(&op)) ++left;
    }
    std::tie(space, axis) = reducedSpace(mainOf(kernel));
    isRow = axis == space.rank - 1;
    stage.resize(ops.size(), -1);
  }

  void run(ArrayRef<StageAttr> stages) {
    for (auto [i, each] : llvm::enumerate(stages)) {
      if (each.getReduce().empty() && fields) fields.fail("stages") << "expected reductions in each";
      for (int64_t number : each.getReduce()) reduce(number, int64_t(i), each);
    }
    if (fields && left) fields.fail("stages") << "expected all reductions, got all but " << left;
    findReady();
    for (auto [i, each] : llvm::enumerate(stages)) {
      for (int64_t number : each.getReduce()) check("reduce", number, int64_t(i));
      for (int64_t number : each.getKeep()) keep(number, int64_t(i));
    }
  }

private:
  Fields &fields;
  SmallVector<Operation *> ops;
  DenseMap<Operation *, int64_t> numbers;
  SmallVector<int64_t> stage, ready; // of each op: where it is reduced; the first stage in which it can be computed
  int64_t left = 0;
  Shape space;
  int axis;
  bool isRow;

  void reduce(int64_t number, int64_t at, StageAttr all) {
    if (!fields.range("reduce", number, 0, int64_t(ops.size()) - 1)) return;
    Operation *op = ops[size_t(number)];
    if (!kernelKindOf(op))
      return void(fields.fail("reduce") << "expected a reduction, got operation " << number << ", '" << op->getName() << "'");
    if (stage[size_t(number)] >= 0) return void(fields.fail("reduce") << "expected each reduction once, got " << number << " again");
    stage[size_t(number)] = at;
    --left;
    if (isInBlocks(op) != isInBlocks(ops[size_t(all.getReduce()[0])]))
      fields.fail("reduce") << "expected sums and products apart from the others, got " << number << " beside " << all.getReduce()[0];
  }

  void findReady() {
    for (Operation *op : ops) {
      int64_t first = 0;
      for (Value v : op->getOperands())
        if (auto found = numbers.find(v.getDefiningOp()); found != numbers.end())
          first = std::max(first, stage[size_t(found->second)] >= 0 ? stage[size_t(found->second)] + 1 : ready[size_t(found->second)]);
      ready.push_back(first);
    }
  }

  void check(StringRef what, int64_t number, int64_t at) {
    if (fields && ready[size_t(number)] > at)
      fields.fail(what) << "expected operation " << number << " in stage " << ready[size_t(number)] << " or later, got " << at;
  }

  void keep(int64_t number, int64_t at) {
    if (fields && !isRow) fields.fail("keep") << "expected nothing where another axis than the last is reduced";
    if (!fields.range("keep", number, 0, int64_t(ops.size()) - 1)) return;
    Operation *op = ops[size_t(number)];
    bool isKept = !kernelKindOf(op) && typeOf(op->getResult(0)).shape == space;
    if (!isKept) return void(fields.fail("keep") << "expected a value of shape " << toString(space) << ", got operation " << number);
    if (!kept.insert(op).second) return void(fields.fail("keep") << "expected each value once, got " << number << " again");
    check("keep", number, at);
  }
  llvm::DenseSet<Operation *> kept;
};

} // namespace

LogicalResult NestAttr::verifyFor(Operation *op) const {
  auto kernel = cast<KernelOp>(op);
  Fields fields(kernel, KernelKind::Elementwise, getMnemonic());
  if (fields) checkNest(fields, *this, resultShape(kernel).rank);
  checkStream(fields, kernel, getStream());
  return fields.result();
}

LogicalResult ProductAttr::verifyFor(Operation *op) const {
  auto kernel = cast<KernelOp>(op);
  Fields fields(kernel, KernelKind::Contraction, getMnemonic());
  fields.extents("tile", getTile(), 2).extents("block", getBlock(), 3).powerOfTwo("lanes", getLanes(), 2, kMostLanes);
  fields.powerOfTwo("unroll", getUnroll(), 1, kMostUnrolled);
  if (!fields) return failure();
  int64_t bytes = byteSize(typeOf(mainOf(kernel)->getResult(0)).dtype), rows = getTile()[0], columns = getTile()[1];
  fields.range("tile: rows", rows, 1, kMostLanes).range("tile: columns", columns, 1, 1024).multiple("tile: columns", columns, getLanes());
  fields.bytes("tile", rows * columns * bytes, kMostTileBytes);
  fields.range("block: rows", getBlock()[0], 1, 1 << 20).range("block: columns", getBlock()[1], 1, 1 << 20);
  fields.multiple("block: rows", getBlock()[0], rows).multiple("block: columns", getBlock()[1], columns);
  auto panels = [&](Packing side, int64_t width) {
    if (!fields || !(uint32_t(getPack()) & uint32_t(side))) return;
    fields.range("block: depth", getBlock()[2], 1, kMostPanelBytes).bytes("block", getBlock()[2] * width * bytes, kMostPanelBytes);
  };
  panels(Packing::A, getBlock()[0]);
  panels(Packing::B, getBlock()[1]);
  fields.grain("grain", getGrain());
  checkFold(fields, kernel, getFold());
  checkEpilogue(fields, kernel, getEpilogue());
  return fields.result();
}

LogicalResult RankUpdateAttr::verifyFor(Operation *op) const {
  auto kernel = cast<KernelOp>(op);
  Fields fields(kernel, KernelKind::Contraction, getMnemonic());
  fields.range("depth", getDepth(), 1, kMostUnrolled).powerOfTwo("lanes", getLanes(), 2, kMostLanes);
  checkFold(fields, kernel, getFold());
  checkEpilogue(fields, kernel, getEpilogue());
  return fields.result();
}

LogicalResult RowsAttr::verifyFor(Operation *op) const {
  auto kernel = cast<KernelOp>(op);
  Fields fields(kernel, KernelKind::Reduction, getMnemonic());
  if (!fields) return failure();
  auto [space, axis] = reducedSpace(mainOf(kernel));
  if (axis != space.rank - 1)
    fields.fail(getMnemonic()) << "expected reductions of the last axis, got axis " << axis << " of " << toString(space);
  fields.powerOfTwo("lanes", getLanes(), 1, kMostLanes);
  checkParallel(fields, getParallel(), getGrain(), space.rank, axis);
  checkStream(fields, kernel, getStream());
  StageCheck(fields, kernel).run(getStages());
  return fields.result();
}

LogicalResult ColumnsAttr::verifyFor(Operation *op) const {
  auto kernel = cast<KernelOp>(op);
  Fields fields(kernel, KernelKind::Reduction, getMnemonic());
  if (!fields) return failure();
  auto [space, axis] = reducedSpace(mainOf(kernel));
  if (axis == space.rank - 1)
    fields.fail(getMnemonic()) << "expected reductions of another axis than the last, got axis " << axis << " of " << toString(space);
  fields.powerOfTwo("lanes", getLanes(), 1, 2 * kMostLanes).range("prefetch", getPrefetch(), 0, 1024);
  if (getWide()) fields.powerOfTwo("wide", getWide(), 2 * getLanes(), 4 * kMostLanes);
  fields.powerOfTwo("rows", getRows(), 1, kMostUnrolled);
  checkParallel(fields, getParallel(), getGrain(), space.rank, axis);
  checkStream(fields, kernel, getStream());
  StageCheck(fields, kernel).run(getStages());
  if (!fields || !getSweep()) return fields.result();
  Operation *main = mainOf(kernel);
  DType dtype = typeOf(main->getOperand(0)).dtype;
  bool isOne = getStages().size() == 1 && getStages()[0].getReduce().size() == 1 && isKind(main, Kind::Reduce) && !isComplex(dtype);
  auto isFull = [&space = space](Type type) { return typeOf(type).shape == space; };
  if (!isOne || llvm::any_of(kernel.getResultTypes(), isFull))
    fields.fail("sweep") << "expected one reduction of real numbers, and no result of its operand's shape";
  fields.range("sweep", getSweep(), 1, kMostTileBytes)
      .multiple("sweep", getSweep(), 64)
      .bytes("sweep", getSweep() * byteSize(dtype), kMostTileBytes);
  return fields.result();
}

LogicalResult ConvolutionAttr::verifyFor(Operation *op) const {
  auto kernel = cast<KernelOp>(op);
  Fields fields(kernel, KernelKind::Convolution, getMnemonic());
  fields.extents("tile", getTile(), 2).powerOfTwo("lanes", getLanes(), 2, kMostLanes);
  if (!fields) return failure();
  int64_t bytes = byteSize(typeOf(mainOf(kernel)->getResult(0)).dtype), positions = getTile()[0], filters = getTile()[1];
  fields.range("tile: positions", positions, 1, kMostLanes)
      .range("tile: filters", filters, 1, 1024)
      .multiple("tile: filters", filters, getLanes());
  fields.bytes("tile", positions * filters * bytes, kMostTileBytes).grain("grain", getGrain());
  WindowLoop wanted = getPack() ? WindowLoop::Filters : WindowLoop::Lines;
  if (fields && getParallel() != WindowLoop::None && getParallel() != wanted)
    fields.fail("parallel") << "expected none or " << stringifyEnum(wanted)
                            << (getPack() ? " where weights are packed" : " where weights are not packed") << ", got "
                            << stringifyEnum(getParallel());
  checkEpilogue(fields, kernel, getEpilogue());
  return fields.result();
}

LogicalResult WindowAttr::verifyFor(Operation *op) const {
  auto kernel = cast<KernelOp>(op);
  Fields fields(kernel, KernelKind::Convolution, getMnemonic());
  fields.powerOfTwo("lanes", getLanes(), 1, kMostLanes);
  if (fields) checkParallel(fields, getParallel(), getGrain(), resultShape(kernel).rank - 1);
  return fields.result();
}

LogicalResult AssembleAttr::verifyFor(Operation *op) const {
  auto kernel = cast<KernelOp>(op);
  Fields fields(kernel, KernelKind::Assemble, getMnemonic());
  if (!fields) return failure();
  Operation *main = mainOf(kernel);
  size_t parts = isa<ConcatOp>(main) ? main->getNumOperands() : 2;
  if (getParts().size() != parts) fields.fail("parts") << "expected " << parts << ", got " << getParts().size();
  for (NestAttr part : getParts()) {
    checkNest(fields, part, resultShape(kernel).rank);
    if (fields && (part.getCollapse() || !part.getStream().empty())) fields.fail("parts") << "expected neither collapse nor stream";
  }
  return fields.result();
}

LogicalResult ScatterAttr::verifyFor(Operation *op) const {
  auto kernel = cast<KernelOp>(op);
  Fields fields(kernel, KernelKind::Scatter, getMnemonic());
  if (!fields) return failure();
  checkNest(fields, getCopy(), resultShape(kernel).rank);
  if (fields && (getCopy().getCollapse() || !getCopy().getStream().empty())) fields.fail("copy") << "expected neither collapse nor stream";
  fields.powerOfTwo("lanes", getLanes(), 1, kMostLanes);
  return fields.result();
}

LogicalResult ScanAttr::verifyFor(Operation *op) const {
  auto kernel = cast<KernelOp>(op);
  Fields fields(kernel, KernelKind::Scan, getMnemonic());
  fields.powerOfTwo("lanes", getLanes(), 1, kMostLanes);
  if (fields) checkParallel(fields, getParallel(), getGrain(), resultShape(kernel).rank, cast<ArrayOp>(mainOf(kernel)).getAlong()[0]);
  return fields.result();
}

LogicalResult CompactAttr::verifyFor(Operation *op) const {
  Fields fields(cast<KernelOp>(op), KernelKind::Compact, getMnemonic());
  return fields.powerOfTwo("lanes", getLanes(), 8, kMostLanes).result();
}

LogicalResult SortAttr::verifyFor(Operation *op) const {
  auto kernel = cast<KernelOp>(op);
  Fields fields(kernel, KernelKind::Sort, getMnemonic());
  if (fields) checkParallel(fields, getParallel(), getGrain(), resultShape(kernel).rank, cast<ArrayOp>(mainOf(kernel)).getAlong()[0]);
  return fields.result();
}

} // namespace kiln::ir
