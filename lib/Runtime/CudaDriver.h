// Entry points of the CUDA driver, libcuda.so.1, as its ABI has them. They are looked up at run time: a build needs nothing of CUDA.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kiln::cuda {

using Address = uint64_t; // of memory on a device
enum Code : int {
  Success = 0,
  InvalidValue = 1,
  OutOfMemory = 2,
  NoDevice = 100,
  InvalidPtx = 218,
  JitCompilerNotFound = 221,
  NotReady = 600
};
enum DeviceAttribute : int { Multiprocessors = 16, Major = 75, Minor = 76, MemoryPools = 115 };
enum PoolAttribute : int { ReleaseThreshold = 4, Reserved = 5, Used = 7 };
enum JitOption : int { ErrorLog = 5, ErrorLogBytes = 6, OptimizationLevel = 7 };
enum LinkInput : int { Ptx = 1 };
enum PointerAttribute : int { MemoryType = 2, DeviceOrdinal = 9, RangeStart = 11, RangeBytes = 12 };
enum FunctionAttribute : int { MaxThreads = 0, StaticShared = 1, LocalBytes = 3, Registers = 4, MaxDynamicShared = 8 };

using ContextHandle = struct ContextTag *;
using StreamHandle = struct StreamTag *;
using EventHandle = struct EventTag *;
using ModuleHandle = struct ModuleTag *;
using FunctionHandle = struct FunctionTag *;
using PoolHandle = struct PoolTag *;
using GraphHandle = struct GraphTag *;
using RunnableGraphHandle = struct RunnableGraphTag *;
using NodeHandle = struct NodeTag *;
using LinkHandle = struct LinkTag *;
using LibraryHandle = struct LibraryTag *;
using KernelHandle = struct KernelTag *;

struct PoolProperties {
  int allocation = 1, handles = 0; // pinned memory that no other process opens
  int location = 1, ordinal = 0;   // of a device
  void *security = nullptr;
  size_t mostBytes = 0;
  unsigned short usage = 0;
  unsigned char reserved[54] = {};
};
static_assert(sizeof(PoolProperties) == 88);

/// What tells a device from all others.
struct DeviceId {
  char bytes[16];
};

/// A launch as a node of a graph.
struct LaunchNode {
  FunctionHandle function = nullptr;
  unsigned gridX = 1, gridY = 1, gridZ = 1, blockX = 1, blockY = 1, blockZ = 1, sharedBytes = 0;
  void **arguments = nullptr, **extra = nullptr;
  void *kernel = nullptr;
  ContextHandle context = nullptr;
};
static_assert(sizeof(LaunchNode) == 72);

