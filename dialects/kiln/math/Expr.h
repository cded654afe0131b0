// The element of codegen: an SSA value, or a vector of them, that the scalar language (Scalar.h) emits code for. The same
// source gives scalar and vector form, so both have the same bits.
#pragma once

#include "dialects/kiln/math/Trigonometric.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace kiln::ir {

/// An attribute of a module: bytes of the floats that its machine has no fused multiply-add for.
inline constexpr llvm::StringLiteral kUnfused = "kiln.unfused";

/// Narrow floats are their bits, signless integers; complex numbers are two values.
struct Expr : scalar::Element {
  mlir::OpBuilder *builder;
  mlir::Location loc;
  mlir::Value value;
  DType dtype;
  mlir::Value imag; // of complex dtypes

  Expr(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value, DType dtype, mlir::Value imag = {})
      : builder(&b), loc(loc), value(value), dtype(dtype), imag(imag) {}

  /// Lanes, or 0 for a scalar.
  int64_t lanes() const;
  /// The same with another value and dtype.
  Expr with(mlir::Value v, DType t) const { return {*builder, loc, v, t}; }
  Expr with(mlir::Value v) const { return with(v, dtype); }
  /// The (scalar or vector) type of lanes of `t`, for complex dtypes of their parts; integers are signless in emitted code.
  mlir::Type typeFor(DType t) const;
};

/// The element type in registers; bools are i1.
mlir::Type registerType(mlir::MLIRContext *context, DType dtype);

/// A constant of `like`'s lanes: `number` converted to the dtype, or its raw bits.
Expr constant(const Expr &like, double number);
Expr constant(const Expr &like, DType dtype, double number);
Expr bits(const Expr &like, DType dtype, uint64_t raw);

Expr addRaw(Expr a, Expr b);
Expr subRaw(Expr a, Expr b);
Expr mulRaw(Expr a, Expr b);
Expr divRaw(Expr a, Expr b);
Expr remRaw(Expr a, Expr b); // the sign of the dividend
Expr negRaw(Expr a);
Expr absRaw(Expr a);
/// A float as it is, of which LLVM does not see how it was made.
Expr opaqueRaw(Expr a);
Expr fmaRaw(Expr a, Expr b, Expr c);
Expr accumulateRaw(Expr a, Expr b, Expr c);
Expr sqrtRaw(Expr a);
Expr floorRaw(Expr a);
Expr ceilRaw(Expr a);
Expr truncRaw(Expr a);
Expr roundRaw(Expr a);
Expr maxRaw(Expr a, Expr b); // nan if either is
Expr minRaw(Expr a, Expr b);
Expr compareRaw(Expr a, Expr b, scalar::Relation relation);
Expr selectRaw(Expr condition, Expr a, Expr b);
Expr andRaw(Expr a, Expr b);
Expr orRaw(Expr a, Expr b);
Expr xorRaw(Expr a, Expr b);
Expr shlRaw(Expr a, Expr by); // by less than the width
Expr shrRaw(Expr a, Expr by);
Expr popcountRaw(Expr a);
Expr clzRaw(Expr a);
Expr mulhiRaw(Expr a, Expr b); // the high half of the product of unsigned integers
/// Between bool, integers, float16, float32 and float64, as the hardware does; a float to an integer only in its range.
Expr convertRaw(Expr a, DType to);
/// The same bits under a dtype of the same size.
Expr bitcast(Expr a, DType to);
Expr realPart(Expr a);
Expr imagPart(Expr a);
Expr makeComplex(Expr re, Expr im);
/// `usual`, in rare lanes `other`, which is computed only where there are such lanes.
Expr rarely(Expr isRare, Expr usual, llvm::function_ref<Expr()> other);
using scalar::math::Angle;
Angle<Expr> replaceLarge(Expr x, Expr isLarge, Angle<Expr> small);

} // namespace kiln::ir
