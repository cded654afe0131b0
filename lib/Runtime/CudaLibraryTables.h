// Entry points of cuSOLVER and cuFFT as their ABI has them. They are looked up at run time: a build needs neither, and a library may lack
// some. All give a status, 0 where they succeed.
#pragma once

#include "lib/Runtime/CudaDriver.h"

namespace kiln::cuda {

using SolverHandle = struct SolverTag *;
using SolverParameters = struct SolverParametersTag *;
enum Number : int { Real32 = 0, Real64 = 1, Complex32 = 4, Complex64 = 5 }; // cudaDataType
enum Fill : int { Lower = 0, Upper = 1 };
using Bytes = size_t *;

// Name here, name in the library, arguments.
#define KILN_CUSOLVER_FUNCTIONS(X)                                                                                                         \
  X(version, cusolverGetVersion, (int *version))                                                                                           \
  X(create, cusolverDnCreate, (SolverHandle * handle))                                                                                     \
  X(createParameters, cusolverDnCreateParams, (SolverParameters * parameters))                                                             \
  X(setStream, cusolverDnSetStream, (SolverHandle handle, StreamHandle stream))                                                            \
  X(potrfSize, cusolverDnXpotrf_bufferSize,                                                                                                \
    (SolverHandle handle, SolverParameters parameters, int fill, int64_t n, int type, const void *a, int64_t lead, int computeType,        \
     Bytes device, Bytes host))                                                                                                            \
  X(potrf, cusolverDnXpotrf,                                                                                                               \
    (SolverHandle handle, SolverParameters parameters, int fill, int64_t n, int type, void *a, int64_t lead, int computeType,              \
     void *device, size_t deviceBytes, void *host, size_t hostBytes, int *info))                                                           \
  X(getrfSize, cusolverDnXgetrf_bufferSize,                                                                                                \
    (SolverHandle handle, SolverParameters parameters, int64_t m, int64_t n, int type, const void *a, int64_t lead, int computeType,       \
     Bytes device, Bytes host))                                                                                                            \
  X(getrf, cusolverDnXgetrf,                                                                                                               \
    (SolverHandle handle, SolverParameters parameters, int64_t m, int64_t n, int type, void *a, int64_t lead, int64_t *pivots,             \
     int computeType, void *device, size_t deviceBytes, void *host, size_t hostBytes, int *info))                                          \
  X(getrs, cusolverDnXgetrs,                                                                                                               \
    (SolverHandle handle, SolverParameters parameters, int operation, int64_t n, int64_t columns, int typeA, const void *a, int64_t leadA, \
     const int64_t *pivots, int typeB, void *b, int64_t leadB, int *info))                                                                 \
  X(geqrfSize, cusolverDnXgeqrf_bufferSize,                                                                                                \
    (SolverHandle handle, SolverParameters parameters, int64_t m, int64_t n, int type, const void *a, int64_t lead, int typeTau,           \
     const void *tau, int computeType, Bytes device, Bytes host))                                                                          \
  X(geqrf, cusolverDnXgeqrf,                                                                                                               \
    (SolverHandle handle, SolverParameters parameters, int64_t m, int64_t n, int type, void *a, int64_t lead, int typeTau, void *tau,      \
     int computeType, void *device, size_t deviceBytes, void *host, size_t hostBytes, int *info))                                          \
  X(syevdSize, cusolverDnXsyevd_bufferSize,                                                                                                \
    (SolverHandle handle, SolverParameters parameters, int mode, int fill, int64_t n, int type, const void *a, int64_t lead,               \
     int typeValues, const void *values, int computeType, Bytes device, Bytes host))                                                       \
  X(syevd, cusolverDnXsyevd,                                                                                                               \
    (SolverHandle handle, SolverParameters parameters, int mode, int fill, int64_t n, int type, void *a, int64_t lead, int typeValues,     \
     void *values, int computeType, void *device, size_t deviceBytes, void *host, size_t hostBytes, int *info))                            \
  X(syevBatchedSize, cusolverDnXsyevBatched_bufferSize,                                                                                    \
    (SolverHandle handle, SolverParameters parameters, int mode, int fill, int64_t n, int type, const void *a, int64_t lead,               \
     int typeValues, const void *values, int computeType, Bytes device, Bytes host, int64_t count))                                        \
  X(syevBatched, cusolverDnXsyevBatched,                                                                                                   \
    (SolverHandle handle, SolverParameters parameters, int mode, int fill, int64_t n, int type, void *a, int64_t lead, int typeValues,     \
     void *values, int computeType, void *device, size_t deviceBytes, void *host, size_t hostBytes, int *info, int64_t count))             \
  X(gesvdSize, cusolverDnXgesvd_bufferSize,                                                                                                \
    (SolverHandle handle, SolverParameters parameters, signed char jobU, signed char jobV, int64_t m, int64_t n, int type, const void *a,  \
     int64_t lead, int typeValues, const void *values, int typeU, const void *u, int64_t leadU, int typeV, const void *v, int64_t leadV,   \
     int computeType, Bytes device, Bytes host))                                                                                           \
  X(gesvd, cusolverDnXgesvd,                                                                                                               \
    (SolverHandle handle, SolverParameters parameters, signed char jobU, signed char jobV, int64_t m, int64_t n, int type, void *a,        \
     int64_t lead, int typeValues, void *values, int typeU, void *u, int64_t leadU, int typeV, void *v, int64_t leadV, int computeType,    \
     void *device, size_t deviceBytes, void *host, size_t hostBytes, int *info))                                                           \
  X(geevSize, cusolverDnXgeev_bufferSize,                                                                                                  \
    (SolverHandle handle, SolverParameters parameters, int modeLeft, int modeRight, int64_t n, int type, const void *a, int64_t lead,      \
     int typeValues, const void *values, int typeLeft, const void *left, int64_t leadLeft, int typeRight, const void *right,               \
     int64_t leadRight, int computeType, Bytes device, Bytes host))                                                                        \
  X(geev, cusolverDnXgeev,                                                                                                                 \
    (SolverHandle handle, SolverParameters parameters, int modeLeft, int modeRight, int64_t n, int type, void *a, int64_t lead,            \
     int typeValues, void *values, int typeLeft, void *left, int64_t leadLeft, int typeRight, void *right, int64_t leadRight,              \
     int computeType, void *device, size_t deviceBytes, void *host, size_t hostBytes, int *info))                                          \
  KILN_CUSOLVER_TYPED(X, S, or) KILN_CUSOLVER_TYPED(X, D, or) KILN_CUSOLVER_TYPED(X, C, un) KILN_CUSOLVER_TYPED(X, Z, un)
// Those that have no form for all types: of one letter, with what the middle of a name is.
#define KILN_CUSOLVER_TYPED(X, L, kind)                                                                                                    \
  X(L##orgqrSize, cusolverDn##L##kind##gqr_bufferSize,                                                                                     \
    (SolverHandle handle, int m, int n, int k, const void *a, int lead, const void *tau, int *elements))                                   \
  X(L##orgqr, cusolverDn##L##kind##gqr,                                                                                                    \
    (SolverHandle handle, int m, int n, int k, void *a, int lead, const void *tau, void *work, int elements, int *info))                   \
  X(L##potrfBatched, cusolverDn##L##potrfBatched, (SolverHandle handle, int fill, int n, void **matrices, int lead, int *info, int count))

enum TransformType : int { R2C = 0x2a, C2R = 0x2c, C2C = 0x29, D2Z = 0x6a, Z2D = 0x6c, Z2Z = 0x69 };

#define KILN_CUFFT_FUNCTIONS(X)                                                                                                            \
  X(version, cufftGetVersion, (int *version))                                                                                              \
  X(create, cufftCreate, (int *plan))                                                                                                      \
  X(destroy, cufftDestroy, (int plan))                                                                                                     \
  X(setAutoAllocation, cufftSetAutoAllocation, (int plan, int isAutomatic))                                                                \
  X(makePlan, cufftMakePlanMany64,                                                                                                         \
    (int plan, int rank, long long *sizes, long long *inEmbed, long long inStride, long long inDistance, long long *outEmbed,              \
     long long outStride, long long outDistance, int type, long long count, size_t *workBytes))                                            \
  X(setStream, cufftSetStream, (int plan, StreamHandle stream))                                                                            \
  X(setWorkArea, cufftSetWorkArea, (int plan, void *work))                                                                                 \
  X(c2c, cufftExecC2C, (int plan, void *in, void *out, int direction))                                                                     \
  X(z2z, cufftExecZ2Z, (int plan, void *in, void *out, int direction))                                                                     \
  X(r2c, cufftExecR2C, (int plan, void *in, void *out))                                                                                    \
  X(d2z, cufftExecD2Z, (int plan, void *in, void *out))                                                                                    \
  X(c2r, cufftExecC2R, (int plan, void *in, void *out))                                                                                    \
  X(z2d, cufftExecZ2D, (int plan, void *in, void *out))

#define KILN_CUDA_LIBRARY_POINTER(name, symbol, arguments) int(*name) arguments = nullptr;
/// What a library has of them; null: it lacks one.
struct SolverTable {
  KILN_CUSOLVER_FUNCTIONS(KILN_CUDA_LIBRARY_POINTER)
};
struct TransformTable {
  KILN_CUFFT_FUNCTIONS(KILN_CUDA_LIBRARY_POINTER)
};
#undef KILN_CUDA_LIBRARY_POINTER

} // namespace kiln::cuda
