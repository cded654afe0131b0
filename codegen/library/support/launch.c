/* Calls of a library for a device: kernels are launched in the order of the caller's stream. */
#include "codegen/library/support/steps.h"

#define FAILED(expected_, what_) kiln_driver_failed(&d->driver, code, call->f->name, what_, expected_, call->report)

int32_t kiln_check_memory(const Call *call, const Argument *arguments, int64_t count, const int64_t *sizes) {
  const Device *d = call->m->device;
  const char *foreign = call->workspace ? kiln_foreign(d, call->workspace) : 0, *name = "workspace";
  for (int64_t i = 0; i < count && !foreign; ++i) {
    int64_t bytes;
    if (arguments[i].use == kValue || kiln_bytes_of(&arguments[i], sizes, &bytes) || !bytes) continue;
    foreign = kiln_foreign(d, call->given[i]);
    name = arguments[i].name;
  }
  return foreign ? kiln_fail(call->report, WRONG_MEMORY, "%s: %s: expected memory of device %d, got %s", call->f->name, name,
                             (int64_t)d->ordinal, foreign)
                 : 0;
}

/* As words that are part of the order themselves, so that a stream may be captured. */
int32_t kiln_put(const Call *call, void *to, const void *from, int64_t bytes) {
  const Device *d = call->m->device;
  unsigned words[kNumberBytes / sizeof(unsigned)] = {0};
  __builtin_memcpy(words, from, (size_t)bytes);
  for (int64_t i = 0; i * (int64_t)sizeof *words < bytes; ++i) {
    int code = d->driver.fill((uint64_t)to + (uint64_t)i * sizeof *words, words[i], 1, call->stream);
    if (code) return FAILED("a number on the device", "numbers");
  }
  return 0;
}

int32_t kiln_copy(const Call *call, void *to, const void *from, int64_t bytes) {
  const Device *d = call->m->device;
  int code = bytes ? d->driver.copy((uint64_t)to, (uint64_t)from, (size_t)bytes, call->stream) : 0;
  return code ? FAILED("a copy on the device", "results") : 0;
}

int32_t kiln_take(const Call *call, int64_t bytes, void **workspace) {
  const Device *d = call->m->device;
  uint64_t start = 0;
  int code = bytes ? d->driver.allocate(&start, (size_t)bytes, d->pool, call->stream) : 0;
  *workspace = code ? (void *)0 : (void *)start;
  return code ? FAILED("memory of the device", "workspace") : 0;
}

void kiln_give(const Call *call, void *workspace) { call->m->device->driver.release((uint64_t)workspace, call->stream); }

/* What the kernels say is 0 before. */
static int32_t start(const Call *call, char *answers) {
  const Device *d = call->m->device;
  int code = d->driver.fill((uint64_t)answers, 0, sizeof(Answers) / sizeof(unsigned), call->stream);
  return code ? FAILED("work that can be started", "status") : 0;
}

static int64_t number_of(const Run *run, const Expression *number) {
  int64_t value = 0;
  kiln_evaluate(number, run->plan->symbols, &value); /* which check_launches saw */
  return value;
}

uint64_t kiln_value(const Run *run, const Frame *frame, const Place *place) {
  int64_t number = number_of(run, &place->number);
  switch (place->kind) {
  case kToInput: return frame->array[number].address;
  case kToOutput: return frame->array[frame->program->inputs + number].address;
  case kToWorkspace: return frame->workspace + (uint64_t)number;
  case kToStatus: return run->status;
  case kTheSize: return (uint64_t)run->plan->symbols[number];
  default: return (uint64_t)number;
  }
}

int32_t kiln_launch(Run *run, const Frame *frame, const Launch *launch) {
  const Call *call = run->call;
  const Device *d = call->m->device;
  const Kernel *kernel = &call->m->library->processor[call->m->processor].kernel[launch->kernel];
  uint64_t values[launch->arguments + 1];
  void *arguments[launch->arguments + 1];
  int64_t blocks = number_of(run, &launch->blocks);
  if (!blocks) return 0;
  for (int64_t i = 0; i < launch->arguments; ++i) {
    values[i] = kiln_value(run, frame, &launch->argument[i]);
    arguments[i] = &values[i];
  }
  int code = d->driver.launch(d->kernel[launch->kernel], (unsigned)blocks, 1, 1, (unsigned)launch->threads, 1, 1, (unsigned)launch->shared,
                              call->stream, arguments, (void **)0);
  return code ? FAILED("a launch that the device takes", kernel->name) : kiln_went_ahead(run);
}

