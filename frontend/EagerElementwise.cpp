// Elementwise kernels of the pack over any layout: axes are joined where they can be, and what lies apart is brought together.
#include "frontend/Eager.h"

#include "frontend/Lines.h"
#include "frontend/Masks.h"
#include "lib/Library/Quotients.h"
#include "lib/Runtime/Memory.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <optional>
#include <utility>

namespace kiln::eager {
namespace {

enum Form : uint8_t { C, S, CC, C0, ZC, SS, CCC, CZC, CCZ, SSS, kForms };
constexpr const char *kFormNames[kForms] = {"c", "s", "cc", "c0", "0c", "ss", "ccc", "c0c", "cc0", "sss"};

/// Kernels by op, dtype of the first data operand, dtype of the result and form; found by name the first time.
kiln_entry_fn elementwiseKernel(Op op, DType dtype, DType result, Form form) {
  static std::atomic<kiln_entry_fn> table[size_t(Op::Count)][kNumDTypes][kForms];
  static std::atomic<kiln_entry_fn> casts[kNumDTypes][kNumDTypes][kForms];
  auto &slot = op == Op::Cast ? casts[size_t(dtype)][size_t(result)][form] : table[size_t(op)][size_t(dtype)][form];
  if (kiln_entry_fn known = slot.load(std::memory_order_relaxed)) return known;
  std::string name = std::string(info(op).name) + "_" + info(dtype).shortName + "_" +
                     (op == Op::Cast ? std::string(info(result).shortName) + "_" : "") + kFormNames[form];
  kiln_entry_fn found = packKernel(name);
  slot.store(found, std::memory_order_relaxed);
  return found;
}

constexpr int64_t kRow = 8192, kLongRow = 8 * kRow;

} // namespace

Nest coalesce(const Dims &shape, std::span<const Input> inputs) {
  Nest nest;
  for (int i = 0; i < shape.rank; ++i) {
    if (shape[i] == 1) continue;
    int last = nest.shape.rank - 1;
    bool joins = last >= 0;
    for (size_t k = 0; joins && k < inputs.size(); ++k) joins = nest.strides[k][last] == inputs[k].strides[i] * shape[i];
    if (joins) nest.shape[last] *= shape[i];
    else nest.shape.push(shape[i]);
    for (size_t k = 0; k < inputs.size(); ++k) {
      if (joins) nest.strides[k][last] = inputs[k].strides[i];
      else nest.strides[k].push(inputs[k].strides[i]);
    }
  }
  while (nest.shape.rank < 2) {
    nest.shape.insert(0, 1);
    for (size_t k = 0; k < inputs.size(); ++k) nest.strides[k].insert(0, 0);
  }
  return nest;
}

namespace {

Form formOf(const Nest &nest, size_t count) {
  int inner = nest.shape.rank - 1;
  bool one = nest.shape[inner] == 1;
  auto kind = [&](size_t k) { return one || nest.strides[k][inner] == 1 ? 'c' : nest.strides[k][inner] == 0 ? '0' : 's'; };
  if (count == 1) return kind(0) == 'c' ? C : S;
  if (count == 2) {
    if (kind(0) == 'c' && kind(1) == 'c') return CC;
    if (kind(0) == 'c' && kind(1) == '0') return C0;
    return kind(0) == '0' && kind(1) == 'c' ? ZC : SS;
  }
  if (kind(0) != 'c') return SSS;
  if (kind(1) == 'c') return kind(2) == 'c' ? CCC : kind(2) == '0' ? CCZ : SSS;
  return kind(1) == '0' && kind(2) == 'c' ? CZC : SSS;
}

/// Calls `body` with the byte offset of each operand for every position of the axes before the last two.
template <typename Body> void overOuter(const Nest &nest, size_t count, const Body &body) {
  int outer = nest.shape.rank - 2;
  int64_t at[kMaxRank] = {};
  for (;;) {
    int64_t offsets[kMostInputs] = {};
    for (size_t k = 0; k < count; ++k)
      for (int i = 0; i < outer; ++i) offsets[k] += at[i] * nest.strides[k][i];
    body(offsets);
    int i = outer - 1;
    while (i >= 0 && ++at[i] == nest.shape[i]) at[i--] = 0;
    if (i < 0) return;
  }
}

} // namespace

void flat(Op op, DType dtype, DType resultType, int64_t n, bool isScalar, void *const *buffers) {
  Form form = info(op).operands == 1 ? C : isScalar ? C0 : CC;
  if (n >= kLongRow) {
    Input inputs[] = {{buffers[0], dtype, {1}}, {buffers[1], dtype, {isScalar ? 0 : 1}}};
    size_t count = size_t(info(op).operands);
    return elementwise(op, {inputs, count}, resultType, {n}, buffers[count]);
  }
  int64_t dims[] = {1, n, n, n};
  callNest(elementwiseKernel(op, dtype, resultType, form), buffers, dims);
}

void flat(Op op, std::span<const Flat> operands, DType resultType, int64_t n, void *result) {
  auto isOne = [&](size_t i) { return operands[i].isOne && n > 1; };
  Form form = C;
  if (operands.size() == 2) form = isOne(0) ? ZC : isOne(1) ? C0 : CC;
  if (operands.size() == 3) form = isOne(1) ? CZC : isOne(2) ? CCZ : CCC;
  void *buffers[kMostInputs + 1];
  for (size_t i = 0; i < operands.size(); ++i) buffers[i] = const_cast<void *>(operands[i].data);
  buffers[operands.size()] = result;
  int64_t dims[] = {1, n, n, n, n};
  callNest(elementwiseKernel(op, operands.back().dtype, resultType, form), buffers, dims);
}

/// One long axis as rows, which threads can share; what is left behind them is done here.
static void splitRow(Op op, Nest &nest, std::span<const Input> inputs, DType resultType, void *result) {
  int64_t n = nest.shape[1], rows = n / kRow, rest = n % kRow, done = rows * kRow;
  if (rest) {
    std::vector<Input> tails(inputs.begin(), inputs.end());
    for (size_t k = 0; k < tails.size(); ++k) {
      tails[k].strides = {nest.strides[k][1]};
      tails[k].data = static_cast<const char *>(tails[k].data) + done * nest.strides[k][1] * byteSize(tails[k].dtype);
    }
    elementwise(op, tails, resultType, {rest}, static_cast<char *>(result) + done * byteSize(resultType));
  }
  nest.shape = {rows, kRow};
  for (size_t k = 0; k < inputs.size(); ++k) nest.strides[k][0] = kRow * nest.strides[k][1];
}

template <typename T> void fillAs(char *to, const char *from, int64_t n) {
  T value;
  std::memcpy(&value, from, sizeof value);
  std::fill_n(reinterpret_cast<T *>(to), n, value);
}
/// `n` times one element.
static void fill(char *to, const char *from, int64_t n, int64_t bytes) {
  if (bytes == 1) return void(std::memset(to, *from, size_t(n)));
  if (bytes == 16) return fillAs<Pair>(to, from, n);
  bytes == 2 ? fillAs<uint16_t>(to, from, n) : bytes == 4 ? fillAs<uint32_t>(to, from, n) : fillAs<uint64_t>(to, from, n);
}

/// A row as often as it takes to fill `bytes`: what is there is copied behind itself, and stays in the nearest cache.
static void repeatRow(char *to, const char *row, int64_t rowBytes, int64_t bytes) {
  constexpr int64_t kBlock = 8192;
  int64_t done = std::min(rowBytes, bytes);
  std::memcpy(to, row, size_t(done));
  while (done < bytes) {
    int64_t whole = done < kBlock ? done : kBlock / rowBytes * rowBytes, more = std::min(whole, bytes - done);
    std::memcpy(to + done, to, size_t(more));
    done += more;
  }
}

static void copyStrided(const Input &target, const Input &source, const Dims &shape) {
  int64_t bytes = byteSize(target.dtype);
  Input operands[] = {source, target};
  Nest nest = coalesce(shape, operands);
  int rank = nest.shape.rank;
  Plane plane = {nest.shape[rank - 2],      nest.shape[rank - 1],      nest.strides[0][rank - 2],
                 nest.strides[0][rank - 1], nest.strides[1][rank - 2], nest.strides[1][rank - 1]};
  bool isPlain = (plane.fromColumns == 1 || plane.columns == 1) && (plane.toColumns == 1 || plane.columns == 1);
  bool isFill = !isPlain && plane.fromColumns == 0 && plane.toColumns == 1 && plane.columns >= 32;
  int64_t rowBytes = plane.columns * bytes;
  bool isRepeated = isPlain && plane.rows > 1 && plane.fromRows == 0 && plane.toRows == plane.columns && rowBytes <= 4096;
  bool isTransposed = !isPlain && !isFill && plane.fromRows == 1 && plane.toColumns == 1 && bytes <= 8 && plane.columns >= 16;
  kiln_entry_fn turned = isTransposed ? packKernel("copy_" + std::to_string(8 * bytes) + "_t") : nullptr;
  overOuter(nest, 2, [&](const int64_t *offsets) {
    char *from = const_cast<char *>(static_cast<const char *>(source.data)) + offsets[0] * bytes;
    char *to = const_cast<char *>(static_cast<const char *>(target.data)) + offsets[1] * bytes;
    if (isTransposed) {
      void *buffers[] = {from, to};
      int64_t dims[] = {plane.rows, plane.columns, plane.fromColumns, plane.toRows};
      return void(callNest(turned, buffers, dims));
    }
    if (isRepeated) return repeatRow(to, from, rowBytes, plane.rows * rowBytes);
    if (!isPlain && !isFill) return copyPlane(to, from, bytes, plane);
    for (int64_t i = 0; i < plane.rows; ++i, from += plane.fromRows * bytes, to += plane.toRows * bytes)
      if (isFill) fill(to, from, plane.columns, bytes);
      else copyBytes(to, from, size_t(plane.columns * bytes));
  });
}

/// Large operands whose columns lie one after the other, as rows: a copy in tiles costs less than reading across lines.
class RowOperands {
public:
  RowOperands(Nest &nest, std::span<const Input> given) : inputs(given) {
    constexpr int64_t kWorthACopy = 16384, kLeast = 16;
    Dims &shape = nest.shape;
    if (shape.rank != 2 || std::min(shape[0], shape[1]) < kLeast || shape[0] * shape[1] < kWorthACopy) return;
    for (size_t k = 0; k < given.size(); ++k) {
      const Input &input = given[k];
      if (nest.strides[k][0] != 1 || nest.strides[k][1] < 2 || byteSize(input.dtype) > 8) continue;
      copies.push_back(Value::make(size_t(shape[0] * shape[1] * byteSize(input.dtype))));
      Input rows{copies.back()->data, input.dtype, contiguousStrides(shape)};
      copyStrided(rows, {input.data, input.dtype, nest.strides[k]}, shape);
      if (changed.empty()) changed.assign(given.begin(), given.end());
      changed[k] = rows;
      inputs = changed;
      nest.strides[k] = rows.strides;
    }
  }
  std::span<const Input> inputs;

private:
  std::vector<Input> changed;
  std::vector<Ref<Value>> copies;
};

bool isApart(Form form) { return form == S || form == SS || form == SSS; }

/// Rows of operands that do not lie step by step: brought together a block at a time, so that vectors can be read.
class Staged {
public:
  static constexpr int64_t kLeast = 64; // columns for which that pays

