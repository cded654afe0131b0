/* classify LIBRARY-INPUT OUTPUT: reads a batch of 32 images of 784 floats, writes 32 rows of 10. Then each way to misuse a library, whose status
   must be the right one and whose text must name the argument; under the address sanitizer in tests. */
#include "mlp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

static void expect(const char *what, int32_t status, int32_t wanted, const char *text, const char *name) {
  if (status == wanted && (wanted == 0 || strstr(text, name))) return;
  fprintf(stderr, "%s: expected status %d and a text with '%s', got %d: %s\n", what, (int)wanted, name, (int)status, text);
  ++failures;
}

static void misuse(mlp *m, float *x, float *y) {
  char err[256] = "", little[8];
  int64_t bytes = mlp_run_workspace_size(m);
  char *memory = aligned_alloc(64, (size_t)bytes + 64), *before = malloc(4 * 320 + 1);
  memset(memory + bytes, 77, 64);
  expect("workspace", mlp_run(m, x, y, memory, (size_t)bytes, err, sizeof err), MLP_OK, err, "");
  for (int i = 0; i < 64; ++i)
    if (memory[bytes + i] != 77) ++failures, fprintf(stderr, "written behind the workspace\n");
  expect("no library", mlp_run(NULL, x, y, NULL, 0, err, sizeof err), MLP_NULL_ARGUMENT, err, "m:");
  expect("no input", mlp_run(m, NULL, y, NULL, 0, err, sizeof err), MLP_NULL_ARGUMENT, err, "x:");
  expect("no output", mlp_run(m, x, NULL, NULL, 0, err, sizeof err), MLP_NULL_ARGUMENT, err, "out0:");
  expect("misaligned", mlp_run(m, x, (float *)(void *)(before + 1), NULL, 0, err, sizeof err), MLP_MISALIGNED, err, "out0:");
  expect("overlap", mlp_run(m, x, x + 100, NULL, 0, err, sizeof err), MLP_OVERLAP, err, "out0:");
  expect("end of memory", mlp_run(m, (float *)(uintptr_t)-4, y, NULL, 0, err, sizeof err), MLP_SIZE_OVERFLOW, err, "x:");
  expect("short workspace", mlp_run(m, x, y, memory, (size_t)bytes - 1, err, sizeof err), MLP_SHORT_WORKSPACE, err, "workspace:");
  expect("misaligned workspace", mlp_run(m, x, y, memory + 8, (size_t)bytes, err, sizeof err), MLP_MISALIGNED, err, "workspace:");
  expect("workspace in an argument", mlp_run(m, (float *)(void *)memory, y, memory, (size_t)bytes, err, sizeof err), MLP_OVERLAP, err, "workspace:");
  expect("cut off", mlp_run(m, NULL, y, NULL, 0, little, sizeof little), MLP_NULL_ARGUMENT, little, "mlp_run");
  if (strlen(little) != 7) ++failures, fprintf(stderr, "expected 7 letters, got '%s'\n", little);
  expect("no text", mlp_run(m, NULL, y, NULL, 0, NULL, 0), MLP_NULL_ARGUMENT, "", "");
  if (mlp_run_workspace_size(NULL) != MLP_NULL_ARGUMENT) ++failures, fprintf(stderr, "expected a status from workspace_size\n");
  free(memory);
  free(before);
}

static void misopen(void) {
  char err[256] = "";
  mlp *m = NULL;
  mlp_options options = {0};
  expect("no place", mlp_open(NULL, NULL, err, sizeof err), MLP_NULL_ARGUMENT, err, "m:");
  expect("old options", mlp_open(&m, &options, err, sizeof err), MLP_WRONG_OPTIONS, err, "options:");
  if (m) ++failures, fprintf(stderr, "expected NULL after an error\n");
  mlp_close(NULL);
  if (mlp_abi_version() != MLP_ABI_VERSION) ++failures;
  if (!strstr(mlp_status_text(MLP_OVERLAP), "overlap") || !strstr(mlp_status_text(5), "out of range")) ++failures;
}

int main(int argc, char **argv) {
  char err[256] = "";
  static float x[32 * 784], y[32 * 10];
  mlp *m;
  FILE *in = argc > 2 ? fopen(argv[1], "rb") : NULL, *out = argc > 2 ? fopen(argv[2], "wb") : NULL;
  if (!in || !out || fread(x, sizeof x, 1, in) != 1) return 2;
  expect("open", mlp_open(&m, NULL, err, sizeof err), MLP_OK, err, "");
  expect("run", mlp_run(m, x, y, NULL, 0, err, sizeof err), MLP_OK, err, "");
  if (fwrite(y, sizeof y, 1, out) != 1) return 2;
  fclose(in);
  fclose(out);
  misuse(m, x, y);
  mlp_close(m);
  misopen();
  return failures != 0;
}
