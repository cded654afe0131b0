/* Calls of a library for a device: kernels are launched in the order of the caller's stream. */
#include "codegen/library/support/call.h"
#include "codegen/library/support/device.h"

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

static int32_t put_launch(const Call *call, const Launch *launch, char *const places[], void **buffers, int64_t inputs) {
  const Device *d = call->m->device;
  const Kernel *kernel = &call->m->library->processor[call->m->processor].kernel[launch->kernel];
  uint64_t pointers[launch->arguments + 1];
  void *arguments[launch->arguments + 1];
  for (int64_t i = 0; i < launch->arguments; ++i) {
    int64_t kind = launch->argument[2 * i], number = launch->argument[2 * i + 1];
    if (kind == kToInput || kind == kToOutput) pointers[i] = (uint64_t)buffers[number + (kind == kToOutput ? inputs : 0)];
    else pointers[i] = (uint64_t)(places[kind] + number);
    arguments[i] = &pointers[i];
  }
  int code = d->driver.launch(d->kernel[launch->kernel], (unsigned)launch->blocks, 1, 1, (unsigned)launch->threads, 1, 1,
                              (unsigned)kernel->shared, call->stream, arguments, (void **)0);
  return code ? FAILED("a launch that the device takes", kernel->name) : 0;
}

/* What they have said, once all has run. */
static int32_t finish(const Call *call, const char *there, Answers *answers) {
  const Device *d = call->m->device;
  int code = d->driver.copy_out(answers, (uint64_t)there, sizeof *answers, call->stream);
  int waited = d->driver.stream_wait(call->stream); /* in any case: the copy is to memory of this function */
  if (!code) code = waited;
  return code ? FAILED("work that succeeds", "status") : answers->status;
}

int32_t kiln_run_code(const Call *call, const Plan *plan, void **buffers, char *workspace, Answers *answers) {
  const Code *code = plan->code;
  const Variant *v = plan->variant;
  char *there = workspace + plan->buffers;
  char *const places[] = {0, 0, workspace + plan->scratch, there + offsetof(Answers, status)};
  int asks = code->can_fail != 0; /* for something that the host is to know */
  for (int64_t i = 0; i < v->outputs; ++i) asks |= v->output[i] == kMiss || v->output[i] == kCount;
  int32_t status = asks ? start(call, there) : 0;
  for (int64_t i = 0; i < code->launches && !status; ++i) status = put_launch(call, &code->launch[i], places, buffers, v->inputs);
  return asks && !status ? finish(call, there, answers) : status;
}
