// What the target refuses, and schedules that do not fit.
// RUN: not kiln-translate %s --mlir-to-assembly --target=nvptx --cpu=sm_1 2>&1 | FileCheck %s --check-prefix=CPU
// CPU: target 'nvptx': cpu: expected one that LLVM knows, like sm_90a, got 'sm_1'
// RUN: not kiln-translate %s --mlir-to-assembly --target=nvptx --cpu=sm_75 2>&1 | FileCheck %s --check-prefix=OLD
// OLD: target 'nvptx': cpu: expected sm_80 or a later one, got 'sm_75'
// RUN: not kiln-translate %s --mlir-to-assembly --target=nvptx --triple=x86_64-linux 2>&1 | FileCheck %s --check-prefix=TRIPLE
// TRIPLE: target 'nvptx': triple: expected nvptx64-nvidia-cuda, got 'x86_64-linux'
// RUN: not kiln-run %s --target=nvptx 2>&1 | FileCheck %s --check-prefix=LOAD
// LOAD: target 'nvptx': expected a process with a device, got the compiler alone
// RUN: not kiln-run %S/../../exec/cholesky.mlir --all %simulated 2>&1 | FileCheck %s --check-prefix=ALONE
// ALONE: target 'nvptx-sim': expected a device with libraries for 'potrf', got the simulator alone
// RUN: not kiln-translate %S/../../exec/sized.mlir --mlir-to-assembly --target=nvptx 2>&1 | FileCheck %s --check-prefix=SIZED
// SIZED: target 'nvptx': expected sizes that are known{{.*}}, got a
// RUN: not kiln-translate %S/Inputs/open.mlir --mlir-to-assembly --target=nvptx 2>&1 | FileCheck %s --check-prefix=OPEN
// OPEN: target 'nvptx': expected sizes that are known in a kernel of the kind 'sort', got a program for any size
// RUN: kiln-opt %S/Inputs/schedules.mlir --split-input-file --verify-diagnostics
// RUN: kiln-opt %S/Inputs/layouts.mlir --split-input-file --verify-diagnostics --kiln-schedule-nvptx
// RUN: kiln-opt %S/Inputs/unfused.mlir --split-input-file --verify-diagnostics --kiln-schedule-nvptx
// RUN: kiln-opt %S/Inputs/unfused.mlir --split-input-file --verify-diagnostics --kiln-emit-nvptx
// RUN: not kiln-opt %s --kiln-fuse-pipeline --kiln-emit-nvptx 2>&1 | FileCheck %s --check-prefix=UNSCHEDULED
// UNSCHEDULED: expected a schedule: run kiln-schedule-nvptx first
// RUN: not kiln-opt %s --kiln-fuse-pipeline --kiln-schedule-nvptx --kiln-emit-cpu 2>&1 | FileCheck %s --check-prefix=OTHER
// OTHER: schedule: kind: expected one for the CPU, got #kiln.grid<threads = 256>
func.func @twice(%x: tensor<4xf32>) -> tensor<4xf32> {
  %r = kiln.add %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}
