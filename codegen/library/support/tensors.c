/* The same functions for tensors that say their shapes: DLPack's, whose layout is fixed. */
#include "codegen/library/support/hosted.h"

typedef struct Tensor {
  void *data;
  int32_t device, device_number, rank;
  uint32_t type;
  int64_t *shape, *strides;
  uint64_t byte_offset;
} Tensor;

enum { kHost = 1, kCuda = 2, kMostArguments = 1024, kMostDimensions = 64 };

/* Numbers are read by the host. */
static int32_t check_device(const Handle *m, const Function *f, const Argument *a, const Tensor *t, Report report) {
  if (!kIsDevice || a->use == kValue)
    return t->device == kHost ? 0
                              : kiln_fail(report, WRONG_TENSOR, "%s: %s: expected memory of the host (device 1), got device %d", f->name,
                                          a->name, (int64_t)t->device);
  if (t->device == kCuda && t->device_number == kiln_device_number(m)) return 0;
  return kiln_fail(report, WRONG_TENSOR, "%s: %s: expected memory of CUDA's device %d (device 2), got device %d, number %d", f->name,
                   a->name, kiln_device_number(m), (int64_t)t->device, (int64_t)t->device_number);
}

static int32_t check_tensor(const Handle *m, const Function *f, const Argument *a, const Tensor *t, Report report) {
  if (!t) return kiln_fail(report, NULL_ARGUMENT, "%s: %s: expected a tensor, got NULL", f->name, a->name);
  int32_t status = check_device(m, f, a, t, report);
  if (status) return status;
  if (t->type != (uint32_t)a->type)
    return kiln_fail(report, WRONG_TENSOR, "%s: %s: expected elements of type code %d with %d bits, got code %d with %d bits", f->name,
                     a->name, a->type & 255, a->type >> 8 & 255, (int64_t)(t->type & 255), (int64_t)(t->type >> 8 & 255));
  if (t->rank != a->rank)
    return kiln_fail(report, WRONG_TENSOR, "%s: %s: expected rank %d, got %d", f->name, a->name, a->rank, (int64_t)t->rank);
  return 0;
}

static int32_t check_layout(const Function *f, const Argument *a, const Tensor *t, const int64_t *sizes, Report report) {
  int64_t stride = 1, size = 0;
  for (int64_t i = a->rank; i-- > 0;) {
    if (a->room >= 0) size = t->shape[i]; /* it says how much room there is */
    else if (kiln_evaluate(&a->shape[i], sizes, &size) || t->shape[i] != size)
      return kiln_fail(report, WRONG_TENSOR, "%s: %s: axis %d: expected size %d, got %d", f->name, a->name, i, size, t->shape[i]);
    if (t->strides && t->shape[i] > 1 && t->strides[i] != stride)
      return kiln_fail(report, WRONG_TENSOR, "%s: %s: axis %d: expected row-major order with stride %d, got %d", f->name, a->name, i,
                       stride, t->strides[i]);
    if (size < 0 || __builtin_mul_overflow(stride, size ? size : 1, &stride))
      return kiln_fail(report, SIZE_OVERFLOW, "%s: %s: expected sizes whose arrays fit into memory, got %d", f->name, a->name, size);
  }
  return 0;
}

static int64_t elements_of(const Tensor *t) {
  int64_t elements = 1;
  for (int64_t i = 0; i < t->rank; ++i) elements *= t->shape[i];
  return elements;
}

/* The sizes that values decided, and strides where the tensor says some. */
static void tell_shape(const Argument *a, const Tensor *t, const int64_t *sizes) {
  int64_t stride = 1;
  for (int64_t i = a->rank; i-- > 0;) {
    kiln_evaluate(&a->shape[i], sizes, &t->shape[i]);
    if (t->strides) t->strides[i] = stride;
    stride *= t->shape[i];
  }
}

/* Sizes that stand alone for an axis. */
static void read_sizes(const Argument *a, const Tensor *t, int64_t *sizes) {
  enum { kDimension = 1 };
  for (int64_t i = 0; i < a->rank; ++i)
    if (a->shape[i].count == 1 && a->shape[i].items[0] == kDimension) sizes[a->shape[i].items[1]] = t->shape[i];
}

int32_t kiln_call_tensors(Handle *m, const Function *f, Tensor *const *inputs, size_t input_count, Tensor *const *outputs,
                          size_t output_count, void *workspace, size_t bytes, char *text, size_t text_bytes, void *stream) {
  Report report = {text, text_bytes};
  void *given[kMostArguments];
  int64_t sizes[kMostDimensions], room[kMostArguments];
  const Variant *v = f->last.variant, *first;
  if (input_count != (size_t)f->given || output_count != (size_t)(f->arguments - f->given))
    return kiln_fail(report, WRONG_TENSOR, "%s: expected %d inputs and %d outputs, got %d and %d", f->name, f->given,
                     f->arguments - f->given, (int64_t)input_count, (int64_t)output_count);
  if (kIsDevice && !m) return kiln_fail(report, NULL_ARGUMENT, "%s: m: expected a library that was opened, got NULL", f->name);
  if ((!inputs && input_count) || (!outputs && output_count))
    return kiln_fail(report, NULL_ARGUMENT, "%s: expected a list of %s, got NULL", f->name, inputs || !input_count ? "outputs" : "inputs");
  int32_t status;
  for (int64_t i = 0; i < f->dimensions; ++i) sizes[i] = f->dimension[i].least;
  for (int64_t i = 0; i < f->arguments; ++i) {
    const Tensor *t = i < f->given ? inputs[i] : outputs[i - f->given];
    if ((status = check_tensor(m, f, &v->arguments[i], t, report))) return status;
    if (i < f->given) read_sizes(&v->arguments[i], t, sizes);
    given[i] = (char *)t->data + t->byte_offset;
  }
  if ((status = kiln_choose(f, 0, sizes, f->stages ? &first : &v, report))) return status;
  for (int64_t i = 0; i < f->arguments; ++i) {
    const Tensor *t = i < f->given ? inputs[i] : outputs[i - f->given];
    if ((status = check_layout(f, &v->arguments[i], t, sizes, report))) return status;
    if (v->arguments[i].room >= 0) room[v->arguments[i].room] = elements_of(t);
  }
  for (int64_t i = 0; i < f->given; ++i) /* numbers are read where they lie */
    if (v->arguments[i].use == kValue && !given[i])
      return kiln_fail(report, NULL_ARGUMENT, "%s: %s: expected a number, got NULL", f->name, v->arguments[i].name);
  status = kiln_call(m, f, given, sizes, room, 0, workspace, bytes, text, text_bytes, stream);
  if (!f->stages || (status && status != SHORT_OUTPUT) || kiln_choose(f, f->stages, sizes, &v, report)) return status;
  for (int64_t i = f->given; i < f->arguments; ++i)
    if (v->arguments[i].room >= 0) tell_shape(&v->arguments[i], outputs[i - f->given], sizes);
  return status;
}
