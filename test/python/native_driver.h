/* What callers of libraries for a device take from its driver. */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif
int cuInit(unsigned);
int cuDevicePrimaryCtxRetain(void **, int);
int cuCtxPushCurrent_v2(void *);
int cuStreamCreate(void **, unsigned);
int cuStreamSynchronize(void *);
int cuStreamDestroy_v2(void *);
int cuMemPoolCreate(void **, const int *);
int cuMemPoolDestroy(void *);
int cuMemAllocFromPoolAsync(uint64_t *, size_t, void *, void *);
int cuMemFreeAsync(uint64_t, void *);
int cuMemcpyHtoDAsync_v2(uint64_t, const void *, size_t, void *);
int cuMemcpyDtoHAsync_v2(void *, uint64_t, size_t, void *);
#ifdef __cplusplus
}
#endif

static void check(int code, const char *what) {
  if (!code) return;
  fprintf(stderr, "%s: %d\n", what, code);
  exit(1);
}
#define CHECK(call) check(call, #call)
