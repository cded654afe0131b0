/* The ABI of an executable: a shared object with these two symbols and no undefined ones but libc's and libm's. */
#ifndef KILN_EXECUTABLE_H
#define KILN_EXECUTABLE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Services of the runtime that kernels may call; a table, so that an executable has nothing to link. */
typedef struct kiln_rt {
  int32_t version;
} kiln_rt;

/** Runs the program. `buffers` holds the inputs, then the outputs, base pointers with their offset included; `dims` the
    symbolic sizes, then dynamic strides in elements; `workspace` is 64-byte aligned. Re-entrant. Returns 0, or 1 where an
    index was out of range: outputs are then undefined, and nothing outside them was written. */
typedef int32_t (*kiln_entry_fn)(const kiln_rt *rt, void *const *buffers, const int64_t *dims, void *workspace);

/** What the symbol `kiln_info` points to. */
typedef struct kiln_executable_info {
  int64_t version, workspace_bytes, kernels;
} kiln_executable_info;

#define KILN_EXECUTABLE_VERSION 1

#ifdef __cplusplus
}
#endif
#endif
