#include "tools/fuzz/Run.h"

#include "frontend/Interpreter.h"
#include "lib/Cache/Cache.h"
#include "lib/Core/Error.h"
#include "lib/Library/Threads.h"
#include "lib/Runtime/Memory.h"

#include <algorithm>
#include <cstring>

namespace kiln::fuzz {
namespace {

size_t bytesOf(const TensorType &type) { return size_t(numElements(type.shape) * byteSize(type.dtype)); }

bool isNan(DType dtype, uint64_t bits) {
  if (dtype == DType::F64) return (bits & ~(uint64_t(1) << 63)) > uint64_t(0x7ff) << 52;
  if (dtype == DType::F32) return (bits & 0x7fffffff) > 0x7f800000;
  if (dtype == DType::F16) return (bits & 0x7fff) > 0x7c00;
  if (dtype == DType::BF16) return (bits & 0x7fff) > 0x7f80;
  return isStorage(dtype) && (bits & 0x7f) >= (dtype == DType::F8E5M2 ? 0x7d : 0x7f);
}

bool isSame(DType dtype, const std::vector<char> &a, const std::vector<char> &b, int64_t at) {
  DType real = realType(dtype);
  int64_t parts = isComplex(dtype) ? 2 : 1, bytes = byteSize(real);
  for (int64_t k = at * parts; k < (at + 1) * parts; ++k) {
    uint64_t x = 0, y = 0;
    std::memcpy(&x, a.data() + k * bytes, size_t(bytes));
    std::memcpy(&y, b.data() + k * bytes, size_t(bytes));
    if (x != y && !(isNan(real, x) && isNan(real, y))) return false;
  }
  return true;
}

} // namespace

Run::Run(Random &random, const Trace &trace, std::vector<int64_t> symbols)
    : trace(trace), words(trace.serialize()), symbols(std::move(symbols)) {
  for (const TensorType &type : Trace::inputTypes(words)) {
    types.push_back(type);
    contents.push_back(randomContents(random, type));
  }
  for (int64_t slot : trace.outputs) outputs.push_back(trace.types[size_t(slot)]);
}

template <typename Body> Outcome Run::run(const Body &body) const {
  Outcome outcome;
  std::vector<const void *> from;
  std::vector<void *> to;
  for (const auto &c : contents) from.push_back(c.data());
  struct alignas(64) Line {
    char bytes[64] = {};
  };
  std::vector<std::vector<Line>> memory; // as arrays have it
  for (const TensorType &type : outputs) to.push_back(memory.emplace_back(bytesOf(type) / sizeof(Line) + 1).data());
  try {
    body(from, to);
  } catch (const Error &e) { outcome.error = e.what(); }
  for (size_t i = 0; i < to.size(); ++i) {
    auto *bytes = static_cast<const char *>(to[i]);
    outcome.results.emplace_back(bytes, bytes + bytesOf(outputs[i]));
  }
  return outcome;
}

Outcome Run::interpreted() const {
  return run([&](auto &from, auto &to) { interpret(words, from.data(), to.data()); });
}

Outcome Run::replayed() const {
  return run([&](auto &from, auto &to) {
    std::vector<Array> inputs;
    std::vector<const Array *> pointers;
    for (size_t i = 0; i < from.size(); ++i) {
      inputs.push_back(Array::empty(types[i].dtype, types[i].shape.numbers()));
      std::memcpy(inputs[i].data(), from[i], bytesOf(types[i]));
    }
    for (const Array &a : inputs) pointers.push_back(&a);
    std::vector<Array> results = interpret(trace, pointers);
    for (size_t i = 0; i < to.size(); ++i) std::memcpy(to[i], results[i].data(), bytesOf(outputs[i]));
    for (size_t i = 0; i < from.size(); ++i)
      if (std::memcmp(inputs[i].data(), from[i], bytesOf(types[i]))) throw std::runtime_error("an input was written");
  });
}

Outcome Run::compiled(const Executable &executable, int threads) const {
  setThreadCount(threads);
  return run([&](auto &from, auto &to) {
    std::vector<void *> buffers;
    for (const void *p : from) buffers.push_back(const_cast<void *>(p));
    buffers.insert(buffers.end(), to.begin(), to.end());
    std::vector<size_t> sizes;
    for (const TensorType &type : outputs) sizes.push_back(bytesOf(type));
    executable.keepInputs(buffers, from.size(), sizes);
    const int64_t *dims = symbols.empty() ? nullptr : symbols.data();
    size_t bytes = executable.workspaceBytes(dims);
    int32_t status = executable.entry(runtimeTable(), buffers.data(), dims, bytes ? threadWorkspace(bytes) : nullptr);
    if (status) throw Error(ErrorKind::Value, "status " + std::to_string(status));
  });
}

/// Whether an output is itself the operation that fails: one whose values are not used in the end need not run.
bool Run::failsAtOutput() const {
  for (size_t at = 0, slot = 0, next = 0; at < trace.words.size(); slot = next) {
    TraceOp entry = Trace::decode(trace.words, at);
    next = slot + entry.results;
    auto isOf = [&](int64_t output) { return size_t(output) >= slot && size_t(output) < next; };
    if (std::ranges::none_of(trace.outputs, isOf)) continue;
    if (failsFor({entry.operands.begin(), entry.operands.end()})) continue;
    if (failsFor({int64_t(slot)})) return true;
  }
  return false;
}

bool Run::failsFor(std::vector<int64_t> slots) const {
  Run part = *this;
  Trace shorter = trace;
  shorter.outputs = std::move(slots);
  part.words = shorter.serialize();
  part.outputs.clear();
  for (int64_t slot : shorter.outputs) part.outputs.push_back(trace.types[size_t(slot)]);
  return !part.interpreted().error.empty();
}

std::string Run::difference(const std::string &what, const Outcome &right, const Outcome &other) const {
  if (!right.error.empty() && other.error.empty() && !failsAtOutput()) return "";
  if (right.error.empty() != other.error.empty())
    return what + ": expected " + (right.error.empty() ? "results" : right.error) + ", got " +
           (other.error.empty() ? "results" : other.error);
  for (size_t i = 0; right.error.empty() && i < outputs.size(); ++i)
    for (int64_t k = 0; k < numElements(outputs[i].shape); ++k)
      if (!isSame(outputs[i].dtype, right.results[i], other.results[i], k))
        return what + ": output " + std::to_string(i) + " differs at element " + std::to_string(k);
  return "";
}

std::shared_ptr<Executable> compile(const Trace &trace) { return getExecutable(trace.serialize()).executable; }

std::shared_ptr<Executable> compileScheduled(const Trace &trace, uint64_t seed) {
  struct Drawn { // past the cache, which holds the usual one
    CacheConfig usual = cacheConfig();
    explicit Drawn(uint64_t seed) {
      CacheConfig none = usual;
      none.enabled = false;
      setCacheConfig(none);
      setenv("KILN_SCHEDULE_SEED", std::to_string(seed + 1).c_str(), 1);
    }
    ~Drawn() {
      unsetenv("KILN_SCHEDULE_SEED");
      setCacheConfig(usual);
    }
  } drawn(seed);
  return compile(trace);
}

std::shared_ptr<Executable> compileInPlace(const Trace &trace, Random &random) {
  Trace writing = trace;
  std::vector<TensorType> types = Trace::inputTypes(trace.serialize());
  std::vector<char> isTaken(types.size());
  for (int64_t output : trace.outputs) {
    int64_t chosen = -1;
    for (size_t k = 0; k < types.size(); ++k)
      if (!isTaken[k] && types[k] == trace.types[size_t(output)] && chance(random, 50)) chosen = int64_t(k);
    writing.replaces.push_back(chosen);
    if (chosen >= 0) isTaken[size_t(chosen)] = true;
  }
  return compile(writing);
}

} // namespace kiln::fuzz
