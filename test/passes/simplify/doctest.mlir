// The example of the pass's page.
// RUN: kiln-opt %s --kiln-simplify | FileCheck %s

// CHECK: kiln.reshape %arg0 : (tensor<8x128xf32>) -> tensor<1024xf32>
// CHECK-NEXT: kiln.sum {{.*}} {axes = array<i64: 0>} : (tensor<1024xf32>) -> tensor<f32>
func.func @total(%x: tensor<8x128xf32>) -> tensor<f32> {
  %0 = kiln.sum %x {axes = array<i64: 0, 1>} : (tensor<8x128xf32>) -> tensor<f32>
  return %0 : tensor<f32>
}
