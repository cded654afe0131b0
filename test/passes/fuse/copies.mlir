// A copy that an output needs is one that simplification keeps.
// RUN: kiln-opt %s --kiln-fuse --kiln-simplify | FileCheck %s

// CHECK-LABEL: @argument
// CHECK: kiln.kernel "elementwise"
// CHECK-NEXT: kiln.copy
func.func @argument(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// CHECK-LABEL: @twice
// CHECK: %[[y:.*]] = kiln.negative
// CHECK-NEXT: %[[z:.*]] = kiln.copy %[[y]]
// CHECK-NEXT: kiln.yield %[[y]], %[[z]]
func.func @twice(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %y = kiln.negative %x : (tensor<4xf32>) -> tensor<4xf32>
  return %y, %y : tensor<4xf32>, tensor<4xf32>
}
