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
func.func private @same(%x: tensor<i1>) -> tensor<i1> {
  return %x : tensor<i1>
}
func.func private @flag(%x: tensor<i1>) -> tensor<i1> {
  return %x : tensor<i1>
}
