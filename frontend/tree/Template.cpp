#include "frontend/tree/Template.h"

namespace kiln {

Array Template::arrayOf(const Array &base) const {
  int64_t from = base.offset * byteSize(base.dtype) / byteSize(dtype);
  Array a{base.storage, dtype, false, base.isRepeated, from + offset, shape, strides, {}, nullptr};
  a.updateContiguous();
  return a;
}

bool Template::isWhole(const Array &base) const {
  return kind == New && base.dtype == dtype && base.offset == 0 && offset == 0 && base.shape == shape && base.strides == strides &&
         !base.view && base.mark.slot < 0;
}

namespace {
struct Building {
  std::span<const Array> made;
  std::span<Array *const> arrays;
  TemplateBuilder &builder;
  bool isInContainer = false;
  std::vector<HostObject> done; // arrays of containers, in order

  HostObject array(Array &&a) {
    HostObject made = builder.array(std::move(a));
    if (isInContainer) done.push_back(made);
    return made;
  }
  HostObject build(const Template &t) {
    switch (t.kind) {
    case Template::Constant: return t.object;
    case Template::Number: return builder.number(t.index);
    case Template::Input: return builder.input(t.index);
    case Template::Passed: return builder.passed(t.index);
    case Template::New: return array(t.arrayOf(made[size_t(t.index)]));
    case Template::View: return array(t.arrayOf(*arrays[size_t(t.index)]));
    case Template::Repeated: return done[size_t(t.index)];
    case Template::Container: break;
    }
    isInContainer = true;
    std::vector<HostObject> children;
    for (const Template &child : t.children) children.push_back(build(child));
    return builder.container(t, std::move(children));
  }
};
} // namespace

HostObject build(const Template &t, std::span<const Array> made, std::span<Array *const> arrays, TemplateBuilder &builder) {
  return Building{made, arrays, builder, false, {}}.build(t);
}

} // namespace kiln
