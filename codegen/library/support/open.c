/* A library is opened and closed. */
#include "codegen/library/support/hosted.h"

void *aligned_alloc(size_t alignment, size_t bytes);
void free(void *);

enum { kMostThreads = 1024 };

static int32_t no_routine(const char *routine, const kiln_tensor *tensors, const int64_t *words) {
  (void)routine, (void)tensors, (void)words;
  return KILN_LIBRARY_MISSING;
}

static int32_t never_stops(void) { return 0; }

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
  status = kiln_find_weights(m, options ? options->weights : 0, options ? options->weights_path : 0, report);
  if (!status) status = find_services(m, options, report);
  if (status) kiln_close(m);
  else *opened = m;
  return status;
}
