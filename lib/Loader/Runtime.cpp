// The functions of include/kiln/runtime.h.
#include "include/kiln/runtime.h"

#include "lib/Core/Error.h"
#include "lib/Library/Threads.h"
#include "lib/Loader/Native.h"
#include "lib/Package/Manifest.h"

#include <algorithm>
#include <cstring>
#include <new>

using namespace kiln;

struct kiln_package {
  Package package;
  std::shared_ptr<NativeCode> code;
  std::string manifest;
};

static_assert(sizeof(kiln_array) == sizeof(dlpack::Tensor) && offsetof(kiln_array, shape) == offsetof(dlpack::Tensor, shape) &&
              offsetof(kiln_array, code) == offsetof(dlpack::Tensor, dtype));

namespace {

int32_t statusOf(ErrorKind kind) {
  switch (kind) {
  case ErrorKind::Shape: return KILN_ERROR_SHAPE;
  case ErrorKind::DType: return KILN_ERROR_DTYPE;
  case ErrorKind::Trace: return KILN_ERROR_TRACE;
  case ErrorKind::Package: return KILN_ERROR_PACKAGE;
  case ErrorKind::Index: return KILN_ERROR_INDEX;
  case ErrorKind::Value: return KILN_ERROR_VALUE;
  case ErrorKind::Memory: return KILN_ERROR_MEMORY;
  case ErrorKind::LinAlg: return KILN_ERROR_LINALG;
  default: return KILN_ERROR_OTHER;
  }
}

int32_t say(int32_t status, const char *message, char *text, size_t bytes) {
  if (!text || !bytes) return status;
  size_t length = std::min(std::strlen(message), bytes - 1);
  std::memcpy(text, message, length);
  text[length] = 0;
  return status;
}

/// Runs a function of C++; what it throws becomes a status.
template <typename Body> int32_t guarded(char *text, size_t bytes, Body &&body) noexcept {
  try {
    body();
    return 0;
  } catch (const Error &error) { return say(statusOf(error.kind), error.what(), text, bytes); } catch (const std::bad_alloc &) {
    return say(KILN_ERROR_MEMORY, "runtime: expected memory, got none", text, bytes);
  } catch (const std::exception &error) { return say(KILN_ERROR_OTHER, error.what(), text, bytes); }
}

std::span<dlpack::Tensor *const> tensorsOf(kiln_array *const *arrays, size_t count) {
  auto tensors = reinterpret_cast<dlpack::Tensor *const *>(arrays);
  for (size_t i = 0; i < count; ++i)
    if (!arrays || !arrays[i]) fail(ErrorKind::Value, "runtime", "array " + std::to_string(i), "a pointer", "NULL");
  return {tensors, count};
}

const kiln_package &opened(const kiln_package *package) {
  if (!package) fail(ErrorKind::Value, "runtime", "package", "one that was opened", "NULL");
  return *package;
}

const char *textOf(const char *text, const char *what) {
  if (!text) fail(ErrorKind::Value, "runtime", what, "a text", "NULL");
  return text;
}

const PackageEntry &entryOf(const Package &package, const std::string &name) {
  auto found = std::ranges::find(package.entries, name, &PackageEntry::name);
  if (found == package.entries.end()) fail(ErrorKind::Package, "package '" + package.name + "'", "entry", "one of it", "'" + name + "'");
  return *found;
}

static_assert(kMaxRank == KILN_MAX_RANK);

void describe(const ArrayType &type, kiln_array *array, int64_t *shape) {
  dlpack::DataType element = dlpack::dataTypeOf(type.dtype);
  *array = {nullptr, 1, 0, type.shape.rank, element.code, element.bits, 1, shape, nullptr, 0};
  std::copy_n(type.shape.begin(), type.shape.rank, shape);
}

} // namespace

extern "C" {

int32_t kiln_runtime_abi(void) { return KILN_RUNTIME_ABI; }

const char *kiln_runtime_machine(void) {
  static const std::string machine = thisMachine();
  return machine.c_str();
}

int32_t kiln_runtime_set_threads(int32_t count, char *err, size_t errlen) {
  return guarded(err, errlen, [&] { setThreadCount(count); });
}

int32_t kiln_package_open(const char *path, int32_t verify, kiln_package **package, char *err, size_t errlen) {
  return guarded(err, errlen, [&] {
    if (!package) fail(ErrorKind::Value, "runtime", "package", "a pointer", "NULL");
    *package = nullptr;
    auto made = std::make_unique<kiln_package>();
    made->package = readPackage(textOf(path, "path"), verify ? Checksums::OfAll : Checksums::OfPrograms);
    made->code = NativeCode::open(made->package);
    made->manifest = manifest::write(made->package);
    *package = made.release();
  });
}

void kiln_package_close(kiln_package *package) { delete package; }

const char *kiln_package_manifest(const kiln_package *package) { return package ? package->manifest.c_str() : ""; }

int32_t kiln_package_weight(const kiln_package *package, size_t number, kiln_array *weight, int64_t shape[KILN_MAX_RANK], char *err,
                            size_t errlen) {
  return guarded(err, errlen, [&] {
    const std::vector<PackageWeight> &weights = opened(package).package.weights;
    if (number >= weights.size())
      fail(ErrorKind::Value, "runtime", "weight", "one of " + std::to_string(weights.size()), std::to_string(number));
    describe(ArrayType(weights[number].type), weight, shape);
    weight->data = const_cast<uint8_t *>(weights[number].bytes.data());
  });
}

int32_t kiln_package_result(const kiln_package *package, const char *entry, kiln_array *const *arguments, size_t count, size_t number,
                            size_t *results, kiln_array *result, int64_t shape[KILN_MAX_RANK], char *err, size_t errlen) {
  return guarded(err, errlen, [&] {
    const Package &known = opened(package).package;
    const PackageEntry &first = entryOf(known, textOf(entry, "entry"));
    std::vector<ArrayType> types = resultsOf(known, entry, sizesOf(first, tensorsOf(arguments, count)));
    if (results) *results = types.size();
    if (!result) return;
    if (number >= types.size()) fail(ErrorKind::Value, entry, "result", "one of " + std::to_string(types.size()), std::to_string(number));
    describe(types[number], result, shape);
  });
}

int32_t kiln_package_run(const kiln_package *package, const char *entry, kiln_array *const *arguments, size_t count,
                         kiln_array *const *results, size_t result_count, char *err, size_t errlen) {
  return guarded(err, errlen, [&] {
    entryOf(opened(package).package, textOf(entry, "entry"));
    package->code->run(entry, tensorsOf(arguments, count), tensorsOf(results, result_count));
  });
}
}
