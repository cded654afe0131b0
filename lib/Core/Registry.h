// Ops from outside: what a process registers, the trace, inference, program files, the dialect and every target look up. The enum has one
// op for all of them, `Op::Custom`, whose first word is the id of the registered op (docs/decisions/0009).
#pragma once

#include "include/kiln/op.h"
#include "lib/Core/Ops.h"

#include <atomic>
#include <functional>
#include <string>
#include <vector>

namespace kiln {

/// What is registered.
struct CustomOp {
  std::string name; // as in program files: parts of a-z, 0-9 and _ with dots between, at least two ("mylib.scaled_add")
  int version = 1;
  std::string summary = {};
  int operands = 0;
  Accepts accepts = Accepts::Any; // of every operand
  std::string words = {};         // letters of its attributes, as in OpInfo: i, I, N, s, d or b
  std::string attributes = {};    // their names, comma-separated
  /// The types of the results; `words` are those of the attributes. It may throw Error, and gives the same for the same arguments.
  std::function<std::vector<TensorType>(const InferArgs &)> infer;
  /// Computes the results: `tensors` are the operands, strided, then the results, row-major; `words` those of the attributes. It may be
  /// called by several threads at once. A status of include/kiln/executable.h; 0 is none.
  std::function<int32_t(const kiln_tensor *tensors, const int64_t *words)> run = {};
  bool isForAnySize = false;   // operands and results may have sizes that a call tells: `infer` passes symbols on
  UpgradeFn upgrade = nullptr; // rewrites stored entries of older versions
  std::string title = {};      // what errors call it; empty: its name
  /// Of one that is a function of C (NativeOps.h): that function, null while it is not known.
  std::shared_ptr<std::atomic<kiln_op_fn>> code = {};
};

struct RegisteredOp {
  CustomOp op;
  OpInfo info;
  int64_t id; // hash of name and version: the same in every process
  const RegisteredOp *next;
  /// `op.infer` without exceptions, which another library need not be able to catch; the error's kind + 1, or 0.
  int32_t (*inferGuarded)(const RegisteredOp &op, const InferArgs &args, std::vector<TensorType> &types, std::string &error);
};

/// Registers an op for the rest of the process, from any thread. Throws Error (value) for a name that is none or is taken, letters and
/// names of attributes that do not fit, and functions that are missing.
const RegisteredOp &registerOp(CustomOp op);
/// Null where no op has the name, or the id.
const RegisteredOp *findRegistered(std::string_view name);
const RegisteredOp *findRegistered(int64_t id);
/// The op that the words of an `Op::Custom` name; throws Error (value) where it is not registered here.
const RegisteredOp &registeredOp(std::span<const int64_t> words);
/// The inference rule of `Op::Custom`.
std::vector<TensorType> inferRegistered(const InferArgs &args);

/// Two libraries of one process each hold this file: the runtime hands its registry to the compiler.
void *registry();
void useRegistry(void *registry);

} // namespace kiln
