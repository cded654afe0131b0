// RUN: kiln-opt %s --kiln-inline-bodies --symbol-dce | FileCheck %s

// A number that is not known, a body that two branches name, a loop that may run: they stay.
// CHECK-LABEL: @kept
// CHECK: kiln.branch [@same]
// CHECK: kiln.branch [@same]
// CHECK: kiln.loop @flag, @same
func.func @kept(%n: tensor<i64>, %x: tensor<i1>) -> (tensor<i1>, tensor<i1>, tensor<i1>) {
  %zero = kiln.constant 0 : i64 : tensor<i64>
  %a = kiln.branch [@same](%n, %x) : (tensor<i64>, tensor<i1>) -> tensor<i1>
  %b = kiln.branch [@same](%zero, %x) : (tensor<i64>, tensor<i1>) -> tensor<i1>
  %c = kiln.loop @flag, @same(%x) : (tensor<i1>) -> tensor<i1>
  return %a, %b, %c : tensor<i1>, tensor<i1>, tensor<i1>
}
// What fails on some values.
// CHECK-LABEL: @failing
// CHECK: kiln.branch [@outer]
func.func @failing(%x: tensor<4xf32>, %i: tensor<i64>) -> tensor<f32> {
  %zero = kiln.constant 0 : i64 : tensor<i64>
  %r = kiln.branch [@outer](%zero, %x, %i) : (tensor<i64>, tensor<4xf32>, tensor<i64>) -> tensor<f32>
  return %r : tensor<f32>
}
func.func private @outer(%x: tensor<4xf32>, %i: tensor<i64>) -> tensor<f32> {
  %r = kiln.branch [@inner](%i, %x, %i) : (tensor<i64>, tensor<4xf32>, tensor<i64>) -> tensor<f32>
  return %r : tensor<f32>
}
func.func private @inner(%x: tensor<4xf32>, %i: tensor<i64>) -> tensor<f32> {
  %r = kiln.gather %x, %i {axis = 0} : (tensor<4xf32>, tensor<i64>) -> tensor<f32>
  return %r : tensor<f32>
}
func.func private @same(%x: tensor<i1>) -> tensor<i1> {
  return %x : tensor<i1>
}
func.func private @flag(%x: tensor<i1>) -> tensor<i1> {
  return %x : tensor<i1>
}
// A body that would not take what fails.
// CHECK-LABEL: @taken
// CHECK: kiln.gather
// CHECK: kiln.branch [@first]
// CHECK: kiln.loop @never, @second
func.func @taken(%x: tensor<4xf32>, %i: tensor<i64>) -> (tensor<i1>, tensor<f32>) {
  %zero = kiln.constant 0 : i64 : tensor<i64>
  %no = kiln.constant false : tensor<i1>
  %y = kiln.gather %x, %i {axis = 0} : (tensor<4xf32>, tensor<i64>) -> tensor<f32>
  %z = kiln.negative %y : (tensor<f32>) -> tensor<f32>
  %r = kiln.branch [@first](%zero, %no, %z) : (tensor<i64>, tensor<i1>, tensor<f32>) -> tensor<i1>
  %w = kiln.loop @never, @second(%z) : (tensor<f32>) -> tensor<f32>
  return %r, %w : tensor<i1>, tensor<f32>
}
func.func private @first(%x: tensor<i1>, %y: tensor<f32>) -> tensor<i1> {
  return %x : tensor<i1>
}
func.func private @never(%x: tensor<f32>) -> tensor<i1> {
  %no = kiln.constant false : tensor<i1>
  return %no : tensor<i1>
}
func.func private @second(%x: tensor<f32>) -> tensor<f32> {
  return %x : tensor<f32>
}
