// Who touched which byte, and when.
#pragma once

#include "lib/Core/Error.h"

#include <cstdint>
#include <sys/mman.h>
#include <utility>

namespace simulator {

/// A thread of the launch at some point between two barriers of its block. All zeros: nobody.
struct Moment {
  enum : int64_t { Nobody = 0, SeveralOfBlock = -1, OfSeveralBlocks = -2 };
  int64_t thread, block; // counted from 1
  int64_t epoch;

  /// Whether it is over before `now` begins.
  bool isBefore(const Moment &now) const {
    if (thread == Nobody || thread == now.thread) return true;
    return thread != OfSeveralBlocks && block == now.block && epoch < now.epoch;
  }
};

/// What is known of a byte.
struct Byte {
  Moment write, read;
  int16_t coming = 0; // asynchronous copies that may write it at any time
  int16_t going = 0;  // products that may read it at any time

  /// Whether the access may fall together with an earlier one.
  bool races(const Moment &now, bool isWrite) {
    if (!write.isBefore(now) || (isWrite && !read.isBefore(now))) return true;
    if (isWrite) write = now, read = {};
    else if (read.thread == Moment::Nobody || (read.isBefore(now) && read.block == now.block)) read = now;
    else read = {read.block == now.block ? Moment::SeveralOfBlock : Moment::OfSeveralBlocks, now.block, now.epoch};
    return false;
  }
};

/// Memory that kernels may touch.
struct Range {
  Range(char *begin, char *end, bool isShared = false) : begin(begin), end(end), isShared(isShared) {}
  Range(Range &&other) noexcept : Range(other.begin, other.end, other.isShared) { std::swap(bytes, other.bytes); }
  Range &operator=(Range &&other) noexcept {
    forget();
    begin = other.begin, end = other.end, isShared = other.isShared, bytes = std::exchange(other.bytes, nullptr);
    return *this;
  }
  ~Range() { forget(); }

  char *begin, *end;
  bool isShared; // of a block

  /// What is known of the byte at `at`. Zeros of the system: a kernel touches little of what it may.
  Byte &of(const char *at) {
    if (!bytes) {
      void *block = mmap(nullptr, mapped(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (block == MAP_FAILED) throw kiln::Error(kiln::ErrorKind::Memory, "simulator: expected room for what is known of memory");
      bytes = static_cast<Byte *>(block);
    }
    return bytes[at - begin];
  }
  void forget() {
    if (bytes) munmap(bytes, mapped());
    bytes = nullptr;
  }

private:
  Byte *bytes = nullptr;
  size_t mapped() const { return size_t(end - begin) * sizeof(Byte); }
};

} // namespace simulator
