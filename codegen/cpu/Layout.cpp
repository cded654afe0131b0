#include "codegen/cpu/Layout.h"

#include "lib/Core/Trace.h"

using namespace mlir;

namespace kiln::cpu {

constexpr llvm::StringLiteral kInPlace = "kiln.in_place";

static Value rootOf(Value v) {
  while (auto alias = v.getDefiningOp<ir::ReshapeOp>()) v = alias.getX();
  return v;
}

Places::Places(func::FuncOp main) : isOpen(main->hasAttr(ir::kSymbols)), symbols(ir::symbolsOf(main)) {
  int64_t dynamic = 0;
  auto placed = [&](Place::Kind kind, int64_t number, Attribute strides) {
    Place place{kind, number, dyn_cast_or_null<DenseI64ArrayAttr>(strides), symbols + dynamic};
    if (place.strides) dynamic += llvm::count(place.strides.asArrayRef(), kDynamicStride);
    return place;
  };
  for (auto [i, argument] : llvm::enumerate(main.getArguments()))
    places[argument] = placed(Place::Argument, int64_t(i), main.getArgAttr(unsigned(i), ir::kStrides));
  for (ir::KernelOp kernel : main.getOps<ir::KernelOp>())
    for (auto [i, result] : llvm::enumerate(kernel.getResults()))
      places[result] = {Place::Workspace, (*kernel.getWorkspace())[i], nullptr, 0};
  for (auto [i, value] : llvm::enumerate(main.getBody().front().getTerminator()->getOperands())) {
    // A result in place of an argument is that argument.
    if (auto argument = main.getResultAttrOfType<IntegerAttr>(unsigned(i), kInPlace))
      places[rootOf(value)] = places[main.getArgument(unsigned(argument.getInt()))];
    else places[rootOf(value)] = placed(Place::Result, int64_t(i), main.getResultAttr(unsigned(i), ir::kStrides));
  }
  for (ir::ReshapeOp alias : main.getOps<ir::ReshapeOp>()) places[alias] = places[rootOf(alias)];
  if (auto bytes = main->getAttrOfType<IntegerAttr>("kiln.workspace_bytes")) planned = bytes.getInt();
}

Extent operator*(Extent a, Extent b) {
  if (a == 0 || b == 0) return 0;
  return a && b ? Extent(*a * *b) : Extent();
}

SmallVector<Extent, 4> extentsOf(Value value) {
  SmallVector<Extent, 4> extents;
  for (int64_t d : ir::typeOf(value).shape) extents.push_back(extentOf(d));
  return extents;
}

static Layout layoutOf(Value array, const Place &place) {
  Layout layout{ir::typeOf(array).dtype, extentsOf(array), {}, !place.strides, place.kind == Place::Result};
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
    layout.inputs[argument] = layoutOf(argument, places.of(outer));
  for (Value result : kernel.getResults()) layout.outputs.push_back(layoutOf(result, places.of(result)));
  return layout;
}

} // namespace kiln::cpu
