/* A call: arguments are checked, put into the order of the program, and run. */
#include "codegen/library/support/call.h"

#ifdef KILN_BARE
static const void *weight_of(const Handle *m, int64_t set, int64_t i) {
  return (void)set, m->weights ? m->weights[i] : m->library->weight[i].data;
}
#else
static const void *weight_of(const Handle *m, int64_t set, int64_t i) { return m->weights[set][i]; }
#endif

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

/* One that was kept, where it has the bytes that the program takes; NULL: the stages were not made for each other at these sizes. */
static void *kept_for(const Call *call, const Input *input, const int64_t *sizes) {
  int64_t kept, taken;
  if (input->place >= call->before->kept) return (void *)0;
  kiln_bytes_of(&call->before->keep[input->place], sizes, &kept);
  if (kiln_bytes_of(input->array, sizes, &taken) || kept != taken) return (void *)0;
  return kiln_kept(call->before, input->place, sizes, call->kept);
}

/* Where a program finds its inputs; the numbers among them lie at `number`. */
static int32_t find_inputs(const Call *call, const Variant *v, const int64_t *sizes, char *number, void **buffers) {
  int32_t status = 0;
  for (int64_t i = 0; i < v->inputs && !status; ++i) {
    const Input *input = &v->input[i];
    int64_t value = 0, slot[kNumberBytes / sizeof(int64_t)];
    if (kiln_is_number(call->f, input)) {
      buffers[i] = number;
      number += kNumberBytes;
      if (input->source == kArgument) {
        status = kiln_put(call, buffers[i], call->given[input->place], call->f->last.variant->arguments[input->place].bytes);
        continue;
      }
      kiln_evaluate(&input->number, sizes, &value);
      store_number(input->form, value, slot);
      status = kiln_put(call, buffers[i], slot, input->form < 0 ? -input->form : input->form);
    } else if (input->source == kArgument) buffers[i] = call->given[input->place];
    else if (input->source == kWeight) buffers[i] = (void *)weight_of(call->m, call->set, input->place);
    else if (!(buffers[i] = kept_for(call, input, sizes))) status = SIZE_NOT_COMPILED;
  }
  return status;
}

/* Where it leaves its outputs. */
static void find_outputs(const Call *call, const Plan *plan, const int64_t *sizes, char *workspace, Answers *answers, void **buffers) {
  const Variant *v = plan->variant;
  char *staged = workspace + plan->staged;
  int64_t bytes;
  for (int64_t i = 0; i < v->outputs; ++i) {
    int64_t output = v->output[i];
    if (output == kMiss) buffers[i] = &answers->missed;
    else if (output == kCount) buffers[i] = &answers->count;
    else if (output < 0) buffers[i] = kiln_kept(v, kFirstKept - output, sizes, workspace);
    else buffers[i] = call->given[output];
    if (!kiln_is_staged(plan, i)) continue;
    kiln_bytes_of(&v->arguments[v->output[i]], sizes, &bytes);
    buffers[i] = staged;
    staged += (bytes + kLine - 1) & -kLine;
  }
}

static int32_t run(const Call *call, const Plan *plan, const int64_t *sizes, char *workspace, Answers *answers) {
  const Variant *v = plan->variant;
  int64_t bytes;
#ifdef KILN_DEVICE
  void *buffers[v->inputs + v->outputs + 1];
  Answers *there = (Answers *)(workspace + plan->buffers);
#else
  void **buffers = (void **)(workspace + plan->buffers);
  Answers *there = answers;
#endif
  int32_t status = find_inputs(call, v, sizes, workspace + plan->numbers, buffers);
  if (status) return status;
  find_outputs(call, plan, sizes, workspace, there, buffers + v->inputs);
  if ((status = kiln_run_code(call, plan, sizes, buffers, workspace, answers))) return status;
  if (answers->missed) return NOT_RECORDED;
  for (int64_t i = 0; i < v->outputs && !status; ++i)
    if (kiln_is_staged(plan, i)) {
      kiln_bytes_of(&v->arguments[v->output[i]], sizes, &bytes);
      status = kiln_copy(call, call->given[v->output[i]], buffers[v->inputs + i], bytes);
    }
  return status;
}

