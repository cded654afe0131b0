// The processor that Kiln runs on: what differs between those that it is built for.
#pragma once

#include <string>

namespace kiln {

/// Its architecture, as triples name it: "x86_64".
extern const char *const kHostArchitecture;

/// Its architecture and features, as it or its system tells them: code for one runs as well on another with the same words.
const std::string &hostTarget();

/// The levels of the eager kernels that it runs: the one that has them all, and a wider one, or null, that has those which it makes faster.
struct PackLevels {
  const char *all, *heavy;
};
/// Throws Error (device) for a processor that has no level.
PackLevels hostPackLevels();

/// Passes a moment in a loop that waits for another thread.
inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb"); // takes as long as a pause; a yield is nothing on most
#elif defined(__riscv)
  asm volatile(".insn i 0x0f, 0, x0, x0, 0x010"); // pause, a hint that those without it pass over
#endif
}

} // namespace kiln
