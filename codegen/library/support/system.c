/* The few functions of libc that a library calls, declared as on every Linux of 64 bits: so no headers of a system are needed to compile.
   WebAssembly has memory alone. */
#include "codegen/library/support/hosted.h"

void *aligned_alloc(size_t alignment, size_t bytes);
void free(void *);
#ifndef __wasm__
int open(const char *, int, ...);
int close(int);
long lseek(int, long, int);
void *mmap(void *, size_t, int, int, int, long);
int munmap(void *, size_t);
typedef struct {
  const char *path;
  void *base;
  const char *symbol;
  void *address;
} Dl_info;
int dladdr(const void *, Dl_info *);
#endif

enum { kReadOnly = 0, kCloseOnExec = 02000000, kFromEnd = 2, kReadable = 1, kPrivate = 2, kLine = 64 };

/* The bytes of a workspace stand in front of it. */
static size_t *bytes_of(void *workspace) { return (size_t *)((char *)workspace - kLine); }

void *kiln_take(Handle *m, size_t bytes) {
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

void kiln_give(Handle *m, void *workspace) {
  for (int i = 0; i < kPool; ++i) {
    void *none = 0;
    if (__c11_atomic_compare_exchange_strong(&m->pool[i], &none, workspace, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) return;
  }
  free(bytes_of(workspace));
}

#ifdef __wasm__
void *kiln_map(const char *path, size_t *bytes) { return (void)path, (void)bytes, (void *)0; }
void kiln_unmap(void *file, size_t bytes) { (void)file, (void)bytes; }
int kiln_path_beside(const void *inside, const char *name, char *path, size_t bytes) {
  return (void)inside, (void)name, (void)path, (void)bytes, 0;
}
#else
void *kiln_map(const char *path, size_t *bytes) {
  int file = open(path, kReadOnly | kCloseOnExec);
  if (file < 0) return 0;
  long length = lseek(file, 0, kFromEnd);
  void *mapped = length > 0 ? mmap(0, (size_t)length, kReadable, kPrivate, file, 0) : (void *)-1;
  close(file);
  *bytes = (size_t)length;
  return mapped == (void *)-1 ? 0 : mapped;
}

void kiln_unmap(void *file, size_t bytes) { munmap(file, bytes); }

int kiln_path_beside(const void *inside, const char *name, char *path, size_t bytes) {
  Dl_info info;
  size_t folder = 0, at = 0;
  if (!dladdr(inside, &info)) return 0;
  for (size_t i = 0; info.path[i]; ++i)
    if (info.path[i] == '/') folder = i + 1;
  for (; at < folder; ++at)
    if (at + 1 < bytes) path[at] = info.path[at];
  for (; *name; ++name, ++at)
    if (at + 1 < bytes) path[at] = *name;
  if (at >= bytes) return 0;
  path[at] = 0;
  return 1;
}
#endif
