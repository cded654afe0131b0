/* threads SWAPS X WEIGHTS0 WEIGHTS1 [POOL]: 32 threads call one library while its weights are swapped so often; each result must be that of one of the two
   sets, whole, as they are before. POOL: how many threads of its own the library has. */
#include "mlp.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kThreads = 32, kBatch = 32, kWeights = 784 * 512 + 512 + 512 * 10 + 10 };

static mlp *m;
static float x[kBatch * 784], wanted[2][kBatch * 10], memory[2][kWeights];
static atomic_int stop, wrong;
static atomic_long calls, seen[2];

static mlp_weights set_of(const float *w) {
  mlp_weights set;
  set.w1 = w, set.b1 = w + 784 * 512, set.w2 = set.b1 + 512, set.b2 = set.w2 + 512 * 10;
  return set;
}

static void *work(void *unused) {
  float y[kBatch * 10];
  (void)unused;
  while (!stop) {
    int status = mlp_run(m, x, y, NULL, 0, NULL, 0);
    int first = !memcmp(y, wanted[0], sizeof y), second = !memcmp(y, wanted[1], sizeof y);
    if (status || !(first || second)) wrong++;
    seen[second]++;
    calls++;
  }
  return NULL;
}

static int fill(const char *path, void *to, size_t bytes) {
  FILE *in = fopen(path, "rb");
  int is_read = in && fread(to, bytes, 1, in) == 1;
  if (in) fclose(in);
  return is_read;
}

int main(int argc, char **argv) {
  pthread_t threads[kThreads];
  if (argc < 5 || !fill(argv[2], x, sizeof x) || !fill(argv[3], memory[0], sizeof memory[0]) || !fill(argv[4], memory[1], sizeof memory[1])) return 2;
  mlp_weights sets[2] = {set_of(memory[0]), set_of(memory[1])};
  mlp_options options = {sizeof options, &sets[0], NULL, NULL, argc > 5 ? atoi(argv[5]) : 0, NULL};
  if (mlp_open(&m, &options, NULL, 0)) return 3;
  for (int i = 1; i >= 0; --i)
    if (mlp_set_weights(m, &sets[i], NULL, 0) || mlp_run(m, x, wanted[i], NULL, 0, NULL, 0)) return 4;
  for (int i = 0; i < kThreads; ++i) pthread_create(&threads[i], NULL, work, NULL);
  int swaps = atoi(argv[1]);
  for (int i = 0; i < swaps; ++i) {
    long before = calls;
    if (mlp_set_weights(m, &sets[(i + 1) % 2], NULL, 0)) wrong++;
    memset(memory[i % 2], 0, sizeof memory[0]); /* free now: whoever still reads it gives a wrong result */
    while (calls < before + 4) {}
    if (!fill(argv[3 + i % 2], memory[i % 2], sizeof memory[0])) return 5;
  }
  stop = 1;
  for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  mlp_close(m);
  printf("%ld calls, %ld and %ld of each set, %d wrong\n", calls, seen[0], seen[1], wrong);
  return wrong || !seen[0] || !seen[1];
}
