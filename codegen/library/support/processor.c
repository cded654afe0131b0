/* Whether this processor has what code was compiled for. Words: on x86-64 registers of cpuid (codegen/cpu/x86/Library.cpp says of which
   leaves), and last the registers that the system keeps; elsewhere what Linux says of the processor. */
#include "codegen/library/support/library.h"

#if defined(__x86_64__)
#include <cpuid.h>

static int64_t kept_registers(void) {
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

static void read_words(int64_t *words) {
  uint32_t a = 0, b = 0, c = 0, d = 0;
  __cpuid(1, a, b, c, d);
  words[0] = c;
  words[7] = c & bit_OSXSAVE ? kept_registers() : 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) words[1] = b, words[2] = c, words[3] = d;
  if (__get_cpuid_count(7, 1, &a, &b, &c, &d)) words[4] = a;
  if (__get_cpuid(0x80000001, &a, &b, &c, &d)) words[5] = c;
}
#elif defined(__wasm__)
static void read_words(int64_t *words) { (void)words; } /* an engine that lacks something does not load the module */
#else
unsigned long getauxval(unsigned long);
enum { kHardware = 16, kHardware2 = 26 };

static void read_words(int64_t *words) {
  words[0] = (int64_t)getauxval(kHardware);
  words[1] = (int64_t)getauxval(kHardware2);
}
#endif

int64_t kiln_processor(const Library *library) {
  int64_t words[kProcessorWords] = {0};
  read_words(words);
  for (int64_t i = library->processors; i-- > 0;) {
    int64_t lacks = 0;
    for (int w = 0; w < kProcessorWords; ++w) lacks |= library->processor[i].needs[w] & ~words[w];
    if (!lacks) return i;
  }
  return -1;
}
