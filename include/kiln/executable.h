/* The ABI of an executable: a shared object with these two symbols and no undefined ones but libc's and libm's. */
#ifndef KILN_EXECUTABLE_H
#define KILN_EXECUTABLE_H

#include "op.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a call returns: 0, or these bits. Outputs are then undefined, and nothing outside them was written. */
enum {
  KILN_INDEX_OUT_OF_RANGE = 1,
  KILN_SINGULAR = 2,
  KILN_NOT_POSITIVE_DEFINITE = 4,
  KILN_NOT_CONVERGED = 8,
  KILN_LIBRARY_MISSING = 16,
  KILN_OUT_OF_MEMORY = 32,
  KILN_CUSTOM_FAILED = 64,   /**< the function of an op that the process registered */
  KILN_LIBRARY_FAILED = 128, /**< a routine of the runtime ended by an exception */
  KILN_STOPPED = 256         /**< `stops` said so */
};

/** Iterations [from, to) of a loop; `scratch` is memory of the calling thread. */
typedef void (*kiln_task)(void *context, void *scratch, int64_t from, int64_t to);

/* Fields of a table that lies the same on machines of 32 and 64 bits. */
#ifdef __cplusplus
#define KILN_SLOT alignas(8)
#else
#define KILN_SLOT _Alignas(8)
#endif

/** Services of the runtime that kernels may call; a table, so that an executable has nothing to link. */
typedef struct kiln_rt {
  int32_t version;
  /** Runs a library routine: `tensors` are its operands and then its result, `words` its attributes as in a stored trace. */
  KILN_SLOT int32_t (*library)(const char *routine, const kiln_tensor *tensors, const int64_t *words);
  /** Runs `count` iterations, at least `grain` at a time, in this thread and others, each with 64-byte aligned scratch of its own
      (`scratch` in this one), and returns when all have run. */
  KILN_SLOT void (*parallel_for)(kiln_task task, void *context, void *scratch, int64_t scratch_bytes, int64_t count, int64_t grain);
  /** Whether the program is to end: loops ask now and then. */
  KILN_SLOT int32_t (*stops)(void);
  /** The same for the last time: if not, the program begins to write over its inputs, and `stops` says no until it has ended. */
  KILN_SLOT int32_t (*commits)(void);
} kiln_rt;

/** Runs the program. `buffers` holds the inputs, then the outputs (nothing, where that lies in an input), base pointers with their
    offset included; `dims` the symbolic sizes, then dynamic strides in elements; `workspace` is 64-byte aligned. Re-entrant. Returns 0,
    or bits of what went wrong. */
typedef int32_t (*kiln_entry_fn)(const kiln_rt *rt, void *const *buffers, const int64_t *dims, void *workspace);

/** What the symbol `kiln_info` points to. */
typedef struct kiln_executable_info {
  int64_t version;
  int64_t workspace_bytes; /**< -1 for a program for any size: the symbol `kiln_workspace` tells */
  int64_t kernels;
  /** Outputs that the symbol `kiln_in_place` lists: for each the input in whose memory it lies, or -1. A program that does not fail has
      written over that input. 0: there are none, and no such symbol. */
  int64_t in_place;
} kiln_executable_info;

/** Bytes of the workspace for the sizes in `dims`; -1 where they are more than any machine has. */
typedef int64_t (*kiln_workspace_fn)(const int64_t *dims);

#define KILN_EXECUTABLE_VERSION 4

#ifdef __cplusplus
}
#endif
#endif
