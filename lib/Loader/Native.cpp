#include "lib/Loader/Native.h"

#include "lib/Core/Error.h"
#include "lib/Core/Generalize.h"
#include "lib/Core/Host.h"
#include "lib/Library/Library.h"
#include "lib/Package/Programs.h"

#include <algorithm>
#include <atomic>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace kiln {
namespace {

// What the functions of a library say (codegen/library/support), and what its options are.
enum Status : int32_t {
#define KILN_STATUS(name, number, text) name = number,
#include "include/kiln/statuses.inc"
#undef KILN_STATUS
};

struct Options {
  size_t bytes = sizeof(Options);
  const void *const *weights = nullptr;
  const char *weightsPath = nullptr;
  void *parallelFor = nullptr;
  const kiln_rt *runtime = runtimeTable();
};

using Open = int32_t(void **opened, const Options *options, char *text, size_t bytes);
using Close = void(void *opened);
using Call = int32_t(void *opened, dlpack::Tensor *const *inputs, size_t inputCount, dlpack::Tensor *const *outputs, size_t outputCount,
                     void *workspace, size_t workspaceBytes, char *text, size_t bytes);

constexpr size_t kText = 1024;

/// Triples are architecture, vendor, system and C library; the vendor may be missing.
bool isForThisMachine(const std::string &triple) {
  return triple.starts_with(std::string(kHostArchitecture) + "-") && triple.ends_with("-linux-gnu");
}

ErrorKind kindOf(int32_t status) {
  if (status == NOT_RECORDED) return ErrorKind::Trace;
  if (status == OUT_OF_MEMORY || status == SIZE_OVERFLOW) return ErrorKind::Memory;
  if (status == SIZE_OUT_OF_BOUNDS || status == SIZE_NOT_COMPILED || status == WRONG_TENSOR) return ErrorKind::Shape;
  if (status < 0) return ErrorKind::Value;
  if (status & (KILN_SINGULAR | KILN_NOT_POSITIVE_DEFINITE | KILN_NOT_CONVERGED)) return ErrorKind::LinAlg;
  if (status & KILN_LIBRARY_MISSING) return ErrorKind::Package;
  if (status & KILN_OUT_OF_MEMORY) return ErrorKind::Memory;
  return status & KILN_INDEX_OUT_OF_RANGE ? ErrorKind::Index : ErrorKind::Value;
}

/// The code for this machine.
const PackageNative &codeIn(const Package &package) {
  std::string others;
  for (const PackageNative &native : package.natives) {
    if (isForThisMachine(native.triple)) return native;
    others += (others.empty() ? "" : ", ") + native.triple;
  }
  fail(ErrorKind::Package, "package '" + package.name + "'", "code",
       "some for " + thisMachine() + " (kilnc PACKAGE --emit package --target " + thisMachine() + " -o PACKAGE adds it)",
       others.empty() ? "none: programs alone, which need Kiln's compiler" : "some for " + others);
}

/// A file in memory: that of the package may lie where nothing may be run. The loader knows libraries by path, so its number is one that no
/// other had.
int copyOf(std::span<const uint8_t> bytes) {
  static std::atomic<int> next{768};
  int made = memfd_create("kiln-code", MFD_CLOEXEC);
  int file = made < 0 ? -1 : fcntl(made, F_DUPFD_CLOEXEC, next++);
  if (made >= 0) close(made);
  size_t at = 0;
  while (file >= 0 && at < bytes.size()) {
    ssize_t count = write(file, bytes.data() + at, bytes.size() - at);
    if (count <= 0) close(file), file = -1;
    else at += size_t(count);
  }
  if (file < 0) throw Error(ErrorKind::Memory, "package: code: expected memory for " + std::to_string(bytes.size()) + " bytes, got none");
  return file;
}

} // namespace

std::string thisMachine() { return std::string(kHostArchitecture) + "-linux-gnu"; }

void *NativeCode::find(const std::string &suffix) const {
  void *found = dlsym(library, (name + suffix).c_str());
  if (!found) fail(ErrorKind::Package, "package '" + name + "'", "code", "a function '" + name + suffix + "'", "none");
  return found;
}

std::shared_ptr<NativeCode> NativeCode::open(const Package &package) {
  const PackageNative &native = codeIn(package);
  std::shared_ptr<NativeCode> code(new NativeCode);
  code->name = package.name;
  code->file = copyOf(native.bytes);
  code->library = dlopen(("/proc/self/fd/" + std::to_string(code->file)).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!code->library) {
    const char *reason = dlerror();
    fail(ErrorKind::Package, "package '" + package.name + "'", "code", "a shared object that loads", reason ? reason : "another");
  }
  std::vector<const void *> weights;
  for (const PackageWeight &weight : package.weights) {
    weights.push_back(weight.bytes.data());
    code->owners.push_back(weight.owner);
  }
  Options options;
  options.weights = weights.data();
  char text[kText] = "";
  int32_t status = reinterpret_cast<Open *>(code->find("_open"))(&code->opened, &options, text, sizeof text);
  if (status) throw Error(ErrorKind::Package, std::string("package: code for ") + native.triple + ": " + text);
  return code;
}

