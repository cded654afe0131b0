// RUN: kiln-opt %s --kiln-simplify | FileCheck %s
// RUN: kiln-run %s --all --target=both

// Quotients by a number that is spread become products, where the program says that results may differ.
// CHECK-LABEL: @fast
// CHECK: %[[INVERSE:.*]] = kiln.divide %{{.*}}, %arg1 : (tensor<2xf32>, tensor<2xf32>)
// CHECK: %[[WIDE:.*]] = kiln.broadcast %[[INVERSE]]
// CHECK: kiln.multiply %arg0, %[[WIDE]]
func.func @fast(%x: tensor<2x4xf32>, %y: tensor<2xf32> {kiln.input = "2,4"}) -> tensor<2x4xf32> attributes {kiln.fast_math} {
  %0 = kiln.broadcast %y {axes = array<i64: 0>} : (tensor<2xf32>) -> tensor<2x4xf32>
  %1 = kiln.divide %x, %0 : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return %1 : tensor<2x4xf32>
}

// CHECK-LABEL: @exact
// CHECK: kiln.divide %arg0
func.func @exact(%x: tensor<2x4xf32>, %y: tensor<2xf32> {kiln.input = "2,4"}) -> tensor<2x4xf32> {
  %0 = kiln.broadcast %y {axes = array<i64: 0>} : (tensor<2xf32>) -> tensor<2x4xf32>
  %1 = kiln.divide %x, %0 : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return %1 : tensor<2x4xf32>
}

// A reciprocal of a narrow float would lose too much.
// CHECK-LABEL: @narrow
// CHECK: kiln.divide %arg0
func.func @narrow(%x: tensor<2x4xf16>, %y: tensor<2xf16> {kiln.input = "2,4"}) -> tensor<2x4xf16> attributes {kiln.fast_math} {
  %0 = kiln.broadcast %y {axes = array<i64: 0>} : (tensor<2xf16>) -> tensor<2x4xf16>
  %1 = kiln.divide %x, %0 : (tensor<2x4xf16>, tensor<2x4xf16>) -> tensor<2x4xf16>
  return %1 : tensor<2x4xf16>
}
