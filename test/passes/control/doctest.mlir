// The example of the pass's page.
// RUN: kiln-opt %s --kiln-inline-bodies --symbol-dce --kiln-stats 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=STATS < %t
// STATS: inline-bodies.branches: 2
// STATS: inline-bodies.loops: 1

// CHECK-LABEL: @known
// CHECK-NEXT: kiln.constant true
// CHECK-NEXT: kiln.negative
// CHECK-NEXT: kiln.constant 7
// CHECK-NEXT: kiln.exp
// CHECK-NEXT: return
// CHECK-NOT: func.func
func.func @known(%x: tensor<4xf32>) -> tensor<4xf32> {
  %true = kiln.constant true : tensor<i1>
  %y = kiln.branch [@same, @chosen](%true, %x) : (tensor<i1>, tensor<4xf32>) -> tensor<4xf32>
  %z = kiln.loop @never, @same(%y) : (tensor<4xf32>) -> tensor<4xf32>
  return %z : tensor<4xf32>
}
func.func private @same(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
func.func private @chosen(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = kiln.negative %x : (tensor<4xf32>) -> tensor<4xf32>
  %seven = kiln.constant 7 : i64 : tensor<i64>
  %z = kiln.branch [@deep](%seven, %y) : (tensor<i64>, tensor<4xf32>) -> tensor<4xf32>
  return %z : tensor<4xf32>
}
func.func private @deep(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = kiln.exp %x : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}
func.func private @never(%x: tensor<4xf32>) -> tensor<i1> {
  %false = kiln.constant false : tensor<i1>
  return %false : tensor<i1>
}
