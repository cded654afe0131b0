/* Calls the library from C: cc scores.c -I FOLDER -L FOLDER -lscores */
#include "scores.h"

#include <stdio.h>
#include <string.h>

enum { kRows = 2 };

int main(void) {
  const float x[kRows * 4] = {0.5f, -1, 2, 0, 1, 1, 1, 1};
  float y[kRows * 3];
  char err[256];
  scores *m;
  uint32_t bits, checksum = 0;
  if (scores_open(&m, NULL, err, sizeof err)) return fprintf(stderr, "%s\n", err), 1;
  int32_t status = scores_run(m, x, kRows, y, NULL, 0, err, sizeof err);
  if (status) return fprintf(stderr, "%s\n", err), 1;
  for (int i = 0; i < kRows * 3; ++i) {
    printf("%.4f%c", (double)y[i], i % 3 == 2 ? '\n' : ' ');
    memcpy(&bits, &y[i], sizeof bits);
    checksum = 31 * checksum + bits;
  }
  printf("bits %08x\n", (unsigned)checksum);
  if (scores_run(m, x, 1001, y, NULL, 0, err, sizeof err)) printf("%s\n", err); /* what is wrong with a call is said */
  scores_close(m);
  return 0;
}
