// RUN: kiln-opt %s --kiln-fuse --split-input-file | FileCheck %s

// Elementwise operations over one shape, with several results.
// CHECK-LABEL: @chain
// CHECK: %[[K:.*]]:2 = kiln.kernel "elementwise"
// CHECK-NOT: kiln.kernel
// CHECK: return %[[K]]#0, %[[K]]#1
func.func @chain(%x: tensor<8xf32>, %y: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %0 = kiln.add %x, %y : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %1 = kiln.exp %0 : (tensor<8xf32>) -> tensor<8xf32>
  return %0, %1 : tensor<8xf32>, tensor<8xf32>
}

// -----

// A reduction of other positions is another kernel.
// CHECK-LABEL: @two_axes
// CHECK-COUNT-2: kiln.kernel "reduction"
func.func @two_axes(%x: tensor<4x8xf32>) -> (tensor<4xf32>, tensor<8xf32>) {
  %0 = kiln.sum %x {axes = array<i64: 1>} : (tensor<4x8xf32>) -> tensor<4xf32>
  %1 = kiln.sum %x {axes = array<i64: 0>} : (tensor<4x8xf32>) -> tensor<8xf32>
  return %0, %1 : tensor<4xf32>, tensor<8xf32>
}

// -----

// What follows elementwise from a matrix product runs in its kernel; a sum of it does not, and says why.
// CHECK-LABEL: @product
// CHECK: kiln.kernel "contraction"
// CHECK-NEXT: kiln.dot_general
// CHECK-NEXT: kiln.negative
// CHECK: kiln.kernel "reduction"
// CHECK: apart = {{\[\[}}"sum", {{[0-9]+}}, "negative", {{[0-9]+}}, "is not elementwise"]]
func.func @product(%x: tensor<4x8xf32>, %y: tensor<8x3xf32>) -> (tensor<4x3xf32>, tensor<4xf32>) {
  %0 = kiln.dot_general %x, %y {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<4x8xf32>, tensor<8x3xf32>) -> tensor<4x3xf32>
  %1 = kiln.negative %0 : (tensor<4x3xf32>) -> tensor<4x3xf32>
  %2 = kiln.sum %1 {axes = array<i64: 1>} : (tensor<4x3xf32>) -> tensor<4xf32>
  return %1, %2 : tensor<4x3xf32>, tensor<4xf32>
}

// -----

