/* Calls a library for a device, on the stand-in of its driver: state += x, and the sum of it. */
#include "f.h"

#include "native_driver.h"

int main(void) {
  static const int properties[22] = {1, 0, 1, 0};
  float x[40], sum[3];
  void *context, *stream, *pool;
  uint64_t state, there, result;
  char err[200];
  f *m;
  CHECK(cuInit(0));
  CHECK(cuDevicePrimaryCtxRetain(&context, 0));
  CHECK(cuCtxPushCurrent_v2(context));
  CHECK(cuStreamCreate(&stream, 1));
  CHECK(cuMemPoolCreate(&pool, properties));
  CHECK(cuMemAllocFromPoolAsync(&state, sizeof x, pool, stream));
  CHECK(cuMemAllocFromPoolAsync(&there, sizeof x, pool, stream));
  CHECK(cuMemAllocFromPoolAsync(&result, sizeof *sum, pool, stream));
  for (int i = 0; i < 40; ++i) x[i] = 0;
  CHECK(cuMemcpyHtoDAsync_v2(state, x, sizeof x, stream));
  for (int i = 0; i < 40; ++i) x[i] = 1;
  CHECK(cuMemcpyHtoDAsync_v2(there, x, sizeof x, stream));
  for (int round = 0; round < 3; ++round) {
    CHECK(f_open(&m, NULL, err, sizeof err));
    CHECK(f_run(m, (float *)state, (const float *)there, (float *)result, NULL, 0, err, sizeof err, stream));
    CHECK(cuMemcpyDtoHAsync_v2(&sum[round], result, sizeof *sum, stream));
    CHECK(cuStreamSynchronize(stream));
    f_close(m);
  }
  CHECK(f_run(NULL, NULL, NULL, NULL, NULL, 0, err, 4, stream) != F_NULL_ARGUMENT);
  printf("%g %g\n", (double)sum[0], (double)sum[2]);
  CHECK(cuMemFreeAsync(state, stream));
  CHECK(cuMemFreeAsync(there, stream));
  CHECK(cuMemFreeAsync(result, stream));
  CHECK(cuStreamSynchronize(stream));
  CHECK(cuMemPoolDestroy(pool));
  CHECK(cuStreamDestroy_v2(stream));
  return 0;
}
