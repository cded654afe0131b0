/* A library for a device is opened and closed: code, weights and memory go to the device. */
#include "codegen/library/support/device.h"

void *aligned_alloc(size_t alignment, size_t bytes);
void free(void *);

enum { kMajor = 75, kMinor = 76, kPools = 115, kReleaseThreshold = 4, kErrorLog = 5, kErrorLogBytes = 6, kMaxDynamicShared = 8 };
enum { kNonBlocking = 1, kMemoryType = 2, kOrdinal = 9, kOnDevice = 2, kDeclaredShared = 48 << 10, kLog = 2048, kLine = 64 };

/* What a processor of a device needs: words of Processor. */
enum { kChip, kIsExact };

#define FAILED(expected_, what_) kiln_driver_failed(&d->driver, code, m->library->name, what_, expected_, report)

int32_t kiln_use(const Handle *m, Report report) {
  const Device *d = m->device;
  int code = d->driver.context_push(d->context);
  return code ? FAILED("a context that can be used", "device") : 0;
}

void kiln_unuse(const Handle *m) {
  void *popped;
  m->device->driver.context_pop(&popped);
}

int32_t kiln_finish(const Handle *m, Report report) {
  const Device *d = m->device;
  int code = d->driver.context_wait();
  return code ? FAILED("work that succeeds", "device") : 0;
}

int64_t kiln_device_number(const Handle *m) { return m->device->ordinal; }

const char *kiln_foreign(const Device *d, const void *memory) {
  unsigned kind = 0;
  int ordinal = 0;
  if (d->driver.pointer_get(&kind, kMemoryType, (uint64_t)memory)) return "memory that its driver does not know";
  if (kind != kOnDevice) return 0;
  return d->driver.pointer_get(&ordinal, kOrdinal, (uint64_t)memory) || ordinal == d->ordinal ? 0 : "memory of another device";
}

int32_t kiln_check_weight(const Handle *m, const Weight *w, const void *given, Report report) {
  const char *foreign = w->bytes ? kiln_foreign(m->device, given) : 0;
  return foreign ? kiln_fail(report, WRONG_MEMORY, "%s: weights: %s: expected memory of device %d, got %s", m->library->name, w->name,
                             (int64_t)m->device->ordinal, foreign)
                 : 0;
}

/* The last processor of the table that a chip can run; below 0: none. */
static int64_t processor_for(const Library *library, int64_t chip) {
  for (int64_t i = library->processors; i-- > 0;) {
    const int64_t *needs = library->processor[i].needs;
    if (needs[kIsExact] ? chip == needs[kChip] : chip >= needs[kChip]) return i;
  }
  return -1;
}

static int32_t find_device(const Library *library, int64_t wanted, Device *d, int64_t *processor, int *chip, Report report) {
  int count = 0, major = 0, minor = 0, has_pools = 0;
  int32_t status = kiln_open_driver(&d->driver, library->name, report);
  if (status) return status;
  int code = d->driver.device_count(&count);
  if (!code && (wanted < 0 || wanted >= count))
    return kiln_fail(report, NO_DEVICE, "%s: device: expected a number below %d, got %d", library->name, (int64_t)count, wanted);
  d->ordinal = (int)wanted;
  if (!code) code = d->driver.device_get(&d->number, d->ordinal);
  if (!code) code = d->driver.device_attribute(&major, kMajor, d->number);
  if (!code) code = d->driver.device_attribute(&minor, kMinor, d->number);
  if (!code) code = d->driver.device_attribute(&has_pools, kPools, d->number);
  if (code) return kiln_driver_failed(&d->driver, code, library->name, "device", "one that can be used", report);
  *chip = 10 * major + minor;
  *processor = processor_for(library, *chip);
  if (*processor < 0 || !has_pools)
    return kiln_fail(report, WRONG_PROCESSOR, "%s: device: expected one that runs code for %s%s, got one of sm_%d", library->name,
                     library->processor[0].name, has_pools ? "" : " and has pools of memory", (int64_t)*chip);
  return 0;
}

/* An image is for chips of one major number. */
static const void *image_for(const Processor *p, const Module *module, int chip) {
  return module->image && p->needs[kChip] / 10 == chip / 10 ? module->image : module->code;
}

static int32_t load_code(Handle *m, int chip, Report report) {
  Device *d = m->device;
  const Processor *p = &m->library->processor[m->processor];
  char log[kLog];
  int options[] = {kErrorLog, kErrorLogBytes}, code;
  void *values[] = {log, (void *)(uintptr_t)sizeof log};
  for (int64_t i = 0; i < p->modules; ++i) {
    *log = 0;
    if (!(code = d->driver.module_load(&d->module[i], image_for(p, &p->module[i], chip), 2, options, values))) continue;
    d->module[i] = 0;
    if (*log)
      return kiln_fail(report, DEVICE_FAILED, "%s: code: expected some that the driver takes, got error %d: %s", m->library->name,
                       (int64_t)code, log);
    return FAILED("some that the driver takes", "code");
  }
  for (int64_t i = 0; i < p->kernels; ++i) {
    const Kernel *k = &p->kernel[i];
    code = d->driver.module_function(&d->kernel[i], d->module[k->module], k->name);
    if (!code && k->shared > kDeclaredShared) code = d->driver.function_set(d->kernel[i], kMaxDynamicShared, (int)k->shared);
    if (code) return FAILED("its kernels", "code");
  }
  return 0;
}

