/* fuzz COUNT: calls f_run(x[n, 3] -> y[n, 3], total) with arguments that are drawn, right ones and wrong ones; a wrong one must give a status below 0
   and a text that names one of them, and nothing may be written beside the arrays. Under the address sanitizer. */
#include "f.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 1;

static uint64_t draw(uint64_t below) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (state >> 33) % below;
}

/* An address that is wrong, or nearly right. */
static void *change(void *right, void *other, int *is_wrong) {
  uint64_t kind = draw(12);
  if (kind > 3) return right;
  *is_wrong = 1;
  if (kind == 0) return NULL;
  if (kind == 1) return (char *)right + 1 + draw(3);
  if (kind == 2) return other;
  return (void *)((uintptr_t)0 - 4);
}

int main(int argc, char **argv) {
  long count = argc > 1 ? atol(argv[1]) : 1000, wrong = 0, right = 0;
  f *m;
  if (f_open(&m, NULL, NULL, 0)) return 2;
  for (long i = 0; i < count; ++i) {
    static const int64_t bad[] = {0, -1, 101, INT64_MAX, INT64_MIN, (int64_t)1 << 40};
    int64_t n = 1 + (int64_t)draw(100), given = n, bytes = f_run_workspace_size(m, n);
    int is_wrong = 0, is_own = draw(2) != 0;
    size_t array = 12 * (size_t)n;
    float *x = malloc(array), *y = malloc(array), *total = malloc(4);
    char err[200] = "", *workspace = is_own ? aligned_alloc(64, ((size_t)bytes + 63) / 64 * 64) : NULL, *used = workspace;
    memset(x, 0, array);
    if (draw(4) == 0) given = bad[draw(6)], is_wrong = 1;
    float *gx = change(x, y, &is_wrong), *gy = change(y, x, &is_wrong), *gt = change(total, x, &is_wrong);
    size_t workspace_bytes = (size_t)bytes;
    if (is_own && draw(6) == 0) workspace_bytes = draw((uint64_t)bytes), is_wrong = 1;
    if (is_own && draw(6) == 0) used += 1 + draw(63), is_wrong = 1;
    if (is_own && draw(6) == 0) used = (char *)x - (uintptr_t)x % 64, is_wrong = 1;
    /* where the two arrays are exchanged nothing is wrong */
    if (is_wrong && given == n && gx == y && gy == x && gt == total && used == workspace && workspace_bytes == (size_t)bytes) is_wrong = 0;
    size_t room = draw(4) == 0 ? draw(20) : sizeof err;
    int32_t status = f_run(m, gx, given, gy, gt, used, workspace_bytes, room ? err : NULL, room);
    if ((status < 0) != is_wrong || status > 0 || (is_wrong && room == sizeof err && strncmp(err, "f_run: ", 7)))
      return fprintf(stderr, "call %ld: status %d: %s\n", i, (int)status, err), 1;
    *(is_wrong ? &wrong : &right) += 1;
    free(x), free(y), free(total), free(workspace);
  }
  f_close(m);
  printf("%ld right, %ld wrong\n", right, wrong);
  return !right || !wrong;
}
