// Handles and calls of the stand-in for cuSOLVER.
#pragma once

#include "lib/Library/Lapack.h"
#include "test/targets/stub/libraries/Library.h"

namespace stub {

using kiln::library::Lapack, kiln::library::RealOf;

enum Status { Fine = 0, NoHandle = 1, Invalid = 3 };
constexpr size_t kWork = 96; // bytes a column of both workspaces

struct Solver {
  StreamHandle stream = nullptr;
};
inline Handles<SolverHandle, Solver> &solvers() {
  static auto *all = new Handles<SolverHandle, Solver>;
  return *all;
}
inline int parameterSet; // whose address is the one set of parameters

inline int elementBytes(int type) {
  int bytes = 0;
  withNumber(type, [&](auto number) { bytes = sizeof number; });
  return bytes;
}
inline int realOf(int type) { return type == Complex32 ? Real32 : type == Complex64 ? Real64 : type; }
inline int complexOf(int type) { return type == Real32 ? Complex32 : type == Real64 ? Complex64 : type; }

/// What all calls have in common.
struct Common {
  SolverHandle handle;
  SolverParameters parameters;
  int type, computeType;
};
inline bool isWrong(const Common &c) {
  bool hasParameters = c.parameters == reinterpret_cast<SolverParameters>(&parameterSet);
  return !hasParameters || c.type != c.computeType || !elementBytes(c.type);
}
inline int sizeOf(const Common &c, int64_t n, Bytes device, Bytes host) {
  if (!solvers().find(c.handle)) return NoHandle;
  if (isWrong(c) || n < 1) return Invalid;
  return *device = kWork * size_t(n), *host = kWork * size_t(n), Fine;
}

struct Workspaces {
  void *device;
  size_t deviceBytes;
  void *host;
  size_t hostBytes;
};

/// Puts `body` into the handle's stream: of a number of the type, and the memory there. `name`: of the function.
template <typename Body>
int put(const char *name, const Common &c, int64_t n, const Workspaces *work, std::initializer_list<Range> ranges, Body body) {
  if (int planted = enter(name)) return planted;
  auto solver = solvers().find(c.handle);
  Device *device = current();
  if (!solver || !device || !solver->stream) return NoHandle;
  if (isWrong(c) || !areHeld(ranges)) return Invalid;
  if (work) {
    size_t wanted = kWork * size_t(n);
    if (work->deviceBytes < wanted || work->hostBytes < wanted || !areHeld({{work->device, int64_t(wanted)}})) return Invalid;
    std::memset(work->host, 0xA5, work->hostBytes);
  }
  void *scratch = work ? work->device : nullptr;
  return put(*device, solver->stream, [=, type = c.type] {
    Memories memories(*device);
    if (scratch)
      if (auto *bytes = memories.at<char>(scratch, int64_t(kWork) * n)) std::memset(bytes, 0xA5, kWork * size_t(n));
    withNumber(type, [&](auto number) { body(number, memories); });
  });
}

template <typename T> void solveWith(const T *a, int64_t n, const int64_t *pivots, T *b, int64_t columns) {
  for (int64_t c = 0; c < columns; ++c, b += n) {
    for (int64_t i = 0; i < n; ++i) std::swap(b[i], b[pivots[i] - 1]);
    for (int64_t j = 0; j < n; ++j)
      for (int64_t i = j + 1; i < n; ++i) b[i] -= a[j * n + i] * b[j];
    for (int64_t j = n; j-- > 0;) {
      b[j] /= a[j * n + j];
      for (int64_t i = 0; i < j; ++i) b[i] -= a[j * n + i] * b[j];
    }
  }
}

template <typename T> int eigen(bool hasVectors, int n, T *a, std::complex<typename RealOf<T>::type> *values, T *vectors) {
  char job = hasVectors ? 'V' : 'N';
  if constexpr (RealOf<T>::isComplex) return Lapack<T>::get()->geev(job, n, a, values, nullptr, vectors);
  else {
    std::vector<T> real(static_cast<size_t>(n)), imag = real;
    int info = Lapack<T>::get()->geev(job, n, a, real.data(), imag.data(), vectors);
    for (size_t i = 0; i < real.size(); ++i) values[i] = {real[i], imag[i]};
    return info;
  }
}

} // namespace stub
