// Expressions over one element, or over a vector of elements: what the `scalar` fields of op records are written in.
// An Expr emits arith and math-free vector code as it is evaluated; the same source gives scalar and vector form, so both
// have the same bits. Every operation is total (docs/numerics.md): nothing here reaches what LLVM calls undefined.
#pragma once

#include "lib/Core/Types.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"

namespace kiln::ir {

struct Expr {
  mlir::OpBuilder *builder = nullptr;
  mlir::Location loc;
  mlir::Value value;
  DType dtype;

  /// Lanes, or 0 for a scalar.
  int64_t lanes() const;
  /// The same with another value and dtype.
  Expr with(mlir::Value v, DType t) const { return {builder, loc, v, t}; }
  Expr with(mlir::Value v) const { return with(v, dtype); }
  /// The (scalar or vector) type of lanes of `t`; integers are signless in emitted code.
  mlir::Type typeFor(DType t) const;
};

/// A constant of `like`'s lanes: `number` converted to the dtype, or its raw bits.
Expr constant(const Expr &like, double number);
Expr constant(const Expr &like, DType dtype, double number);
Expr bits(const Expr &like, DType dtype, uint64_t raw);

Expr operator+(Expr a, Expr b);
Expr operator-(Expr a, Expr b);
Expr operator*(Expr a, Expr b);
Expr operator/(Expr a, Expr b); // floating only
Expr operator-(Expr a);
Expr max(Expr a, Expr b);
Expr min(Expr a, Expr b);
Expr abs(Expr a);
Expr sqrt(Expr a);
/// a * b + c, rounded once for floats.
Expr fma(Expr a, Expr b, Expr c);
Expr equal(Expr a, Expr b);
Expr not_equal(Expr a, Expr b);
Expr less(Expr a, Expr b);
Expr less_equal(Expr a, Expr b);
Expr greater(Expr a, Expr b);
Expr greater_equal(Expr a, Expr b);
Expr bitwise_and(Expr a, Expr b);
Expr bitwise_or(Expr a, Expr b);
Expr bitwise_xor(Expr a, Expr b);
Expr bitwise_invert(Expr a);
Expr select(Expr condition, Expr a, Expr b);
Expr cast(Expr a, DType to);
/// The same bits under a dtype of the same size.
Expr bitcast(Expr a, DType to);
Expr shiftLeft(Expr a, int by);
Expr shiftRight(Expr a, int by); // keeps the sign of signed dtypes
Expr isnan(Expr a);              // false for integers
Expr isinf(Expr a);
Expr isfinite(Expr a);
Expr sign(Expr a);
Expr floor(Expr a); // integers as they are
Expr ceil(Expr a);
Expr trunc(Expr a);
Expr round(Expr a); // halves to the even one

/// Polynomial c[0] + c[1] x + ..., Horner's scheme in fused multiply-adds.
Expr polynomial(Expr x, llvm::ArrayRef<double> coefficients);

namespace math {
Expr exp(Expr x);
Expr log(Expr x);
Expr tanh(Expr x);
Expr sin(Expr x);
Expr cos(Expr x);
} // namespace math
} // namespace kiln::ir
