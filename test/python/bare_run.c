/* A program for a Cortex-M4 without anything: it runs a library on the bytes of `input`, and prints those of its result by semihosting. */
#include "tiny.h"

enum { kRows = 3, kIn = 8, kOut = 3, kWorkspace = 16384 };

void *memset(void *to, int value, size_t bytes) {
  for (volatile char *p = to; bytes--;) *p++ = (char)value;
  return to;
}
void *memcpy(void *to, const void *from, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) ((volatile char *)to)[i] = ((const char *)from)[i];
  return to;
}
void *memmove(void *to, const void *from, size_t bytes) {
  if ((char *)to <= (const char *)from) return memcpy(to, from, bytes);
  while (bytes--) ((volatile char *)to)[bytes] = ((const char *)from)[bytes];
  return to;
}
int memcmp(const void *a, const void *b, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i)
    if (((const char *)a)[i] != ((const char *)b)[i]) return 1;
  return 0;
}

/* Their names in the EABI; those behind 4 and 8 may take the pointers to be aligned. */
#define ALIAS(of) __attribute__((alias(#of)))
void __aeabi_memcpy(void *, const void *, size_t) ALIAS(memcpy);
void __aeabi_memcpy4(void *, const void *, size_t) ALIAS(memcpy);
void __aeabi_memcpy8(void *, const void *, size_t) ALIAS(memcpy);
void __aeabi_memmove(void *, const void *, size_t) ALIAS(memmove);
void __aeabi_memmove4(void *, const void *, size_t) ALIAS(memmove);
void __aeabi_memmove8(void *, const void *, size_t) ALIAS(memmove);
static void clear(void *to, size_t bytes) {
  for (volatile char *p = to; bytes--;) *p++ = 0;
}
void __aeabi_memclr(void *, size_t) ALIAS(clear);
void __aeabi_memclr4(void *, size_t) ALIAS(clear);
void __aeabi_memclr8(void *, size_t) ALIAS(clear);
void __aeabi_memset(void *to, size_t bytes, int value) { memset(to, value, bytes); }

static void semihost(int operation, const void *argument) {
  register int r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}
static void say(const char *text) { semihost(4, text); }
static void say_bytes(const void *data, size_t bytes) {
  char line[3] = "";
  for (size_t i = 0; i < bytes; ++i) {
    unsigned char c = ((const unsigned char *)data)[i];
    line[0] = "0123456789abcdef"[c >> 4], line[1] = "0123456789abcdef"[c & 15];
    say(line);
  }
  say("\n");
}

static float y[kRows * kOut];
static double z[kRows * kOut];
static _Alignas(64) char workspace[kWorkspace];
static const float x[] = {
#include "input.inc"
};

static int run(void) {
  tiny m;
  char err[128] = "";
  if (tiny_init(NULL, NULL) != TINY_NULL_ARGUMENT || tiny_init(&m, NULL)) return 1;
  if (tiny_run_workspace_size(&m, kRows) > kWorkspace) return 2;
  if (tiny_run(&m, x, kRows, y, z, workspace, kWorkspace, err, sizeof err)) return say(err), 3;
  say_bytes(y, sizeof y);
  say_bytes(z, sizeof z);
  if (tiny_run(&m, x, 99, y, z, workspace, kWorkspace, err, sizeof err) != TINY_SIZE_OUT_OF_BOUNDS) return 4;
  say(err), say("\n");
  if (tiny_run(&m, x, kRows, y, z, NULL, 0, err, sizeof err) != TINY_OUT_OF_MEMORY) return 5;
  say(err), say("\n");
  return 0;
}

void reset(void) {
  *(volatile unsigned *)0xe000ed88 |= 0xf << 20; /* the floating-point unit */
  __asm__ volatile("dsb\n isb");
  say(run() ? "failed\n" : "done\n");
  semihost(0x18, (void *)0x20026);
  for (;;) {}
}

__attribute__((section(".vectors"), used)) static const void *const vectors[] = {(void *)0x20400000, (void *)reset, (void *)reset};
