// Arrays that a function reads by name though the mode around it made them: finds them, and puts others in their place.
#pragma once

#include "frontend/Transform.h"

namespace kiln {

class Captures final : public Transform {
public:
  /// Notes the arrays of a mode that are met; to others it is as if this one was not there.
  explicit Captures(Transform &around) : around(&around) {}
  /// Others stand for arrays.
  Captures(std::vector<Array> arrays, std::vector<Array> others) : arrays(std::move(arrays)), others(std::move(others)) {}

  /// Those that were met, each as a whole.
  const std::vector<Array> &captured() const { return arrays; }
  /// What stands for them; none where arrays are only noted.
  const std::vector<Array> &substitutes() const { return others; }
  /// How often one was met.
  int64_t lookups = 0;

  void noteView(const Array &from, Array &view, Op op, std::span<const int64_t> words) override;
  void write(Array &target, const Array &value) override;

protected:
  Item perform(const Operation &operation, std::span<const Item> items) override;
  std::vector<Item> performAll(const Operation &operation, std::span<const Item> items) override;
  Item itemOfOther(const Array &array) override;

private:
  Transform *const around = nullptr;
  std::vector<Array> arrays, others;

  int numberOf(const Array &array) const;
  bool isCaptured(const Array &array) const { return around ? around->isMine(array) : numberOf(array) >= 0; }
};

} // namespace kiln
