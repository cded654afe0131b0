/* A library is opened and closed, and its weights are swapped. */
#include "codegen/library/support/hosted.h"

void *aligned_alloc(size_t alignment, size_t bytes);
void free(void *);
int sched_yield(void);

enum { kMostPath = 4096, kMostThreads = 1024 };

static int32_t no_routine(const char *routine, const kiln_tensor *tensors, const int64_t *words) {
  (void)routine, (void)tensors, (void)words;
  return KILN_LIBRARY_MISSING;
}

static int32_t never_stops(void) { return 0; }

int64_t kiln_enter(Handle *m) {
  for (;;) {
    int64_t set = m->current;
    m->users[set]++;
    if (m->current == set) return set;
    m->users[set]--; /* swapped meanwhile */
  }
}

void kiln_leave(Handle *m, int64_t set) { m->users[set]--; }

static int32_t check_weights(const Library *library, const void *const *given, Report report) {
  for (int64_t i = 0; i < library->weights; ++i) {
    const Weight *w = &library->weight[i];
    if (!given[i]) return kiln_fail(report, NULL_ARGUMENT, "%s: weights: %s: expected a pointer, got NULL", library->name, w->name);
    if ((uintptr_t)given[i] % (uintptr_t)w->alignment)
      return kiln_fail(report, MISALIGNED, "%s: weights: %s: expected a pointer that is a multiple of %d, got one that is %d above",
                       library->name, w->name, w->alignment, (int64_t)((uintptr_t)given[i] % (uintptr_t)w->alignment));
  }
  return 0;
}

/* Calls that start from now on use the weights `given`; the old ones are not used any more when this returns. */
int32_t kiln_set_weights(Handle *m, const Library *library, const void *const *given, char *text, size_t text_bytes) {
  Report report = {text, text_bytes};
  if (!m || !given) return kiln_fail(report, NULL_ARGUMENT, "%s: %s: expected a pointer, got NULL", library->name, m ? "weights" : "m");
  int32_t status = check_weights(library, given, report);
  if (status) return status;
  while (__c11_atomic_exchange(&m->is_swapping, 1, __ATOMIC_SEQ_CST)) sched_yield();
  int64_t old = m->current;
  for (int64_t i = 0; i < library->weights; ++i) m->weights[!old][i] = given[i];
  m->current = !old;
  while (m->users[old]) sched_yield();
  m->is_swapping = 0;
  return 0;
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

static int32_t map_weights(Handle *m, const Options *options, Report report) {
  const Library *library = m->library;
  char beside[kMostPath];
  const char *path = options ? options->weights_path : 0;
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

static int32_t find_weights(Handle *m, const Options *options, Report report) {
  const Library *library = m->library;
  const void *const *given = options ? options->weights : 0;
  if (!library->weights) return 0;
  if (given) {
    int32_t status = check_weights(library, given, report);
    if (status) return status;
  } else if (library->file) {
    int32_t status = map_weights(m, options, report);
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

void kiln_close(Handle *m) {
  if (!m) return;
  for (int i = 0; i < kPool; ++i)
    if (m->pool[i]) free((char *)m->pool[i] - 64);
  kiln_pool_close(m->threads);
  if (m->file) kiln_unmap(m->file, m->file_bytes);
  free(m);
}

static int32_t check_options(const Library *library, const Options *options, Report report) {
  if (!options || options->bytes == sizeof *options || options->bytes == sizeof(RuntimeOptions)) return 0;
  if (options->bytes != sizeof(ThreadOptions))
    return kiln_fail(report, WRONG_OPTIONS, "%s: options: expected %d bytes, got %d", library->name, (int64_t)sizeof(ThreadOptions),
                     (int64_t)options->bytes);
  const ThreadOptions *all = (const ThreadOptions *)options;
  int64_t most = kiln_has_threads() && !options->parallel_for ? kMostThreads : 1;
  if (all->none) return kiln_fail(report, WRONG_OPTIONS, "%s: options: expected none = NULL, got a pointer", library->name);
  if (all->threads < 0 || all->threads > most)
    return kiln_fail(report, WRONG_OPTIONS, "%s: options: threads: expected 0 to %d%s, got %d", library->name, most,
                     options->parallel_for ? " beside parallel_for" : "", all->threads);
  return 0;
}

/* What runs loops: the program's own function, a pool, Kiln's runtime, or nothing. */
static int32_t find_services(Handle *m, const Options *options, Report report) {
  size_t bytes = options ? options->bytes : 0;
  int64_t threads = bytes == sizeof(ThreadOptions) ? ((const ThreadOptions *)options)->threads : 0;
  if (!threads && !(options && options->parallel_for)) threads = m->library->threads;
  m->runtime = (kiln_rt){KILN_EXECUTABLE_VERSION, no_routine, options ? options->parallel_for : 0, never_stops, never_stops};
  if (bytes == sizeof(RuntimeOptions)) return m->services = ((const RuntimeOptions *)options)->runtime, 0;
  if (threads > 1) {
    m->runtime.parallel_for = kiln_share;
    if (!(m->threads = kiln_pool_open(threads)))
      return kiln_fail(report, OUT_OF_MEMORY, "%s: options: threads: expected a system that starts %d, got fewer", m->library->name,
                       threads - 1);
  }
  m->services = m->runtime.parallel_for ? &m->runtime : 0;
  return 0;
}

int32_t kiln_open(const Library *library, Handle **opened, const Options *options, char *text, size_t text_bytes) {
  Report report = {text, text_bytes};
  if (!opened) return kiln_fail(report, NULL_ARGUMENT, "%s: m: expected a pointer, got NULL", library->name);
  *opened = 0;
  int32_t status = check_options(library, options, report);
  if (status) return status;
  int64_t processor = kiln_processor(library);
  if (processor < 0)
    return kiln_fail(report, WRONG_PROCESSOR, "%s: expected a processor with all of %s, got one without", library->name,
                     library->processor[0].name);
  size_t bytes = sizeof(Handle) + 2 * (size_t)library->weights * sizeof(void *);
  Handle *m = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
  if (!m) return kiln_fail(report, OUT_OF_MEMORY, "%s: expected memory for %d bytes, got none", library->name, (int64_t)bytes);
  __builtin_memset(m, 0, bytes);
  m->library = library;
  m->processor = processor;
  m->weights[0] = (const void **)(m + 1);
  m->weights[1] = m->weights[0] + library->weights;
  status = find_weights(m, options, report);
  if (!status) status = find_services(m, options, report);
  if (status) kiln_close(m);
  else *opened = m;
  return status;
}
