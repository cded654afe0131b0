// Passes and pipelines of every target, also of one that a library registers.

// RUN: kiln-opt %s --split-input-file --kiln-fuse | FileCheck %s --check-prefix=CPU
// RUN: kiln-opt %s --split-input-file --kiln-fuse --target=toy --load=%build/lib/libkiln_target_toy.so | FileCheck %s --check-prefix=TOY
// RUN: kiln-opt %s --split-input-file --kiln-fuse-pipeline --target toy --load %build/lib/libkiln_target_toy.so | FileCheck %s --check-prefix=TOY
// CPU-LABEL: @chain
// CPU-COUNT-1: kiln.kernel
// CPU-NOT: kiln.kernel
// CPU-LABEL: @narrow
// CPU: kiln.kernel "elementwise"
// CPU-NEXT: kiln.sin
// CPU-NEXT: kiln.cast
// CPU: kiln.kernel "contraction"
// TOY-LABEL: @chain
// TOY-COUNT-3: kiln.kernel
// TOY-NOT: kiln.kernel
// TOY-LABEL: @narrow

// RUN: kiln-opt %s --split-input-file --kiln-fuse-pipeline --kiln-cpu-pipeline | FileCheck %s --check-prefix=X86
// X86: llvm.func @chain
// RUN: kiln-opt %s --split-input-file --target=nvptx --kiln-fuse | FileCheck %s --check-prefix=UNITS
// UNITS-LABEL: @narrow
// UNITS: kiln.sin
// UNITS-NEXT: kiln.yield
// UNITS: kiln.kernel "contraction"
// UNITS-NEXT: kiln.cast
// RUN: kiln-opt %s --split-input-file --target=nvptx --kiln-fuse-pipeline --kiln-nvptx-pipeline | FileCheck %s --check-prefix=NVPTX
// NVPTX: gpu.module
// NVPTX: nvvm.read.ptx.sreg.tid.x
// RUN: not kiln-opt %s --split-input-file --target=toy --load=%build/lib/libkiln_target_toy.so --kiln-fuse-pipeline --kiln-toy-pipeline 2>&1 | FileCheck %s --check-prefix=REFUSED
// REFUSED: target 'toy': expected a kind of kernel that it can run, got 'contraction'

// RUN: kiln-reduce %s --target=toy --load=%build/lib/libkiln_target_toy.so --opt-reduction-pass='opt-pass=kiln-fuse-pipeline test=%S/Inputs/keeps-chain.sh' | FileCheck %s --check-prefix=REDUCED
// REDUCED-LABEL: @chain
// REDUCED-COUNT-3: kiln.kernel
// REDUCED-NOT: kiln.tanh

// RUN: not kiln-opt %s --target=nothing 2>&1 | FileCheck %s --check-prefix=NAME -DTOOL=kiln-opt
// RUN: not kiln-reduce %s --target=nothing 2>&1 | FileCheck %s --check-prefix=NAME -DTOOL=kiln-reduce
// NAME: [[TOOL]]: target: expected one of {{.*}}cpu{{.*}}, got 'nothing'
// RUN: not kiln-opt %s --load=%build/nothing.so 2>&1 | FileCheck %s --check-prefix=LIBRARY -DTOOL=kiln-opt
// RUN: not kiln-reduce %s --load=%build/nothing.so 2>&1 | FileCheck %s --check-prefix=LIBRARY -DTOOL=kiln-reduce
// RUN: not kiln-translate %s --mlir-to-program --load=%build/nothing.so 2>&1 | FileCheck %s --check-prefix=LIBRARY -DTOOL=kiln-translate
// LIBRARY: [[TOOL]]: --load: expected a library, got '{{.*}}nothing.so'

func.func @chain(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = kiln.tanh %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = kiln.tanh %0 : (tensor<4xf32>) -> tensor<4xf32>
  %2 = kiln.tanh %1 : (tensor<4xf32>) -> tensor<4xf32>
  %3 = kiln.tanh %2 : (tensor<4xf32>) -> tensor<4xf32>
  %a = kiln.add %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %b = kiln.add %a, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %c = kiln.add %b, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %d = kiln.add %c, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %r = kiln.negative %d : (tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

func.func @narrow(%x: tensor<4x4xf16>, %y: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %s = kiln.sin %x : (tensor<4x4xf16>) -> tensor<4x4xf16>
  %0 = kiln.cast %s : (tensor<4x4xf16>) -> tensor<4x4xf32>
  %1 = kiln.dot_general %0, %y {x_axis = 1 : i64, x_batch = array<i64>, y_axis = 0 : i64, y_batch = array<i64>} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %2 = kiln.dot_general %1, %y {x_axis = 1 : i64, x_batch = array<i64>, y_axis = 0 : i64, y_batch = array<i64>} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %3 = kiln.dot_general %2, %y {x_axis = 1 : i64, x_batch = array<i64>, y_axis = 0 : i64, y_batch = array<i64>} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %4 = kiln.dot_general %3, %y {x_axis = 1 : i64, x_batch = array<i64>, y_axis = 0 : i64, y_batch = array<i64>} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %5 = kiln.dot_general %4, %y {x_axis = 1 : i64, x_batch = array<i64>, y_axis = 0 : i64, y_batch = array<i64>} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %6 = kiln.dot_general %5, %y {x_axis = 1 : i64, x_batch = array<i64>, y_axis = 0 : i64, y_batch = array<i64>} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %7 = kiln.dot_general %6, %y {x_axis = 1 : i64, x_batch = array<i64>, y_axis = 0 : i64, y_batch = array<i64>} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  return %1 : tensor<4x4xf32>
}
