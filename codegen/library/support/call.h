/* What the parts of a call share. */
#pragma once

#include "codegen/library/support/hosted.h"

enum { kLine = 64, kMostStages = 4 };

int kiln_overlap(const void *a, int64_t a_bytes, const void *b, int64_t b_bytes);

/* Where things lie in the workspace of a stage: what is kept for later ones, what the kernels use, results that take the place of an
   argument when all is well, the program's list of buffers (of a device what it answers), and the numbers that follow from sizes (of a
   device those that callers give, too). */
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

/* What a program gives beside what callers get. On a device it lies in the workspace until it is asked for. */
typedef struct Answers {
  int64_t missed, count; /* the question whose answer was not recorded, else 0; the next dimension */
  int32_t status;        /* of a device's kernels */
} Answers;

enum { kNumberBytes = 16, kAnswerBytes = 64 };

/* A call under way. */
typedef struct Call {
  Handle *m;
  const Function *f;
  void *const *given;
  const int64_t *room;
  Report report;
  void *stream;
  int64_t set;           /* of weights, one and the same in all stages */
  const Variant *before; /* of the stage before, */
  char *kept;            /* and what it left */
  char *workspace;       /* the caller's, from where nothing is kept yet; NULL: each stage takes memory of its own */
  size_t bytes, used;    /* of all of it, and of what is kept */
  void *own[kMostStages + 1];
} Call;

/* Whether an input of a program is a number, which has no memory that the program could read. */
static inline int kiln_is_number(const Function *f, const Input *input) {
  if (input->source == kSize) return 1;
  return kIsDevice && input->source == kArgument && f->last.variant->arguments[input->place].use == kValue;
}

/* Runs a program's code: 0, a status of the data, or one with its sentence. What it answers is in `answers` then. */
int32_t kiln_run_code(const Call *call, const Plan *plan, const int64_t *sizes, void **buffers, char *workspace, Answers *answers);

/* A workspace for a call, and given back. The status, with its sentence, where there is none. */
int32_t kiln_take(const Call *call, int64_t bytes, void **workspace);
void kiln_give(const Call *call, void *workspace);

#ifdef KILN_DEVICE
/* In the order of the call's stream: bytes of a number to the device; from there to there. */
int32_t kiln_put(const Call *call, void *to, const void *from, int64_t bytes);
int32_t kiln_copy(const Call *call, void *to, const void *from, int64_t bytes);
/* Whether what callers give is memory of the device. */
int32_t kiln_check_memory(const Call *call, const Argument *arguments, int64_t count, const int64_t *sizes);
#else
static inline int32_t kiln_put(const Call *call, void *to, const void *from, int64_t bytes) {
  return (void)call, __builtin_memcpy(to, from, (size_t)bytes), 0;
}
static inline int32_t kiln_copy(const Call *call, void *to, const void *from, int64_t bytes) { return kiln_put(call, to, from, bytes); }
static inline int32_t kiln_check_memory(const Call *call, const Argument *arguments, int64_t count, const int64_t *sizes) {
  return (void)call, (void)arguments, (void)count, (void)sizes, 0;
}
#endif
