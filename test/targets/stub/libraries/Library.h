// What the stand-ins of libraries share: calls that are put into a stream of the stub and find their memory there when they run.
#pragma once

#include "lib/Runtime/CudaLibraryTables.h"
#include "test/targets/stub/Stub.h"

#include <algorithm>
#include <complex>
#include <cstring>
#include <initializer_list>

namespace stub {

/// Memory of a device that a call uses.
struct Range {
  const void *at;
  int64_t bytes;
};

/// Whether a call may use it when it is put in.
inline bool areHeld(std::initializer_list<Range> ranges) {
  return std::ranges::all_of(ranges, [](const Range &r) { return !r.bytes || isHeld(reinterpret_cast<Address>(r.at), size_t(r.bytes)); });
}

/// The memory of a device at the point of a stream where a call runs.
class Memories {
public:
  explicit Memories(Device &device) : device(device), view(viewOf(device)) {}
  /// Null, and the device fails, where the bytes are not there.
  template <typename T> T *at(const void *pointer, int64_t count) {
    auto start = reinterpret_cast<Address>(pointer);
    auto bytes = size_t(count) * sizeof(T);
    for (const View::Seen &seen : view.blocks)
      if (start >= seen.block->start() && start + bytes <= seen.block->start() + seen.bytes)
        return reinterpret_cast<T *>(seen.block->inside + (start - seen.block->start()));
    device.fail(IllegalAddress, "a library's call with " + std::to_string(bytes) + " bytes that are not there at that point of its stream");
    return nullptr;
  }

private:
  Device &device;
  View view;
};

/// Calls `body` with a number of a cudaDataType; false for another one.
template <typename Body> bool withNumber(int type, Body &&body) {
  if (type == Real32) body(float());
  else if (type == Real64) body(double());
  else if (type == Complex32) body(std::complex<float>());
  else if (type == Complex64) body(std::complex<double>());
  else return false;
  return true;
}

} // namespace stub
