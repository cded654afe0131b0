/* What callers give is checked before anything is read or written. */
#include "codegen/library/support/call.h"

int kiln_overlap(const void *a, int64_t a_bytes, const void *b, int64_t b_bytes) {
  uintptr_t x = (uintptr_t)a, y = (uintptr_t)b;
  return a_bytes && b_bytes && x < y + (uintptr_t)b_bytes && y < x + (uintptr_t)a_bytes;
}

static int32_t check_pointer(const Function *f, const Argument *a, const void *given, int64_t bytes, Report report) {
  if (!given && bytes) return kiln_fail(report, NULL_ARGUMENT, "%s: %s: expected a pointer to %d bytes, got NULL", f->name, a->name, bytes);
  if ((uintptr_t)given % (uintptr_t)a->alignment)
    return kiln_fail(report, MISALIGNED, "%s: %s: expected a pointer that is a multiple of %d, got one that is %d above", f->name, a->name,
                     a->alignment, (int64_t)((uintptr_t)given % (uintptr_t)a->alignment));
  if ((uint64_t)bytes > UINTPTR_MAX || (uintptr_t)given + (uintptr_t)bytes < (uintptr_t)given)
    return kiln_fail(report, SIZE_OVERFLOW, "%s: %s: expected an array that ends in memory, got %d bytes", f->name, a->name, bytes);
  return 0;
}

/* What is written overlaps nothing else. */
static int32_t check_written(const Function *f, const Argument *arguments, int64_t written, void *const *given, const int64_t *sizes,
                             Report report) {
  int64_t bytes, others;
  kiln_bytes_of(&arguments[written], sizes, &bytes);
  for (int64_t i = 0; i < f->arguments; ++i) {
    if (i == written || arguments[i].use == kValue) continue;
    kiln_bytes_of(&arguments[i], sizes, &others);
    if (kiln_overlap(given[written], bytes, given[i], others))
      return kiln_fail(report, OVERLAP, "%s: %s: expected memory of its own, got some that %s has too", f->name, arguments[written].name,
                       arguments[i].name);
  }
  return 0;
}

static int32_t check_bytes(const Function *f, const Argument *a, const int64_t *sizes, int64_t *bytes, Report report) {
  if (!kiln_bytes_of(a, sizes, bytes)) return 0;
  return kiln_fail(report, SIZE_OVERFLOW, "%s: %s: expected sizes whose arrays fit into memory, got %s = %d", f->name, a->name,
                   f->dimension[0].name, sizes[0]);
}

int32_t kiln_check_inputs(const Function *f, const Argument *arguments, void *const *given, const int64_t *sizes, Report report) {
  int32_t status = 0;
  for (int64_t i = 0; i < f->given && !status; ++i) {
    int64_t bytes;
    if (arguments[i].use == kValue || (status = check_bytes(f, &arguments[i], sizes, &bytes, report))) continue;
    status = check_pointer(f, &arguments[i], given[i], bytes, report);
  }
  return status;
}

/* A result whose size values decide fits into the room for it. */
static int32_t check_room(const Function *f, const Argument *a, int64_t bytes, const int64_t *room, Report report) {
  int64_t elements = bytes / a->bytes;
  if (a->room < 0 || elements <= room[a->room]) return 0;
  return kiln_fail(report, SHORT_OUTPUT, "%s: %s: expected room for %d elements, got %d", f->name, a->name, elements, room[a->room]);
}

int32_t kiln_check_arguments(const Function *f, const Argument *arguments, void *const *given, const int64_t *sizes, const int64_t *room,
                             Report report) {
  int32_t status = kiln_check_inputs(f, arguments, given, sizes, report);
  for (int64_t i = f->given; i < f->arguments && !status; ++i) {
    int64_t bytes;
    if ((status = check_bytes(f, &arguments[i], sizes, &bytes, report))) break;
    if ((status = check_room(f, &arguments[i], bytes, room, report))) break;
    status = check_pointer(f, &arguments[i], given[i], bytes, report);
  }
  for (int64_t i = 0; i < f->arguments && !status; ++i)
    if (arguments[i].use == kWritten || arguments[i].use == kReadAndWritten) status = check_written(f, arguments, i, given, sizes, report);
  return status;
}

int32_t kiln_check_workspace(const Function *f, int64_t stage, const Plan *plan, void *const *given, const int64_t *sizes,
                             const char *workspace, size_t used, size_t bytes, Report report) {
  const Argument *arguments = f->last.variant->arguments;
  int64_t needed = (int64_t)used + plan->bytes, count = stage == f->stages ? f->arguments : f->given;
  if (stage == f->stages) arguments = plan->variant->arguments; /* now all sizes are known */
  if ((uintptr_t)workspace % kLine)
    return kiln_fail(report, MISALIGNED, "%s: workspace: expected a pointer that is a multiple of 64, got one that is %d above", f->name,
                     (int64_t)((uintptr_t)workspace % kLine));
  if (bytes < (size_t)needed)
    return kiln_fail(report, SHORT_WORKSPACE, "%s: workspace: expected %d bytes, got %d", f->name, needed, (int64_t)bytes);
  for (int64_t i = 0; i < count; ++i) {
    int64_t own;
    if (arguments[i].use == kValue) continue;
    kiln_bytes_of(&arguments[i], sizes, &own);
    if (kiln_overlap(given[i], own, workspace, needed))
      return kiln_fail(report, OVERLAP, "%s: workspace: expected memory of its own, got some that %s has too", f->name, arguments[i].name);
  }
  return 0;
}
