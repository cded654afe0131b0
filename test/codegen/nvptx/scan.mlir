// Scans: by blocks where groups do not show in the bits, in one launch or three; else in order, a line a thread, which a warp fetches along the last axis.
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule-nvptx | FileCheck %s --check-prefix=SCHEDULE
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule-nvptx --kiln-emit-nvptx | FileCheck %s --check-prefix=GPU
// RUN: kiln-translate %s --mlir-to-code --target=nvptx | FileCheck %s --check-prefix=PLAN

// SCHEDULE: #kiln.scan_groups<threads = 32, each = 2, lines = 8>
// SCHEDULE: #kiln.scan_groups<threads = 256, each = 16>
// SCHEDULE: #kiln.lines<threads = 32, stage = 2>
// SCHEDULE: #kiln.lines<threads = 64, each = 8>

// GPU: gpu.func @kernel_0
// GPU-COUNT-2: llvm.load
// GPU-COUNT-5: gpu.shuffle up
// GPU-NOT: gpu.barrier
// GPU: gpu.func @kernel_1
// GPU-COUNT-16: llvm.load
// GPU: gpu.barrier
// GPU: gpu.func @kernel_4
// GPU: scf.for
// GPU-COUNT-32: llvm.load
// GPU: gpu.barrier
// GPU: scf.for
// GPU-COUNT-16: arith.addf
// GPU: gpu.barrier
// GPU: gpu.func @kernel_5
// GPU: scf.for
// GPU-COUNT-8: llvm.load
// GPU-COUNT-8: llvm.store

// PLAN: program short
// PLAN-NEXT: launch kernel_0 128 256 0
// PLAN: program long 1 1 1024
// PLAN-NEXT: launch kernel_1 123 256 64
// PLAN: launch kernel_2 1 256 64
// PLAN: launch kernel_3 123 256 64
// The last launch is for slots that nothing came to.
// PLAN: program positions 1 1 64
// PLAN-NEXT: launch kernel_6 1 512 256
// PLAN: launch kernel_7 4 256 0
func.func @short(%x: tensor<1024x64xf32>) -> tensor<1024x64xf32> {
  %r = kiln.cumulative_max %x {axis = 1} : (tensor<1024x64xf32>) -> tensor<1024x64xf32>
  return %r : tensor<1024x64xf32>
}

func.func @long(%x: tensor<500000xi32>) -> tensor<500000xi32> {
  %r = kiln.cumulative_sum %x {axis = 0} : (tensor<500000xi32>) -> tensor<500000xi32>
  return %r : tensor<500000xi32>
}

func.func @ordered(%x: tensor<4096x1024xf32>) -> tensor<4096x1024xf32> {
  %r = kiln.cumulative_sum %x {axis = 1} : (tensor<4096x1024xf32>) -> tensor<4096x1024xf32>
  return %r : tensor<4096x1024xf32>
}

func.func @columns(%x: tensor<1024x4096xf32>) -> tensor<1024x4096xf32> {
  %r = kiln.cumulative_sum %x {axis = 0} : (tensor<1024x4096xf32>) -> tensor<1024x4096xf32>
  return %r : tensor<1024x4096xf32>
}

func.func @positions(%m: tensor<4000xi1>) -> tensor<1000xi64> {
  %r = kiln.nonzero %m {count = 1000} : (tensor<4000xi1>) -> tensor<1000xi64>
  return %r : tensor<1000xi64>
}
