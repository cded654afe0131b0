#include "codegen/cpu/Layout.h"

#include "codegen/cpu/Bodies.h"
#include "lib/Core/Trace.h"

using namespace mlir;

namespace kiln::cpu {

Places::Places(func::FuncOp main, bool hasStack)
    : isBody(main.isPrivate()), isOpen(main->hasAttr(ir::kSymbols)), symbols(ir::symbolsOf(main)) {
  int64_t dynamic = 0;
  auto placed = [&](Place::Kind kind, int64_t number, Attribute strides) {
    Place place{kind, number, dyn_cast_or_null<DenseI64ArrayAttr>(strides), symbols + dynamic};
    if (place.strides) dynamic += llvm::count(place.strides.asArrayRef(), kDynamicStride);
    return place;
  };
  for (auto [i, argument] : llvm::enumerate(main.getArguments()))
    places[argument] = placed(Place::Argument, int64_t(i), main.getArgAttr(unsigned(i), ir::kStrides));
  bool usesStack = hasStack && isBody && size_t(llvm::range_size(main.getOps<ir::KernelOp>())) <= kPart;
  // lookup() copies: what operator[] refers to moves when the table grows.
  for (ir::KernelOp kernel : main.getOps<ir::KernelOp>())
    for (auto [i, result] : llvm::enumerate(kernel.getResults())) {
      auto inPlace = kernel.getInPlace();
      if (inPlace && (*inPlace)[i] >= 0) {
        places[result] = places.lookup(ir::memoryOf(kernel.getInputs()[size_t((*inPlace)[i])]));
        continue;
      }
      TensorType type = ir::typeOf(result);
      int64_t bytes = type.shape.isStatic() ? numElements(type.shape) * byteSize(type.dtype) : kOnStackBytes + 1;
      places[result] = {Place::Workspace, (*kernel.getWorkspace())[i], nullptr, 0};
      if (!usesStack || bytes > kOnStackBytes) continue;
      places[result] = {Place::Stack, int64_t(stackBytes.size()), nullptr, 0};
      stackBytes.push_back(bytes);
    }
  for (auto [i, value] : llvm::enumerate(main.getBody().front().getTerminator()->getOperands())) {
    // A result in place of an argument is that argument.
    if (auto argument = main.getResultAttrOfType<IntegerAttr>(unsigned(i), ir::kInPlace))
      places[ir::memoryOf(value)] = places.lookup(main.getArgument(unsigned(argument.getInt())));
    else places[ir::memoryOf(value)] = placed(Place::Result, int64_t(i), main.getResultAttr(unsigned(i), ir::kStrides));
  }
  for (ir::ReshapeOp alias : main.getOps<ir::ReshapeOp>()) places[alias] = places.lookup(ir::memoryOf(alias));
  if (auto bytes = main->getAttrOfType<IntegerAttr>(ir::kWorkspaceBytes)) planned = bytes.getInt();
}

Extent operator*(Extent a, Extent b) {
  if (a == 0 || b == 0) return 0;
  return a && b ? Extent(*a * *b) : Extent();
}

SmallVector<Extent, 4> extentsOf(Value value) {
  SmallVector<Extent, 4> extents;
  for (Size d : ir::typeOf(value).shape) extents.push_back(extentOf(d));
  return extents;
}

Dims staticSizes(Value array, int first) {
  Shape shape = ir::typeOf(array).shape;
  Dims sizes;
  for (int i = 0; i < shape.rank; ++i) sizes.push(i < first ? 0 : shape[i].number());
  return sizes;
}

static Layout layoutOf(Value array, const Place &place, bool isProgram) {
  Layout layout{ir::typeOf(array).dtype, extentsOf(array), {}, !place.strides, isProgram && place.kind == Place::Result};
  if (place.strides) {
    for (int64_t s : place.strides.asArrayRef()) layout.strides.push_back(s == kDynamicStride ? Extent() : Extent(s));
    return layout;
  }
  layout.strides.resize(layout.shape.size());
  Extent step = 1;
  for (size_t i = layout.shape.size(); i-- > 0;) {
    layout.strides[i] = step;
    step = step * layout.shape[i];
  }
  return layout;
}

KernelLayout layoutOf(ir::KernelOp kernel, const Places &places) {
  KernelLayout layout;
  layout.isOpen = places.isOpen;
  for (auto [argument, outer] : llvm::zip(kernel.getBody().getArguments(), kernel.getInputs()))
    layout.inputs[argument] = layoutOf(argument, places.of(outer), !places.isBody);
  for (Value result : kernel.getResults()) layout.outputs.push_back(layoutOf(result, places.of(result), !places.isBody));
  return layout;
}

} // namespace kiln::cpu