  Staged(Op op, const Nest &nest, std::span<const Input> inputs, DType resultType)
      : count(inputs.size()), resultBytes(byteSize(resultType)) {
    int inner = nest.shape.rank - 1;
    Nest lines = nest;
    for (bool takesAll : {false, true}) { // operands of one element only where a kernel knows them
      for (size_t k = 0; k < count; ++k) lines.strides[k][inner] = nest.strides[k][inner] == 0 && !takesAll ? 0 : 1;
      if (!isApart(formOf(lines, count))) break;
    }
    kernel = elementwiseKernel(op, inputs.back().dtype, resultType, formOf(lines, count));
    rows = nest.shape[inner - 1];
    columns = nest.shape[inner];
    for (size_t k = 0; k < count; ++k) {
      operands[k] = {byteSize(inputs[k].dtype), nest.strides[k][inner - 1], nest.strides[k][inner],
                     lines.strides[k][inner] != nest.strides[k][inner]};
      if (std::abs(operands[k].step * operands[k].bytes) >= kCacheLine) block = kFarBlock;
    }
  }

  /// From where each operand and the result begin.
  void run(void *const *buffers) {
    std::copy_n(buffers, count + 1, starts);
    runtimeTable()->parallel_for([](void *self, void *, int64_t first, int64_t last) { static_cast<Staged *>(self)->blocks(first, last); },
                                 this, nullptr, 0, rows * ((columns + block - 1) / block), 32);
  }

private:
  // Of elements each in a cache line of its own fewer: another operand may have its own in the same lines, which are still near then.
  static constexpr int64_t kBlock = 1024, kFarBlock = 256, kCacheLine = 64;
  struct Operand {
    int64_t bytes, row, step;
    bool isStaged;
  };
  size_t count;
  int64_t resultBytes, rows, columns, block = kBlock;
  kiln_entry_fn kernel;
  Operand operands[kMostInputs];
  void *starts[kMostInputs + 1];

