// The example of the pass's page: reductions of rows by warps, and a position a thread.
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule-nvptx --kiln-stats --mlir-disable-threading 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=STATS < %t
// STATS: schedule.kernels: 2

// CHECK-LABEL: @shifted
// CHECK: schedule = #kiln.row_groups<stages = [<reduce = [0]>], threads = 32, rows = 8, resident = true>
func.func @shifted(%x: tensor<64x100xf32>) -> tensor<64x100xf32> {
  %m = kiln.max %x {axes = array<i64: 1>} : (tensor<64x100xf32>) -> tensor<64xf32>
  %b = kiln.broadcast %m {axes = array<i64: 0>} : (tensor<64xf32>) -> tensor<64x100xf32>
  %d = kiln.subtract %x, %b : (tensor<64x100xf32>, tensor<64x100xf32>) -> tensor<64x100xf32>
  return %d : tensor<64x100xf32>
}

// CHECK-LABEL: @twice
// CHECK: schedule = #kiln.grid<threads = 256>
func.func @twice(%x: tensor<1024xf32>) -> tensor<1024xf32> {
  %y = kiln.add %x, %x : (tensor<1024xf32>, tensor<1024xf32>) -> tensor<1024xf32>
  return %y : tensor<1024xf32>
}
