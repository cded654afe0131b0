/* How much memory a call takes, and what lies where in it. */
#include "codegen/library/support/call.h"

#ifdef KILN_BARE
static const Code *code_of(const Handle *m, const Variant *v) { return (void)m, v->code; }
#else
static const Code *code_of(const Handle *m, const Variant *v) { return &v->code[m->processor]; }
#endif

enum { kAddressBits = sizeof(void *) == 4 ? 31 : 47 };

#ifdef KILN_DEVICE
static int64_t scratch_of(const Code *code, const int64_t *symbols) {
  int64_t bytes;
  return kiln_evaluate(&code->bytes, symbols, &bytes) ? -1 : bytes;
}
#else
static int64_t scratch_of(const Code *code, const int64_t *symbols) { return code->workspace ? code->workspace(symbols) : code->bytes; }
#endif

static int grow(int64_t *bytes, int64_t by) {
  return by < 0 || __builtin_add_overflow(*bytes, by, bytes) || __builtin_add_overflow(*bytes, kLine - 1, bytes) || (*bytes &= -kLine, 0);
}

int kiln_is_staged(const Plan *plan, int64_t output) {
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

char *kiln_kept(const Variant *v, int64_t number, const int64_t *sizes, char *memory) {
  int64_t bytes;
  for (int64_t i = 0; i < number; ++i) {
    kiln_bytes_of(&v->keep[i], sizes, &bytes);
    memory += (bytes + kLine - 1) & -kLine;
  }
  return memory;
}

int32_t kiln_plan(const Handle *m, const Function *f, int64_t stage, const int64_t *sizes, Plan *plan, Report report) {
  int32_t status = kiln_choose(f, stage, sizes, &plan->variant, report);
  if (status) return status;
  const Variant *v = plan->variant;
  plan->code = code_of(m, v);
  if ((status = kiln_symbols(f, v, sizes, plan->symbols, report))) return status;
  int64_t end = 0, bytes = 0;
  int is_too_large = is_beyond_memory(v, sizes);
  for (int64_t i = 0; i < v->kept && !is_too_large; ++i) is_too_large = kiln_bytes_of(&v->keep[i], sizes, &bytes) || grow(&end, bytes);
  plan->scratch = end;
  is_too_large = is_too_large || grow(&end, scratch_of(plan->code, plan->symbols));
  plan->staged = end;
  for (int64_t i = 0; i < v->outputs && !is_too_large; ++i)
    if (kiln_is_staged(plan, i)) is_too_large = kiln_bytes_of(&v->arguments[v->output[i]], sizes, &bytes) || grow(&end, bytes);
  plan->buffers = end;
  is_too_large = is_too_large || grow(&end, kIsDevice ? kAnswerBytes : (v->inputs + v->outputs) * (int64_t)sizeof(void *));
  plan->numbers = end;
  for (int64_t i = 0; i < v->inputs && !is_too_large; ++i)
    is_too_large = kiln_is_number(f, &v->input[i]) && __builtin_add_overflow(end, kNumberBytes, &end);
  plan->bytes = end;
  is_too_large = is_too_large || end >> kAddressBits;
  if (is_too_large)
    return kiln_fail(report, SIZE_OVERFLOW, "%s: %s: expected sizes whose arrays fit into memory, got %d", f->name,
                     f->dimensions ? f->dimension[0].name : "workspace", f->dimensions ? sizes[0] : end);
  return 0;
}

/* Of a box the largest sizes that values decide, or where a bit of `least` is set the least one. 0: it has none for the sizes before. */
static int corner_of(const Function *f, int64_t stage, const int64_t *bounds, int64_t least, int64_t *sizes) {
  int64_t chosen = f->dimensions - f->stages;
  for (int64_t i = 0; i < chosen + stage; ++i) {
    int64_t low = bounds[2 * i], high = bounds[2 * i + 1], bound = high;
    if (i >= chosen) {
      if (kiln_evaluate(&f->dimension[i].bound, sizes, &bound)) return 0;
      if (bound < high) high = bound;
      sizes[i] = least >> (i - chosen) & 1 ? low : high;
    }
    if (low > high || sizes[i] < low || sizes[i] > high) return 0;
  }
  return 1;
}

/* The most that a stage takes and keeps at any size that values decide: both grow with each of these, or shrink, so that it is at a corner
   of a box. */
static int32_t widest(const Handle *m, const Function *f, int64_t stage, int64_t *sizes, int64_t *bytes, int64_t *kept) {
  const Stage *s = stage == f->stages ? &f->last : &f->stage[stage];
  int64_t dimensions = f->dimensions - f->stages + stage;
  int32_t status, any = SIZE_NOT_COMPILED;
  Plan plan;
  for (int64_t v = 0; v < s->variants; ++v)
    for (int64_t box = 0; box < s->variant[v].boxes; ++box)
      for (int64_t corner = 0; corner < (int64_t)1 << stage; ++corner) {
        if (!corner_of(f, stage, s->variant[v].bounds + 2 * box * dimensions, corner, sizes)) continue;
        if ((status = kiln_plan(m, f, stage, sizes, &plan, (Report){0, 0}))) return status;
        any = 0;
        if (plan.bytes > *bytes) *bytes = plan.bytes;
        if (plan.scratch > *kept) *kept = plan.scratch;
      }
  return any;
}

int64_t kiln_workspace_size(const Handle *m, const Function *f, int64_t *sizes) {
  Plan plan;
  if (!m) return NULL_ARGUMENT;
  int32_t status = kiln_plan(m, f, 0, sizes, &plan, (Report){0, 0});
  if (status || !f->stages) return status ? status : plan.bytes;
  int64_t most = plan.bytes, before = plan.scratch;
  for (int64_t stage = 1; stage <= f->stages; ++stage) {
    int64_t bytes = 0, kept = 0;
    if ((status = widest(m, f, stage, sizes, &bytes, &kept))) return status;
    if (before + bytes > most) most = before + bytes;
    before += kept;
  }
  return most;
}
