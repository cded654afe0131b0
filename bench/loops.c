/* Loops of bench/loops.py in C. */
#include <math.h>
#include <stdint.h>

double scalar_loop(double x, double a, double b, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x = x * a + b;
  return x;
}

/* Sweeps over x of n + 2 elements, whose ends stay, until the largest change is at most tol or there were `most`. */
int64_t jacobi(double *x, double *next, const double *b, int64_t n, double tol, int64_t most) {
  int64_t trips = 0;
  double change = 1;
  while (change > tol && trips < most) {
    change = 0;
    for (int64_t i = 1; i <= n; ++i) next[i] = 0.5 * (x[i - 1] + x[i + 1] + b[i - 1]);
    for (int64_t i = 1; i <= n; ++i) {
      double d = fabs(next[i] - x[i]);
      change = d > change ? d : change;
    }
    for (int64_t i = 1; i <= n; ++i) x[i] = next[i];
    ++trips;
  }
  return trips;
}
