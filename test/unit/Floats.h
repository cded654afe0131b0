// Arrays of floats, as tests of the frontend write and read them.
#pragma once

#include "frontend/OpsShared.h"

#include <algorithm>

namespace kiln {

inline Array floats(std::initializer_list<float> values) {
  Array a = Array::empty(DType::F32, {int64_t(values.size())});
  std::copy(values.begin(), values.end(), reinterpret_cast<float *>(a.data()));
  return a;
}
inline std::vector<float> values(const Array &x) {
  Array whole = contiguous(x);
  auto *data = reinterpret_cast<const float *>(whole.data());
  return {data, data + whole.size()};
}

} // namespace kiln
