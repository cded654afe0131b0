// What schedules may say of a kernel, whatever the target: sizes and axes in their ranges.
#include "dialects/kiln/ScheduleFields.h"

using namespace mlir;

#include "kiln/KilnAttrInterfaces.cpp.inc"

namespace kiln::ir {

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
  if (fields && nest.getAlign() && (!rank || nest.getCollapse() || nest.getRows() > 1 || nest.getTranspose() >= 0))
    fields.fail("align") << "expected an axis, and none of collapse, rows and transpose";
  if (nest.getTranspose() < 0) return void(fields.range("block", nest.getBlock(), 0, 0));
  fields.powerOfTwo("lanes", nest.getLanes(), 2, 16)
      .range("block", nest.getBlock(), 1, 1 << 20)
      .multiple("block", nest.getBlock(), nest.getLanes());
  if (fields && nest.getParallel() == rank - 1) fields.fail("parallel") << "expected another axis than the last, which squares cross";
}

/// Of a kernel that has others beside it.
void checkPart(Fields &fields, StringRef field, NestAttr nest, int64_t rank) {
  checkNest(fields, nest, rank);
  if (fields && (nest.getCollapse() || !nest.getStream().empty() || nest.getRegisters()))
    fields.fail(field) << "expected neither collapse, stream nor registers";
}

} // namespace

LogicalResult NestAttr::verifyFor(Operation *op) const {
  auto kernel = cast<KernelOp>(op);
  Fields fields(kernel, KernelKind::Elementwise, getMnemonic());
  if (fields) checkNest(fields, *this, resultShape(kernel).rank);
  checkStream(fields, kernel, getStream());
  if (getRegisters()) fields.powerOfTwo("registers", getRegisters(), 128, 512);
  return fields.result();
}

bool isOfItself(DotGeneralOp dot) {
  return dot.getX() == dot.getY() && dot.getXAxis() == dot.getYAxis() && dot.getXBatch() == dot.getYBatch() &&
         !isComplex(typeOf(dot.getX()).dtype);
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
  fields.grain("grain", getGrain()).range("strip", getStrip(), 0, kMostStrip);
  checkFold(fields, kernel, getFold());
  if (fields && getSymmetric() && (getFold() || !isOfItself(cast<DotGeneralOp>(mainOf(kernel)))))
    fields.fail("symmetric") << "expected an array of real numbers by itself, and no folded axes";
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
  for (NestAttr part : getParts()) checkPart(fields, "parts", part, resultShape(kernel).rank);
  return fields.result();
}

LogicalResult ScatterAttr::verifyFor(Operation *op) const {
  auto kernel = cast<KernelOp>(op);
  Fields fields(kernel, KernelKind::Scatter, getMnemonic());
  if (!fields) return failure();
  checkPart(fields, "copy", getCopy(), resultShape(kernel).rank);
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
