// Checks of our own that stay on: every preset defines NDEBUG, as the packaged LLVM does.
#pragma once

#include <cstdio>
#include <cstdlib>

#define KILN_ASSERT(condition, message)                                                                                                    \
  do {                                                                                                                                     \
    if (!(condition)) {                                                                                                                    \
      std::fprintf(stderr, "%s:%d: kiln internal error: %s (%s)\n", __FILE__, __LINE__, message, #condition);                              \
      std::abort();                                                                                                                        \
    }                                                                                                                                      \
  } while (0)
