/* What the parts of a call share. */
#pragma once

#include "codegen/library/support/hosted.h"

enum { kLine = 64, kMostStages = 4 };

int kiln_overlap(const void *a, int64_t a_bytes, const void *b, int64_t b_bytes);

/* Where things lie in the workspace of a stage: what is kept for later ones, what the kernels use, results that take the place of an
   argument when all is well, the program's list of buffers, and the numbers that follow from sizes. */
typedef struct Plan {
  const Variant *variant;
  const Code *code;
  int64_t symbols[kMostSymbols];
  int64_t scratch, staged, buffers, numbers, bytes; /* what is kept lies before `scratch` */
} Plan;

int32_t kiln_plan(const Handle *m, const Function *f, int64_t stage, const int64_t *sizes, Plan *plan, Report report);
/* Whether an output waits in the workspace until all is well: that of an argument which is read too, unless the code writes over it at its
   end. */
int kiln_is_staged(const Plan *plan, int64_t output);
/* The memory of an array that is kept, in that of its stage. */
char *kiln_kept(const Variant *v, int64_t number, const int64_t *sizes, char *memory);

/* Arguments that callers give; all of them, each with the room for it; and the workspace of a stage, of which `used` bytes are kept. */
int32_t kiln_check_inputs(const Function *f, const Argument *arguments, void *const *given, const int64_t *sizes, Report report);
int32_t kiln_check_arguments(const Function *f, const Argument *arguments, void *const *given, const int64_t *sizes, const int64_t *room,
                             Report report);
int32_t kiln_check_workspace(const Function *f, int64_t stage, const Plan *plan, void *const *given, const int64_t *sizes,
                             const char *workspace, size_t used, size_t bytes, Report report);
