// What emitters know of the processor; the target says it in attributes of the module.
#pragma once

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"

namespace kiln::cpu {

inline constexpr llvm::StringLiteral kVectorBytes = "kiln.vector_bytes", kStreamBytes = "kiln.stream_bytes",
                                     kStoreFence = "kiln.store_fence";
/// Of a module that becomes part of a library: the function that calls kernels of custom ops, and their names by those of the ops.
inline constexpr llvm::StringLiteral kCallOp = "kiln.call_op", kLinkedOps = "kiln.linked_ops";

/// Of the caches, in bytes.
inline constexpr int64_t kLine = 64;

struct Target {
  int64_t vectorBytes = 32;                   // of a register: 32 with 16 of them, 64 with 32
  int64_t streamBytes = 0;                    // results as large are stored past the caches; 0: none
  llvm::SmallVector<int64_t, 2> unfused = {}; // bytes of the floats that have no fused multiply-add

  bool isWide() const { return vectorBytes == 64; }
  static Target of(mlir::ModuleOp module) {
    auto number = [&](llvm::StringRef name, int64_t otherwise) {
      auto known = module->getAttrOfType<mlir::IntegerAttr>(name);
      return known ? known.getInt() : otherwise;
    };
    return {number(kVectorBytes, 32), number(kStreamBytes, 0), {}};
  }
};

} // namespace kiln::cpu
