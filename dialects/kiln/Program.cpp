#include "dialects/kiln/Program.h"

using namespace mlir;

namespace kiln::ir {

SmallVector<Size> factorsOf(Operation *program, int64_t symbol) {
  auto products = program->getAttrOfType<ArrayAttr>(kProducts);
  return sizesOf(cast<DenseI64ArrayAttr>(products[size_t(symbol - symbolsOf(program))]).asArrayRef());
}

SmallVector<TensorType> blocksOf(Operation *program) {
  SmallVector<TensorType> types;
  if (auto blocks = program->getAttrOfType<ArrayAttr>(kBlocks))
    for (Attribute block : blocks) types.push_back(typeOf(cast<TypeAttr>(block).getValue()));
  return types;
}

} // namespace kiln::ir
