/* A call: arguments are checked, put into the order of the program, and run. */
#include "codegen/library/support/library.h"

#include "codegen/library/support/hosted.h"

#ifdef KILN_BARE
static const Code *code_of(const Handle *m, const Variant *v) { return (void)m, v->code; }
static const void *weight_of(const Handle *m, int64_t set, int64_t i) {
  return (void)set, m->weights ? m->weights[i] : m->library->weight[i].data;
}
static int32_t run_code(const Handle *m, const Code *code, void **buffers, const int64_t *symbols, void *workspace) {
  return (void)m, code->run((const kiln_rt *)0, buffers, symbols, workspace);
}
#else
static const Code *code_of(const Handle *m, const Variant *v) { return &v->code[m->processor]; }
static const void *weight_of(const Handle *m, int64_t set, int64_t i) { return m->weights[set][i]; }
static int32_t run_code(const Handle *m, const Code *code, void **buffers, const int64_t *symbols, void *workspace) {
  Pool *before = m->threads ? kiln_pool_use(m->threads) : 0;
  int32_t status = code->run(m->services, buffers, symbols, workspace);
  if (m->threads) kiln_pool_use(before);
  return status;
}
#endif

enum { kLine = 64, kNumberBytes = 16, kAddressBits = sizeof(void *) == 4 ? 31 : 47 };

/* Where things lie in a workspace: what the kernels use, results that take the place of an argument when all is well, the program's list of
   buffers, and the numbers that follow from sizes. */
typedef struct Plan {
  const Variant *variant;
  const Code *code;
  int64_t symbols[kMostSymbols];
  int64_t staged, buffers, numbers, bytes;
} Plan;

static int grow(int64_t *bytes, int64_t by) {
  return by < 0 || __builtin_add_overflow(*bytes, by, bytes) || __builtin_add_overflow(*bytes, kLine - 1, bytes) || (*bytes &= -kLine, 0);
}

/* Whether an output waits in the workspace until all is well: that of an argument which is read too, unless the code writes over it at its
 * end. */
static int is_staged(const Plan *plan, int64_t output) {
  const Variant *v = plan->variant;
  const int64_t *in_place = plan->code->in_place;
  if (v->output[output] < 0) return 0;
  return v->arguments[v->output[output]].use == kReadAndWritten && !(in_place && in_place[output] >= 0);
}

/* Whether arrays of a program are more than a machine addresses: then the arithmetic of its kernels on sizes may overflow. (That of its
   workspace says so itself.) */
static int is_beyond_memory(const Variant *v, const int64_t *sizes) {
  int64_t all = 0, bytes;
  for (int64_t i = 0; i < v->inner; ++i)
    if (kiln_bytes_of(&v->array[i], sizes, &bytes) || __builtin_add_overflow(all, bytes, &all)) return 1;
  return all >> kAddressBits != 0;
}

static int32_t make_plan(const Handle *m, const Function *f, const int64_t *sizes, Plan *plan, Report report) {
  int32_t status = kiln_choose(f, sizes, &plan->variant, report);
  if (status) return status;
  const Variant *v = plan->variant;
  plan->code = code_of(m, v);
  if ((status = kiln_symbols(f, v, sizes, plan->symbols, report))) return status;
  int64_t end = 0;
  int is_too_large =
      is_beyond_memory(v, sizes) || grow(&end, plan->code->workspace ? plan->code->workspace(plan->symbols) : plan->code->bytes);
  plan->staged = end;
  for (int64_t i = 0; i < v->outputs && !is_too_large; ++i) {
    int64_t bytes = 0;
    if (is_staged(plan, i)) is_too_large = kiln_bytes_of(&v->arguments[v->output[i]], sizes, &bytes) || grow(&end, bytes);
  }
  plan->buffers = end;
  is_too_large = is_too_large || grow(&end, (v->inputs + v->outputs) * (int64_t)sizeof(void *));
  plan->numbers = end;
  for (int64_t i = 0; i < v->inputs && !is_too_large; ++i)
    is_too_large = v->input[i].source == kSize && __builtin_add_overflow(end, kNumberBytes, &end);
  plan->bytes = end;
  is_too_large = is_too_large || end >> kAddressBits;
  if (is_too_large)
    return kiln_fail(report, SIZE_OVERFLOW, "%s: %s: expected sizes whose arrays fit into memory, got %d", f->name,
                     f->dimensions ? f->dimension[0].name : "workspace", f->dimensions ? sizes[0] : end);
  return 0;
}