/* The weights of the library's own are copied to the device, in one piece of memory. */
static int32_t load_weights(Handle *m, Report report) {
  Device *d = m->device;
  const Library *library = m->library;
  int64_t all = 0, at = 0;
  for (int64_t i = 0; i < library->weights; ++i) all += (library->weight[i].bytes + kLine - 1) & -(int64_t)kLine;
  if (!all) return 0;
  int code = d->driver.allocate(&d->weights, (size_t)all, d->pool, d->stream);
  for (int64_t i = 0; i < library->weights && !code; ++i) {
    int64_t bytes = library->weight[i].bytes;
    if (bytes) code = d->driver.copy_in(d->weights + (uint64_t)at, m->weights[0][i], (size_t)bytes, d->stream);
    m->weights[0][i] = (const void *)(d->weights + (uint64_t)at);
    at += (bytes + kLine - 1) & -(int64_t)kLine;
  }
  if (!code) code = d->driver.stream_wait(d->stream);
  return code ? FAILED("room for the library's own", "weights") : 0;
}

/* What the library has of the device beside its context. */
static int32_t set_up(Handle *m, const Options *options, int chip, Report report) {
  Device *d = m->device;
  PoolProperties properties = {.allocation = 1, .location = 1, .ordinal = d->number};
  uint64_t keep_all = ~(uint64_t)0; /* otherwise each synchronization would give it back */
  int code = d->driver.stream_create(&d->stream, kNonBlocking);
  if (!code) code = d->driver.pool_create(&d->pool, &properties);
  if (!code) code = d->driver.pool_set(d->pool, kReleaseThreshold, &keep_all);
  if (code) return FAILED("a stream and a pool of memory", "device");
  int32_t status = kiln_find_weights(m, options ? options->weights : 0, options ? options->weights_path : 0, report);
  if (!status && m->library->weights && !(options && options->weights)) status = load_weights(m, report);
  if (m->file) kiln_unmap(m->file, m->file_bytes);
  m->file = 0;
  return status ? status : load_code(m, chip, report);
}

static void tear_down(Handle *m) {
  Device *d = m->device;
  const Processor *p = &m->library->processor[m->processor];
  d->driver.context_wait(); /* what was started uses code and memory */
  for (int64_t i = 0; i < p->modules && d->module[i]; ++i) d->driver.module_unload(d->module[i]);
  if (d->weights) d->driver.release(d->weights, d->stream);
  if (d->stream) d->driver.stream_wait(d->stream);
  if (d->pool) d->driver.pool_destroy(d->pool);
  if (d->stream) d->driver.stream_destroy(d->stream);
}

void kiln_close(Handle *m) {
  if (!m) return;
  Device *d = m->device;
  if (!kiln_use(m, (Report){0, 0})) {
    tear_down(m);
    kiln_unuse(m);
  }
  d->driver.context_release(d->number);
  free(m);
}

static int32_t check_options(const Library *library, const Options *options, Report report) {
  if (!options) return 0;
  if (options->bytes != sizeof(Options))
    return kiln_fail(report, WRONG_OPTIONS, "%s: options: expected %d bytes, got %d", library->name, (int64_t)sizeof(Options),
                     (int64_t)options->bytes);
  if (options->none) return kiln_fail(report, WRONG_OPTIONS, "%s: options: expected none = NULL, got a pointer", library->name);
  return 0;
}

/* A handle with what hangs on it, in one piece; NULL: there is no memory. */
static Handle *make_handle(const Library *library, int64_t processor, const Device *d) {
  const Processor *p = &library->processor[processor];
  size_t pointers = 2 * (size_t)library->weights + (size_t)(p->modules + p->kernels);
  size_t bytes = sizeof(Handle) + sizeof(Device) + pointers * sizeof(void *);
  Handle *m = aligned_alloc(kLine, (bytes + kLine - 1) & ~(size_t)(kLine - 1));
  if (!m) return m;
  __builtin_memset(m, 0, bytes);
  m->library = library;
  m->processor = processor;
  m->device = (Device *)(m + 1);
  *m->device = *d;
  m->weights[0] = (const void **)(m->device + 1);
  m->weights[1] = m->weights[0] + library->weights;
  m->device->module = (void **)(m->weights[1] + library->weights);
  m->device->kernel = m->device->module + p->modules;
  return m;
}

int32_t kiln_open(const Library *library, Handle **opened, const Options *options, char *text, size_t text_bytes) {
  Report report = {text, text_bytes};
  if (!opened) return kiln_fail(report, NULL_ARGUMENT, "%s: m: expected a pointer, got NULL", library->name);
  *opened = 0;
  Device found = {.ordinal = 0};
  int64_t processor;
  int chip;
  int32_t status = check_options(library, options, report);
  if (!status) status = find_device(library, options ? options->device : 0, &found, &processor, &chip, report);
  if (status) return status;
  Handle *m = make_handle(library, processor, &found);
  if (!m) return kiln_fail(report, OUT_OF_MEMORY, "%s: expected memory for a handle, got none", library->name);
  int code = found.driver.context_retain(&m->device->context, found.number);
  if (code) {
    free(m);
    return kiln_driver_failed(&found.driver, code, library->name, "device", "its primary context", report);
  }
  if (!(status = kiln_use(m, report))) {
    status = set_up(m, options, chip, report);
    kiln_unuse(m);
  }
  if (status) kiln_close(m);
  else *opened = m;
  return status;
}
