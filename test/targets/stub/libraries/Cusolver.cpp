// A stand-in for cuSOLVER, libkiln_cusolver_stub.so (KILN_CUSOLVER names it): its calls run in the stub's streams, by LAPACK on what lies
// in the stub's memory. What the real one may answer by luck is an error here: leading dimensions, workspaces and types that do not fit,
// pointers that are none of the device's, handles without a stream. KILN_STUB_OLD: as it was before CUDA 12.6.
#include "test/targets/stub/libraries/Solver.h"

namespace stub {
// So that each definition is that of the table.
KILN_CUSOLVER_FUNCTIONS(KILN_STUB_DECLARE)

extern "C" {
int cusolverGetVersion(int *version) { return *version = 11702, Fine; }
int cusolverDnCreate(SolverHandle *handle) {
  if (int planted = enter(__func__)) return planted;
  return current() ? (*handle = solvers().add(std::make_shared<Solver>()), Fine) : NoHandle;
}
int cusolverDnCreateParams(SolverParameters *parameters) { return *parameters = reinterpret_cast<SolverParameters>(&parameterSet), Fine; }
int cusolverDnSetStream(SolverHandle handle, StreamHandle stream) {
  auto solver = solvers().find(handle);
  Device *device = current();
  if (!solver || !device || !queueOf(stream, *device)) return NoHandle;
  return solver->stream = stream, Fine;
}

int cusolverDnXpotrf_bufferSize(SolverHandle handle, SolverParameters parameters, int fill, int64_t n, int type, const void *, int64_t lead,
                                int computeType, Bytes device, Bytes host) {
  return lead < n || fill > Upper ? Invalid : sizeOf({handle, parameters, type, computeType}, n, device, host);
}
int cusolverDnXpotrf(SolverHandle handle, SolverParameters parameters, int fill, int64_t n, int type, void *a, int64_t lead,
                     int computeType, void *device, size_t deviceBytes, void *host, size_t hostBytes, int *info) {
  if (lead != n || fill > Upper) return Invalid;
  Workspaces work{device, deviceBytes, host, hostBytes};
  auto body = [=]<typename T>(T, Memories &m) {
    T *matrix = m.at<T>(a, n * n);
    int *said = m.at<int>(info, 1);
    if (matrix && said) *said = Lapack<T>::get()->potrf(fill == Upper ? 'U' : 'L', int(n), matrix, int(n));
  };
  return put(__func__, {handle, parameters, type, computeType}, n, &work, {{a, n * n * elementBytes(type)}, {info, 4}}, body);
}

int cusolverDnXgetrf_bufferSize(SolverHandle handle, SolverParameters parameters, int64_t m, int64_t n, int type, const void *,
                                int64_t lead, int computeType, Bytes device, Bytes host) {
  return lead < m ? Invalid : sizeOf({handle, parameters, type, computeType}, n, device, host);
}
int cusolverDnXgetrf(SolverHandle handle, SolverParameters parameters, int64_t m, int64_t n, int type, void *a, int64_t lead,
                     int64_t *pivots, int computeType, void *device, size_t deviceBytes, void *host, size_t hostBytes, int *info) {
  if (lead != m || m != n) return Invalid;
  Workspaces work{device, deviceBytes, host, hostBytes};
  auto body = [=]<typename T>(T, Memories &memory) {
    T *matrix = memory.at<T>(a, n * n);
    auto *rows = memory.at<int64_t>(pivots, n);
    int *said = memory.at<int>(info, 1);
    if (!matrix || !rows || !said) return;
    std::vector<int> exchanged(static_cast<size_t>(n));
    *said = Lapack<T>::get()->getrf(int(n), int(n), matrix, int(n), exchanged.data());
    std::copy(exchanged.begin(), exchanged.end(), rows);
  };
  return put(__func__, {handle, parameters, type, computeType}, n, &work, {{a, n * n * elementBytes(type)}, {pivots, 8 * n}, {info, 4}},
             body);
}
int cusolverDnXgetrs(SolverHandle handle, SolverParameters parameters, int operation, int64_t n, int64_t columns, int typeA, const void *a,
                     int64_t leadA, const int64_t *pivots, int typeB, void *b, int64_t leadB, int *info) {
  if (operation != 0 || leadA != n || leadB != n || typeB != typeA) return Invalid;
  auto body = [=]<typename T>(T, Memories &m) {
    auto *rows = m.at<const int64_t>(pivots, n);
    T *right = m.at<T>(b, n * columns);
    const T *matrix = m.at<const T>(a, n * n);
    int *said = m.at<int>(info, 1);
    if (!rows || !right || !matrix || !said) return;
    solveWith(matrix, n, rows, right, columns);
    *said = 0;
  };
  return put(__func__, {handle, parameters, typeA, typeA}, n, nullptr,
             {{a, n * n * elementBytes(typeA)}, {pivots, 8 * n}, {b, n * columns * elementBytes(typeA)}, {info, 4}}, body);
}

int cusolverDnXgeqrf_bufferSize(SolverHandle handle, SolverParameters parameters, int64_t m, int64_t n, int type, const void *,
                                int64_t lead, int typeTau, const void *, int computeType, Bytes device, Bytes host) {
  return lead < m || typeTau != type ? Invalid : sizeOf({handle, parameters, type, computeType}, n, device, host);
}
int cusolverDnXgeqrf(SolverHandle handle, SolverParameters parameters, int64_t m, int64_t n, int type, void *a, int64_t lead, int typeTau,
                     void *tau, int computeType, void *device, size_t deviceBytes, void *host, size_t hostBytes, int *info) {
  if (lead != m || typeTau != type) return Invalid;
  Workspaces work{device, deviceBytes, host, hostBytes};
  auto body = [=]<typename T>(T, Memories &memory) {
    T *matrix = memory.at<T>(a, m * n), *factors = memory.at<T>(tau, std::min(m, n));
    int *said = memory.at<int>(info, 1);
    if (matrix && factors && said) *said = Lapack<T>::get()->geqrf(int(m), int(n), matrix, int(m), factors);
  };
  return put(__func__, {handle, parameters, type, computeType}, n, &work,
             {{a, m * n * elementBytes(type)}, {tau, std::min(m, n) * elementBytes(type)}, {info, 4}}, body);
}

int cusolverDnXsyevd_bufferSize(SolverHandle handle, SolverParameters parameters, int mode, int fill, int64_t n, int type, const void *,
                                int64_t lead, int typeValues, const void *, int computeType, Bytes device, Bytes host) {
  if (lead < n || mode > 1 || fill > Upper || typeValues != realOf(type)) return Invalid;
  return sizeOf({handle, parameters, type, computeType}, n, device, host);
}
/// Of `count` matrices one behind the other.
static int syev(const char *name, const Common &c, int mode, int fill, int64_t n, void *a, int64_t lead, int typeValues, void *values,
                const Workspaces &work, int *info, int64_t count) {
  if (lead != n || mode > 1 || fill > Upper || typeValues != realOf(c.type)) return Invalid;
  auto body = [=]<typename T>(T, Memories &m) {
    T *matrices = m.at<T>(a, count * n * n);
    auto *found = m.at<typename RealOf<T>::type>(values, count * n);
    int *said = m.at<int>(info, count);
    for (int64_t i = 0; matrices && found && said && i < count; ++i)
      said[i] = Lapack<T>::get()->syevd(mode ? 'V' : 'N', fill == Upper ? 'U' : 'L', int(n), matrices + i * n * n, int(n), found + i * n);
  };
  return put(name, c, n, &work,
             {{a, count * n * n * elementBytes(c.type)}, {values, count * n * elementBytes(realOf(c.type))}, {info, 4 * count}}, body);
}
int cusolverDnXsyevd(SolverHandle handle, SolverParameters parameters, int mode, int fill, int64_t n, int type, void *a, int64_t lead,
                     int typeValues, void *values, int computeType, void *device, size_t deviceBytes, void *host, size_t hostBytes,
                     int *info) {
  return syev(__func__, {handle, parameters, type, computeType}, mode, fill, n, a, lead, typeValues, values,
              {device, deviceBytes, host, hostBytes}, info, 1);
}

int cusolverDnXgesvd_bufferSize(SolverHandle handle, SolverParameters parameters, signed char jobU, signed char jobV, int64_t m, int64_t n,
                                int type, const void *, int64_t lead, int typeValues, const void *, int typeU, const void *, int64_t leadU,
                                int typeV, const void *, int64_t leadV, int computeType, Bytes device, Bytes host) {
  if (m < n || lead < m || leadU < m || leadV < n || jobU != jobV || typeValues != realOf(type) || typeU != type || typeV != type)
    return Invalid;
  return sizeOf({handle, parameters, type, computeType}, n, device, host);
}
int cusolverDnXgesvd(SolverHandle handle, SolverParameters parameters, signed char jobU, signed char jobV, int64_t m, int64_t n, int type,
                     void *a, int64_t lead, int typeValues, void *values, int typeU, void *u, int64_t leadU, int typeV, void *v,
                     int64_t leadV, int computeType, void *device, size_t deviceBytes, void *host, size_t hostBytes, int *info) {
  if (m < n || lead != m || leadU != m || leadV != n || jobU != jobV || typeValues != realOf(type) || typeU != type || typeV != type)
    return Invalid;
  Workspaces work{device, deviceBytes, host, hostBytes};
  int64_t own = jobU == 'A' ? m : jobU == 'S' ? n : 0, ownV = jobU == 'N' ? 0 : n, bytes = elementBytes(type);
  auto body = [=]<typename T>(T, Memories &memory) {
    T *matrix = memory.at<T>(a, m * n), none{};
    T *left = own ? memory.at<T>(u, m * own) : &none, *right = ownV ? memory.at<T>(v, n * n) : &none;
    auto *found = memory.at<typename RealOf<T>::type>(values, n);
    int *said = memory.at<int>(info, 1);
    if (matrix && left && right && found && said)
      *said = Lapack<T>::get()->gesdd(char(jobU), int(m), int(n), matrix, int(m), found, left, int(m), right, int(n));
  };
  return put(__func__, {handle, parameters, type, computeType}, n, &work,
             {{a, m * n * bytes}, {values, n * elementBytes(realOf(type))}, {u, m * own * bytes}, {v, n * ownV * bytes}, {info, 4}}, body);
}

#ifndef KILN_STUB_OLD
int cusolverDnXsyevBatched_bufferSize(SolverHandle handle, SolverParameters parameters, int mode, int fill, int64_t n, int type,
                                      const void *a, int64_t lead, int typeValues, const void *values, int computeType, Bytes device,
                                      Bytes host, int64_t count) {
  if (count < 1) return Invalid;
  return cusolverDnXsyevd_bufferSize(handle, parameters, mode, fill, n, type, a, lead, typeValues, values, computeType, device, host);
}
int cusolverDnXsyevBatched(SolverHandle handle, SolverParameters parameters, int mode, int fill, int64_t n, int type, void *a, int64_t lead,
                           int typeValues, void *values, int computeType, void *device, size_t deviceBytes, void *host, size_t hostBytes,
                           int *info, int64_t count) {
  return syev(__func__, {handle, parameters, type, computeType}, mode, fill, n, a, lead, typeValues, values,
              {device, deviceBytes, host, hostBytes}, info, count);
}

int cusolverDnXgeev_bufferSize(SolverHandle handle, SolverParameters parameters, int modeLeft, int modeRight, int64_t n, int type,
                               const void *, int64_t lead, int typeValues, const void *, int typeLeft, const void *, int64_t, int typeRight,
                               const void *, int64_t leadRight, int computeType, Bytes device, Bytes host) {
  bool isWrongType = typeValues != complexOf(type) || typeLeft != type || typeRight != type;
  if (modeLeft || modeRight > 1 || lead < n || leadRight < n || isWrongType) return Invalid;
  return sizeOf({handle, parameters, type, computeType}, n, device, host);
}
int cusolverDnXgeev(SolverHandle handle, SolverParameters parameters, int modeLeft, int modeRight, int64_t n, int type, void *a,
                    int64_t lead, int typeValues, void *values, int typeLeft, void *left, int64_t, int typeRight, void *right,
                    int64_t leadRight, int computeType, void *device, size_t deviceBytes, void *host, size_t hostBytes, int *info) {
  bool isWrongType = typeValues != complexOf(type) || typeLeft != type || typeRight != type;
  if (modeLeft || left || modeRight > 1 || lead != n || leadRight != n || isWrongType) return Invalid;
  Workspaces work{device, deviceBytes, host, hostBytes};
  int64_t own = modeRight ? n : 0;
  auto body = [=]<typename T>(T, Memories &m) {
    T *matrix = m.at<T>(a, n * n), none{}, *vectors = own ? m.at<T>(right, n * n) : &none;
    auto *found = m.at<std::complex<typename RealOf<T>::type>>(values, n);
    int *said = m.at<int>(info, 1);
    if (matrix && vectors && found && said) *said = eigen(modeRight, int(n), matrix, found, vectors);
  };
  return put(
      __func__, {handle, parameters, type, computeType}, n, &work,
      {{a, n * n * elementBytes(type)}, {values, n * elementBytes(complexOf(type))}, {right, n * own * elementBytes(type)}, {info, 4}},
      body);
}
#endif

static int orgqr(const char *name, SolverHandle handle, int type, int m, int n, int k, void *a, int lead, const void *tau, void *work,
                 int elements, int *info) {
  if (n > m || k > n || lead != m) return Invalid;
  int64_t bytes = elementBytes(type);
  if (elements < n || !areHeld({{work, elements * bytes}})) return Invalid;
  auto body = [=]<typename T>(T, Memories &memory) {
    T *matrix = memory.at<T>(a, int64_t(m) * n), *factors = memory.at<T>(tau, k);
    int *said = memory.at<int>(info, 1);
    if (matrix && factors && said) *said = Lapack<T>::get()->orgqr(m, n, k, matrix, m, factors);
  };
  return put(name, {handle, reinterpret_cast<SolverParameters>(&parameterSet), type, type}, n, nullptr,
             {{a, int64_t(m) * n * bytes}, {tau, k * bytes}, {info, 4}}, body);
}
static int potrfBatched(const char *name, SolverHandle handle, int type, int fill, int n, void **matrices, int lead, int *info, int count) {
  if (lead != n || fill > Upper) return Invalid;
  auto body = [=]<typename T>(T, Memories &m) {
    void **list = m.at<void *>(matrices, count);
    int *said = m.at<int>(info, count);
    for (int i = 0; list && said && i < count; ++i)
      if (T *a = m.at<T>(list[i], int64_t(n) * n)) said[i] = Lapack<T>::get()->potrf(fill == Upper ? 'U' : 'L', n, a, n);
  };
  return put(name, {handle, reinterpret_cast<SolverParameters>(&parameterSet), type, type}, n, nullptr,
             {{matrices, 8 * int64_t(count)}, {info, 4 * int64_t(count)}}, body);
}
#define KILN_STUB_TYPED(L, kind, type)                                                                                                     \
  int cusolverDn##L##kind##gqr_bufferSize(SolverHandle, int m, int n, int k, const void *, int lead, const void *, int *elements) {        \
    return n > m || k > n || lead < m ? Invalid : (*elements = n + 1, Fine);                                                               \
  }                                                                                                                                        \
  int cusolverDn##L##kind##gqr(SolverHandle handle, int m, int n, int k, void *a, int lead, const void *tau, void *work, int elements,     \
                               int *info) {                                                                                                \
    return orgqr(__func__, handle, type, m, n, k, a, lead, tau, work, elements, info);                                                     \
  }                                                                                                                                        \
  int cusolverDn##L##potrfBatched(SolverHandle handle, int fill, int n, void **matrices, int lead, int *info, int count) {                 \
    return potrfBatched(__func__, handle, type, fill, n, matrices, lead, info, count);                                                     \
  }
KILN_STUB_TYPED(S, or, Real32)
KILN_STUB_TYPED(D, or, Real64)
KILN_STUB_TYPED(C, un, Complex32)
KILN_STUB_TYPED(Z, un, Complex64)
} // extern "C"

} // namespace stub
