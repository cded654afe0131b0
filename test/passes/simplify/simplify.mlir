// RUN: kiln-opt %s --kiln-simplify --split-input-file | FileCheck %s
// RUN: kiln-opt %s --kiln-simplify --kiln-stats --mlir-disable-threading --split-input-file 2>&1 >/dev/null | FileCheck %s --check-prefix=STATS
// STATS: simplify.rewrites: {{[1-9]}}

// Neighbouring axes are one axis of the reshaped operand.
// CHECK-LABEL: @all_axes
// CHECK: %[[R:.*]] = kiln.reshape %arg0 : (tensor<2x3xf32>) -> tensor<6xf32>
// CHECK: kiln.sum %[[R]] {axes = array<i64: 0>}
func.func @all_axes(%x: tensor<2x3xf32>) -> tensor<f32> {
  %0 = kiln.sum %x {axes = array<i64: 0, 1>} : (tensor<2x3xf32>) -> tensor<f32>
  return %0 : tensor<f32>
}

// -----

// Groups of axes are reduced from the last to the first.
// CHECK-LABEL: @two_groups
// CHECK: %[[A:.*]] = kiln.max %arg0 {axes = array<i64: 2>} : (tensor<2x3x4xf32>) -> tensor<2x3xf32>
// CHECK: kiln.max %[[A]] {axes = array<i64: 0>} : (tensor<2x3xf32>) -> tensor<3xf32>
func.func @two_groups(%x: tensor<2x3x4xf32>) -> tensor<3xf32> {
  %0 = kiln.max %x {axes = array<i64: 0, 2>} : (tensor<2x3x4xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

// CHECK-LABEL: @no_axes
// CHECK-NEXT: return %arg0
func.func @no_axes(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = kiln.sum %x {axes = array<i64>} : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

// A transposed matrix is another contracted axis.
// CHECK-LABEL: @transposed_product
// CHECK-NOT: kiln.transpose
// CHECK: kiln.dot_general %arg0, %arg1 {x_axis = 1 : i64, x_batch = array<i64>, y_axis = 1 : i64
func.func @transposed_product(%x: tensor<4x5xf32>, %y: tensor<6x5xf32>) -> tensor<4x6xf32> {
  %t = kiln.transpose %y {permutation = array<i64: 1, 0>} : (tensor<6x5xf32>) -> tensor<5x6xf32>
  %0 = kiln.dot_general %x, %t {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<4x5xf32>, tensor<5x6xf32>) -> tensor<4x6xf32>
  return %0 : tensor<4x6xf32>
}

// -----

// A vector product keeps its order: the transpose stays.
// CHECK-LABEL: @vector_product
// CHECK: kiln.transpose
func.func @vector_product(%x: tensor<5x4xf32>, %y: tensor<5xf32>) -> tensor<4xf32> {
  %t = kiln.transpose %x {permutation = array<i64: 1, 0>} : (tensor<5x4xf32>) -> tensor<4x5xf32>
  %0 = kiln.dot_general %t, %y {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<4x5xf32>, tensor<5xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// CHECK-LABEL: @moves
// CHECK-NEXT: %[[B:.*]] = kiln.broadcast %arg0 {axes = array<i64: 1>} : (tensor<3xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: return %[[B]]
func.func @moves(%x: tensor<3xf32>) -> tensor<2x3xf32> {
  %0 = kiln.reshape %x : (tensor<3xf32>) -> tensor<1x3xf32>
  %1 = kiln.reshape %0 : (tensor<1x3xf32>) -> tensor<1x1x3xf32>
  %2 = kiln.reshape %1 : (tensor<1x1x3xf32>) -> tensor<1x3xf32>
  %3 = kiln.broadcast %2 {axes = array<i64: 0, 1>} : (tensor<1x3xf32>) -> tensor<2x3xf32>
  %4 = kiln.cast %3 : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %4 : tensor<2x3xf32>
}

// -----

// What is read where it was written, and written again, need not be read, nor written the first time.
// CHECK-LABEL: @written
// CHECK-NOT: slice
// CHECK: %[[V:.*]] = kiln.negative %arg1
// CHECK-NEXT: %[[U:.*]] = kiln.dynamic_update %arg0, %[[V]], %arg2
// CHECK-NEXT: %[[A:.*]] = kiln.abs %arg1
// CHECK-NEXT: %[[W:.*]] = kiln.update %[[U]], %[[A]] {starts = array<i64: 1>, steps = array<i64: 2>}
// CHECK-NEXT: return %[[W]]
func.func @written(%x: tensor<9xf32>, %v: tensor<2xf32>, %at: tensor<1xi64>) -> tensor<9xf32> {
  %first = kiln.dynamic_update %x, %v, %at : (tensor<9xf32>, tensor<2xf32>, tensor<1xi64>) -> tensor<9xf32>
  %read = kiln.dynamic_slice %first, %at {sizes = array<i64: 2>} : (tensor<9xf32>, tensor<1xi64>) -> tensor<2xf32>
  %negative = kiln.negative %read : (tensor<2xf32>) -> tensor<2xf32>
  %second = kiln.dynamic_update %first, %negative, %at : (tensor<9xf32>, tensor<2xf32>, tensor<1xi64>) -> tensor<9xf32>
  %third = kiln.update %second, %v {starts = array<i64: 1>, steps = array<i64: 2>} : (tensor<9xf32>, tensor<2xf32>) -> tensor<9xf32>
  %again = kiln.slice %third {starts = array<i64: 1>, sizes = array<i64: 2>, steps = array<i64: 2>} : (tensor<9xf32>) -> tensor<2xf32>
  %size = kiln.abs %again : (tensor<2xf32>) -> tensor<2xf32>
  %fourth = kiln.update %third, %size {starts = array<i64: 1>, steps = array<i64: 2>} : (tensor<9xf32>, tensor<2xf32>) -> tensor<9xf32>
  return %fourth : tensor<9xf32>
}

// -----

// An array that is read at another place as well is read from memory: what was written would be computed a second time, from what it replaced.
// CHECK-LABEL: @read_elsewhere
// CHECK: kiln.dynamic_update
// CHECK-NEXT: kiln.dynamic_slice
// CHECK-NEXT: kiln.dynamic_slice
func.func @read_elsewhere(%x: tensor<9xf32>, %v: tensor<1xf32>, %at: tensor<1xi64>, %to: tensor<1xi64>) -> tensor<9xf32> {
  %first = kiln.dynamic_update %x, %v, %at : (tensor<9xf32>, tensor<1xf32>, tensor<1xi64>) -> tensor<9xf32>
  %read = kiln.dynamic_slice %first, %at {sizes = array<i64: 1>} : (tensor<9xf32>, tensor<1xi64>) -> tensor<1xf32>
  %other = kiln.dynamic_slice %first, %to {sizes = array<i64: 1>} : (tensor<9xf32>, tensor<1xi64>) -> tensor<1xf32>
  %quotient = kiln.divide %read, %other : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  %second = kiln.dynamic_update %first, %quotient, %at : (tensor<9xf32>, tensor<1xf32>, tensor<1xi64>) -> tensor<9xf32>
  return %second : tensor<9xf32>
}

// -----

// At other places, of other sizes, or with the first write read elsewhere they stay.
// CHECK-LABEL: @written_elsewhere
// CHECK-COUNT-3: kiln.update
// CHECK-COUNT-2: kiln.slice
func.func @written_elsewhere(%x: tensor<9xf32>, %v: tensor<2xf32>) -> (tensor<9xf32>, tensor<9xf32>, tensor<2xf32>, tensor<3xf32>) {
  %first = kiln.update %x, %v {starts = array<i64: 1>, steps = array<i64: 2>} : (tensor<9xf32>, tensor<2xf32>) -> tensor<9xf32>
  %second = kiln.update %first, %v {starts = array<i64: 1>, steps = array<i64: 2>} : (tensor<9xf32>, tensor<2xf32>) -> tensor<9xf32>
  %third = kiln.update %second, %v {starts = array<i64: 1>, steps = array<i64: 1>} : (tensor<9xf32>, tensor<2xf32>) -> tensor<9xf32>
  %a = kiln.slice %third {starts = array<i64: 2>, sizes = array<i64: 2>, steps = array<i64: 1>} : (tensor<9xf32>) -> tensor<2xf32>
  %b = kiln.slice %third {starts = array<i64: 1>, sizes = array<i64: 3>, steps = array<i64: 1>} : (tensor<9xf32>) -> tensor<3xf32>
  return %first, %third, %a, %b : tensor<9xf32>, tensor<9xf32>, tensor<2xf32>, tensor<3xf32>
}
