/* Sentences about what went wrong, in the memory of the caller. */
#include "codegen/library/support/library.h"

#include <stdarg.h>

static void put(Report *to, char c) {
  if (to->bytes > 1) *to->text++ = c, --to->bytes;
}

static void put_number(Report *to, int64_t number) {
  char digits[20];
  int count = 0;
  uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
  if (number < 0) put(to, '-');
  do digits[count++] = (char)('0' + left % 10);
  while (left /= 10);
  while (count) put(to, digits[--count]);
}

int32_t kiln_fail(Report report, int32_t status, const char *form, ...) {
  if (!report.text || !report.bytes) return status;
  va_list list;
  va_start(list, form);
  for (; *form; ++form) {
    if (*form != '%') put(&report, *form);
    else if (*++form == 'd') put_number(&report, va_arg(list, int64_t));
    else
      for (const char *text = va_arg(list, const char *); *text; ++text) put(&report, *text);
  }
  va_end(list);
  *report.text = 0;
  return status;
}

/* Of the data: bits, several at once. */
static const char *of_data(int32_t status) {
  if (status & KILN_INDEX_OUT_OF_RANGE) return "an index in the data is out of range";
  if (status & KILN_SINGULAR) return "a matrix is singular";
  if (status & KILN_NOT_POSITIVE_DEFINITE) return "a matrix is not positive definite";
  if (status & KILN_NOT_CONVERGED) return "an iteration did not converge";
  if (status & KILN_LIBRARY_MISSING) return "a routine is missing that the function calls";
  if (status & KILN_OUT_OF_MEMORY) return "the system has no memory left";
  if (status & KILN_CUSTOM_FAILED) return "the kernel of a custom op failed";
  if (status & KILN_STOPPED) return "the call was stopped";
  return "the computation failed";
}

const char *kiln_status_text(int32_t status) {
  switch (status) {
  case 0: return "success";
#define KILN_STATUS(name, number, text)                                                                                                    \
  case number: return text;
#include "include/kiln/statuses.inc"
#undef KILN_STATUS
  default: return status < 0 ? "no status of this library" : of_data(status);
  }
}
