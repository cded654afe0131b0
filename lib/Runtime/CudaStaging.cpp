#include "lib/Runtime/CudaStaging.h"

#include "lib/Library/Threads.h"
#include "lib/Runtime/CudaInternal.h"

#include <algorithm>
#include <cstring>

namespace kiln::cuda {

/// Blocks for the time of a copy; null where there is no memory for them.
class Staging::Taken {
public:
  explicit Taken(Staging &staging) : staging(staging) {
    {
      std::lock_guard lock(staging.mutex);
      if (!staging.idle.empty()) {
        blocks = std::move(staging.idle.back());
        staging.idle.pop_back();
        return;
      }
    }
    try {
      blocks = std::make_unique<Blocks>(staging.device);
    } catch (const Error &error) {
      if (error.kind != ErrorKind::Memory) throw;
    }
  }
  ~Taken() {
    std::lock_guard lock(staging.mutex);
    if (blocks) staging.idle.push_back(std::move(blocks)); // copies from them may still run: who takes them waits for each
  }
  Taken(const Taken &) = delete;
  std::unique_ptr<Blocks> blocks;

private:
  Staging &staging;
};

Staging::Blocks::Blocks(Device &device) : memory(device, 2 * kMost), first(device), second(device) {}
Staging::Staging(Device &device) : device(device) {}
Staging::~Staging() = default;

bool Staging::helps(const void *host, size_t bytes) const {
  if (bytes < kLarge) return false;
  unsigned kind = 0;
  return device.functions.pointerGet(&kind, MemoryType, reinterpret_cast<Address>(host)) != Success; // the driver knows what is pinned
}

size_t Staging::pieceOf(size_t bytes) { return std::clamp((bytes / 8 + 4095) / 4096 * 4096, kLeast, kMost); }

/// One thread reads or writes less than a device does.
static void copyByThreads(char *to, const char *from, size_t bytes) {
  struct Copy {
    char *to;
    const char *from;
  } copy{to, from};
  constexpr int64_t kGrain = 128 << 10;
  auto part = [](void *context, void *, int64_t begin, int64_t end) {
    auto *c = static_cast<Copy *>(context);
    std::memcpy(c->to + begin, c->from + begin, size_t(end - begin));
  };
  parallelFor(part, &copy, nullptr, 0, int64_t(bytes), kGrain);
  if (Interruptible::stops()) std::memcpy(to, from, bytes); // what the threads have left out: others may look at it
}

bool Staging::copyIn(Stream &stream, Address to, const char *from, size_t bytes) {
  Taken taken(*this);
  if (!taken.blocks) return false;
  Blocks &blocks = *taken.blocks;
  size_t piece = pieceOf(bytes);
  for (size_t at = 0, turn = 0; at < bytes; at += piece, ++turn) {
    size_t size = std::min(piece, bytes - at);
    blocks.last(turn).synchronize();
    copyByThreads(blocks.data(turn), from + at, size);
    check(device.functions, device.functions.copyIn(to + at, blocks.data(turn), size, stream.handle), "copy",
          "one from the host to the device");
    blocks.last(turn).record(stream);
  }
  return true;
}

bool Staging::copyOut(Stream &stream, char *to, Address from, size_t bytes) {
  Taken taken(*this);
  if (!taken.blocks) return false;
  Blocks &blocks = *taken.blocks;
  size_t piece = pieceOf(bytes), pieces = (bytes + piece - 1) / piece;
  auto ask = [&](size_t turn) {
    if (turn >= pieces) return;
    size_t at = turn * piece;
    check(device.functions, device.functions.copyOut(blocks.data(turn), from + at, std::min(piece, bytes - at), stream.handle), "copy",
          "one from the device to the host");
    blocks.last(turn).record(stream);
  };
  for (size_t turn : {0, 1}) {
    blocks.last(turn).synchronize(); // a copy of another stream may still read the block
    ask(turn);
  }
  for (size_t turn = 0; turn < pieces; ++turn) {
    blocks.last(turn).synchronize();
    copyByThreads(to + turn * piece, blocks.data(turn), std::min(piece, bytes - turn * piece));
    ask(turn + 2);
  }
  return true;
}

} // namespace kiln::cuda
