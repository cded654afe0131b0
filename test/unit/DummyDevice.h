// A second device for tests: it runs the CPU's kernels, but on memory that only they can touch. Whatever else reads or writes it crashes.
#pragma once

#include "frontend/Mode.h"
#include "frontend/Ops.h"
#include "frontend/OpsShared.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <sys/mman.h>

namespace kiln {

class DummyDevice final : public Device {
public:
  explicit DummyDevice(const char *name) : Device(name) { addDevice(*this); }
  /// The ones of this process.
  static DummyDevice &first() {
    static auto *d = new DummyDevice("dummy:0"); // arrays may outlive statics
    return *d;
  }
  static DummyDevice &second() {
    static auto *d = new DummyDevice("dummy:1");
    return *d;
  }

  int copiesIn = 0, copiesOut = 0, runs = 0, writes = 0;
  std::vector<Op> ops; // that ran
  int copies() const { return copiesIn + copiesOut; }
  size_t blocks() const { return memory.size(); }

  void *allocate(size_t bytes) override {
    size_t size = (bytes + kPage - 1) / kPage * kPage + kPage;
    void *block = mmap(nullptr, size, open ? kOpen : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) throw Error(ErrorKind::Memory, name + ": expected room for " + std::to_string(bytes) + " bytes");
    memory[block] = size;
    return block;
  }
  void release(void *block, size_t) noexcept override {
    munmap(block, memory.at(block));
    memory.erase(block);
  }
  void copyIn(void *to, const void *from, size_t bytes) override {
    Opened opened(*this);
    ++copiesIn;
    std::memcpy(to, from, bytes);
  }
  void copyOut(void *to, const void *from, size_t bytes) override {
    Opened opened(*this);
    ++copiesOut;
    std::memcpy(to, from, bytes);
  }
  void copyWithin(void *to, const void *from, size_t bytes) override {
    Opened opened(*this);
    std::memcpy(to, from, bytes);
  }

  Array run(const Operation &o) override {
    if (Mode::current()) throw std::logic_error("a device runs under a mode");
    Opened opened(*this);
    ++runs;
    ops.push_back(o.op);
    std::vector<Array> there;
    std::vector<const Array *> operands;
    there.reserve(o.operands.size());
    for (const Array *a : o.operands) operands.push_back(&there.emplace_back(onHost(*a)));
    Array made = kiln::run({o.op, operands, o.words, o.type}), result = Array::empty(o.type.dtype, o.type.shape.numbers(), this);
    if (!made.isContiguous || !(made.shape == o.type.shape)) throw std::logic_error("a result is not row by row");
    std::memcpy(result.data(), made.data(), size_t(made.size() * byteSize(made.dtype)));
    return result;
  }
  void write(const Array &target, const Array &value) override {
    if (Mode::current()) throw std::logic_error("a device writes under a mode");
    Opened opened(*this);
    ++writes;
    Array to = onHost(target);
    writeInto(to, onHost(value));
  }

private:
  static constexpr size_t kPage = 4096;
  static constexpr int kOpen = PROT_READ | PROT_WRITE;
  std::map<void *, size_t> memory;
  int open = 0;

  /// While one lives, the memory can be touched.
  struct Opened {
    explicit Opened(DummyDevice &device) : device(device) {
      if (!device.open++) device.protect(kOpen);
    }
    ~Opened() {
      if (!--device.open) device.protect(PROT_NONE);
    }
    DummyDevice &device;
  };
  void protect(int how) const {
    for (auto &[block, size] : memory) mprotect(block, size, how);
  }

  /// The same memory as an array of the CPU.
  Array onHost(const Array &x) const {
    if (!deviceOf(x)) {
      if (!isNumber(x)) throw std::logic_error("an operand of the host is no number");
      return x;
    }
    if (deviceOf(x) != this) throw std::logic_error("an operand of another device");
    Array a = x;
    a.storage = Storage::make(Value::share(x.storage->value->data, x.storage->value->bytes, nullptr));
    return a;
  }
};

/// An array of `shape` with small values, no two neighbours the same.
inline Array sample(DType dtype, const Dims &shape, int seed = 0) {
  Array whole = Array::empty(DType::F64, shape);
  auto *data = reinterpret_cast<double *>(whole.data());
  for (int64_t i = 0; i < whole.size(); ++i)
    data[i] = double((i * 7 + seed * 3 + 1) % 5) * 0.25 + 0.125 * (dtype == DType::F64 || isFloat(dtype));
  if (isInteger(dtype)) {
    for (int64_t i = 0; i < whole.size(); ++i) data[i] = double((i * 7 + seed * 3 + 1) % 5);
  }
  return cast(whole, dtype);
}
/// The bytes of an array, row by row.
inline std::string bytesOf(const Array &x) {
  Paused paused;
  Array whole = contiguous(leave(x, "a test looks"));
  return {whole.data(), size_t(whole.size() * byteSize(whole.dtype))};
}
inline Array on(Device &device, const Array &x) { return toDevice(x, &device); }

} // namespace kiln
