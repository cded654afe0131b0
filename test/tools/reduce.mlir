// RUN: kiln-reduce %s --reduction-tree='traversal-mode=0 test=%S/Inputs/keeps-exp.sh' | FileCheck %s
// A module is cut down to what a script asks for.

// CHECK-NOT: @other
// CHECK: func.func @wanted
// CHECK: kiln.exp
func.func @other(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = kiln.sin %x : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func @wanted(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = kiln.exp %x : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
