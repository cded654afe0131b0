// RUN: kiln-opt %s --kiln-fuse-pipeline | FileCheck %s
// RUN: kiln-run %s --all --target=both > /dev/null

// An array that a way of a branch changes in some places is changed where it lies. A way that makes another one does so elsewhere first.
// CHECK-LABEL: func.func @changed
// CHECK: kiln.kernel "elementwise"
// CHECK: workspace = array<i64: 0>
// CHECK: kiln.kernel "control"
// CHECK: workspace = array<i64: 0>
func.func @changed(%p: tensor<i1>, %x: tensor<100xf32>, %v: tensor<2xf32>) -> tensor<100xf32> {
  %0 = kiln.negative %x : (tensor<100xf32>) -> tensor<100xf32>
  %1 = kiln.branch [@reversed, @written](%p, %0, %v) : (tensor<i1>, tensor<100xf32>, tensor<2xf32>) -> tensor<100xf32>
  %2 = kiln.negative %1 : (tensor<100xf32>) -> tensor<100xf32>
  return %2 : tensor<100xf32>
}

// Where each makes another one, it is made in its place.
// CHECK-LABEL: func.func @made
// CHECK: kiln.kernel "control"
// CHECK: workspace = array<i64: 448>
func.func @made(%p: tensor<i1>, %x: tensor<100xf32>, %v: tensor<2xf32>) -> tensor<100xf32> {
  %0 = kiln.negative %x : (tensor<100xf32>) -> tensor<100xf32>
  %1 = kiln.branch [@reversed, @twice](%p, %0, %v) : (tensor<i1>, tensor<100xf32>, tensor<2xf32>) -> tensor<100xf32>
  %2 = kiln.negative %1 : (tensor<100xf32>) -> tensor<100xf32>
  return %2 : tensor<100xf32>
}

// Branches in branches, and two arrays that change places.
// CHECK-LABEL: func.func @nested
// CHECK: kiln.kernel "control"
// CHECK: workspace = array<i64: 0, 448>
func.func @nested(%p: tensor<i1>, %q: tensor<i1>, %x: tensor<100xf32>, %v: tensor<2xf32>) -> (tensor<100xf32>, tensor<100xf32>) {
  %0 = kiln.negative %x : (tensor<100xf32>) -> tensor<100xf32>
  %1 = kiln.add %x, %x : (tensor<100xf32>, tensor<100xf32>) -> tensor<100xf32>
  %2:2 = kiln.branch [@swapped, @inner](%p, %0, %1, %q, %v) : (tensor<i1>, tensor<100xf32>, tensor<100xf32>, tensor<i1>, tensor<2xf32>) -> (tensor<100xf32>, tensor<100xf32>)
  %3 = kiln.negative %2#0 : (tensor<100xf32>) -> tensor<100xf32>
  %4 = kiln.negative %2#1 : (tensor<100xf32>) -> tensor<100xf32>
  return %3, %4 : tensor<100xf32>, tensor<100xf32>
}

// CHECK-LABEL: func.func private @reversed
// CHECK-NOT: in_place
func.func private @reversed(%x: tensor<100xf32>, %v: tensor<2xf32>) -> tensor<100xf32> {
  %0 = kiln.slice %x {sizes = array<i64: 100>, starts = array<i64: 99>, steps = array<i64: -1>} : (tensor<100xf32>) -> tensor<100xf32>
  return %0 : tensor<100xf32>
}
// CHECK-LABEL: func.func private @written
// CHECK-SAME: kiln.in_place = 0
func.func private @written(%x: tensor<100xf32>, %v: tensor<2xf32>) -> tensor<100xf32> {
  %0 = kiln.update %x, %v {starts = array<i64: 7>, steps = array<i64: 1>} : (tensor<100xf32>, tensor<2xf32>) -> tensor<100xf32>
  return %0 : tensor<100xf32>
}
func.func private @twice(%x: tensor<100xf32>, %v: tensor<2xf32>) -> tensor<100xf32> {
  %0 = kiln.add %x, %x : (tensor<100xf32>, tensor<100xf32>) -> tensor<100xf32>
  return %0 : tensor<100xf32>
}
// CHECK-LABEL: func.func private @swapped
func.func private @swapped(%x: tensor<100xf32>, %y: tensor<100xf32>, %q: tensor<i1>, %v: tensor<2xf32>) -> (tensor<100xf32>, tensor<100xf32>) {
  return %y, %x : tensor<100xf32>, tensor<100xf32>
}
// CHECK-LABEL: func.func private @inner
// CHECK-SAME: kiln.in_place = 0
// CHECK-SAME: kiln.in_place = 1
// CHECK: kiln.kernel "control"
// CHECK: in_place = array<i64: 1>
func.func private @inner(%x: tensor<100xf32>, %y: tensor<100xf32>, %q: tensor<i1>, %v: tensor<2xf32>) -> (tensor<100xf32>, tensor<100xf32>) {
  %0 = kiln.branch [@reversed1, @written1](%q, %x, %v) : (tensor<i1>, tensor<100xf32>, tensor<2xf32>) -> tensor<100xf32>
  return %0, %y : tensor<100xf32>, tensor<100xf32>
}
func.func private @reversed1(%x: tensor<100xf32>, %v: tensor<2xf32>) -> tensor<100xf32> {
  %0 = kiln.slice %x {sizes = array<i64: 100>, starts = array<i64: 99>, steps = array<i64: -1>} : (tensor<100xf32>) -> tensor<100xf32>
  return %0 : tensor<100xf32>
}
func.func private @written1(%x: tensor<100xf32>, %v: tensor<2xf32>) -> tensor<100xf32> {
  %0 = kiln.update %x, %v {starts = array<i64: 7>, steps = array<i64: 1>} : (tensor<100xf32>, tensor<2xf32>) -> tensor<100xf32>
  return %0 : tensor<100xf32>
}
