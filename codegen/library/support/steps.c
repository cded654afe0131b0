/* Loops and branches: the host goes through them, as lib/Core/PlanRunner.h does, and the device runs what is between. */
#include "codegen/library/support/steps.h"

/* Waits for the stream, and reads a number of so many bytes. A status of the data ends what runs. */
static int32_t look(Run *run, uint64_t from, int64_t bytes, int64_t *number) {
  const Call *call = run->call;
  const Device *d = call->m->device;
  int32_t said = 0;
  *number = 0;
  int code = bytes ? d->driver.copy_out(number, from, (size_t)bytes, call->stream) : 0;
  if (!code && run->plan->code->can_fail) code = d->driver.copy_out(&said, run->status, sizeof said, call->stream);
  int waited = d->driver.stream_wait(call->stream); /* in any case: the copies are to memory of this function */
  run->ahead = 0;
  if (!code) code = waited;
  return code ? kiln_driver_failed(&d->driver, code, call->f->name, "a loop or branch", "work that succeeds", call->report) : said;
}

int32_t kiln_went_ahead(Run *run) {
  enum { kAhead = 1024 };
  int64_t none;
  return ++run->ahead >= kAhead && run->plan->code->can_fail ? look(run, 0, 0, &none) : 0;
}

static int32_t copy(Run *run, uint64_t to, uint64_t from, int64_t bytes) {
  if (to == from || !bytes) return 0;
  int32_t status = kiln_copy(run->call, (void *)to, (const void *)from, bytes);
  return status ? status : kiln_went_ahead(run);
}

/* The array of a frame that is meant; NULL: it is none. */
static const Array *array_of(const Frame *frame, const Place *place) {
  if (place->kind != kToInput && place->kind != kToOutput) return 0;
  return &frame->array[place->number.items[1] + (place->kind == kToOutput ? frame->program->inputs : 0)];
}

/* As far as the host knows it, else as it is read. */
static int32_t find_number(Run *run, const Frame *frame, const Place *place, int64_t *number) {
  const Array *array = array_of(frame, place);
  uint64_t value = kiln_value(run, frame, place);
  if (place->kind == kTheNumber) return *number = (int64_t)value, 0;
  if (array && array->is_known) return *number = array->number, 0;
  return look(run, value, place->bytes, number);
}

/* What a step hands to its bodies, behind what decides and the workspace. */
static Array handed(const Run *run, const Frame *frame, const Place *place) {
  const Array *array = array_of(frame, place);
  return array ? *array : (Array){kiln_value(run, frame, place), 0, 0};
}

static const Program *body_of(const Run *run, const Step *step, int64_t number) { return &run->plan->code->program[step->body[number]]; }

/* A body that runs once, whose arrays follow argument `first`, its workspace. */
static int32_t run_body(Run *run, const Frame *frame, const Step *step, int64_t number, int64_t first) {
  int64_t count = step->arguments - first - 1;
  const Place *place = step->argument + first;
  Array inside[count + 1];
  for (int64_t i = 0; i < count; ++i) inside[i] = handed(run, frame, place + 1 + i);
  Frame body = {body_of(run, step, number), inside, kiln_value(run, frame, place)};
  return kiln_run_program(run, &body);
}

static int32_t choose(Run *run, const Frame *frame, const Step *step) {
  int64_t number = 0;
  int32_t status = find_number(run, frame, step->argument, &number);
  if (number >= step->bodies) number = step->bodies - 1;
  return status ? status : run_body(run, frame, step, number < 0 ? 0 : number, 1);
}

/* One trip of a loop: what it makes, which is last in the frame, is what the next one begins with. */
static int32_t trip(Run *run, const Step *step, Frame *inside, int64_t arrays) {
  int32_t status = kiln_run_program(run, inside);
  for (int64_t i = 0; i < step->carried; ++i) {
    Array *now = &inside->array[i], *next = &inside->array[arrays - step->carried + i], before = *now;
    *now = *next;
    *next = before;
  }
  return status;
}

static int32_t run_while(Run *run, const Step *step, uint64_t flag, Frame *inside, int64_t arrays) {
  int64_t inputs = arrays - step->carried;
  Array asked[inputs + 1];
  Frame condition = {body_of(run, step, 0), asked, inside->workspace};
  for (;;) {
    int64_t answer = 0;
    for (int64_t i = 0; i < inputs; ++i) asked[i] = inside->array[i];
    asked[inputs] = (Array){flag, 0, 0};
    int32_t status = kiln_run_program(run, &condition);
    if (!status) status = look(run, flag, 1, &answer);
    if (!status && answer) status = trip(run, step, inside, arrays);
    if (status || !answer) return status;
  }
}

static int32_t repeat(Run *run, const Frame *frame, const Step *step, Frame *inside, int64_t arrays) {
  int64_t low = 0, high = 0;
  int32_t status = find_number(run, frame, &step->argument[0], &low);
  if (!status) status = find_number(run, frame, &step->argument[1], &high);
  if (status) return status;
  uint64_t trips = high > low ? (uint64_t)high - (uint64_t)low : 0, counter = (uint64_t)(step->by > 0 ? low : high);
  for (; trips-- && !status; counter += (uint64_t)step->by) {
    Array *count = &inside->array[step->counter];
    count->number = (int64_t)counter;
    count->is_known = 1;
    status = trip(run, step, inside, arrays);
    inside->array[arrays - step->carried + step->counter].is_known = 0;
  }
  return status;
}

/* The values of a loop, what all trips read, and where the next values go; behind the loop they are where they began. */
static int32_t loop(Run *run, const Frame *frame, const Step *step) {
  int64_t first = step->kind == kRepeat ? 3 : 2, arrays = step->arguments - first, carried = step->carried, reads = arrays - 2 * carried;
  const Place *place = step->argument + first;
  Array array[arrays + 1];
  uint64_t home[carried + 1];
  Frame inside = {body_of(run, step, step->bodies - 1), array, kiln_value(run, frame, place - 1)};
  for (int64_t i = 0; i < carried; ++i) {
    home[i] = kiln_value(run, frame, place + i);
    array[i] = (Array){home[i], 0, 0};
    array[carried + reads + i] = (Array){kiln_value(run, frame, place + carried + i), 0, 0};
  }
  for (int64_t i = 0; i < reads; ++i) array[carried + i] = handed(run, frame, place + 2 * carried + i);
  int32_t status = step->kind == kRepeat ? repeat(run, frame, step, &inside, arrays)
                                         : run_while(run, step, kiln_value(run, frame, step->argument), &inside, arrays);
  for (int64_t i = 0; i < carried && !status; ++i) status = copy(run, home[i], array[i].address, place[i].bytes);
  return status;
}

static int32_t run_step(Run *run, const Frame *frame, const Step *step) {
  const Place *place = step->argument;
  switch (step->kind) {
  case kCopyBytes: return copy(run, kiln_value(run, frame, place), kiln_value(run, frame, place + 1), place->bytes);
  case kCallBody: return run_body(run, frame, step, 0, 0);
  case kChooseBody: return choose(run, frame, step);
  default: return loop(run, frame, step);
  }
}

int32_t kiln_run_program(Run *run, const Frame *frame) {
  const Program *program = frame->program;
  int64_t launched = 0;
  int32_t status = 0;
  for (int64_t i = 0; i <= program->steps && !status; ++i) {
    int64_t until = i < program->steps ? program->step[i].at : program->launches;
    for (; launched < until && !status; ++launched) status = kiln_launch(run, frame, &program->launch[launched]);
    if (i < program->steps && !status) status = run_step(run, frame, &program->step[i]);
  }
  return status;
}