/* Whether the numbers of a launch are some at these sizes. */
static int has_numbers(const Launch *launch, const int64_t *symbols) {
  enum { kMostBlocks = 0x7fffffff };
  int64_t number;
  if (kiln_evaluate(&launch->blocks, symbols, &number) || number < 0 || number > kMostBlocks) return 0;
  for (int64_t i = 0; i < launch->arguments; ++i)
    if (kiln_evaluate(&launch->argument[i].number, symbols, &number)) return 0;
  return 1;
}

/* Before the first one is put in. Those of bodies are the same in each call. */
static int32_t check_launches(const Call *call, const Plan *plan, const int64_t *sizes) {
  const Program *program = plan->code->program;
  const Function *f = call->f;
  for (int64_t i = 0; i < program->launches; ++i)
    if (!has_numbers(&program->launch[i], plan->symbols))
      return kiln_fail(call->report, SIZE_OVERFLOW, "%s: %s: expected sizes whose kernels have at most 2147483647 blocks of threads, got %d",
                       f->name, f->dimensions ? f->dimension[0].name : "sizes", f->dimensions ? sizes[0] : 0);
  return 0;
}

/* What they have said, once all has run. */
static int32_t finish(const Call *call, const char *there, Answers *answers) {
  const Device *d = call->m->device;
  int code = d->driver.copy_out(answers, (uint64_t)there, sizeof *answers, call->stream);
  int waited = d->driver.stream_wait(call->stream); /* in any case: the copy is to memory of this function */
  if (!code) code = waited;
  return code ? FAILED("work that succeeds", "status") : answers->status;
}

/* The arrays of a program, with what the host knows of the numbers among them. */
static void fill(const Call *call, const Variant *v, const int64_t *sizes, void *const *buffers, Array *arrays) {
  enum { kInt64 = 64 << 8, kTypeBits = 0xffff }; /* of a DLDataType: an integer of so many bits */
  for (int64_t i = 0; i < v->inputs + v->outputs; ++i) arrays[i] = (Array){(uint64_t)buffers[i], 0, 0};
  for (int64_t i = 0; i < v->inputs; ++i) {
    const Input *input = &v->input[i];
    if (input->source == kSize && input->form == sizeof(int64_t)) arrays[i].is_known = !kiln_evaluate(&input->number, sizes, &arrays[i].number);
    if (input->source != kArgument || !kiln_is_number(call->f, input)) continue;
    arrays[i].is_known = (call->f->last.variant->arguments[input->place].type & kTypeBits) == kInt64;
    if (arrays[i].is_known) __builtin_memcpy(&arrays[i].number, call->given[input->place], sizeof(int64_t));
  }
}

int32_t kiln_run_code(const Call *call, const Plan *plan, const int64_t *sizes, void **buffers, char *workspace, Answers *answers) {
  const Code *code = plan->code;
  const Variant *v = plan->variant;
  char *there = workspace + plan->buffers;
  Array arrays[v->inputs + v->outputs + 1];
  Run run = {call, plan, (uint64_t)(there + offsetof(Answers, status)), 0};
  Frame frame = {code->program, arrays, (uint64_t)(workspace + plan->scratch)};
  int asks = code->can_fail != 0; /* for something that the host is to know */
  for (int64_t i = 0; i < v->outputs; ++i) asks |= v->output[i] == kMiss || v->output[i] == kCount;
  int32_t status = check_launches(call, plan, sizes);
  if (!status && asks) status = start(call, there);
  fill(call, v, sizes, buffers, arrays);
  if (!status) status = kiln_run_program(&run, &frame);
  return asks && !status ? finish(call, there, answers) : status;
}
