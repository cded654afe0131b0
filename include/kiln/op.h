/* What the kernel of a custom op is given: docs/custom-ops.md. A kernel is a function of C,

     #include <kiln/op.h>
     KILN_KERNEL int32_t relu6(const kiln_context *context, const kiln_tensor *operands, const kiln_tensor *results) { ... }

   that reads the operands, fills the results and returns 0, or a number of its own for what went wrong. Arrays are row-major; results
   overlap nothing. It keeps no pointer and no state: it may be called by several threads at once, and is called again with the same
   operands whenever that is of use. */
#ifndef KILN_OP_H
#define KILN_OP_H

#include <stdint.h>

#ifdef __cplusplus
#define KILN_KERNEL extern "C" __attribute__((visibility("default")))
extern "C" {
#else
#define KILN_KERNEL __attribute__((visibility("default")))
#endif

/** The version of this header. Later ones add fields at the end, and say more in `version`: kernels of older ones go on as they are. */
#define KILN_OP_VERSION 1

/** Numbers of dtypes. A bool is a byte, 0 or 1; a complex number two floats; narrow floats are their bits. */
enum {
  KILN_BOOL,
  KILN_INT8,
  KILN_INT16,
  KILN_INT32,
  KILN_INT64,
  KILN_UINT8,
  KILN_UINT16,
  KILN_UINT32,
  KILN_UINT64,
  KILN_FLOAT16,
  KILN_BFLOAT16,
  KILN_FLOAT32,
  KILN_FLOAT64,
  KILN_COMPLEX64,
  KILN_COMPLEX128,
  KILN_FLOAT8_E4M3FN,
  KILN_FLOAT8_E5M2
};

/** An array in memory. Sizes and strides are in elements; `dtype` is the number of a stored trace (docs/formats/trace.md). */
typedef struct kiln_tensor {
  void *data;
  int32_t dtype, rank;
  const int64_t *shape, *strides;
} kiln_tensor;

/** Where arrays are, by DLPack's numbers. */
enum { KILN_CPU = 1, KILN_CUDA = 2 };

/** A number beside the arrays: of int64, or the bits of a float64. */
typedef struct kiln_attribute {
  int64_t dtype, bits;
} kiln_attribute;

/** What a call is told beside its arrays. */
typedef struct kiln_context {
  int32_t version;               /**< KILN_OP_VERSION of the caller */
  int32_t device, device_number; /**< where the arrays are */
  int32_t attributes;            /**< how many there are, in the order of their names in `shape` */
  const kiln_attribute *attribute;
  void *stream;    /**< of the device, on which the work is to be queued; NULL on the CPU */
  int32_t *status; /**< in the device's memory, 0: what queued work sets where it fails, as the kernel's own result does */
} kiln_context;

typedef int32_t (*kiln_op_fn)(const kiln_context *context, const kiln_tensor *operands, const kiln_tensor *results);

/** How many elements an array has. */
static inline int64_t kiln_elements(const kiln_tensor *t) {
  int64_t n = 1;
  for (int32_t i = 0; i < t->rank; ++i) n *= t->shape[i];
  return n;
}

/** An attribute as a floating number. */
static inline double kiln_number(const kiln_context *context, int32_t i) {
  union {
    int64_t bits;
    double number;
  } u;
  u.bits = context->attribute[i].bits;
  return context->attribute[i].dtype == KILN_FLOAT64 ? u.number : (double)u.bits;
}

/** An attribute as an integer; a float is cut off. */
static inline int64_t kiln_integer(const kiln_context *context, int32_t i) {
  return context->attribute[i].dtype == KILN_FLOAT64 ? (int64_t)kiln_number(context, i) : context->attribute[i].bits;
}

#ifdef __cplusplus
}
#endif
#endif
