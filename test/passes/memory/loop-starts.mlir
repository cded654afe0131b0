// Two results of a loop that start from the same zeros have an array of them each, whose memory they take over.
// RUN: kiln-opt %s --kiln-fuse --kiln-plan-memory | FileCheck %s

// CHECK-LABEL: func.func @rows
// CHECK-SAME: kiln.workspace_bytes = 65536
// CHECK: %[[y:.*]] = kiln.kernel "elementwise"
// CHECK: workspace = array<i64: 0>
// CHECK: %[[x:.*]] = kiln.kernel "elementwise"
// CHECK: workspace = array<i64: 32768>
// CHECK: kiln.kernel "control"(%{{.*}} = %[[x]] : tensor<8192xf32>, %{{.*}} = %[[y]]
// CHECK: workspace = array<i64: 32768, 0>
func.func @rows() -> (tensor<f32>, tensor<f32>) {
  %0 = kiln.constant 0.000000e+00 : f32 : tensor<f32>
  %1 = kiln.broadcast %0 {axes = array<i64>} : (tensor<f32>) -> tensor<8192xf32>
  %2:2 = kiln.loop @never, @first(%1, %1) : (tensor<8192xf32>, tensor<8192xf32>) -> (tensor<8192xf32>, tensor<8192xf32>)
  %3 = kiln.sum %2#0 {axes = array<i64: 0>} : (tensor<8192xf32>) -> tensor<f32>
  %4 = kiln.sum %2#1 {axes = array<i64: 0>} : (tensor<8192xf32>) -> tensor<f32>
  return %3, %4 : tensor<f32>, tensor<f32>
}

func.func private @never(%x: tensor<8192xf32>, %y: tensor<8192xf32>) -> tensor<i1> {
  %0 = kiln.constant false : tensor<i1>
  return %0 : tensor<i1>
}
func.func private @first(%x: tensor<8192xf32>, %y: tensor<8192xf32>) -> (tensor<8192xf32>, tensor<8192xf32>) {
  %0 = kiln.slice %x {starts = array<i64: 0>, sizes = array<i64: 4>, steps = array<i64: 1>} : (tensor<8192xf32>) -> tensor<4xf32>
  %1 = kiln.update %y, %0 {starts = array<i64: 4>, steps = array<i64: 1>} : (tensor<8192xf32>, tensor<4xf32>) -> tensor<8192xf32>
  return %x, %1 : tensor<8192xf32>, tensor<8192xf32>
}
