#include "dialects/kiln/Program.h"

using namespace mlir;

namespace kiln::ir {

SmallVector<Size> factorsOf(Operation *program, int64_t symbol) {
  auto products = program->getAttrOfType<ArrayAttr>(kProducts);
  return sizesOf(cast<DenseI64ArrayAttr>(products[size_t(symbol - symbolsOf(program))]).asArrayRef());
}

} // namespace kiln::ir
