// Devices whose operations are programs for an accelerator (lib/Runtime/Accelerator.h): each operation is compiled for the shapes and
// strides that it meets, once, and segments of jitted functions as a whole.
#pragma once

#include "frontend/Device.h"
#include "lib/Core/Generalize.h"
#include "lib/Runtime/Executable.h"

#include <functional>

namespace kiln {

/// Makes a device of each accelerator of this machine, once; nothing is opened.
void addAccelerators();

/// What a person is told of an operation that a device has no kernels for, once for each; set by the module of the host.
extern std::function<void(const std::string &)> tellOfHost;

/// A trace as code for an accelerator sees it: without devices, and with inputs row by row but where their strides are known.
Trace forAccelerator(const Trace &trace);
/// By slot, where values are when the operations of a trace run one by one; null: on the host. `places` as in Recorder.
std::vector<Device *> devicesOf(const Trace &trace, std::span<Device *const> places);
/// Whether all that a trace hands out is made on `device` when its operations run one by one. `places` as in Recorder.
bool isAllOn(Device *device, const Trace &trace, std::span<Device *const> places);

/// Starts code of `device`; the inputs are its arrays, row by row, or numbers of the host. `values`: what code for any size, or any number
/// of trips, is given besides. The status, bits of kiln/executable.h; the results, of no use where it is not 0.
std::pair<int32_t, std::vector<Array>> runOn(Device &device, const Executable &code, std::span<const Array *const> inputs,
                                             std::span<const ArrayType> outputs, const Instance &values);

/// Runs a custom op that has a kernel for devices (lib/Core/NativeOps.h); nothing where it has none, or `device` runs none.
std::optional<std::vector<Array>> runKernel(Device &device, std::span<const Array *const> operands, std::span<const int64_t> words,
                                            std::span<const TensorType> types);

} // namespace kiln
