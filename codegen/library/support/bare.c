/* A machine without an operating system: the caller keeps the handle and gives memory for each call. */
#include "codegen/library/support/call.h"

int64_t kiln_enter(Handle *m) { return (void)m, 0; }
void kiln_leave(Handle *m, int64_t set) { (void)m, (void)set; }
int32_t kiln_take(const Call *call, int64_t bytes, void **workspace) {
  *workspace = (void *)0;
  return kiln_fail(call->report, OUT_OF_MEMORY, "%s: workspace: expected memory for %d bytes, got none", call->f->name, bytes);
}
void kiln_give(const Call *call, void *workspace) { (void)call, (void)workspace; }

int32_t kiln_init(const Library *library, Handle *m, const void *const *weights) {
  if (!m) return NULL_ARGUMENT;
  *m = (Handle){library, weights};
  for (int64_t i = 0; i < library->weights; ++i) {
    const Weight *w = &library->weight[i];
    const void *data = weights ? weights[i] : w->data;
    if (!data) return weights ? NULL_ARGUMENT : NO_WEIGHTS;
    if ((uintptr_t)data % (uintptr_t)w->alignment) return MISALIGNED;
  }
  return 0;
}
