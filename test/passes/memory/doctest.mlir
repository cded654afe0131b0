// The example of the pass's page.
// RUN: kiln-opt %s --kiln-fuse --kiln-plan-memory | FileCheck %s

// CHECK: kiln.workspace_bytes = 64
// CHECK: kiln.kernel "contraction"
// CHECK: workspace = array<i64: 0>
// CHECK: kiln.kernel "scan"
// CHECK: workspace = array<i64: -1>
func.func @product(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %0 = kiln.dot_general %x, %x {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %1 = kiln.cumulative_sum %0 {axis = 0} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return %1 : tensor<4x4xf32>
}
