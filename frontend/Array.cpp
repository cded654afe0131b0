#include "frontend/CellTable.h"
#include "frontend/Device.h"

#include "lib/Core/Error.h"
#include "lib/Runtime/Memory.h"

#include <cstring>
#include <new>

namespace kiln {

static constexpr size_t kHeader = (sizeof(Value) + 63) / 64 * 64;

static Ref<Value> makeOn(Device &device, size_t bytes) {
  void *data = device.allocate(bytes);
  Value *value;
  try {
    value = new (allocate(kHeader)) Value;
  } catch (...) {
    device.release(data, bytes);
    throw;
  }
  value->data = data;
  value->bytes = bytes;
  value->device = &device;
  return Ref<Value>(value);
}

Ref<Value> Value::make(size_t bytes, Device *device) {
  if (bytes > SIZE_MAX / 2) throw Error(ErrorKind::Memory, "array: expected a size that fits in memory");
  if (device) return makeOn(*device, bytes);
  char *block = static_cast<char *>(allocate(kHeader + bytes));
  Value *value = new (block) Value;
  value->data = block + kHeader;
  value->bytes = bytes;
  return Ref<Value>(value);
}

Ref<Value> Value::share(void *data, size_t bytes, std::shared_ptr<void> owner) {
  Value *value = new (allocate(kHeader)) Value;
  value->isForeign = true;
  value->data = data;
  value->bytes = bytes;
  value->owner = std::move(owner);
  return Ref<Value>(value);
}

Ref<Value> Value::copy() const {
  Ref<Value> result = make(bytes, device);
  if (device) device->copyWithin(result->data, data, bytes);
  else std::memcpy(result->data, data, bytes);
  return result;
}

void Value::destroy(Value *value) noexcept {
  size_t bytes = value->isForeign || value->device ? 0 : value->bytes;
  if (value->device && !value->isForeign) value->device->release(value->data, value->bytes);
  value->~Value();
  release(value, kHeader + bytes);
}

Ref<Storage> Storage::make(Ref<Value> value) {
  Storage *storage = new (allocate(sizeof(Storage))) Storage;
  storage->device = value ? value->device : nullptr;
  storage->value = std::move(value);
  return Ref<Storage>(storage);
}

static std::atomic<uint64_t> writes = 0;

uint64_t timeOfWrites() { return writes.load(std::memory_order_relaxed); }
void Storage::noteWrite() { writtenAt = writes.fetch_add(1, std::memory_order_relaxed) + 1; }

void Storage::destroy(Storage *storage) noexcept {
  if (storage->recording) storage->recording->drop(storage);
  storage->~Storage();
  release(storage, sizeof(Storage));
}

void Array::failLeaked() const {
  if (storage->recording && storage->recording->fate.size())
    throw Error(ErrorKind::Trace, "the value of an array is needed: " + storage->recording->fate);
  throw Error(
      ErrorKind::Trace,
      "the value of an array is needed: expected a call that computes, got a recording without values (lower, or a probe "
      "of other sizes), an array that a gradient or a batch follows (tolist() and item() give its values), or one that was donated to "
      "a jitted function (donate_argnums)");
}

void Array::updateContiguous() {
  int64_t step = 1;
  isContiguous = true;
  for (int i = shape.rank - 1; i >= 0; --i) {
    if (shape[i] != 1 && strides[i] != step) isContiguous = false;
    step *= shape[i];
  }
  if (step == 0) isContiguous = true; // nothing to lie anywhere
}

Array Array::empty(DType dtype, const Dims &shape, Device *device) {
  Array a;
  int64_t n = 1;
  for (int64_t d : shape)
    if (d && __builtin_mul_overflow(n, d, &n))
      throw Error(ErrorKind::Memory, "array " + toString(shape) + ": expected a size that fits in memory");
  if (n > (INT64_MAX >> 4)) throw Error(ErrorKind::Memory, "array " + toString(shape) + ": expected a size that fits in memory");
  a.dtype = dtype;
  a.shape = shape;
  a.strides = contiguousStrides(shape);
  a.storage = Storage::make(Value::make(size_t(numElements(shape) * byteSize(dtype)), device));
  return a;
}

} // namespace kiln
