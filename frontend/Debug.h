// A mode that looks at every result, for people who look for the first nan.
#pragma once

#include "frontend/Mode.h"

#include <string>

namespace kiln {

/// Below all other modes of its thread: what they are made of comes by here, and compiled code is not run.
class NanCheck final : public Mode {
public:
  explicit NanCheck(std::string (*place)()) : place(place) {}
  /// Throws Error (value) where an operation makes a nan of operands that have none.
  Array apply(const Operation &operation) override;
  std::vector<Array> applyAll(const Operation &operation) override;

  std::string (*const place)(); // where the program is now, for a person

  /// That of this thread; null for none.
  static NanCheck *current();
  /// Begins or ends it. Throws Error (trace) inside of another mode.
  static void set(bool isOn, std::string (*place)());

private:
  void check(const Operation &operation, const Array &result);
};

} // namespace kiln
