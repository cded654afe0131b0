// Runs the rules of an op for tests (test/python/rules.py): in eager, or recorded without values and then interpreted.
#include "frontend/Interpreter.h"
#include "frontend/Recorder.h"
#include "frontend/rules/Formula.h"
#include "frontend/rules/Rules.h"
#include "frontend/Transform.h"
#include "include/kiln/executable.h"

#include <cstring>

using namespace kiln;

namespace {

/// A call of a rule: `given` are the cotangent, or the tangents by operand; of the second derivative all of them.
struct Call {
  std::string_view what; // run, vjp, jvp, second or batch; rows of vjp, rows of jvp: for a batch of calls
  Op op;
  std::vector<const Array *> operands, given;
  std::span<const int64_t> words;
  std::span<const char> flags; // by operand: wanted, or batched
  int64_t size;
  static constexpr std::string_view kRows = "rows of ";

  std::vector<rules::Maybe> run() const {
    if (what == "second") return runSecond();
    if (what.starts_with(kRows)) return runRows();
    if (what == "batch") return {rules::applyBatch({op, operands, words, flags, size})};
    Array result = rules::applyOp(op, operands, words);
    rules::Applied applied{op, operands, words, &result};
    if (what == "vjp") return runVjp(applied);
    if (what == "jvp") return {rules::applyJvp(applied, given)};
    return {result};
  }

  std::vector<rules::Maybe> runRows() const;

  /// With what a tape keeps.
  std::vector<rules::Maybe> runVjp(rules::Applied applied) const {
    rules::Residual residual = rules::residualOf(applied, flags);
    std::vector<const Array *> pointers;
    for (const Array &a : residual.operands) pointers.push_back(&a);
    applied.operands = pointers;
    applied.result = &residual.result;
    return rules::applyVjp(applied, *given[0], flags);
  }

  /// The change of the gradients for tangents of the operands.
  std::vector<rules::Maybe> runSecond() const {
    std::vector<rules::Maybe> changes;
    Tangents mode;
    std::vector<Array> lifted;
    for (size_t i = 0; i < operands.size(); ++i)
      lifted.push_back(mode.lift({*operands[i], given[i + 1] ? rules::Maybe(*given[i + 1]) : std::nullopt, -1, false}));
    std::vector<const Array *> pointers;
    for (const Array &a : lifted) pointers.push_back(&a);
    Array result = rules::applyOp(op, pointers, words);
    for (const rules::Maybe &g : rules::applyVjp({op, pointers, words, &result}, *given[0], flags))
      changes.push_back(g ? mode.itemOf(*g).tangent : std::nullopt);
    return changes;
  }
};

/// The same for all examples at once: operands and what is given have their axis first.
std::vector<rules::Maybe> Call::runRows() const {
  Batch mode(size);
  std::vector<Array> lifted;
  lifted.reserve(operands.size() + given.size());
  auto lift = [&](const Array *a) -> const Array * { return a ? &lifted.emplace_back(mode.watch(*a)) : nullptr; };
  Call one = *this;
  one.what.remove_prefix(kRows.size());
  for (const Array *&a : one.operands) a = lift(a);
  for (const Array *&a : one.given) a = lift(a);
  std::vector<rules::Maybe> results;
  for (const rules::Maybe &result : one.run()) results.push_back(result ? rules::Maybe(mode.itemOf(*result).below) : std::nullopt);
  return results;
}

struct Results {
  std::vector<rules::Maybe> arrays;
  std::vector<kiln_tensor> tensors;
  std::string error;
};

Array arrayOf(const kiln_tensor &t) {
  Array result = Array::empty(DType(t.dtype), Dims(std::span(t.shape, size_t(t.rank))));
  std::memcpy(result.data(), t.data, size_t(result.size() * byteSize(result.dtype)));
  return result;
}

/// As a trace that an abstract recording makes, run by the interpreter.
std::vector<rules::Maybe> runRecorded(const Call &call, const std::vector<const Array *> &inputs) {
  Trace trace;
  std::vector<char> isThere;
  {
    Recorder recorder(Recorder::Abstract);
    for (const Array *a : inputs) recorder.addInput(*a);
    for (const rules::Maybe &result : call.run()) {
      isThere.push_back(result.has_value());
      if (result) recorder.trace.outputs.push_back(recorder.slotOf(*result));
    }
    trace = recorder.trace;
  }
  std::vector<Array> outputs = interpret(Trace::parse(trace.serialize()), inputs);
  std::vector<rules::Maybe> results;
  size_t next = 0;
  for (char there : isThere) results.push_back(there ? rules::Maybe(outputs[next++]) : std::nullopt);
  return results;
}

} // namespace

extern "C" {

/// Tensors of `given` without data are none. The result is freed by kiln_test_free.
Results *kiln_test_rule(const char *what, const char *op, int operands, const kiln_tensor *tensors, int given,
                        const kiln_tensor *givenTensors, const char *flags, int64_t size, const int64_t *words, int64_t numWords,
                        int isRecorded) {
  auto *results = new Results;
  try {
    std::vector<Array> held;
    std::vector<const Array *> inputs;
    held.reserve(size_t(operands + given));
    Call call{what, findOp(op).value(), {}, {}, {words, size_t(numWords)}, {flags, size_t(operands)}, size};
    for (int i = 0; i < operands; ++i) call.operands.push_back(&held.emplace_back(arrayOf(tensors[i])));
    for (int i = 0; i < given; ++i) call.given.push_back(givenTensors[i].data ? &held.emplace_back(arrayOf(givenTensors[i])) : nullptr);
    for (const Array &a : held) inputs.push_back(&a);
    for (rules::Maybe &a : isRecorded ? runRecorded(call, inputs) : call.run())
      results->arrays.push_back(a ? rules::Maybe(copy(*a)) : std::nullopt);
    for (const rules::Maybe &a : results->arrays)
      if (a) results->tensors.push_back({a->data(), int32_t(a->dtype), a->shape.rank, a->shape.begin(), a->strides.begin()});
      else results->tensors.push_back({});
  } catch (const std::exception &error) { results->error = error.what(); }
  return results;
}
int64_t kiln_test_count(const Results *results) { return int64_t(results->tensors.size()); }
const kiln_tensor *kiln_test_tensors(const Results *results) { return results->tensors.data(); }
const char *kiln_test_error(const Results *results) { return results->error.c_str(); }
void kiln_test_free(Results *results) { delete results; }
}
