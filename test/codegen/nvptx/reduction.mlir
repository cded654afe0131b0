// Rows by a warp or a block of eight, columns by a thread.
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule-nvptx | FileCheck %s --check-prefix=SCHEDULE
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule-nvptx --kiln-emit-nvptx | FileCheck %s --check-prefix=GPU
// RUN: kiln-translate %s --mlir-to-assembly --target=nvptx | FileCheck %s --check-prefix=PTX

// SCHEDULE: #kiln.row_groups<stages = [<reduce = [0]>, <reduce = [4]>], threads = 32, rows = 8, resident = true>
// SCHEDULE: #kiln.row_groups<stages = [<reduce = [0]>], threads = 256>
// SCHEDULE: #kiln.column_threads<stages = [<reduce = [0]>], threads = 256>

// What a thread computes of a row stays in its registers: each element is loaded once, its exponential computed once.
// GPU: gpu.func @kernel_0
// GPU-COUNT-4: llvm.load
// GPU-NOT: llvm.load
// GPU-COUNT-10: gpu.shuffle down
// GPU-NOT: llvm.load
// GPU-COUNT-4: llvm.store
// GPU: gpu.func @kernel_1
// GPU: gpu.barrier
// GPU: gpu.shuffle down
// GPU: gpu.func @kernel_2
// GPU-NOT: gpu.shuffle
// GPU: scf.for

// PTX: .entry kernel_0
// PTX: shfl.sync.down.b32
// PTX: shfl.sync.idx.b32
// PTX: .entry kernel_1
// PTX: bar.sync
// PTX-NOT: .extern .func
func.func @softmax(%x: tensor<64x128xf32>) -> tensor<64x128xf32> {
  %m = kiln.max %x {axes = array<i64: 1>} : (tensor<64x128xf32>) -> tensor<64xf32>
  %b = kiln.broadcast %m {axes = array<i64: 0>} : (tensor<64xf32>) -> tensor<64x128xf32>
  %d = kiln.subtract %x, %b : (tensor<64x128xf32>, tensor<64x128xf32>) -> tensor<64x128xf32>
  %e = kiln.exp %d : (tensor<64x128xf32>) -> tensor<64x128xf32>
  %s = kiln.sum %e {axes = array<i64: 1>} : (tensor<64x128xf32>) -> tensor<64xf32>
  %c = kiln.broadcast %s {axes = array<i64: 0>} : (tensor<64xf32>) -> tensor<64x128xf32>
  %r = kiln.divide %e, %c : (tensor<64x128xf32>, tensor<64x128xf32>) -> tensor<64x128xf32>
  return %r : tensor<64x128xf32>
}

func.func @long(%x: tensor<4x5000xf32>) -> tensor<4xf32> {
  %r = kiln.sum %x {axes = array<i64: 1>} : (tensor<4x5000xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

func.func @columns(%x: tensor<1000x256xf32>) -> tensor<256xf32> {
  %r = kiln.sum %x {axes = array<i64: 0>} : (tensor<1000x256xf32>) -> tensor<256xf32>
  return %r : tensor<256xf32>
}
