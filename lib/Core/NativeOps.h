// Ops from outside whose kernel is a function of C (include/kiln/op.h). All that is asked of them but to run stands in their words: types
// of results, then attributes. So a program that has them is read and compiled where their code is not known.
#pragma once

#include "lib/Core/Registry.h"

#include <span>

namespace kiln {

/// What is known of one without its code.
struct NativeOp {
  std::string name;  // with what tells one code from another
  std::string title; // what errors call it
  int operands = 0, results = 1;
  std::vector<std::string> attributes = {};
};

/// What is registered of one, but for what runs.
CustomOp customOf(const NativeOp &op);

/// Registers one, whose code is not known yet, or finds it. Throws Error (value) for what cannot be registered, or is otherwise.
const RegisteredOp &declareNative(const NativeOp &op);
/// Gives its code to one that was declared. What is known already stays: a name stands for one code.
void defineNative(const RegisteredOp &op, kiln_op_fn function);

/// One that runs on a device: code that the device's loader takes, and the name of the kernel in it. The last attributes of
/// the op are the blocks of a launch, the threads of each and their bytes of shared memory.
inline constexpr int64_t kBlocksForElements = -1; // as many blocks as give each element of the first result a thread
struct DeviceKernel {
  std::string code, symbol;
};
/// Whether an op has one, in this process or another: its last attributes are these.
bool isLaunched(const RegisteredOp &op);
/// Gives its kernel to an op that was declared; one that it has already stays.
void defineOnDevice(const RegisteredOp &op, DeviceKernel kernel);
/// Null where an op has none. It lives as long as the process.
const DeviceKernel *deviceKernelOf(int64_t id);

/// The words of a call.
std::vector<int64_t> nativeWords(const RegisteredOp &op, std::span<const TensorType> results, std::span<const kiln_attribute> attributes);

} // namespace kiln