// Name here, name in the library, arguments. A number behind a name is the version of the signature.
#define KILN_CUDA_FUNCTIONS(X)                                                                                                             \
  X(init, cuInit, (unsigned flags))                                                                                                        \
  X(driverVersion, cuDriverGetVersion, (int *version))                                                                                     \
  X(errorName, cuGetErrorName, (int code, const char **text))                                                                              \
  X(errorText, cuGetErrorString, (int code, const char **text))                                                                            \
  X(deviceCount, cuDeviceGetCount, (int *count))                                                                                           \
  X(deviceGet, cuDeviceGet, (int *device, int ordinal))                                                                                    \
  X(deviceName, cuDeviceGetName, (char *name, int bytes, int device))                                                                      \
  X(deviceMemory, cuDeviceTotalMem_v2, (size_t *bytes, int device))                                                                        \
  X(deviceId, cuDeviceGetUuid, (DeviceId * id, int device))                                                                                \
  X(deviceAttribute, cuDeviceGetAttribute, (int *value, int attribute, int device))                                                        \
  X(primaryContext, cuDevicePrimaryCtxRetain, (ContextHandle * context, int device))                                                       \
  X(currentContext, cuCtxGetCurrent, (ContextHandle * context))                                                                            \
  X(pushContext, cuCtxPushCurrent_v2, (ContextHandle context))                                                                             \
  X(popContext, cuCtxPopCurrent_v2, (ContextHandle * context))                                                                             \
  X(memoryInfo, cuMemGetInfo_v2, (size_t *free, size_t *total))                                                                            \
  X(streamCreate, cuStreamCreate, (StreamHandle * stream, unsigned flags))                                                                 \
  X(streamDestroy, cuStreamDestroy_v2, (StreamHandle stream))                                                                              \
  X(streamSynchronize, cuStreamSynchronize, (StreamHandle stream))                                                                         \
  X(streamQuery, cuStreamQuery, (StreamHandle stream))                                                                                     \
  X(streamWaitEvent, cuStreamWaitEvent, (StreamHandle stream, EventHandle event, unsigned flags))                                          \
  X(poolCreate, cuMemPoolCreate, (PoolHandle * pool, const PoolProperties *properties))                                                    \
  X(poolSet, cuMemPoolSetAttribute, (PoolHandle pool, int attribute, void *value))                                                         \
  X(poolGet, cuMemPoolGetAttribute, (PoolHandle pool, int attribute, void *value))                                                         \
  X(poolTrim, cuMemPoolTrimTo, (PoolHandle pool, size_t keep))                                                                             \
  X(allocateAsync, cuMemAllocFromPoolAsync, (Address * address, size_t bytes, PoolHandle pool, StreamHandle stream))                       \
  X(freeAsync, cuMemFreeAsync, (Address address, StreamHandle stream))                                                                     \
  X(pointerGet, cuPointerGetAttribute, (void *value, int attribute, Address pointer))                                                      \
  X(hostAllocate, cuMemHostAlloc, (void **block, size_t bytes, unsigned flags))                                                            \
  X(hostFree, cuMemFreeHost, (void *block))                                                                                                \
  X(copyIn, cuMemcpyHtoDAsync_v2, (Address to, const void *from, size_t bytes, StreamHandle stream))                                       \
  X(copyOut, cuMemcpyDtoHAsync_v2, (void *to, Address from, size_t bytes, StreamHandle stream))                                            \
  X(copy, cuMemcpyDtoDAsync_v2, (Address to, Address from, size_t bytes, StreamHandle stream))                                             \
  X(fillBytes, cuMemsetD8Async, (Address to, unsigned char value, size_t bytes, StreamHandle stream))                                      \
  X(moduleLoad, cuModuleLoadDataEx, (ModuleHandle * module, const void *image, unsigned count, int *options, void **values))               \
  X(linkCreate, cuLinkCreate_v2, (unsigned count, int *options, void **values, LinkHandle *link))                                          \
  X(linkAdd, cuLinkAddData_v2,                                                                                                             \
    (LinkHandle link, int kind, void *data, size_t bytes, const char *name, unsigned count, int *options, void **values))                  \
  X(linkComplete, cuLinkComplete, (LinkHandle link, void **image, size_t *bytes))                                                          \
  X(linkDestroy, cuLinkDestroy, (LinkHandle link))                                                                                         \
  X(moduleUnload, cuModuleUnload, (ModuleHandle module))                                                                                   \
  X(moduleFunction, cuModuleGetFunction, (FunctionHandle * function, ModuleHandle module, const char *name))                               \
  X(libraryLoad, cuLibraryLoadData,                                                                                                        \
    (LibraryHandle * library, const void *image, int *options, void **values, unsigned count, int *libraryOptions, void **libraryValues,   \
     unsigned libraryCount))                                                                                                               \
  X(libraryUnload, cuLibraryUnload, (LibraryHandle library))                                                                               \
  X(libraryKernel, cuLibraryGetKernel, (KernelHandle * kernel, LibraryHandle library, const char *name))                                   \
  X(kernelFunction, cuKernelGetFunction, (FunctionHandle * function, KernelHandle kernel))                                                 \
  X(functionSet, cuFuncSetAttribute, (FunctionHandle function, int attribute, int value))                                                  \
  X(functionGet, cuFuncGetAttribute, (int *value, int attribute, FunctionHandle function))                                                 \
  X(launch, cuLaunchKernel,                                                                                                                \
    (FunctionHandle function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY, unsigned blockZ,           \
     unsigned sharedBytes, StreamHandle stream, void **arguments, void **extra))                                                           \
  X(eventCreate, cuEventCreate, (EventHandle * event, unsigned flags))                                                                     \
  X(eventDestroy, cuEventDestroy_v2, (EventHandle event))                                                                                  \
  X(eventQuery, cuEventQuery, (EventHandle event))                                                                                         \
  X(eventRecord, cuEventRecord, (EventHandle event, StreamHandle stream))                                                                  \
  X(eventSynchronize, cuEventSynchronize, (EventHandle event))                                                                             \
  X(eventElapsed, cuEventElapsedTime, (float *milliseconds, EventHandle start, EventHandle end))                                           \
  X(captureBegin, cuStreamBeginCapture_v2, (StreamHandle stream, int mode))                                                                \
  X(captureEnd, cuStreamEndCapture, (StreamHandle stream, GraphHandle * graph))                                                            \
  X(graphInstantiate, cuGraphInstantiateWithFlags, (RunnableGraphHandle * runnable, GraphHandle graph, unsigned long long flags))          \
  X(graphLaunch, cuGraphLaunch, (RunnableGraphHandle runnable, StreamHandle stream))                                                       \
  X(graphCreate, cuGraphCreate, (GraphHandle * graph, unsigned flags))                                                                     \
  X(graphAddLaunch, cuGraphAddKernelNode_v2,                                                                                               \
    (NodeHandle * node, GraphHandle graph, const NodeHandle *after, size_t count, const LaunchNode *launch))                               \
  X(graphNodes, cuGraphGetNodes, (GraphHandle graph, NodeHandle * nodes, size_t *count))                                                   \
  X(launchNodeGet, cuGraphKernelNodeGetParams_v2, (NodeHandle node, LaunchNode * launch))                                                  \
  X(launchNodeSet, cuGraphExecKernelNodeSetParams_v2, (RunnableGraphHandle runnable, NodeHandle node, const LaunchNode *launch))           \
  X(runnableGraphDestroy, cuGraphExecDestroy, (RunnableGraphHandle runnable))                                                              \
  X(graphDestroy, cuGraphDestroy, (GraphHandle graph))

/// A library's functions. Tests fill one with their own.
struct Driver {
#define KILN_CUDA_POINTER(name, symbol, arguments) int(*name) arguments = nullptr;
  KILN_CUDA_FUNCTIONS(KILN_CUDA_POINTER)
#undef KILN_CUDA_POINTER
};

} // namespace kiln::cuda
