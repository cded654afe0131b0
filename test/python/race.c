// Two threads that count without a lock: what tools/run-sanitized has to find before it is believed to find anything.
#include <pthread.h>

static int count;

static void *work(void *unused) {
  for (int i = 0; i < 100000; ++i) ++count;
  return unused;
}

int race(void) {
  pthread_t threads[2];
  for (int i = 0; i < 2; ++i) pthread_create(&threads[i], 0, work, 0);
  for (int i = 0; i < 2; ++i) pthread_join(threads[i], 0);
  return count;
}
