// The structures of DLPack 1.1, as its specification lays them out (the packaged header is older than versioned tensors).
#pragma once

#include "lib/Core/Types.h"

#include <cstdint>

namespace kiln::dlpack {

enum DeviceType : int32_t { kCPU = 1, kCuda = 2 };
struct Device {
  int32_t type, id;
};
enum TypeCode : uint8_t { kInt, kUInt, kFloat, kOpaque, kBfloat, kComplex, kBool, kFloat8E4M3FN = 10, kFloat8E5M2 = 12 };
struct DataType {
  uint8_t code, bits;
  uint16_t lanes;
};
inline DataType dataTypeOf(DType t) {
  uint8_t code = t == DType::Bool     ? kBool
                 : t == DType::BF16   ? kBfloat
                 : t == DType::F8E4M3 ? kFloat8E4M3FN
                 : t == DType::F8E5M2 ? kFloat8E5M2
                 : isComplex(t)       ? kComplex
                 : isFloat(t)         ? kFloat
                 : info(t).isSigned   ? kInt
                                      : kUInt;
  return {code, uint8_t(8 * byteSize(t)), 1};
}
struct Tensor {
  void *data;
  Device device;
  int32_t ndim;
  DataType dtype;
  int64_t *shape, *strides; // in elements; null strides: row-major
  uint64_t byteOffset;
};
struct ManagedTensor {
  Tensor tensor;
  void *context;
  void (*deleter)(ManagedTensor *);
};
struct ManagedTensorVersioned {
  uint32_t major, minor;
  void *context;
  void (*deleter)(ManagedTensorVersioned *);
  uint64_t flags;
  Tensor tensor;
};
inline constexpr uint64_t kReadOnly = 1, kIsCopied = 2;

} // namespace kiln::dlpack
