// Few long rows and columns: parts of them are reduced into the workspace, and joined by another launch. What all stages found goes into a last one.
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule-nvptx | FileCheck %s --check-prefix=SCHEDULE
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule-nvptx --kiln-emit-nvptx | FileCheck %s --check-prefix=GPU
// RUN: kiln-translate %s --mlir-to-code --target=nvptx | FileCheck %s --check-prefix=PLAN

// SCHEDULE: #kiln.row_groups<stages = [<reduce = [0]>], threads = 32, rows = 8, split = 8192>
// SCHEDULE: #kiln.row_groups<stages = [<reduce = [0]>], threads = 256, split = 8192>
// SCHEDULE: #kiln.column_threads<stages = [<reduce = [0]>], threads = 256, split = 1024>
// SCHEDULE: #kiln.row_groups<stages = [<reduce = [0]>, <reduce = [4]>], threads = 256, split = 8192>

// 2,048 parts by a warp each, then one block that joins two a thread, 32 threads of a warp, and 32 warps.
// GPU: gpu.func @kernel_0
// GPU-COUNT-16: llvm.load
// GPU-COUNT-5: gpu.shuffle down
// GPU: gpu.func @kernel_1
// GPU-COUNT-2: llvm.load
// GPU-COUNT-5: gpu.shuffle down
// GPU: gpu.barrier
// GPU-COUNT-5: gpu.shuffle down
// GPU: gpu.return
// Three parts are joined by one thread.
// GPU: gpu.func @kernel_3
// GPU-COUNT-3: llvm.load
// GPU-COUNT-2: arith.addf
// GPU-NOT: arith.addf
// GPU: gpu.func @kernel_4

// PLAN: program all 1 1 8256
// PLAN-NEXT: launch kernel_0 256 256 0
// PLAN-NEXT: input 0 0 67108864
// PLAN-NEXT: output 0 0 4
// PLAN-NEXT: workspace 0 0 8256
// PLAN-NEXT: status 0 0 4
// PLAN-NEXT: launch kernel_1 1 1024 128
// PLAN: program few
// PLAN: program columns
// PLAN-NEXT: launch kernel_4 20 256 0
// PLAN: program softmax
// PLAN-COUNT-5: launch
// PLAN: end
func.func @all(%x: tensor<16777216xf32>) -> tensor<f32> {
  %r = kiln.sum %x {axes = array<i64: 0>} : (tensor<16777216xf32>) -> tensor<f32>
  return %r : tensor<f32>
}

func.func @few(%x: tensor<4x20000xf32>) -> tensor<4xf32> {
  %r = kiln.sum %x {axes = array<i64: 1>} : (tensor<4x20000xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

func.func @columns(%x: tensor<20000x256xf32>) -> tensor<256xf32> {
  %r = kiln.sum %x {axes = array<i64: 0>} : (tensor<20000x256xf32>) -> tensor<256xf32>
  return %r : tensor<256xf32>
}

func.func @softmax(%x: tensor<2x20000xf32>) -> tensor<2x20000xf32> {
  %m = kiln.max %x {axes = array<i64: 1>} : (tensor<2x20000xf32>) -> tensor<2xf32>
  %b = kiln.broadcast %m {axes = array<i64: 0>} : (tensor<2xf32>) -> tensor<2x20000xf32>
  %d = kiln.subtract %x, %b : (tensor<2x20000xf32>, tensor<2x20000xf32>) -> tensor<2x20000xf32>
  %e = kiln.exp %d : (tensor<2x20000xf32>) -> tensor<2x20000xf32>
  %s = kiln.sum %e {axes = array<i64: 1>} : (tensor<2x20000xf32>) -> tensor<2xf32>
  %c = kiln.broadcast %s {axes = array<i64: 0>} : (tensor<2xf32>) -> tensor<2x20000xf32>
  %r = kiln.divide %e, %c : (tensor<2x20000xf32>, tensor<2x20000xf32>) -> tensor<2x20000xf32>
  return %r : tensor<2x20000xf32>
}