NativeCode::~NativeCode() {
  if (opened) reinterpret_cast<Close *>(find("_close"))(opened);
  if (library) dlclose(library);
  if (file >= 0) close(file);
}

bool NativeCode::run(const std::string &entry, std::span<dlpack::Tensor *const> inputs, std::span<dlpack::Tensor *const> outputs,
                     bool *isShort) const {
  char text[kText] = "";
  auto call = reinterpret_cast<Call *>(find("_" + entry + "_dlpack"));
  int32_t status = call(opened, inputs.data(), inputs.size(), outputs.data(), outputs.size(), nullptr, 0, text, sizeof text);
  if (isShort && (*isShort = status == SHORT_OUTPUT)) return true;
  if (status > 0 && status & KILN_STOPPED) return false;
  if (status > 0 && status & KILN_LIBRARY_MISSING)
    throw Error(ErrorKind::Package, name + "_" + entry +
                                        ": expected LAPACK: install the package scipy-openblas32, or set KILN_LAPACK to a "
                                        "library with LAPACK");
  if (status) throw Error(kindOf(status), text);
  return true;
}

std::vector<int64_t> sizesOf(const PackageEntry &entry, std::span<dlpack::Tensor *const> arguments) {
  std::vector<int64_t> sizes(entry.dimensions.size(), -1);
  size_t next = 0;
  for (const PackageInput &input : entry.inputs) {
    if (input.role != Role::Argument && input.role != Role::Number) continue;
    if (next == arguments.size()) fail(ErrorKind::Value, entry.name, "arguments", "an array for '" + input.name + "'", "none");
    const dlpack::Tensor &given = *arguments[next++];
    if (size_t(given.ndim) != input.shape.size())
      fail(ErrorKind::Shape, entry.name, "axes of '" + input.name + "'", std::to_string(input.shape.size()), std::to_string(given.ndim));
    for (size_t axis = 0; axis < input.shape.size(); ++axis)
      if (const SizeExpression::Item &item = input.shape[axis].items[0]; item.step == SizeExpression::Step::Dimension)
        sizes[size_t(item.value)] = given.shape[axis];
  }
  return sizes;
}

static std::vector<ArrayType> resultsAt(const PackageEntry &entry, std::span<const int64_t> sizes) {
  std::vector<int64_t> symbols = symbolsOf(entry, sizes);
  std::vector<ArrayType> results;
  size_t count = entry.outputs.size() - (entry.misses.empty() ? 0 : 1);
  for (size_t i = 0; i < count; ++i) {
    if (entry.outputs[i].writes >= 0) continue;
    const TensorType &type = entry.program.types[size_t(entry.program.outputs[i])];
    Dims shape;
    for (Size size : type.shape) shape.push(size.isSymbol() ? symbols[size_t(size.symbol())] : size.number());
    results.emplace_back(type.dtype, shape);
  }
  return results;
}

/// The largest sizes in a box for some sizes of the first dimensions, each of the others within its bound; none where there are none.
static std::optional<std::vector<int64_t>> largestIn(const SizeBox &box, const std::vector<Dimension> &dimensions,
                                                     std::span<const int64_t> sizes) {
  std::vector<int64_t> all(sizes.begin(), sizes.end());
  for (size_t i = 0; i < box.size(); ++i) {
    auto [least, most] = box[i];
    if (i >= sizes.size()) all.push_back(std::min(most, evaluate(dimensions[i].bound, all).value_or(most)));
    if (all[i] < least || all[i] > most) return std::nullopt;
  }
  return all;
}

std::vector<ArrayType> resultsOf(const Package &package, const std::string &name, std::span<const int64_t> sizes) {
  const PackageEntry &first = entryFor(package, name, sizes);
  if (!first.counts) return resultsAt(first, sizes);
  std::vector<ArrayType> results;
  for (const PackageEntry &entry : package.entries) {
    if (entry.name != name || entry.counts) continue;
    for (auto boxes : {&PackageEntry::checked, &PackageEntry::assumed})
      for (const SizeBox &box : entry.*boxes)
        if (auto largest = largestIn(box, entry.dimensions, sizes)) {
          std::vector<ArrayType> there = resultsAt(entry, *largest);
          if (results.empty()) results = there;
          for (size_t i = 0; i < there.size(); ++i)
            for (int axis = 0; axis < there[i].shape.rank; ++axis)
              results[i].shape[axis] = std::max(results[i].shape[axis], there[i].shape[axis]);
        }
  }
  return results;
}

} // namespace kiln
