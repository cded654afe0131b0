// The example of the pass's page: reductions of rows, and a loop over elements.
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule --kiln-stats --mlir-disable-threading 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=STATS < %t
// STATS: schedule.kernels: 2

// CHECK-LABEL: @shifted
// CHECK: schedule = #kiln.rows<stages = [<reduce = [0]>], lanes = 32>
func.func @shifted(%x: tensor<64x100xf32>) -> tensor<64x100xf32> {
  %m = kiln.max %x {axes = array<i64: 1>} : (tensor<64x100xf32>) -> tensor<64xf32>
  %b = kiln.broadcast %m {axes = array<i64: 0>} : (tensor<64xf32>) -> tensor<64x100xf32>
  %d = kiln.subtract %x, %b : (tensor<64x100xf32>, tensor<64x100xf32>) -> tensor<64x100xf32>
  return %d : tensor<64x100xf32>
}

// CHECK-LABEL: @twice
// CHECK: schedule = #kiln.nest<lanes = 32>
func.func @twice(%x: tensor<1024xf32>) -> tensor<1024xf32> {
  %y = kiln.add %x, %x : (tensor<1024xf32>, tensor<1024xf32>) -> tensor<1024xf32>
  return %y : tensor<1024xf32>
}