// A product that only decides needs memory all the same: it is yielded too, to the workspace.
// CHECK-LABEL: @decides
// CHECK: kiln.kernel "contraction"
// CHECK-SAME: -> (tensor<4x4xi1>, tensor<4x4xf32>)
func.func @decides(%x: tensor<4x4xf32>) -> tensor<4x4xi1> {
  %0 = kiln.dot_general %x, %x {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %1 = kiln.greater %0, %x : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xi1>
  return %1 : tensor<4x4xi1>
}

// -----

// An output that is an argument is copied, and so is one that is another output.
// CHECK-LABEL: @aliases
// CHECK: kiln.copy
// CHECK: kiln.copy
func.func @aliases(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %0 = kiln.negative %x : (tensor<4xf32>) -> tensor<4xf32>
  return %x, %0, %0 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// A cheap operand that only a product reads is computed in its kernel.
// CHECK-LABEL: @prologue
// CHECK: kiln.kernel "contraction"(%{{.*}} = %arg0 : tensor<4x4xf32>) -> (tensor<4x4xf32>)
// CHECK-NEXT: kiln.negative
// CHECK-NEXT: kiln.dot_general
// CHECK-NOT: kiln.kernel
// CHECK: return
func.func @prologue(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %0 = kiln.negative %x : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %1 = kiln.dot_general %0, %x {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  return %1 : tensor<4x4xf32>
}

// -----

// Joining both sides of a product would need its result before it runs: the sum joins the product alone.
// CHECK-LABEL: @no_cycle
// CHECK: %[[A:.*]] = kiln.kernel "elementwise"
// CHECK: %[[P:.*]] = kiln.kernel "contraction"({{.*}} = %[[A]]
// CHECK-NEXT: kiln.dot_general
// CHECK-NEXT: kiln.add
// CHECK: return %[[P]]
func.func @no_cycle(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %0 = kiln.negative %x : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %1 = kiln.dot_general %0, %x {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %2 = kiln.add %0, %1 : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  return %2 : tensor<4x4xf32>
}

// -----

// What nobody reads is dropped; a reshape is an alias.
// CHECK-LABEL: @dead_and_alias
// CHECK-NOT: kiln.exp
// CHECK: %[[K:.*]] = kiln.kernel
// CHECK: kiln.reshape %[[K]]
func.func @dead_and_alias(%x: tensor<2x3xf32>) -> tensor<6xf32> {
  %0 = kiln.exp %x : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %1 = kiln.negative %x : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %2 = kiln.reshape %1 : (tensor<2x3xf32>) -> tensor<6xf32>
  return %2 : tensor<6xf32>
}

// -----

// Elements where a mask is true are found and taken at once.
// CHECK-LABEL: @compress
// CHECK: kiln.kernel "compact"
// CHECK: kiln.nonzero
// CHECK: kiln.gather
// CHECK-NOT: kiln.kernel
func.func @compress(%x: tensor<9xf32>, %m: tensor<9xi1>) -> tensor<4xf32> {
  %p = kiln.nonzero %m {count = 4} : (tensor<9xi1>) -> tensor<4xi64>
  %r = kiln.gather %x, %p {axis = 0} : (tensor<9xf32>, tensor<4xi64>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

// What the elements are taken from is another kernel, also where it is a result and as long.
// CHECK-LABEL: @compress_of_result
// CHECK: kiln.kernel "elementwise"
// CHECK: kiln.kernel "compact"
// CHECK: kiln.yield %{{.*}} : tensor<4xf32>
func.func @compress_of_result(%x: tensor<6xf32>, %m: tensor<4xi1>) -> (tensor<4xf32>, tensor<4xf32>) {
  %s = kiln.slice %x {sizes = array<i64: 4>, starts = array<i64: 0>, steps = array<i64: 1>} : (tensor<6xf32>) -> tensor<4xf32>
  %p = kiln.nonzero %m {count = 4} : (tensor<4xi1>) -> tensor<4xi64>
  %r = kiln.gather %s, %p {axis = 0} : (tensor<4xf32>, tensor<4xi64>) -> tensor<4xf32>
  return %s, %r : tensor<4xf32>, tensor<4xf32>
}

// -----

// Not where the positions are wanted as well, nor of an array of another length.
// CHECK-LABEL: @positions
// CHECK: kiln.kernel "compact"
// CHECK: kiln.kernel "elementwise"
func.func @positions(%x: tensor<9xf32>, %m: tensor<9xi1>) -> (tensor<4xf32>, tensor<4xi64>) {
  %p = kiln.nonzero %m {count = 4} : (tensor<9xi1>) -> tensor<4xi64>
  %r = kiln.gather %x, %p {axis = 0} : (tensor<9xf32>, tensor<4xi64>) -> tensor<4xf32>
  return %r, %p : tensor<4xf32>, tensor<4xi64>
}

// -----

// CHECK-LABEL: @other_length
// CHECK: kiln.kernel "compact"
// CHECK: kiln.kernel "elementwise"
func.func @other_length(%x: tensor<10xf32>, %m: tensor<9xi1>) -> tensor<4xf32> {
  %p = kiln.nonzero %m {count = 4} : (tensor<9xi1>) -> tensor<4xi64>
  %r = kiln.gather %x, %p {axis = 0} : (tensor<10xf32>, tensor<4xi64>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

// What another kernel alone reads, of what is written anyway, is computed there: the first kernel writes the hyperbolic tangent and nothing else.
// CHECK-LABEL: @sunk
// CHECK: kiln.kernel "contraction"
// CHECK: kiln.tanh
// CHECK-NEXT: kiln.yield %{{[a-z0-9]+}} : tensor<4x4xf32>
// CHECK: kiln.kernel "contraction"
// CHECK: kiln.subtract
// CHECK: kiln.multiply
// CHECK: kiln.add
func.func @sunk(%x: tensor<4x4xf32>, %w: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  %p = kiln.dot_general %x, %w {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %y = kiln.tanh %p : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %a = kiln.add %y, %x : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %q = kiln.dot_general %y, %w {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %b = kiln.subtract %y, %y : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %c = kiln.multiply %q, %b : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %d = kiln.multiply %c, %x : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %r = kiln.add %d, %a : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  return %y, %r : tensor<4x4xf32>, tensor<4x4xf32>
}

// -----

// Not where its operands would have to be written in its place.
// CHECK-LABEL: @not_sunk
// CHECK: kiln.kernel "contraction"
// CHECK: kiln.tanh
// CHECK: kiln.greater
// CHECK: kiln.kernel "contraction"
// CHECK: kiln.select
func.func @not_sunk(%x: tensor<4x4xf32>, %w: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  %p = kiln.dot_general %x, %w {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %y = kiln.tanh %p : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %m = kiln.greater %p, %y : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xi1>
  %q = kiln.dot_general %y, %w {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %r = kiln.select %m, %q, %x : (tensor<4x4xi1>, tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  return %y, %r : tensor<4x4xf32>, tensor<4x4xf32>
}
