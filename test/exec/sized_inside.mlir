// RUN: kiln-run %s --all --target=both | FileCheck %s

// A temporary of two computed sizes, and a body in a body, which has the sizes around it behind its own.
// CHECK-LABEL: @inside:
// CHECK-NEXT: float32[]: 16
func.func @inside(%x: tensor<3x5xf32>) -> tensor<f32> attributes {kiln.symbols = 0} {
  %two = kiln.constant 2 : i64 : tensor<i64>
  %three = kiln.constant 3 : i64 : tensor<i64>
  %r = kiln.sized @rows(%two, %three, %two, %x) {most = array<i64: 3, 5>} : (tensor<i64>, tensor<i64>, tensor<i64>, tensor<3x5xf32>) -> tensor<f32>
  return %r : tensor<f32>
}
func.func private @rows(%n: tensor<i64>, %x: tensor<3x5xf32>) -> tensor<f32> attributes {kiln.symbols = 2, kiln.given = 2} {
  %part = kiln.slice %x {starts = array<i64: 0, 0>, sizes = array<i64: -1, -2>, steps = array<i64: 1, 1>} : (tensor<3x5xf32>) -> tensor<?x?xf32, #kiln.symbols<0, 1>>
  %two = kiln.sort %part {axis = 1, descending = 1} : (tensor<?x?xf32, #kiln.symbols<0, 1>>) -> tensor<?x?xf32, #kiln.symbols<0, 1>>
  %r = kiln.sized @columns(%n, %two) {most = array<i64: -2>} : (tensor<i64>, tensor<?x?xf32, #kiln.symbols<0, 1>>) -> tensor<f32>
  return %r : tensor<f32>
}
func.func private @columns(%x: tensor<?x?xf32, #kiln.symbols<1, 2>>) -> tensor<f32> attributes {kiln.symbols = 3, kiln.given = 1} {
  %part = kiln.slice %x {starts = array<i64: 0, 0>, sizes = array<i64: 2, -1>, steps = array<i64: 1, 1>} : (tensor<?x?xf32, #kiln.symbols<1, 2>>) -> tensor<2x?xf32, #kiln.symbols<-1, 0>>
  %r = kiln.sum %part {axes = array<i64: 0, 1>} : (tensor<2x?xf32, #kiln.symbols<-1, 0>>) -> tensor<f32>
  return %r : tensor<f32>
}
