// What emitters know of the processor; the driver says it in an attribute of the module.
#pragma once

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"

namespace kiln::cpu {

inline constexpr llvm::StringLiteral kVectorBytes = "kiln.vector_bytes";

struct Target {
  int64_t vectorBytes = 32; // of a register: 32 with 16 of them, 64 with 32

  bool isWide() const { return vectorBytes == 64; }
  static Target of(mlir::ModuleOp module) {
    auto bytes = module->getAttrOfType<mlir::IntegerAttr>(kVectorBytes);
    return {bytes ? bytes.getInt() : 32};
  }
};

} // namespace kiln::cpu