int64_t kiln_workspace_size(const Handle *m, const Function *f, const int64_t *sizes) {
  Plan plan;
  if (!m) return NULL_ARGUMENT;
  int32_t status = make_plan(m, f, sizes, &plan, (Report){0, 0});
  return status ? status : plan.bytes;
}

static int overlap(const void *a, int64_t a_bytes, const void *b, int64_t b_bytes) {
  uintptr_t x = (uintptr_t)a, y = (uintptr_t)b;
  return a_bytes && b_bytes && x < y + (uintptr_t)b_bytes && y < x + (uintptr_t)a_bytes;
}

static int32_t check_pointer(const Function *f, const Argument *a, const void *given, int64_t bytes, Report report) {
  if (!given && bytes) return kiln_fail(report, NULL_ARGUMENT, "%s: %s: expected a pointer to %d bytes, got NULL", f->name, a->name, bytes);
  if ((uintptr_t)given % (uintptr_t)a->alignment)
    return kiln_fail(report, MISALIGNED, "%s: %s: expected a pointer that is a multiple of %d, got one that is %d above", f->name, a->name,
                     a->alignment, (int64_t)((uintptr_t)given % (uintptr_t)a->alignment));
  if ((uint64_t)bytes > UINTPTR_MAX || (uintptr_t)given + (uintptr_t)bytes < (uintptr_t)given)
    return kiln_fail(report, SIZE_OVERFLOW, "%s: %s: expected an array that ends in memory, got %d bytes", f->name, a->name, bytes);
  return 0;
}

/* What is written overlaps nothing else. */
static int32_t check_written(const Function *f, const Argument *arguments, int64_t written, void *const *given, const int64_t *sizes,
                             Report report) {
  int64_t bytes, others;
  kiln_bytes_of(&arguments[written], sizes, &bytes);
  for (int64_t i = 0; i < f->arguments; ++i) {
    if (i == written || arguments[i].use == kValue) continue;
    kiln_bytes_of(&arguments[i], sizes, &others);
    if (overlap(given[written], bytes, given[i], others))
      return kiln_fail(report, OVERLAP, "%s: %s: expected memory of its own, got some that %s has too", f->name, arguments[written].name,
                       arguments[i].name);
  }
  return 0;
}

static int32_t check_arguments(const Function *f, const Argument *arguments, void *const *given, const int64_t *sizes, Report report) {
  int32_t status;
  for (int64_t i = 0; i < f->arguments; ++i) {
    int64_t bytes;
    if (arguments[i].use == kValue) continue;
    if (kiln_bytes_of(&arguments[i], sizes, &bytes))
      return kiln_fail(report, SIZE_OVERFLOW, "%s: %s: expected sizes whose arrays fit into memory, got %s = %d", f->name,
                       arguments[i].name, f->dimension[0].name, sizes[0]);
    if ((status = check_pointer(f, &arguments[i], given[i], bytes, report))) return status;
  }
  for (int64_t i = 0; i < f->arguments; ++i)
    if (arguments[i].use == kWritten || arguments[i].use == kReadAndWritten)
      if ((status = check_written(f, arguments, i, given, sizes, report))) return status;
  return 0;
}

static int32_t check_workspace(const Function *f, const Plan *plan, void *const *given, const int64_t *sizes, const char *workspace,
                               size_t bytes, Report report) {
  if ((uintptr_t)workspace % kLine)
    return kiln_fail(report, MISALIGNED, "%s: workspace: expected a pointer that is a multiple of 64, got one that is %d above", f->name,
                     (int64_t)((uintptr_t)workspace % kLine));
  if (bytes < (size_t)plan->bytes)
    return kiln_fail(report, SHORT_WORKSPACE, "%s: workspace: expected %d bytes, got %d", f->name, plan->bytes, (int64_t)bytes);
  for (int64_t i = 0; i < f->arguments; ++i) {
    const Argument *a = &plan->variant->arguments[i];
    int64_t own;
    if (a->use == kValue) continue;
    kiln_bytes_of(a, sizes, &own);
    if (overlap(given[i], own, workspace, plan->bytes))
      return kiln_fail(report, OVERLAP, "%s: workspace: expected memory of its own, got some that %s has too", f->name, a->name);
  }
  return 0;
}

