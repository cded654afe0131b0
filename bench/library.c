/* Calls of a library in a loop, as a program in C makes them. */
#include <stddef.h>
#include <stdint.h>

typedef int32_t run_function(const void *m, const float *x, float *y, void *workspace, size_t workspace_bytes, char *err, size_t errlen);

int32_t call_many(run_function *run, const void *m, const float *x, float *y, int64_t count) {
  int32_t status = 0;
  for (int64_t i = 0; i < count; ++i) status |= run(m, x, y, NULL, 0, NULL, 0);
  return status;
}
