// Arrays as users hold them: a view (offset, shape, strides) of a storage. A storage is a cell that holds a value; a value is
// immutable while anyone else holds it, so a write goes in place or into a copy. A recording knows cells and views by their slots in
// its trace (Recorder.h).
#pragma once

#include "lib/Core/Types.h"

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

namespace kiln {

/// A counted reference to an object with `refs`.
template <typename T> class Ref {
public:
  Ref() = default;
  explicit Ref(T *adopted) : object(adopted) {}
  Ref(const Ref &o) : object(o.object) {
    if (object) object->refs.fetch_add(1, std::memory_order_relaxed);
  }
  Ref(Ref &&o) noexcept : object(std::exchange(o.object, nullptr)) {}
  Ref &operator=(Ref o) noexcept {
    std::swap(object, o.object);
    return *this;
  }
  ~Ref() {
    if (object && object->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) T::destroy(object);
  }
  T *operator->() const { return object; }
  T *get() const { return object; }
  explicit operator bool() const { return object; }

private:
  T *object = nullptr;
};

class Device; // null: the CPU

/// Memory of an array. Data of the CPU follows the header in one block.
struct Value {
  std::atomic<int32_t> refs{1};
  bool isForeign = false; // somebody else's memory, shared: `owner` keeps it alive
  void *data = nullptr;
  size_t bytes = 0;
  Device *device = nullptr; // whose memory it is
  std::shared_ptr<void> owner;

  static Ref<Value> make(size_t bytes, Device *device = nullptr);
  /// The same bytes in memory of their own, on the same device.
  Ref<Value> copy() const;
  static Ref<Value> share(void *data, size_t bytes, std::shared_ptr<void> owner);
  static void destroy(Value *value) noexcept;
};

struct CellTable;

/// A cell. Its value may be replaced as a whole unless it is pinned (its memory is shared with others).
struct Storage {
  std::atomic<int32_t> refs{1};
  bool pinned = false;
  bool isWritable = true;
  bool isLoose = false;           // of values that were written out as an operand: goes where the arrays beside it are
  int32_t cell = -1;              // its number in `recording`
  Ref<Value> value;               // none: made by a recording that computes nothing
  Device *device = nullptr;       // of any value that it holds
  uint64_t writtenAt = 0;         // the time of the last write, as `timeOfWrites` counts it
  CellTable *recording = nullptr; // of the recorder that made it, which may be over; counted

  static Ref<Storage> make(Ref<Value> value);
  static void destroy(Storage *storage) noexcept;
  void noteWrite();
};

/// How many writes into arrays there have been: what was written after some time has a greater one.
uint64_t timeOfWrites();

/// How a view was made from the array of its cell, while recording: taken again when the cell has been written since.
struct ViewStep {
  uint16_t op;
  std::vector<int64_t> words;
  std::shared_ptr<const ViewStep> from; // the step before; none: made from the cell's array itself
  int base = -1;                        // or from one of several inputs of the cell
};

/// What a recorder notes on an array that it met: says nothing to any other recorder.
struct Mark {
  int64_t recorder = 0;            // its id
  int32_t slot = -1, version = -1; // of this view, and of its cell when the view was taken
};

/// A view of a storage.
struct Array {
  Ref<Storage> storage;
  DType dtype = DType::F32;
  bool isContiguous = true;
  bool isRepeated = false; // shows elements several times, or is a view of such a view: cannot be written
  int64_t offset = 0;      // in elements
  Dims shape, strides;
  Mark mark;
  std::shared_ptr<const ViewStep> view; // from its cell to this view, for the recorder of `mark`

  int64_t size() const { return numElements(shape); }
  /// What kernels of its device get; the host reads through `leave` (Mode.h).
  char *data() const {
    if (!storage->value) failLeaked();
    return static_cast<char *>(storage->value->data) + offset * byteSize(dtype);
  }
  TensorType type() const { return {dtype, shape}; }
  void updateContiguous();
  /// Throws Error (trace): the array was recorded without being computed, and has no memory.
  [[noreturn]] void failLeaked() const;

  /// A new array with memory of its own, uninitialized.
  static Array empty(DType dtype, const Dims &shape, Device *device = nullptr);
};

} // namespace kiln
