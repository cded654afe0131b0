/* Workspaces that a library keeps for its calls. */
#include "codegen/library/support/call.h"

void *aligned_alloc(size_t alignment, size_t bytes);
void free(void *);

/* The bytes of a workspace stand in front of it. */
static size_t *bytes_of(void *workspace) { return (size_t *)((char *)workspace - kLine); }

static void *take(Handle *m, size_t bytes) {
  for (int i = 0; i < kPool; ++i) {
    void *found = m->pool[i] ? __c11_atomic_exchange(&m->pool[i], 0, __ATOMIC_ACQUIRE) : 0;
    if (!found) continue;
    if (*bytes_of(found) >= bytes) return found;
    free(bytes_of(found));
    break;
  }
  char *made = bytes < (size_t)-1 - 2 * kLine ? aligned_alloc(kLine, (bytes + 2 * kLine - 1) & -(size_t)kLine) : 0;
  if (!made) return 0;
  *(size_t *)made = bytes;
  return made + kLine;
}

int32_t kiln_take(const Call *call, int64_t bytes, void **workspace) {
  if ((*workspace = take(call->m, (size_t)bytes))) return 0;
  return kiln_fail(call->report, OUT_OF_MEMORY, "%s: workspace: expected memory for %d bytes, got none", call->f->name, bytes);
}

void kiln_give(const Call *call, void *workspace) {
  for (int i = 0; i < kPool; ++i) {
    void *none = 0;
    if (__c11_atomic_compare_exchange_strong(&call->m->pool[i], &none, workspace, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) return;
  }
  free(bytes_of(workspace));
}
