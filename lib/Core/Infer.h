// Shape and dtype inference, written once: the recorder, the eager path and the verifier of the dialect call these rules.
// Each throws Error (shape, dtype or axis) that names the op, what was expected and what was met.
//
// Sizes may be open: equal ones are the same constant or symbol, and what follows from symbols by arithmetic is derived. A rule refuses
// what holds for no values of the symbols, which are at least 2 as sizes and at least 0 as positions; it takes what holds for some, as
// each recording is checked with its own numbers (Generalize.h).
#pragma once

#include "lib/Core/Error.h"
#include "lib/Core/Ops.h"

namespace kiln {

TensorType inferElementwise(const InferArgs &args);
TensorType inferComparison(const InferArgs &args);
TensorType inferSelect(const InferArgs &args);
TensorType inferCast(const InferArgs &args);
TensorType inferBitcast(const InferArgs &args);
TensorType inferReal(const InferArgs &args);
TensorType inferComplex(const InferArgs &args);
TensorType inferConstant(const InferArgs &args);
TensorType inferIota(const InferArgs &args);
TensorType inferBroadcast(const InferArgs &args);
TensorType inferReshape(const InferArgs &args);
TensorType inferTranspose(const InferArgs &args);
TensorType inferSlice(const InferArgs &args);
TensorType inferDynamicSlice(const InferArgs &args);
TensorType inferConcat(const InferArgs &args);
TensorType inferUpdate(const InferArgs &args);
TensorType inferDynamicUpdate(const InferArgs &args);
TensorType inferGather(const InferArgs &args);
TensorType inferScatter(const InferArgs &args);
TensorType inferReduction(const InferArgs &args);
TensorType inferArgReduction(const InferArgs &args);
TensorType inferScan(const InferArgs &args);
TensorType inferSort(const InferArgs &args);
TensorType inferArgsort(const InferArgs &args);
TensorType inferNonzero(const InferArgs &args);
TensorType inferDotGeneral(const InferArgs &args);
TensorType inferConvolution(const InferArgs &args);
TensorType inferCholesky(const InferArgs &args);
TensorType inferLu(const InferArgs &args);
TensorType inferSolve(const InferArgs &args);
TensorType inferQr(const InferArgs &args);
TensorType inferEigh(const InferArgs &args);
TensorType inferEig(const InferArgs &args);
TensorType inferSvd(const InferArgs &args);
TensorType inferFft(const InferArgs &args);
TensorType inferRfft(const InferArgs &args);
TensorType inferIrfft(const InferArgs &args);
TensorType inferSearchsorted(const InferArgs &args);
TensorType inferIsin(const InferArgs &args);
TensorType inferGcd(const InferArgs &args);

/// Throws Error (dtype) where the record does not accept an operand's dtype.
void checkDType(const InferArgs &args, size_t operand);
/// An axis among the words of an op, which counts from 0; throws Error (axis) for any other.
int axisOf(const InferArgs &args, int64_t axis, int rank);
/// Throws Error (shape) where sizes of the operands are open: of an op whose code is for the sizes that it was made for.
void checkFixed(const InferArgs &args);
/// A choice among the first `count` numbers; throws Error (value) for any other.
int64_t choiceOf(const InferArgs &args, const char *what, int64_t word, int64_t count);
/// For sums and products of words that may be anything.
using Wide = __int128;
/// The most elements of an array; sizes of 0 count as 1.
inline constexpr int64_t kMostElements = int64_t(1) << 48;
/// The most bytes of a workspace: more than processors address, and so few that sums of some do not overflow.
inline constexpr int64_t kMostWorkspace = int64_t(1) << 56;
/// Throws Error (shape) for a type of more.
void checkSize(const char *op, const TensorType &type);
/// The type of `op` over `operands` with `words`, in a program of so many symbols; throws Error (value) for an op of several results.
TensorType infer(Op op, std::span<const TensorType> operands, std::span<const int64_t> words, int64_t symbols = kNoSymbols);
/// The types of all its results; `bodies` are those of the trace that it is in.
std::vector<TensorType> inferAll(Op op, std::span<const TensorType> operands, std::span<const int64_t> words,
                                 std::span<const std::shared_ptr<const Trace>> bodies = {}, int64_t symbols = kNoSymbols);

/// The common shape of NumPy's broadcasting.
Dims broadcastShapes(const char *op, const Dims &a, const Dims &b);
/// An axis in [-rank, rank) as one in [0, rank).
int normalizeAxis(const char *op, int64_t axis, int rank);

} // namespace kiln
