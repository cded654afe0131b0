// RUN: kiln-run %s --all --target=both | FileCheck %s
// RUN: kiln-opt %s --kiln-fuse-pipeline | FileCheck %s --check-prefix=PLAN

// A size that a loop computes: the sums of ever longer parts, each written in its place.

// PLAN: func.func private @step
// PLAN-SAME: kiln.in_place = 1
// PLAN: func.func private @trip
// PLAN-SAME: kiln.in_place = 1
// CHECK-LABEL: @prefixes:
// CHECK-NEXT: float64[8]: 0 1 1 3 6 10 15 21
func.func @prefixes(%x: tensor<8xf64>, %y: tensor<8xf64>) -> tensor<8xf64> attributes {kiln.symbols = 0} {
  %two = kiln.constant 2 : i64 : tensor<i64>
  %eight = kiln.constant 8 : i64 : tensor<i64>
  %i, %r, %n, %z = kiln.loop @less, @step(%two, %y, %eight, %x) : (tensor<i64>, tensor<8xf64>, tensor<i64>, tensor<8xf64>) -> (tensor<i64>, tensor<8xf64>, tensor<i64>, tensor<8xf64>)
  return %r : tensor<8xf64>
}
func.func private @less(%i: tensor<i64>, %y: tensor<8xf64>, %n: tensor<i64>, %x: tensor<8xf64>) -> tensor<i1> {
  %r = kiln.less %i, %n : (tensor<i64>, tensor<i64>) -> tensor<i1>
  return %r : tensor<i1>
}
func.func private @step(%i: tensor<i64>, %y: tensor<8xf64>, %n: tensor<i64>, %x: tensor<8xf64>) -> (tensor<i64>, tensor<8xf64>, tensor<i64>, tensor<8xf64>) attributes {kiln.symbols = 0} {
  %j, %z = kiln.sized @trip(%i, %i, %y, %x) {most = array<i64: 8>} : (tensor<i64>, tensor<i64>, tensor<8xf64>, tensor<8xf64>) -> (tensor<i64>, tensor<8xf64>)
  return %j, %z, %n, %x : tensor<i64>, tensor<8xf64>, tensor<i64>, tensor<8xf64>
}
func.func private @trip(%i: tensor<i64>, %y: tensor<8xf64>, %x: tensor<8xf64>) -> (tensor<i64>, tensor<8xf64>) attributes {kiln.symbols = 1, kiln.given = 1} {
  %one = kiln.constant 1 : i64 : tensor<i64>
  %next = kiln.add %i, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %part = kiln.slice %x {starts = array<i64: 0>, sizes = array<i64: -1>, steps = array<i64: 1>} : (tensor<8xf64>) -> tensor<?xf64, #kiln.symbols<0>>
  %s = kiln.sum %part {axes = array<i64: 0>} : (tensor<?xf64, #kiln.symbols<0>>) -> tensor<f64>
  %v = kiln.reshape %s : (tensor<f64>) -> tensor<1xf64>
  %at = kiln.reshape %i : (tensor<i64>) -> tensor<1xi64>
  %z = kiln.dynamic_update %y, %v, %at : (tensor<8xf64>, tensor<1xf64>, tensor<1xi64>) -> tensor<8xf64>
  return %next, %z : tensor<i64>, tensor<8xf64>
}
