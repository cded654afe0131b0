/* run LIBRARY NAME FUNCTION IN OUT: calls a function by its tensors. IN has the number of inputs and of outputs, then of each tensor its type
   code, bits, rank and sizes (64-bit numbers), and of each input its bytes; OUT gets the bytes of all tensors. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Tensor {
  void *data;
  int32_t device, device_number, rank;
  uint8_t code, bits;
  uint16_t lanes;
  int64_t *shape, *strides;
  uint64_t byte_offset;
} Tensor;

enum { kMost = 64, kGuard = 64 };

static size_t bytes_of(const Tensor *t) {
  size_t bytes = t->bits / 8;
  for (int i = 0; i < t->rank; ++i) bytes *= (size_t)t->shape[i];
  return bytes;
}

static int64_t next(FILE *in) {
  int64_t number = -1;
  if (fread(&number, sizeof number, 1, in) != 1) exit(3);
  return number;
}

/* A tensor between bytes that must stay as they are. */
static Tensor *read_tensor(FILE *in, int has_data) {
  Tensor *t = calloc(1, sizeof *t);
  t->device = 1, t->lanes = 1;
  t->code = (uint8_t)next(in), t->bits = (uint8_t)next(in), t->rank = (int32_t)next(in);
  t->shape = calloc(8, sizeof(int64_t));
  for (int i = 0; i < t->rank; ++i) t->shape[i] = next(in);
  size_t bytes = bytes_of(t);
  char *memory = malloc(bytes + 2 * kGuard);
  memset(memory, 77, bytes + 2 * kGuard);
  t->data = memory + kGuard;
  if (has_data && bytes && fread(t->data, bytes, 1, in) != 1) exit(3);
  return t;
}

static void check_guards(const Tensor *t) {
  const char *data = t->data, *end = data + bytes_of(t);
  for (int i = 0; i < kGuard; ++i)
    if (data[i - kGuard] != 77 || end[i] != 77) fprintf(stderr, "written beside a tensor\n"), exit(4);
}

static void *find(void *library, const char *name, const char *function) {
  char symbol[256];
  snprintf(symbol, sizeof symbol, "%s_%s", name, function);
  return dlsym(library, symbol);
}

int main(int argc, char **argv) {
  Tensor *tensors[kMost];
  char err[512] = "";
  void *m = NULL;
  if (argc < 6) return 2;
  void *library = dlopen(argv[1], RTLD_NOW);
  FILE *in = fopen(argv[4], "rb"), *out = fopen(argv[5], "wb");
  if (!library || !in || !out) return fprintf(stderr, "%s\n", library ? argv[4] : dlerror()), 2;
  int32_t (*open)(void **, const void *, char *, size_t), (*run)(const void *, Tensor **, size_t, Tensor **, size_t, void *, size_t, char *, size_t);
  void *open_address = find(library, argv[2], "open"), *run_address = find(library, argv[2], argv[3]);
  memcpy(&open, &open_address, sizeof open);
  memcpy(&run, &run_address, sizeof run);
  int64_t inputs = next(in), outputs = next(in);
  for (int64_t i = 0; i < inputs + outputs; ++i) tensors[i] = read_tensor(in, i < inputs);
  if (open(&m, NULL, err, sizeof err)) return fprintf(stderr, "%s\n", err), 5;
  int32_t status = run(m, tensors, (size_t)inputs, tensors + inputs, (size_t)outputs, NULL, 0, err, sizeof err);
  if (status) return fprintf(stderr, "%s\n", err), 6;
  for (int64_t i = 0; i < inputs + outputs; ++i) {
    check_guards(tensors[i]);
    fwrite(tensors[i]->data, 1, bytes_of(tensors[i]), out);
  }
  return fclose(out);
}