  void blocks(int64_t first, int64_t last) const {
    alignas(64) char lines[kMostInputs][kBlock * 16];
    void *buffers[kMostInputs + 1];
    for (int64_t part = first; part < last; ++part) {
      int64_t i = part % rows, j = part / rows * block, n = std::min(block, columns - j);
      for (size_t k = 0; k < count; ++k) {
        const Operand &x = operands[k];
        buffers[k] = static_cast<char *>(starts[k]) + (i * x.row + j * x.step) * x.bytes;
        if (x.isStaged) copyPlane(lines[k], std::exchange(buffers[k], lines[k]), x.bytes, {1, n, 0, x.step, 0, 1});
      }
      buffers[count] = static_cast<char *>(starts[count]) + (i * columns + j) * resultBytes;
      int64_t dims[] = {1, n, n, n, n};
      callNest(kernel, buffers, dims);
    }
  }
};

/// Rows of integers over one number.
static bool divideByNumber(Op op, const Nest &nest, std::span<const Input> inputs, void *result) {
  if ((op != Op::FloorDivide && op != Op::Remainder) || nest.shape.rank != 2 || nest.shape[0] != 1) return false;
  if (nest.strides[0][1] != 1 || nest.strides[1][1] != 0) return false;
  return kiln::divideByNumber(inputs[0].dtype, op == Op::Remainder, inputs[0].data, inputs[1].data, nest.shape[1], result);
}

void elementwise(Op op, std::span<const Input> given, DType resultType, const Dims &shape, void *result) {
  int64_t n = numElements(shape);
  if (n == 0) return;
  Nest nest = coalesce(shape, given);
  RowOperands rows(nest, given);
  std::span<const Input> inputs = rows.inputs;
  if (divideByNumber(op, nest, inputs, result)) return;
  size_t count = inputs.size();
  Form form = formOf(nest, count);
  int rank = nest.shape.rank;
  std::optional<Staged> staged;
  if (isApart(form) && nest.shape[rank - 1] >= Staged::kLeast) staged.emplace(op, nest, inputs, resultType);
  else if (rank == 2 && nest.shape[0] == 1 && nest.shape[1] >= kLongRow) splitRow(op, nest, inputs, resultType, result);
  kiln_entry_fn kernel = staged ? nullptr : elementwiseKernel(op, inputs.back().dtype, resultType, form);
  int64_t dims[2 + 2 * kMostInputs] = {nest.shape[rank - 2], nest.shape[rank - 1]};
  int64_t *next = dims + 2;
  for (size_t k = 0; k < count; ++k) {
    *next++ = nest.strides[k][rank - 2];
    if (isApart(form)) *next++ = nest.strides[k][rank - 1];
  }
  int64_t piece = dims[0] * dims[1] * byteSize(resultType);
  char *out = static_cast<char *>(result);
  overOuter(nest, count, [&](const int64_t *offsets) {
    void *buffers[kMostInputs + 1];
    for (size_t k = 0; k < count; ++k)
      buffers[k] = const_cast<char *>(static_cast<const char *>(inputs[k].data)) + offsets[k] * byteSize(inputs[k].dtype);
    buffers[count] = out;
    if (staged) staged->run(buffers);
    else callNest(kernel, buffers, dims);
    out += piece;
  });
}

void stridedCopy(const Array &target, const Input &source) {
  if (target.size()) copyStrided({target.data(), target.dtype, target.strides}, source, target.shape);
}

} // namespace kiln::eager
