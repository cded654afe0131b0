// Large copies between a device and memory of the host that is not pinned: through pinned blocks, which the threads of loops fill or empty
// while the device copies the one before. The driver's own way is 4 to 9 times slower (docs/decisions/0010).
#pragma once

#include "lib/Runtime/Cuda.h"

#include <memory>
#include <mutex>
#include <vector>

namespace kiln::cuda {

class Staging {
public:
  explicit Staging(Device &device);
  ~Staging();
  Staging(const Staging &) = delete;

  /// Whether a copy of so many bytes from or to `host` is worth it.
  bool helps(const void *host, size_t bytes) const;
  /// As those of Stream; false where there is no pinned memory to be had. `copyOut` returns when all is there.
  bool copyIn(Stream &stream, Address to, const char *from, size_t bytes);
  bool copyOut(Stream &stream, char *to, Address from, size_t bytes);

private:
  static constexpr size_t kLarge = 1 << 20, kLeast = 256 << 10, kMost = 2 << 20; // of a copy; of the pieces that it is cut into
  /// Two blocks, which take turns.
  struct Blocks {
    explicit Blocks(Device &device);
    PinnedMemory memory;
    Event first, second; // the last copies from or to them
    char *data(size_t turn) { return static_cast<char *>(memory.data) + turn % 2 * kMost; }
    Event &last(size_t turn) { return turn % 2 ? second : first; }
  };
  class Taken;

  Device &device;
  std::mutex mutex;
  std::vector<std::unique_ptr<Blocks>> idle; // kept, as pinning is slow

  static size_t pieceOf(size_t bytes);
};

} // namespace kiln::cuda
