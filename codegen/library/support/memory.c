/* What a compiler expects of every machine, for modules that have no libc. */
#include <stddef.h>

#define SHARED __attribute__((weak))

SHARED void *memset(void *to, int value, size_t bytes) {
  for (char *p = to, *end = p + bytes; p < end; ++p) *p = (char)value;
  return to;
}

SHARED void *memcpy(void *restrict to, const void *restrict from, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) ((char *)to)[i] = ((const char *)from)[i];
  return to;
}

SHARED void *memmove(void *to, const void *from, size_t bytes) {
  char *p = to;
  const char *q = from;
  if (p < q)
    for (size_t i = 0; i < bytes; ++i) p[i] = q[i];
  else
    while (bytes--) p[bytes] = q[bytes];
  return to;
}

SHARED int memcmp(const void *a, const void *b, size_t bytes) {
  const unsigned char *x = a, *y = b;
  for (size_t i = 0; i < bytes; ++i)
    if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
  return 0;
}
SHARED int bcmp(const void *a, const void *b, size_t bytes) { return memcmp(a, b, bytes); }

SHARED size_t strlen(const char *text) {
  size_t length = 0;
  while (text[length]) ++length;
  return length;
}
