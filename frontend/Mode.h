// What happens with an operation: modes on a stack of each thread, the innermost of which is asked. With none, operations run (eager).
// A mode does its part and passes the operation on to the modes below it, so that one can record what another runs.
#pragma once

#include "frontend/Device.h"
#include "frontend/Ops.h"

#include <memory>
#include <vector>

namespace kiln {

/// An operation of the op table over arrays, promoted and checked.
struct Operation {
  Op op;
  std::span<const Array *const> operands;
  std::span<const int64_t> words;
  TensorType type;                                           // of its result
  bool mayShare = false;                                     // the result is read at once and alone: it may show the memory of an operand
  Device *device = nullptr;                                  // where the result is made if no operand says so
  std::span<const std::shared_ptr<const Trace>> bodies = {}; // that the words number
  std::span<const TensorType> types = {};                    // of all results, of an operation that runs bodies
};

/// What Python does with a value that leaves: it reads the bits and goes on by them, or keeps the memory.
enum class Leaving : uint8_t { Read, Kept };

class Mode {
public:
  /// Becomes the innermost mode of this thread, until it ends.
  Mode();
  virtual ~Mode();
  Mode(const Mode &) = delete;
  /// The innermost mode; none: eager.
  static Mode *current() { return active; }

  /// The result of an operation: an array of a cell of its own, row by row, unless it may share.
  virtual Array apply(const Operation &operation);
  /// An elementwise operation of a mode that knows a short way over few elements; false where it does not, and `apply` is asked.
  virtual bool applySmall(Op, std::span<const Operand>, const SmallResult &) { return false; }
  /// A reduction over all axes; likewise.
  virtual std::optional<Array> applyTotal(Op, const Array &) { return std::nullopt; }
  /// The results of an operation that runs bodies, each an array of a cell of its own, row by row.
  virtual std::vector<Array> applyAll(const Operation &operation);
  /// `view` is one that `op` takes of `from`.
  virtual void noteView(const Array &from, Array &view, Op op, std::span<const int64_t> words);
  /// Replaces what `target` shows of its cell by a value of its type.
  virtual void write(Array &target, const Array &value);
  /// A value that Python needs, which operations depend on from here on: the same array, with memory of the host.
  virtual Array leave(const Array &value, const char *why, Leaving how);
  /// How many elements of a mask are true, where the program was told by `noteCount`, and goes on by it.
  virtual std::optional<int64_t> toldCount(const Array &) { return std::nullopt; }
  virtual void noteCount(const Array &, int64_t) {}

protected:
  /// The mode is no longer asked, though it is still there.
  void end();
  bool isOver() const { return over; }

private:
  friend class Below;
  friend class Paused;
  [[gnu::tls_model("initial-exec")]] static thread_local constinit Mode *active;
  Mode *const below; // the innermost one when this one began
  bool over = false;

  static Mode *firstLive(Mode *mode) {
    while (mode && mode->over) mode = mode->below;
    return mode;
  }
};

/// For a while, the modes below one are asked.
class Below {
public:
  explicit Below(const Mode &mode) : before(Mode::active) { Mode::active = Mode::firstLive(mode.below); }
  ~Below() { Mode::active = Mode::firstLive(before); }

private:
  Mode *const before;
};

/// For a while, no mode is asked: what runs is not part of what they see.
class Paused {
public:
  Paused() : before(Mode::active) { Mode::active = nullptr; }
  ~Paused() { Mode::active = Mode::firstLive(before); }

private:
  Mode *const before;
};

//===-- what the operations call ------------------------------------------------------------------------------------===//

/// Asks the innermost mode, or runs the operation.
Array apply(const Operation &operation);
std::vector<Array> applyAll(const Operation &operation);
/// A number without axes. Complex ones are joined from their parts.
Array applyConstant(DType dtype, const std::array<int64_t, 2> &bits, Device *device = nullptr);
inline void noteView(const Array &from, Array &view, Op op, std::span<const int64_t> words) {
  if (Mode *mode = Mode::current()) mode->noteView(from, view, op, words);
}
/// target[...] = value, of its dtype and shape.
void writeInto(Array &target, const Array &value);
/// The only way for a value to go to Python: an array of the CPU, of another device a copy.
inline Array leave(const Array &value, const char *why, Leaving how = Leaving::Kept) {
  if (Mode *mode = Mode::current()) return mode->leave(value, why, how);
  return deviceOf(value) ? moved(value, nullptr) : value;
}

/// Runs an operation through the eager kernels of its device.
Array run(const Operation &operation);

} // namespace kiln
