/* What a machine with an operating system adds: memory, files, and weights that are swapped while calls run. */
#pragma once

#include "codegen/library/support/library.h"

const char *kiln_status_text(int32_t status);

/* A call uses the set of weights that this gives, until it leaves. */
int64_t kiln_enter(Handle *m);
void kiln_leave(Handle *m, int64_t set);

/* A workspace that no other call uses; NULL: no memory. */
void *kiln_take(Handle *m, size_t bytes);
void kiln_give(Handle *m, void *workspace);

/* Of so many threads, the caller's included; NULL: it has not got them. */
int kiln_has_threads(void);
Pool *kiln_pool_open(int64_t threads);
void kiln_pool_close(Pool *p);
/* The pool that loops of this thread are shared out to by `kiln_share` from now on, and before. */
Pool *kiln_pool_use(Pool *p);
void kiln_share(kiln_task task, void *context, void *scratch, int64_t scratch_bytes, int64_t count, int64_t grain);

/* A file, mapped for reading; NULL where that cannot be. */
void *kiln_map(const char *path, size_t *bytes);
void kiln_unmap(void *file, size_t bytes);
/* The path of a file beside the one that holds `inside`; 0: it is too long. */
int kiln_path_beside(const void *inside, const char *name, char *path, size_t bytes);
