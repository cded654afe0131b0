/* A device of NVIDIA's by its driver, which is opened at run time. */
#pragma once

#include "codegen/library/support/hosted.h"

/* Name here, name in the library, arguments; as lib/Runtime/CudaDriver.h has them. */
#define KILN_DRIVER_FUNCTIONS(X)                                                                                                           \
  X(init, cuInit, (unsigned flags))                                                                                                        \
  X(error_name, cuGetErrorName, (int code, const char **text))                                                                             \
  X(error_text, cuGetErrorString, (int code, const char **text))                                                                           \
  X(device_count, cuDeviceGetCount, (int *count))                                                                                          \
  X(device_get, cuDeviceGet, (int *device, int ordinal))                                                                                   \
  X(device_attribute, cuDeviceGetAttribute, (int *value, int attribute, int device))                                                       \
  X(context_retain, cuDevicePrimaryCtxRetain, (void **context, int device))                                                                \
  X(context_release, cuDevicePrimaryCtxRelease_v2, (int device))                                                                           \
  X(context_push, cuCtxPushCurrent_v2, (void *context))                                                                                    \
  X(context_pop, cuCtxPopCurrent_v2, (void **context))                                                                                     \
  X(context_wait, cuCtxSynchronize, (void))                                                                                                \
  X(stream_create, cuStreamCreate, (void **stream, unsigned flags))                                                                        \
  X(stream_destroy, cuStreamDestroy_v2, (void *stream))                                                                                    \
  X(stream_wait, cuStreamSynchronize, (void *stream))                                                                                      \
  X(pool_create, cuMemPoolCreate, (void **pool, const PoolProperties *properties))                                                         \
  X(pool_set, cuMemPoolSetAttribute, (void *pool, int attribute, void *value))                                                             \
  X(pool_destroy, cuMemPoolDestroy, (void *pool))                                                                                          \
  X(allocate, cuMemAllocFromPoolAsync, (uint64_t *address, size_t bytes, void *pool, void *stream))                                        \
  X(release, cuMemFreeAsync, (uint64_t address, void *stream))                                                                             \
  X(pointer_get, cuPointerGetAttribute, (void *value, int attribute, uint64_t pointer))                                                    \
  X(copy_in, cuMemcpyHtoDAsync_v2, (uint64_t to, const void *from, size_t bytes, void *stream))                                            \
  X(copy_out, cuMemcpyDtoHAsync_v2, (void *to, uint64_t from, size_t bytes, void *stream))                                                 \
  X(copy, cuMemcpyDtoDAsync_v2, (uint64_t to, uint64_t from, size_t bytes, void *stream))                                                  \
  X(fill, cuMemsetD32Async, (uint64_t to, unsigned word, size_t count, void *stream))                                                      \
  X(module_load, cuModuleLoadDataEx, (void **module, const void *image, unsigned count, int *options, void **values))                      \
  X(module_unload, cuModuleUnload, (void *module))                                                                                         \
  X(module_function, cuModuleGetFunction, (void **function, void *module, const char *name))                                               \
  X(function_set, cuFuncSetAttribute, (void *function, int attribute, int value))                                                          \
  X(launch, cuLaunchKernel,                                                                                                                \
    (void *function, unsigned x, unsigned y, unsigned z, unsigned threads_x, unsigned threads_y, unsigned threads_z, unsigned shared,      \
     void *stream, void **arguments, void **extra))

typedef struct PoolProperties {
  int allocation, handles, location, ordinal;
  void *security;
  size_t most;
  char reserved[56];
} PoolProperties;

typedef struct Driver {
#define KILN_DRIVER_POINTER(name, symbol, arguments) int(*name) arguments;
  KILN_DRIVER_FUNCTIONS(KILN_DRIVER_POINTER)
#undef KILN_DRIVER_POINTER
} Driver;

/* A device as an opened library has it. Its context is the primary one, which other libraries have as well. */
struct Device {
  Driver driver;
  int ordinal, number; /* among the devices; as the driver has it */
  void *context, *stream, *pool;
  uint64_t weights; /* memory of the library's own for them, or 0 */
  void **module;    /* those of the processor that was chosen; NULL at their end where opening failed */
  void **kernel;
};

/* The functions of the driver: that of the machine, or the one that KILN_CUDA_DRIVER names. */
int32_t kiln_open_driver(Driver *driver, const char *library, Report report);
/* What memory is that kernels may not be given; NULL: the device's, or the host's where the device reads it. */
const char *kiln_foreign(const Device *d, const void *memory);
/* The status of a code of the driver's that is not 0, with "<name>: <what>: expected <expected>, got ...". */
int32_t kiln_driver_failed(const Driver *driver, int code, const char *name, const char *what, const char *expected, Report report);
