/* Sizes: what follows from those that a caller gives, and which program runs them. */
#include "codegen/library/support/library.h"

/* Quotient: of numbers of at least 0, as those of a launch plan are. */
enum { Number, Dimension_, Add, Multiply, FloorDivide, Maximum, Minimum, Quotient, kDeepest = kMostSymbols };

/* a op b; 0 where it overflows or is not defined. */
static int apply(int64_t step, int64_t a, int64_t b, int64_t *result) {
  switch (step) {
  case Add: return !__builtin_add_overflow(a, b, result);
  case Multiply: return !__builtin_mul_overflow(a, b, result);
  case FloorDivide:
    if (b <= 0) return 0;
    *result = a / b - (a % b < 0);
    return 1;
  case Quotient:
    if (a < 0 || b <= 0) return 0;
    *result = a / b;
    return 1;
  case Maximum: *result = a > b ? a : b; return 1;
  default: *result = a < b ? a : b; return 1;
  }
}

int32_t kiln_evaluate(const Expression *expression, const int64_t *sizes, int64_t *value) {
  int64_t stack[kDeepest];
  int top = 0;
  for (int64_t i = 0; i < expression->count; ++i) {
    int64_t step = expression->items[2 * i], number = expression->items[2 * i + 1];
    if (step == Number) stack[top++] = number;
    else if (step == Dimension_) stack[top++] = sizes[number];
    else {
      --top;
      if (!apply(step, stack[top - 1], stack[top], &stack[top - 1])) return SIZE_OVERFLOW;
    }
  }
  *value = stack[0];
  return 0;
}

int32_t kiln_bytes_of(const Argument *argument, const int64_t *sizes, int64_t *bytes) {
  *bytes = argument->fixed_bytes;
  if (*bytes >= 0) return 0;
  int64_t all = argument->bytes, has_none = 0;
  for (int64_t i = 0; i < argument->rank; ++i) {
    int64_t size;
    if (kiln_evaluate(&argument->shape[i], sizes, &size) || size < 0) return SIZE_OVERFLOW;
    has_none |= size == 0;
    if (size && __builtin_mul_overflow(all, size, &all)) return SIZE_OVERFLOW;
  }
  *bytes = has_none ? 0 : all;
  return 0;
}

static int is_in_box(const int64_t *bounds, const int64_t *sizes, int64_t dimensions) {
  for (int64_t i = 0; i < dimensions; ++i)
    if (sizes[i] < bounds[2 * i] || sizes[i] > bounds[2 * i + 1]) return 0;
  return 1;
}

int32_t kiln_choose(const Function *f, int64_t stage, const int64_t *sizes, const Variant **chosen, Report report) {
  const Stage *s = stage == f->stages ? &f->last : &f->stage[stage];
  int64_t dimensions = f->dimensions - f->stages + stage;
  for (int64_t i = 0; i < dimensions; ++i) {
    const Dimension *d = &f->dimension[i];
    if (sizes[i] < d->least || sizes[i] > d->most)
      return kiln_fail(report, SIZE_OUT_OF_BOUNDS, "%s: %s: expected a size from %d to %d, got %d", f->name, d->name, d->least, d->most,
                       sizes[i]);
  }
  for (int assumed = 0; assumed < 2; ++assumed)
    for (int64_t i = 0; i < s->variants; ++i) {
      const Variant *v = &s->variant[i];
      for (int64_t box = assumed ? v->checked : 0; box < (assumed ? v->boxes : v->checked); ++box)
        if (is_in_box(v->bounds + 2 * box * dimensions, sizes, dimensions)) return *chosen = v, 0;
    }
  int64_t last = stage && dimensions ? dimensions - 1 : 0;
  return kiln_fail(report, SIZE_NOT_COMPILED, "%s: %s: expected sizes that the function was exported for, got %d", f->name,
                   dimensions ? f->dimension[last].name : "sizes", dimensions ? sizes[last] : 0);
}

int32_t kiln_symbols(const Function *f, const Variant *v, const int64_t *sizes, int64_t *symbols, Report report) {
  for (int64_t i = 0; i < v->symbols; ++i) {
    if (kiln_evaluate(&v->symbol[i], sizes, &symbols[i]))
      return kiln_fail(report, SIZE_OVERFLOW, "%s: expected sizes whose arrays fit into memory, got %s = %d", f->name, f->dimension[0].name,
                       sizes[0]);
    if (symbols[i] < v->least_symbol[i])
      return kiln_fail(report, SIZE_NOT_COMPILED, "%s: expected sizes that the function was exported for, got %s = %d", f->name,
                       f->dimension[0].name, sizes[0]);
  }
  return 0;
}
