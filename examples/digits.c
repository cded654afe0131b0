/* Classifies handwritten digits by the library that digits.py exports: digits IMAGES LABELS, files of floats and of 64-bit integers.
 * Prints the accuracy, with all its bits, and the milliseconds that the fastest of some calls took for all images. */
#include "digits.h"

#include <stdio.h>
#include <time.h>

enum { kMost = 1000, kPixels = 64, kCalls = 20 };
static float images[kMost * kPixels];
static int64_t labels[kMost], answers[kMost];

static int64_t load(const char *path, void *to, size_t bytes) {
  FILE *file = fopen(path, "rb");
  size_t count = file ? fread(to, bytes, kMost, file) : 0;
  if (file) fclose(file);
  return (int64_t)count;
}

int main(int argc, char **argv) {
  char err[256];
  digits *m;
  int64_t count = argc == 3 ? load(argv[1], images, kPixels * sizeof(float)) : 0, right = 0;
  double best = 1e9;
  if (!count || load(argv[2], labels, sizeof(int64_t)) != count) return fprintf(stderr, "usage: digits IMAGES LABELS\n"), 2;
  if (digits_open(&m, NULL, err, sizeof err)) return fprintf(stderr, "%s\n", err), 1;
  for (int call = 0; call < kCalls; ++call) {
    struct timespec start, end;
    timespec_get(&start, TIME_UTC);
    if (digits_run(m, images, count, answers, NULL, 0, err, sizeof err)) return fprintf(stderr, "%s\n", err), 1;
    timespec_get(&end, TIME_UTC);
    double took = (double)(end.tv_sec - start.tv_sec) * 1e3 + (double)(end.tv_nsec - start.tv_nsec) * 1e-6;
    best = took < best ? took : best;
  }
  for (int64_t i = 0; i < count; ++i) right += answers[i] == labels[i];
  printf("%a %.3f\n", (double)right / (double)count, best);
  digits_close(m);
  return 0;
}
