/* Memory of a module of WebAssembly that stands alone: a list of free blocks in the order of their addresses, the first that is large
   enough is used, neighbours are joined. Blocks are multiples of 64 bytes, and 64 bytes in front of each keep its size. */
#include "codegen/library/support/hosted.h"

enum { kLine = 64, kPage = 65536 };

typedef struct Block {
  size_t bytes; /* with its line in front */
  struct Block *next;
} Block;

extern char __heap_base; /* the linker's */
static Block *first;
static char *end; /* of what was given out once */

static void put_back(Block *block) {
  Block **at = &first, *before = 0;
  while (*at && *at < block) before = *at, at = &(*at)->next;
  block->next = *at;
  *at = block;
  if (block->next && (char *)block + block->bytes == (char *)block->next) {
    block->bytes += block->next->bytes;
    block->next = block->next->next;
  }
  if (before && (char *)before + before->bytes == (char *)block) {
    before->bytes += block->bytes;
    before->next = block->next;
  }
}

/* More memory from the engine. */
static int grow(size_t bytes) {
  if (!end) end = (char *)(((uintptr_t)&__heap_base + kLine - 1) & -(uintptr_t)kLine);
  uint64_t wanted = (uint64_t)(uintptr_t)end + bytes, here = (uint64_t)__builtin_wasm_memory_size(0) * kPage;
  if (wanted >> 32) return 0;
  if (wanted > here && __builtin_wasm_memory_grow(0, (size_t)((wanted - here + kPage - 1) / kPage)) == (size_t)-1) return 0;
  Block *made = (Block *)end;
  made->bytes = bytes;
  end += bytes;
  put_back(made);
  return 1;
}

static void *find(size_t bytes) {
  for (Block **at = &first; *at; at = &(*at)->next) {
    Block *block = *at;
    if (block->bytes < bytes) continue;
    if (block->bytes > bytes) { /* its end is used */
      block->bytes -= bytes;
      block = (Block *)((char *)block + block->bytes);
      block->bytes = bytes;
    } else *at = block->next;
    return (char *)block + kLine;
  }
  return 0;
}

void *kiln_alloc(size_t bytes) {
  if (bytes > (size_t)-1 - 3 * kLine) return 0;
  bytes = ((bytes ? bytes : 1) + 2 * kLine - 1) & -(size_t)kLine;
  void *found = find(bytes);
  return found || !grow(bytes) ? found : find(bytes);
}

void kiln_free(void *memory) {
  if (memory) put_back((Block *)((char *)memory - kLine));
}

void *aligned_alloc(size_t alignment, size_t bytes) { return (void)alignment, kiln_alloc(bytes); }
void free(void *memory) { kiln_free(memory); }
int sched_yield(void) { return 0; } /* there is one thread */