/* A number in the memory of an input of rank 0. */
static void store_number(int64_t form, int64_t number, void *to) {
  switch (form) {
  case -4: *(float *)to = (float)number; break;
  case -8: *(double *)to = (double)number; break;
  case 1: *(int8_t *)to = (int8_t)number; break;
  case 2: *(int16_t *)to = (int16_t)number; break;
  case 4: *(int32_t *)to = (int32_t)number; break;
  default: *(int64_t *)to = number;
  }
}

/* *missed: the number of the question whose answer was not recorded, else 0. */
static int32_t run(Handle *m, const Plan *plan, void *const *given, const int64_t *sizes, char *workspace, int64_t *missed) {
  const Variant *v = plan->variant;
  void **buffers = (void **)(workspace + plan->buffers);
  char *number = workspace + plan->numbers, *staged = workspace + plan->staged;
  int64_t bytes, set = m->library->weights ? kiln_enter(m) : 0;
  for (int64_t i = 0; i < v->inputs; ++i) {
    const Input *input = &v->input[i];
    if (input->source == kArgument) buffers[i] = given[input->place];
    else if (input->source == kWeight) buffers[i] = (void *)weight_of(m, set, input->place);
    else {
      int64_t value = 0;
      kiln_evaluate(&input->number, sizes, &value);
      store_number(input->form, value, buffers[i] = number);
      number += kNumberBytes;
    }
  }
  for (int64_t i = 0; i < v->outputs; ++i) {
    buffers[v->inputs + i] = v->output[i] < 0 ? missed : given[v->output[i]];
    if (!is_staged(plan, i)) continue;
    kiln_bytes_of(&v->arguments[v->output[i]], sizes, &bytes);
    buffers[v->inputs + i] = staged;
    staged += (bytes + kLine - 1) & -kLine;
  }
  int32_t status = run_code(m, plan->code, buffers, plan->symbols, workspace);
  if (m->library->weights) kiln_leave(m, set);
  if (status) return status;
  if (*missed) return NOT_RECORDED;
  for (int64_t i = 0; i < v->outputs; ++i)
    if (is_staged(plan, i)) {
      kiln_bytes_of(&v->arguments[v->output[i]], sizes, &bytes);
      __builtin_memcpy(given[v->output[i]], buffers[v->inputs + i], (size_t)bytes);
    }
  return 0;
}

int32_t kiln_call(Handle *m, const Function *f, void *const *given, const int64_t *sizes, void *workspace, size_t bytes, char *text,
                  size_t text_bytes) {
  Report report = {text, text_bytes};
  Plan plan;
  int32_t status;
  if (!m) return kiln_fail(report, NULL_ARGUMENT, "%s: m: expected a library that was opened, got NULL", f->name);
  if ((status = make_plan(m, f, sizes, &plan, report))) return status;
  if ((status = check_arguments(f, plan.variant->arguments, given, sizes, report))) return status;
  if (workspace && (status = check_workspace(f, &plan, given, sizes, workspace, bytes, report))) return status;
  void *own = workspace ? workspace : kiln_take(m, (size_t)plan.bytes);
  if (!own) return kiln_fail(report, OUT_OF_MEMORY, "%s: workspace: expected memory for %d bytes, got none", f->name, plan.bytes);
  int64_t missed = 0;
  status = run(m, &plan, given, sizes, own, &missed);
  if (!workspace) kiln_give(m, own);
  if (status == NOT_RECORDED)
    return kiln_fail(report, status, "%s: expected values that lead to a recorded way, got another answer at %s", f->name,
                     missed > 0 && missed <= plan.variant->misses ? plan.variant->miss[missed - 1] : "a place that it does not name");
  if (status) kiln_fail(report, status, "%s: expected data that it can compute with: %s", f->name, kiln_status_text(status));
  return status;
}
