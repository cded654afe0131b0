// What fusion counts beside kernels and their operations.
// RUN: kiln-opt %s --mlir-disable-threading --kiln-fuse --kiln-stats 2>&1 >/dev/null | FileCheck %s
// CHECK: fuse.copies: 2
// CHECK-NEXT: fuse.fused-ops: 1
// CHECK-NEXT: fuse.kernels: 5
// CHECK-NEXT: fuse.prologues: 1
// CHECK-NEXT: fuse.settled: 1

// Two results that would share memory: an argument, and one result twice.
func.func @copies(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %y = kiln.negative %x : (tensor<4xf32>) -> tensor<4xf32>
  return %x, %y, %y : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// What cheaply makes the operand of a product is done as it is packed.
func.func @prologue(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %n = kiln.negative %x : (tensor<64x64xf32>) -> tensor<64x64xf32>
  %0 = kiln.dot_general %n, %y {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  return %0 : tensor<64x64xf32>
}

// A number that costs much is computed once, and not for each element.
func.func @settled(%x: tensor<4xf32>, %s: tensor<f32>) -> tensor<4xf32> {
  %0 = kiln.pow %s, %s : (tensor<f32>, tensor<f32>) -> tensor<f32>
  %1 = kiln.pow %0, %s : (tensor<f32>, tensor<f32>) -> tensor<f32>
  %2 = kiln.pow %1, %s : (tensor<f32>, tensor<f32>) -> tensor<f32>
  %3 = kiln.pow %2, %s : (tensor<f32>, tensor<f32>) -> tensor<f32>
  %b = kiln.broadcast %3 {axes = array<i64>} : (tensor<f32>) -> tensor<4xf32>
  %r = kiln.add %x, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}
