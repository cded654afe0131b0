#include "frontend/tree/Template.h"

namespace kiln {

Array Template::arrayOf(const Array &base) const {
  Array a = base;
  a.offset = base.offset * byteSize(base.dtype) / byteSize(dtype) + offset;
  a.shape = shape;
  a.strides = strides;
  a.dtype = dtype;
  a.mark = {};
  a.view = nullptr;
  a.updateContiguous();
  return a;
}

namespace {
struct Building {
  std::span<const Array> made;
  std::span<Array *const> arrays;
  TemplateBuilder &builder;
  std::vector<HostObject> done; // arrays, in order

  HostObject array(Array a) { return done.emplace_back(builder.array(std::move(a))); }
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
    std::vector<HostObject> children;
    for (const Template &child : t.children) children.push_back(build(child));
    return builder.container(t, std::move(children));
  }
};
} // namespace

HostObject build(const Template &t, std::span<const Array> made, std::span<Array *const> arrays, TemplateBuilder &builder) {
  return Building{made, arrays, builder, {}}.build(t);
}

} // namespace kiln
