#include "lib/Core/NativeOps.h"

#include "include/kiln/executable.h"
#include "lib/Core/Error.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <mutex>
#include <unordered_map>

namespace kiln {
namespace {

static_assert(int(DType::F8E5M2) == KILN_FLOAT8_E5M2 && int(DType::C64) == KILN_COMPLEX64 && int(DType::F16) == KILN_FLOAT16 &&
              int(DType::U8) == KILN_UINT8);

bool isRowMajor(const kiln_tensor &t) {
  int64_t step = 1;
  for (int i = t.rank; i-- > 0;) {
    if (t.shape[i] == 0) return true;
    if (t.shape[i] != 1 && t.strides[i] != step) return false;
    step *= t.shape[i];
  }
  return true;
}

void copyRows(char *&to, const char *from, const kiln_tensor &t, int axis, int64_t bytes) {
  if (axis == t.rank) {
    std::memcpy(to, from, size_t(bytes));
    to += bytes;
    return;
  }
  for (int64_t i = 0; i < t.shape[axis]; ++i) copyRows(to, from + i * t.strides[axis] * bytes, t, axis + 1, bytes);
}

/// Row-major arrays in the place of strided ones.
class RowMajor {
public:
  RowMajor(const kiln_tensor *given, size_t count) : tensors(given, given + count) {
    for (kiln_tensor &t : tensors) {
      if (isRowMajor(t)) continue;
      Dims &strides = kept.emplace_back(contiguousStrides(Dims(std::span(t.shape, size_t(t.rank)))));
      int64_t bytes = byteSize(DType(t.dtype));
      memory.emplace_back(std::make_unique_for_overwrite<char[]>(size_t(kiln_elements(&t) * bytes)));
      char *to = memory.back().get();
      copyRows(to, static_cast<const char *>(t.data), t, 0, bytes);
      t.data = memory.back().get();
      t.strides = strides.begin();
    }
  }
  std::vector<kiln_tensor> tensors;

private:
  std::deque<Dims> kept;
  std::vector<std::unique_ptr<char[]>> memory;
};

/// 0, or that it failed with what the function gave in the upper half, as far as there is room.
int32_t callNative(kiln_op_fn function, const kiln_tensor *tensors, const int64_t *words, const NativeOp &op) {
  for (int i = 0; i < op.results; ++i) words += 2 + words[1]; // a dtype, a list of sizes
  int32_t status = 0;
  kiln_context context = {KILN_OP_VERSION, KILN_CPU, 0, int32_t(op.attributes.size()), reinterpret_cast<const kiln_attribute *>(words),
                          nullptr,         &status};
  RowMajor rows(tensors, size_t(op.operands));
  int32_t returned = function(&context, rows.tensors.data(), tensors + op.operands);
  int32_t code = returned ? returned : status;
  return code ? KILN_CUSTOM_FAILED | (code & 0x7fff) << 16 : 0;
}

} // namespace

CustomOp customOf(const NativeOp &op) {
  CustomOp custom{.name = op.name, .summary = "A function of C or Python.", .operands = op.operands};
  custom.title = op.title;
  custom.isForAnySize = true;
  auto add = [&](const char *letters, const std::string &names) {
    custom.words += letters;
    custom.attributes += (custom.attributes.empty() ? "" : ",") + names;
  };
  for (int i = 0; i < op.results; ++i) add("dN", "dtype" + std::to_string(i) + ",shape" + std::to_string(i));
  for (const std::string &name : op.attributes) add("s", name);
  custom.infer = [results = op.results](const InferArgs &args) {
    WordReader words{args.words};
    std::vector<TensorType> types;
    for (int i = 0; i < results; ++i) {
      DType dtype = words.dtype();
      types.push_back({dtype, words.sizes(args.op, args.symbols)});
    }
    return types;
  };
  return custom;
}

const RegisteredOp &declareNative(const NativeOp &op) {
  CustomOp custom = customOf(op);
  custom.code = std::make_shared<std::atomic<kiln_op_fn>>(nullptr);
  custom.run = [op, code = custom.code](const kiln_tensor *tensors, const int64_t *words) -> int32_t {
    kiln_op_fn function = *code;
    return function ? callNative(function, tensors, words, op) : KILN_LIBRARY_MISSING;
  };
  std::string words = "o" + custom.words, attributes = custom.attributes;
  const RegisteredOp *known = findRegistered(op.name);
  if (!known) {
    try {
      return registerOp(std::move(custom));
    } catch (const Error &) {
      known = findRegistered(op.name); // another thread's, just now
      if (!known) throw;
    }
  }
  bool isSame = known->op.code && known->op.words == words && known->op.attributes == attributes && known->op.operands == op.operands;
  if (!isSame) fail(ErrorKind::Value, "custom_op", "op '" + op.name + "'", "operands, results and attributes as it has", "others");
  return *known;
}

void defineNative(const RegisteredOp &op, kiln_op_fn function) {
  kiln_op_fn none = nullptr;
  op.op.code->compare_exchange_strong(none, function);
}

namespace {

struct DeviceKernels {
  std::mutex mutex;
  std::unordered_map<int64_t, DeviceKernel> all; // by ids of ops
};
DeviceKernels &deviceKernels() {
  static auto *one = new DeviceKernels;
  return *one;
}

} // namespace

bool isLaunched(const RegisteredOp &op) { return op.op.code && op.op.attributes.ends_with("launch_blocks,launch_threads,launch_shared"); }

void defineOnDevice(const RegisteredOp &op, DeviceKernel kernel) {
  std::lock_guard lock(deviceKernels().mutex);
  deviceKernels().all.try_emplace(op.id, std::move(kernel));
}

const DeviceKernel *deviceKernelOf(int64_t id) {
  std::lock_guard lock(deviceKernels().mutex);
  auto found = deviceKernels().all.find(id);
  return found == deviceKernels().all.end() ? nullptr : &found->second;
}

std::vector<int64_t> nativeWords(const RegisteredOp &op, std::span<const TensorType> results, std::span<const kiln_attribute> attributes) {
  std::vector<int64_t> words = {op.id};
  for (const TensorType &type : results) {
    words.push_back(int64_t(type.dtype));
    appendWords(words, type.shape.numbers());
  }
  for (const kiln_attribute &attribute : attributes) words.insert(words.end(), {attribute.dtype, attribute.bits});
  return words;
}

} // namespace kiln
