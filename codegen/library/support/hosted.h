/* What a machine with an operating system adds: memory, files, and weights that are swapped while calls run. */
#pragma once

#include "codegen/library/support/library.h"

const char *kiln_status_text(int32_t status);

/* A call uses the set of weights that this gives, until it leaves. */
int64_t kiln_enter(Handle *m);
void kiln_leave(Handle *m, int64_t set);

/* Finds the weights of a library that is being opened, a file of them mapped; `given`: those of the options. */
int32_t kiln_find_weights(Handle *m, const void *const *given, const char *path, Report report);

/* Of so many threads, the caller's included; NULL: it has not got them. */
int kiln_has_threads(void);
Pool *kiln_pool_open(int64_t threads);
void kiln_pool_close(Pool *p);
/* The pool that loops of this thread are shared out to by `kiln_share` from now on, and before. */
Pool *kiln_pool_use(Pool *p);
void kiln_share(kiln_task task, void *context, void *scratch, int64_t scratch_bytes, int64_t count, int64_t grain);

#ifdef KILN_DEVICE
/* The device of a library is this thread's own from one to the other. */
int32_t kiln_use(const Handle *m, Report report);
void kiln_unuse(const Handle *m);
/* Whether a weight that a caller gives is memory of the device. */
int32_t kiln_check_weight(const Handle *m, const Weight *w, const void *given, Report report);
/* Waits for all that the device was asked for. */
int32_t kiln_finish(const Handle *m, Report report);
int64_t kiln_device_number(const Handle *m);
#else
static inline int32_t kiln_use(const Handle *m, Report report) { return (void)m, (void)report, 0; }
static inline void kiln_unuse(const Handle *m) { (void)m; }
static inline int32_t kiln_check_weight(const Handle *m, const Weight *w, const void *given, Report report) {
  return (void)m, (void)w, (void)given, (void)report, 0;
}
static inline int32_t kiln_finish(const Handle *m, Report report) { return (void)m, (void)report, 0; }
static inline int64_t kiln_device_number(const Handle *m) { return (void)m, 0; }
#endif

/* A file, mapped for reading; NULL where that cannot be. */
void *kiln_map(const char *path, size_t *bytes);
void kiln_unmap(void *file, size_t bytes);
/* The path of a file beside the one that holds `inside`; 0: it is too long. */
int kiln_path_beside(const void *inside, const char *name, char *path, size_t bytes);
