/* A call: arguments are checked, put into the order of the program, and run. */
#include "codegen/library/support/call.h"

#ifdef KILN_BARE
static const void *weight_of(const Handle *m, int64_t set, int64_t i) {
  return (void)set, m->weights ? m->weights[i] : m->library->weight[i].data;
}
static int32_t run_code(const Handle *m, const Code *code, void **buffers, const int64_t *symbols, void *workspace) {
  return (void)m, code->run((const kiln_rt *)0, buffers, symbols, workspace);
}
#else
static const void *weight_of(const Handle *m, int64_t set, int64_t i) { return m->weights[set][i]; }
static int32_t run_code(const Handle *m, const Code *code, void **buffers, const int64_t *symbols, void *workspace) {
  Pool *before = m->threads ? kiln_pool_use(m->threads) : 0;
  int32_t status = code->run(m->services, buffers, symbols, workspace);
  if (m->threads) kiln_pool_use(before);
  return status;
}
#endif

enum { kNumberBytes = 16 };

/* A call under way. */
typedef struct Call {
  Handle *m;
  const Function *f;
  void *const *given;
  const int64_t *room;
  Report report;
  int64_t set;           /* of weights, one and the same in all stages */
  const Variant *before; /* of the stage before, */
  char *kept;            /* and what it left */
  char *workspace;       /* the caller's, from where nothing is kept yet; NULL: each stage takes memory of its own */
  size_t bytes, used;    /* of all of it, and of what is kept */
  void *own[kMostStages + 1];
} Call;

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

/* What a program gives beside what callers get. */
typedef struct Numbers {
  int64_t missed, count; /* the question whose answer was not recorded, else 0; the next dimension */
} Numbers;

/* One that was kept, where it has the bytes that the program takes; NULL: the stages were not made for each other at these sizes. */
static void *kept_for(const Call *call, const Input *input, const int64_t *sizes) {
  int64_t kept, taken;
  if (input->place >= call->before->kept) return (void *)0;
  kiln_bytes_of(&call->before->keep[input->place], sizes, &kept);
  if (kiln_bytes_of(input->array, sizes, &taken) || kept != taken) return (void *)0;
  return kiln_kept(call->before, input->place, sizes, call->kept);
}

static int32_t run(const Call *call, const Plan *plan, const int64_t *sizes, char *workspace, Numbers *numbers) {
  Handle *m = call->m;
  void *const *given = call->given;
  const Variant *v = plan->variant;
  void **buffers = (void **)(workspace + plan->buffers);
  char *number = workspace + plan->numbers, *staged = workspace + plan->staged;
  int64_t bytes;
  for (int64_t i = 0; i < v->inputs; ++i) {
    const Input *input = &v->input[i];
    if (input->source == kArgument) buffers[i] = given[input->place];
    else if (input->source == kWeight) buffers[i] = (void *)weight_of(m, call->set, input->place);
    else if (input->source == kKept) {
      if (!(buffers[i] = kept_for(call, input, sizes))) return SIZE_NOT_COMPILED;
    } else {
      int64_t value = 0;
      kiln_evaluate(&input->number, sizes, &value);
      store_number(input->form, value, buffers[i] = number);
      number += kNumberBytes;
    }
  }
  for (int64_t i = 0; i < v->outputs; ++i) {
    int64_t output = v->output[i];
    if (output == kMiss) buffers[v->inputs + i] = &numbers->missed;
    else if (output == kCount) buffers[v->inputs + i] = &numbers->count;
    else if (output < 0) buffers[v->inputs + i] = kiln_kept(v, kFirstKept - output, sizes, workspace);
    else buffers[v->inputs + i] = given[output];
    if (!kiln_is_staged(plan, i)) continue;
    kiln_bytes_of(&v->arguments[v->output[i]], sizes, &bytes);
    buffers[v->inputs + i] = staged;
    staged += (bytes + kLine - 1) & -kLine;
  }
  int32_t status = run_code(m, plan->code, buffers, plan->symbols, workspace + plan->scratch);
  if (status) return status;
  if (numbers->missed) return NOT_RECORDED;
  for (int64_t i = 0; i < v->outputs; ++i)
    if (kiln_is_staged(plan, i)) {
      kiln_bytes_of(&v->arguments[v->output[i]], sizes, &bytes);
      __builtin_memcpy(given[v->output[i]], buffers[v->inputs + i], (size_t)bytes);
    }
  return 0;
}

