/* Calls libraries for a device, on the stand-in of its driver: sums of twice so many rows as it likes, and a loop. */
#include "f.h"
#include "g.h"

#include "native_driver.h"

int main(void) {
  static const int properties[22] = {1, 0, 1, 0};
  static float x[5000];
  float last[3], first;
  void *context, *stream, *pool;
  uint64_t there, result, space;
  char err[200];
  f *sums;
  g *loop;
  CHECK(cuInit(0));
  CHECK(cuDevicePrimaryCtxRetain(&context, 0));
  CHECK(cuCtxPushCurrent_v2(context));
  CHECK(cuStreamCreate(&stream, 1));
  CHECK(cuMemPoolCreate(&pool, properties));
  CHECK(cuMemAllocFromPoolAsync(&there, sizeof x, pool, stream));
  CHECK(cuMemAllocFromPoolAsync(&result, sizeof x, pool, stream));
  for (int i = 0; i < 5000; ++i) x[i] = 1;
  CHECK(cuMemcpyHtoDAsync_v2(there, x, sizeof x, stream));
  CHECK(f_open(&sums, NULL, err, sizeof err));
  CHECK(g_open(&loop, NULL, err, sizeof err));
  for (int64_t i = 0, n = 1; i < 3; ++i, n = i == 1 ? 100 : 1000) {
    int64_t bytes = f_run_workspace_size(sums, n);
    CHECK(bytes <= 0);
    CHECK(cuMemAllocFromPoolAsync(&space, (size_t)bytes, pool, stream));
    CHECK(f_run(sums, (const float *)there, n, (float *)result, (void *)space, (size_t)bytes, err, sizeof err, stream));
    CHECK(cuMemcpyDtoHAsync_v2(&last[i], result + (uint64_t)(n - 1) * 20, sizeof *last, stream));
    CHECK(cuMemFreeAsync(space, stream));
  }
  CHECK(g_run(loop, (const float *)there, (float *)result, NULL, 0, err, sizeof err, stream));
  CHECK(cuMemcpyDtoHAsync_v2(&first, result, sizeof first, stream));
  CHECK(cuStreamSynchronize(stream));
  CHECK(f_run(sums, (const float *)there, 1001, (float *)result, NULL, 0, err, 4, stream) != F_SIZE_OUT_OF_BOUNDS);
  CHECK(f_run_workspace_size(sums, 0) != F_SIZE_OUT_OF_BOUNDS);
  printf("%g %g %g %g\n", (double)last[0], (double)last[1], (double)last[2], (double)first);
  f_close(sums);
  g_close(loop);
  CHECK(cuMemFreeAsync(there, stream));
  CHECK(cuMemFreeAsync(result, stream));
  CHECK(cuStreamSynchronize(stream));
  CHECK(cuMemPoolDestroy(pool));
  CHECK(cuStreamDestroy_v2(stream));
  return 0;
}
