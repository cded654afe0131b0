// How the result of a call is put together from the arrays that a run made, its inputs, and objects of the host.
#pragma once

#include "frontend/Array.h"
#include "frontend/tree/Host.h"

#include <span>

namespace kiln {

struct Template {
  /// Input: an array of the call itself. Passed: another object of the arguments itself. Repeated: an array that was put in before.
  /// Number: one that the host computes. Container: of children, built by the host from `object`, which says what kind of one it is.
  enum Kind { Constant, Number, Input, Passed, New, View, Repeated, Container } kind = Constant;
  HostObject object; // of Constant and Container
  int index = 0; // of Input and View: the array of the call; of Number: which one; of New: the output; of Passed, Repeated: the number of
                 // the object
  DType dtype = DType::F32; // of New and View: the layout in the storage
  int64_t offset = 0;       // of View: from that of the input
  Dims shape, strides;
  std::vector<Template> children;

  /// The array of a New or View, for the memory that it shows.
  Array arrayOf(const Array &base) const;
  /// Whether that is the array itself.
  bool isWhole(const Array &base) const;
};

/// Makes objects of the host. Each function returns an owned object or throws.
class TemplateBuilder {
public:
  virtual ~TemplateBuilder() = default;
  virtual HostObject input(int index) = 0; // the object of an array of the call
  virtual HostObject passed(int index) = 0;
  virtual HostObject number(int index) = 0;
  virtual HostObject array(Array &&array) = 0;
  virtual HostObject container(const Template &t, std::vector<HostObject> children) = 0;
};

/// The result for the outputs that a run made, and the arrays of the call.
HostObject build(const Template &t, std::span<const Array> made, std::span<Array *const> arrays, TemplateBuilder &builder);

} // namespace kiln
