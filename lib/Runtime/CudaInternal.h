// What the files of the CUDA runtime share.
#pragma once

#include "lib/Core/Error.h"
#include "lib/Runtime/Cuda.h"

namespace kiln::cuda {

/// The driver's name and text of a code.
std::string describe(const Driver &driver, int code);
/// Throws Error (memory or device) unless `code` is that of success.
void check(const Driver &driver, int code, const char *what, const std::string &expected);

/// While one lives, the device's context is the thread's current one. Other libraries may have made another one so.
class Current {
public:
  explicit Current(const Device &device);
  ~Current();
  Current(const Current &) = delete;

private:
  const Driver &driver;
  bool isPushed = false;
};

/// Whether this process is a child of one that has used the driver, and so has no use of it.
bool isForkOfUser();

/// Frees something where nobody can be told of an error: in a forked child it stays the parent's, and a driver that has ended has freed it.
void quietly(const Device &device, auto &&free) noexcept {
  if (isForkOfUser()) return;
  try {
    Current current(device);
    free();
  } catch (const Error &) {}
}

} // namespace kiln::cuda
