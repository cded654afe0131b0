// The parts of the schedules of GPUs.
#pragma once

#include "codegen/cpu/Layout.h"

namespace kiln::nvptx {

/// Whether a program is one of kernels whose workspace is planned.
mlir::LogicalResult checkPlanned(mlir::func::FuncOp fn);
ir::ScheduleAttr scheduleProduct(ir::KernelOp kernel, const cpu::KernelLayout &layout);
/// Whether a product has code for any size.
bool takesOpenProduct(ir::KernelOp kernel);
/// What tiles of a product and what they are of must be like together.
mlir::LogicalResult checkProduct(ir::KernelOp kernel, const cpu::KernelLayout &layout);

} // namespace kiln::nvptx
