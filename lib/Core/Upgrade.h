// How entries of older programs become entries of today: the functions that op records name in `upgrade`.
#pragma once

#include "lib/Core/Types.h"

#include <cstdint>
#include <string>
#include <vector>

namespace kiln {

/// An attribute as a program file has it: its numbers, and the dtype of one that is a scalar or a dtype.
struct StoredAttribute {
  enum Form : uint8_t { Integer, List, Scalar, Type, Body };
  std::string name;
  Form form = Integer;
  std::vector<int64_t> numbers;
  DType dtype = DType::F32;
};

/// An op as a program file has it.
struct StoredOp {
  std::vector<int64_t> operands;
  std::vector<StoredAttribute> attributes;

  StoredAttribute *find(std::string_view name) {
    for (StoredAttribute &a : attributes)
      if (a.name == name) return &a;
    return nullptr;
  }
};

/// Rewrites an entry of version `from` to the op's present version.
using UpgradeFn = void (*)(int from, StoredOp &op);

} // namespace kiln