/* Why a stage failed, as a sentence. */
static int32_t explain(const Call *call, const Plan *plan, int32_t status, const Numbers *numbers) {
  const char *name = call->f->name;
  if (status == SIZE_NOT_COMPILED)
    return kiln_fail(call->report, status, "%s: expected stages that fit together, got some that do not at these sizes", name);
  if (status != NOT_RECORDED)
    return kiln_fail(call->report, status, "%s: expected data that it can compute with: %s", name, kiln_status_text(status));
  int64_t missed = numbers->missed;
  return kiln_fail(call->report, status, "%s: expected values that lead to a recorded way, got another answer at %s", name,
                   missed > 0 && missed <= plan->variant->misses ? plan->variant->miss[missed - 1] : "a place that it does not name");
}

/* Memory for a stage, the caller's or its own. */
static int32_t memory_for(Call *call, int64_t stage, const Plan *plan, const int64_t *sizes, char **memory) {
  *memory = call->workspace;
  if (*memory)
    return kiln_check_workspace(call->f, stage, plan, call->given, sizes, call->workspace - call->used, call->used, call->bytes,
                                call->report);
  *memory = call->own[stage] = kiln_take(call->m, (size_t)plan->bytes);
  if (*memory) return 0;
  return kiln_fail(call->report, OUT_OF_MEMORY, "%s: workspace: expected memory for %d bytes, got none", call->f->name, plan->bytes);
}

/* Runs a stage that counts: the next of the sizes. */
static int32_t count(Call *call, int64_t stage, Plan *plan, int64_t *sizes) {
  char *memory;
  Numbers numbers = {0, 0};
  int32_t status = kiln_plan(call->m, call->f, stage, sizes, plan, call->report);
  if (status || (status = memory_for(call, stage, plan, sizes, &memory))) return status;
  if ((status = run(call, plan, sizes, memory, &numbers))) return explain(call, plan, status, &numbers);
  sizes[call->f->dimensions - call->f->stages + stage] = numbers.count;
  call->before = plan->variant;
  call->kept = memory;
  if (call->workspace) call->workspace += plan->scratch, call->used += (size_t)plan->scratch;
  return 0;
}

static int32_t tell(const Call *call, const Plan *plan, const int64_t *sizes, int64_t *const *found) {
  for (int64_t i = 0; i < call->f->founds && found; ++i)
    if (found[i] && kiln_evaluate(&plan->variant->found[i], sizes, found[i]))
      return kiln_fail(call->report, SIZE_OVERFLOW, "%s: expected sizes whose arrays fit into memory, got others", call->f->name);
  return 0;
}

static int32_t run_all(Call *call, int64_t *sizes, int64_t *const *found) {
  const Function *f = call->f;
  Plan plan;
  int32_t status = 0;
  if (f->stages && (status = kiln_plan(call->m, f, 0, sizes, &plan, call->report))) return status;
  if (f->stages && (status = kiln_check_inputs(f, f->last.variant->arguments, call->given, sizes, call->report))) return status;
  for (int64_t stage = 0; stage < f->stages && !status; ++stage) status = count(call, stage, &plan, sizes);
  if (status || (status = kiln_plan(call->m, f, f->stages, sizes, &plan, call->report))) return status;
  if ((status = tell(call, &plan, sizes, found))) return status;
  if ((status = kiln_check_arguments(f, plan.variant->arguments, call->given, sizes, call->room, call->report))) return status;
  char *memory;
  Numbers numbers = {0, 0};
  if ((status = memory_for(call, f->stages, &plan, sizes, &memory))) return status;
  if ((status = run(call, &plan, sizes, memory, &numbers))) return explain(call, &plan, status, &numbers);
  return 0;
}

int32_t kiln_call(Handle *m, const Function *f, void *const *given, int64_t *sizes, const int64_t *room, int64_t *const *found,
                  void *workspace, size_t bytes, char *text, size_t text_bytes) {
  Call call = {.m = m, .f = f, .given = given, .room = room, .report = {text, text_bytes}, .workspace = workspace, .bytes = bytes};
  if (!m) return kiln_fail(call.report, NULL_ARGUMENT, "%s: m: expected a library that was opened, got NULL", f->name);
  call.set = m->library->weights ? kiln_enter(m) : 0;
  int32_t status = run_all(&call, sizes, found);
  if (m->library->weights) kiln_leave(m, call.set);
  for (int64_t i = 0; i <= f->stages; ++i)
    if (call.own[i]) kiln_give(m, call.own[i]);
  return status;
}
