/* The few functions of libc that a library calls, declared as on every Linux of 64 bits: so no headers of a system are needed to compile.
   WebAssembly has memory alone. */
#include "codegen/library/support/hosted.h"

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

enum { kReadOnly = 0, kCloseOnExec = 02000000, kFromEnd = 2, kReadable = 1, kPrivate = 2 };

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
