// What is computed once rather than by each reader, and how far a kernel goes.
// RUN: kiln-opt %s --kiln-fuse --split-input-file | FileCheck %s

// More than a little arithmetic of scalars: once, in a kernel of scalars; what follows from it is computed with it.
// CHECK-LABEL: @settled
// CHECK: kiln.kernel "elementwise"{{.*}} -> (tensor<f64>)
// CHECK-COUNT-4: kiln.pow
// CHECK: kiln.negative
// CHECK: kiln.kernel "elementwise"{{.*}} -> (tensor<8x8xf64>)
// CHECK-NOT: kiln.pow
// CHECK-NOT: kiln.negative
// CHECK: return
func.func @settled(%x: tensor<8x8xf64>, %a: tensor<f64>) -> tensor<8x8xf64> {
  %0 = kiln.pow %a, %a : (tensor<f64>, tensor<f64>) -> tensor<f64>
  %1 = kiln.pow %0, %a : (tensor<f64>, tensor<f64>) -> tensor<f64>
  %2 = kiln.pow %1, %a : (tensor<f64>, tensor<f64>) -> tensor<f64>
  %3 = kiln.pow %2, %a : (tensor<f64>, tensor<f64>) -> tensor<f64>
  %4 = kiln.negative %3 : (tensor<f64>) -> tensor<f64>
  %b = kiln.broadcast %4 {axes = array<i64>} : (tensor<f64>) -> tensor<8x8xf64>
  %r = kiln.add %x, %b : (tensor<8x8xf64>, tensor<8x8xf64>) -> tensor<8x8xf64>
  return %r : tensor<8x8xf64>
}

// -----

// A little is hoisted out of the loop of the kernel that reads it.
// CHECK-LABEL: @little
// CHECK-COUNT-1: kiln.kernel
// CHECK: kiln.pow
// CHECK-NOT: kiln.kernel
// CHECK: return
func.func @little(%x: tensor<8x8xf64>, %a: tensor<f64>) -> tensor<8x8xf64> {
  %0 = kiln.pow %a, %a : (tensor<f64>, tensor<f64>) -> tensor<f64>
  %1 = kiln.negative %0 : (tensor<f64>) -> tensor<f64>
  %b = kiln.broadcast %1 {axes = array<i64>} : (tensor<f64>) -> tensor<8x8xf64>
  %r = kiln.add %x, %b : (tensor<8x8xf64>, tensor<8x8xf64>) -> tensor<8x8xf64>
  return %r : tensor<8x8xf64>
}

// -----

// A matrix that a product reads again for each position of the batch axes is not copied for each.
// CHECK-LABEL: @repeated
// CHECK-COUNT-1: kiln.kernel
// CHECK-SAME: tensor<3x2xf32>
// CHECK-NEXT: kiln.broadcast
// CHECK-NEXT: kiln.dot_general
// CHECK-NOT: kiln.kernel
// CHECK: return
func.func @repeated(%x: tensor<9x1x3xf32>, %y: tensor<3x2xf32>) -> tensor<9x1x2xf32> {
  %b = kiln.broadcast %y {axes = array<i64: 1, 2>} : (tensor<3x2xf32>) -> tensor<9x3x2xf32>
  %r = kiln.dot_general %x, %b {x_batch = array<i64: 0>, y_batch = array<i64: 0>, x_axis = 2 : i64, y_axis = 1 : i64} : (tensor<9x1x3xf32>, tensor<9x3x2xf32>) -> tensor<9x1x2xf32>
  return %r : tensor<9x1x2xf32>
}
