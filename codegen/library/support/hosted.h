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

/* A file, mapped for reading; NULL where that cannot be. */
void *kiln_map(const char *path, size_t *bytes);
void kiln_unmap(void *file, size_t bytes);
/* The path of a file beside the one that holds `inside`; 0: it is too long. */
int kiln_path_beside(const void *inside, const char *name, char *path, size_t bytes);
