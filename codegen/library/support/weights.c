/* The weights of a library: where they are when it is opened, and others while calls run. */
#include "codegen/library/support/hosted.h"

int sched_yield(void);

enum { kMostPath = 4096 };

int64_t kiln_enter(Handle *m) {
  for (;;) {
    int64_t set = m->current;
    m->users[set]++;
    if (m->current == set) return set;
    m->users[set]--; /* swapped meanwhile */
  }
}

void kiln_leave(Handle *m, int64_t set) { m->users[set]--; }

static int32_t check_weights(Handle *m, const Library *library, const void *const *given, Report report) {
  for (int64_t i = 0; i < library->weights; ++i) {
    const Weight *w = &library->weight[i];
    if (!given[i]) return kiln_fail(report, NULL_ARGUMENT, "%s: weights: %s: expected a pointer, got NULL", library->name, w->name);
    if ((uintptr_t)given[i] % (uintptr_t)w->alignment)
      return kiln_fail(report, MISALIGNED, "%s: weights: %s: expected a pointer that is a multiple of %d, got one that is %d above",
                       library->name, w->name, w->alignment, (int64_t)((uintptr_t)given[i] % (uintptr_t)w->alignment));
    int32_t status = kiln_check_weight(m, w, given[i], report);
    if (status) return status;
  }
  return 0;
}

static int32_t set_weights(Handle *m, const Library *library, const void *const *given, Report report) {
  int32_t status = check_weights(m, library, given, report);
  if (status) return status;
  while (__c11_atomic_exchange(&m->is_swapping, 1, __ATOMIC_SEQ_CST)) sched_yield();
  int64_t old = m->current;
  for (int64_t i = 0; i < library->weights; ++i) m->weights[!old][i] = given[i];
  m->current = !old;
  while (m->users[old]) sched_yield();
  status = kiln_finish(m, report);
  m->is_swapping = 0;
  return status;
}

/* Calls that start from now on use the weights `given`; the old ones are not used any more when this returns. */
int32_t kiln_set_weights(Handle *m, const Library *library, const void *const *given, char *text, size_t text_bytes) {
  Report report = {text, text_bytes};
  if (!m || !given) return kiln_fail(report, NULL_ARGUMENT, "%s: %s: expected a pointer, got NULL", library->name, m ? "weights" : "m");
  int32_t status = kiln_use(m, report);
  if (status) return status;
  status = set_weights(m, library, given, report);
  kiln_unuse(m);
  return status;
}

/* The weights that calls use now. */
int32_t kiln_get_weights(const Handle *m, const Library *library, const void **weights, char *text, size_t text_bytes) {
  Report report = {text, text_bytes};
  if (!m || !weights) return kiln_fail(report, NULL_ARGUMENT, "%s: %s: expected a pointer, got NULL", library->name, m ? "weights" : "m");
  int64_t set = m->current;
  for (int64_t i = 0; i < library->weights; ++i) weights[i] = m->weights[set][i];
  return 0;
}

static int is_equal(const char *a, const char *b, int64_t bytes) {
  for (int64_t i = 0; i < bytes; ++i)
    if (a[i] != b[i]) return 0;
  return 1;
}

static int32_t map_weights(Handle *m, const char *path, Report report) {
  const Library *library = m->library;
  char beside[kMostPath];
  if (!path && kiln_path_beside(library, library->file, beside, sizeof beside)) path = beside;
  m->file = path ? kiln_map(path, &m->file_bytes) : 0;
  if (!m->file)
    return kiln_fail(report, NO_WEIGHTS, "%s: weights: expected a file that can be read, got '%s'", library->name,
                     path ? path : library->file);
  if (m->file_bytes < (size_t)library->file_bytes || !is_equal(m->file, library->head, library->head_bytes))
    return kiln_fail(report, WRONG_WEIGHTS, "%s: weights: expected the arrays that the library was exported with, got others in '%s'",
                     library->name, path);
  return 0;
}

int32_t kiln_find_weights(Handle *m, const void *const *given, const char *path, Report report) {
  const Library *library = m->library;
  if (!library->weights) return 0;
  if (given) {
    int32_t status = check_weights(m, library, given, report);
    if (status) return status;
  } else if (library->file) {
    int32_t status = map_weights(m, path, report);
    if (status) return status;
  } else if (!library->weight[0].data)
    return kiln_fail(report, NO_WEIGHTS, "%s: weights: expected them in the options, as the library has none of its own, got NULL",
                     library->name);
  for (int64_t i = 0; i < library->weights; ++i) {
    const Weight *w = &library->weight[i];
    m->weights[0][i] = given ? given[i] : m->file ? (const char *)m->file + w->offset : w->data;
  }
  return 0;
}