/* Why a stage failed, as a sentence. */
static int32_t explain(const Call *call, const Plan *plan, int32_t status, const Answers *answers) {
  const char *name = call->f->name;
  if (status < 0 && status != SIZE_NOT_COMPILED && status != NOT_RECORDED) return status; /* it has its sentence */
  if (status == SIZE_NOT_COMPILED)
    return kiln_fail(call->report, status, "%s: expected stages that fit together, got some that do not at these sizes", name);
  if (status != NOT_RECORDED)
    return kiln_fail(call->report, status, "%s: expected data that it can compute with: %s", name, kiln_status_text(status));
  int64_t missed = answers->missed;
  return kiln_fail(call->report, status, "%s: expected values that lead to a recorded way, got another answer at %s", name,
                   missed > 0 && missed <= plan->variant->misses ? plan->variant->miss[missed - 1] : "a place that it does not name");
}

/* Memory for a stage, the caller's or its own. */
static int32_t memory_for(Call *call, int64_t stage, const Plan *plan, const int64_t *sizes, char **memory) {
  *memory = call->workspace;
  if (*memory)
    return kiln_check_workspace(call->f, stage, plan, call->given, sizes, call->workspace - call->used, call->used, call->bytes,
                                call->report);
  int32_t status = kiln_take(call, plan->bytes, &call->own[stage]);
  *memory = call->own[stage];
  return status;
}

/* Runs a stage that counts: the next of the sizes. */
static int32_t count(Call *call, int64_t stage, Plan *plan, int64_t *sizes) {
  char *memory;
  Answers answers = {0, 0, 0};
  int32_t status = kiln_plan(call->m, call->f, stage, sizes, plan, call->report);
  if (status || (status = memory_for(call, stage, plan, sizes, &memory))) return status;
  if ((status = run(call, plan, sizes, memory, &answers))) return explain(call, plan, status, &answers);
  sizes[call->f->dimensions - call->f->stages + stage] = answers.count;
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
  if (f->stages && (status = kiln_check_memory(call, f->last.variant->arguments, f->given, sizes))) return status;
  for (int64_t stage = 0; stage < f->stages && !status; ++stage) status = count(call, stage, &plan, sizes);
  if (status || (status = kiln_plan(call->m, f, f->stages, sizes, &plan, call->report))) return status;
  if ((status = tell(call, &plan, sizes, found))) return status;
  if ((status = kiln_check_arguments(f, plan.variant->arguments, call->given, sizes, call->room, call->report))) return status;
  if ((status = kiln_check_memory(call, plan.variant->arguments, f->arguments, sizes))) return status;
  char *memory;
  Answers answers = {0, 0, 0};
  if ((status = memory_for(call, f->stages, &plan, sizes, &memory))) return status;
  if ((status = run(call, &plan, sizes, memory, &answers))) return explain(call, &plan, status, &answers);
  return 0;
}

int32_t kiln_call(Handle *m, const Function *f, void *const *given, int64_t *sizes, const int64_t *room, int64_t *const *found,
                  void *workspace, size_t bytes, char *text, size_t text_bytes, void *stream) {
  Call call = {
      .m = m, .f = f, .given = given, .room = room, .report = {text, text_bytes}, .stream = stream, .workspace = workspace, .bytes = bytes};
  if (!m) return kiln_fail(call.report, NULL_ARGUMENT, "%s: m: expected a library that was opened, got NULL", f->name);
  int32_t status = kiln_use(m, call.report);
  if (status) return status;
  call.set = m->library->weights ? kiln_enter(m) : 0;
  status = run_all(&call, sizes, found);
  if (m->library->weights) kiln_leave(m, call.set);
  for (int64_t i = 0; i <= f->stages; ++i)
    if (call.own[i]) kiln_give(&call, call.own[i]);
  kiln_unuse(m);
  return status;
}
