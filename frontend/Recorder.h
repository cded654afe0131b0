// Recording: under jit, operations append to a trace instead of running. One recorder a thread at a time.
#pragma once

#include "frontend/Array.h"
#include "lib/Core/Trace.h"

#include <string>
#include <unordered_map>

namespace kiln {

/// Thrown where Python needs what a recording cannot give: the call is then run in eager.
struct LeaveRecording {
  std::string why;
};

/// Where in the user's program an operation was recorded: the code object and the instruction, resolved when needed.
struct Location {
  void *code = nullptr;
  int32_t instruction = 0;
};

/// Where an input comes from at each call.
struct InputPlace {
  enum Kind { Argument, Captured } kind;
  int64_t number; // the leaf of the arguments, or the captured place
};

class Recorder {
public:
  Recorder();
  ~Recorder();
  static Recorder *current() { return active; }

  const int64_t id;
  Trace trace;
  std::vector<Location> locations;     // by slot
  std::vector<InputPlace> inputs;      // in the order of the trace's inputs
  std::string left;                    // why recording was given up
  Location (*locate)() = nullptr;      // where the program is now
  std::string (*describe)() = nullptr; // the same as text, for a person

  /// Declares an array that exists before the call.
  void addInput(const Array &array, InputPlace place);
  /// Reads arrays, appends the op, and makes its result.
  Array record(Op op, std::span<const Array *const> operands, std::span<const int64_t> words);
  Array constant(DType dtype, const std::array<int64_t, 2> &bits);
  /// Makes `view`, a view that `op` takes of `from`, known to the recording.
  void recordView(const Array &from, Array &view, Op op, std::span<const int64_t> words);
  /// The slot of what an array holds now.
  int64_t slotOf(const Array &array);
  /// Replaces what `target` shows of its cell by a value of its type.
  void write(const Array &target, const Array &value);

  /// Cells of arrays from before the call that were written, with their last slot.
  struct Commit {
    Ref<Storage> storage;
    int64_t slot;
    InputPlace place;
  };
  std::vector<Commit> commits() const;
  /// Which input place a cell belongs to; none for cells made in this recording.
  const InputPlace *placeOf(const Storage *storage) const;
  bool isWritten(const Storage *storage) const;
  /// What a cell of this recording holds now.
  int64_t cellSlot(const Storage *storage) const { return cells.at(storage).slot; }
  /// Arrays made in this recording that someone still holds, and the slot of the earliest; -1 for none.
  int64_t liveArrays() const;
  int64_t firstLive() const;

  /// The one way out: nothing of the recording is used, the call runs in eager.
  [[noreturn]] void leave(const std::string &why);

private:
  [[gnu::tls_model("initial-exec")]] static thread_local constinit Recorder *active;
  struct Cell {
    Ref<Storage> storage;
    int64_t slot, version = 0;
    Dims shape, strides;
    int64_t offset = 0;
    bool isInput = false, isWritten = false;
    InputPlace place{};
  };
  std::unordered_map<const Storage *, Cell> cells;
  std::vector<const Storage *> inputOrder;
  Recorder *outer;

  Array result(int64_t slot);
  Cell &cellOf(const Array &array);
  int64_t undo(const ViewStep &step, int64_t seen, int64_t slot);
};

} // namespace kiln
