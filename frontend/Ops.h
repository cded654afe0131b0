// Operations on arrays: promoted and checked here, then run by the eager kernels or recorded.
#pragma once

#include "frontend/Device.h"
#include "lib/Core/Error.h"
#include "lib/Core/Ops.h"

#include <functional>
#include <optional>

namespace kiln {

/// An operand of an elementwise op: an array, or a Python number, which takes its dtype from the arrays beside it.
struct Operand {
  enum Kind { IsArray, IsBool, IsInt, IsFloat, IsComplex } kind = IsArray;
  const Array *array = nullptr;
  int64_t integer = 0; // of an integer; one above int64 as its bits, with isLarge
  double number = 0, imaginary = 0;
  bool isLarge = false;
  const void *origin = nullptr; // of a number: the object of the host
};

/// Numbers of the host that a recording takes as inputs instead of constants.
class NumberInputs {
public:
  virtual ~NumberInputs() = default;
  /// The array without axes that stands for a number; null for one that is a constant.
  virtual const Array *inputOf(const void *number, DType dtype) = 0;
};
extern thread_local NumberInputs *numberInputs; // null: none

/// The bytes of one element of any dtype, as words.
using Scalar = std::array<int64_t, 2>;

/// The dtype of arrays made from Python floats.
extern DType defaultFloatType;
inline DType defaultFloat() { return defaultFloatType; }
void setDefaultFloat(DType dtype);
/// The dtype that arrays of two dtypes have together; false where there is none. Where the default dtype is float64 it is NumPy's: beside
/// floats, integers count as the smallest float that holds all of them, and uint64 meets signed integers in float64.
bool promoteArrays(DType a, DType b, DType &result);

/// Called around kernels that take long, so that other threads of the host program can run.
struct LongWork {
  void *(*begin)() = nullptr;
  void (*end)(void *) = nullptr;
  void (*check)() = nullptr;     // lets a signal through between the operations of a loop: throws what its handler raised
  bool (*hasOthers)() = nullptr; // whether there are other threads of the host, that would run meanwhile

  /// Whether to let others run during so many seconds. One that is started meanwhile waits for work that is not very long; to let go and
  /// come back takes half a microsecond, and as much again with cold caches.
  bool pays(double seconds) const {
    constexpr double kLong = 20e-6, kVeryLong = 1e-3;
    return seconds >= kLong && begin && (seconds >= kVeryLong || !hasOthers || hasOthers());
  }
};
LongWork &longWork();

/// Promotes, broadcasts and applies an op of the ufunc kind.
Array applyElementwise(Op op, std::span<const Operand> operands);
/// Makes the array of a small result: of a dtype, in the shape of another one that is row-major.
struct SmallResult {
  static constexpr int64_t kMost = 64; // elements
  void *context;
  Array &(*withMemory)(void *context, DType dtype, const Array &like);
  void (*ofCell)(void *context, DType dtype, const Array &like, Ref<Storage> cell);
};
/// The same where the operands are row-major and alike and the result is small, in an array that `make` gives. False where they are not.
bool applySmall(Op op, std::span<const Operand> operands, const SmallResult &make);
/// The same into an array of the result's shape and dtype, without memory for the result; false where that is not so simple.
bool applyInto(Op op, std::span<const Operand> operands, Array &target);
Array where(const Array &condition, const Operand &x, const Operand &y);
/// On `device` where one is given, to which the array moves by itself.
Array cast(const Array &x, DType dtype, Device *device = nullptr);
/// A number; one of the CPU goes with arrays of any device.
Array constantArray(DType dtype, const Scalar &bits, Device *device = nullptr);
/// All elements one number; `bits` is its representation in the dtype.
Array full(const Dims &shape, DType dtype, const Scalar &bits, Device *device = defaultDevice());
/// The same bits under another dtype of the same size.
Array bitcast(const Array &x, DType dtype);
Array iota(DType dtype, const Dims &shape, int64_t axis, Device *device = defaultDevice());

// Views where they can be.
Array reshape(const Array &x, const Dims &shape);
Array transpose(const Array &x, const Dims &permutation);
Array broadcastTo(const Array &x, const Dims &shape);
Array slice(const Array &x, const Dims &starts, const Dims &sizes, const Dims &steps);
/// The real or imaginary parts of complex numbers, a view; of real ones the array itself, or zeros.
Array partOf(const Array &x, bool imaginary);
/// Complex numbers of their parts.
Array joinParts(const Array &re, const Array &im);
Array dynamicSlice(const Array &x, const Array &starts, const Dims &sizes);
Array dynamicUpdate(const Array &x, const Array &value, const Array &starts);

Array concat(std::span<const Array *const> arrays, int64_t axis);
Array gather(const Array &x, const Array &indices, int64_t axis);
/// `x` with updates put in (or added, ...; the op says it) at the indices of one axis.
Array scatter(Op op, const Array &x, const Array &indices, const Array &updates, int64_t axis);
/// The same in place, of row-major memory of its own.
void scatterInto(Op op, Array &x, const Array &indices, const Array &updates, int64_t axis);
/// Positions of the true elements of a flat mask. Asks how many there are.
Array nonzero(const Array &mask);
/// Where runs of equal elements begin in a sorted vector; `joinsNans`: nans are one run. Asks how many there are.
Array runStarts(const Array &line, bool joinsNans = false);
/// How many elements are true.
Array countTrue(const Array &mask);
/// One position for several along axes of `sizes`; the least int64 for one outside.
Array ravelIndices(std::span<const Array> indices, const Dims &sizes);
/// An op of the kinds scan and sort along an axis.
Array alongAxis(Op op, const Array &x, int64_t axis, bool descending = false);
Array convolution(const Array &x, const Array &w, const Dims &strides, const Dims &low, const Dims &high, const Dims &dilation,
                  int64_t groups);
/// A reduction over `axes` (all where none are given); positions for arg-reductions, over one axis or the flattened array.
Array reduce(Op op, const Array &x, std::optional<Dims> axes, bool keepDims);
Array dotGeneral(const Array &x, const Array &y, const Dims &xBatch, const Dims &yBatch, int64_t xAxis, int64_t yAxis);
Array matmul(const Array &x, const Array &y);

/// An op of the kind library; operands as its rule wants them.
Array applyLibrary(Op op, std::span<const Array *const> operands, std::span<const int64_t> words);
/// The same of one that may have several results.
std::vector<Array> applyLibraryAll(Op op, std::span<const Array *const> operands, std::span<const int64_t> words);

/// Row-major memory: the array itself where it is so.
Array contiguous(const Array &x);
/// A copy with memory of its own.
Array copy(const Array &x);
/// x[...] = value, cast to x's dtype and broadcast to its shape.
void assign(Array &x, const Array &value);

/// The same, of a value that dies with the call: its memory is taken where it fits.
void assignResult(Array &x, const Array &value);

/// The bits of a Python number in a dtype; throws Error (overflow) where it does not fit.
Scalar scalarBits(const Operand &number, DType dtype);
/// The dtype of a lone Python number.
DType weakDType(const Operand &number);

} // namespace kiln
