// RUN: kiln-opt %s | kiln-opt | FileCheck %s
// RUN: kiln-opt %s --emit-bytecode | kiln-opt | FileCheck %s
// RUN: kiln-translate --mlir-to-program %s -o %t.kilntrace
// RUN: kiln-translate --program-to-mlir %t.kilntrace | FileCheck %s --check-prefix=BACK
// RUN: kiln-translate --program-to-mlir %t.kilntrace | kiln-translate --mlir-to-program -o %t.again
// RUN: cmp %t.kilntrace %t.again

// A body whose first symbol is a number that is computed; the others are those of the program, behind it.

// BACK: func.func @program
// BACK: kiln.sized @program.body_0(%arg1, %arg0) {most = array<i64: -1>}
// BACK: func.func private @program.body_0(%arg0: tensor<?xf32, #kiln.symbols<1>>)
// BACK-SAME: kiln.given = 1 : i64, kiln.symbols = 2 : i64

// CHECK-LABEL: @main
func.func @main(%x: tensor<?xf32, #kiln.symbols<0>>, %n: tensor<i64>) -> tensor<f32> attributes {kiln.symbols = 1} {
  // CHECK: kiln.sized @total(%{{.*}}, %{{.*}}) {most = array<i64: -1>} : (tensor<i64>, tensor<?xf32, #kiln.symbols<0>>) -> tensor<f32>
  %r = kiln.sized @total(%n, %x) {most = array<i64: -1>} : (tensor<i64>, tensor<?xf32, #kiln.symbols<0>>) -> tensor<f32>
  return %r : tensor<f32>
}
func.func private @total(%x: tensor<?xf32, #kiln.symbols<1>>) -> tensor<f32> attributes {kiln.symbols = 2, kiln.given = 1} {
  %part = kiln.slice %x {starts = array<i64: 0>, sizes = array<i64: -1>, steps = array<i64: 1>} : (tensor<?xf32, #kiln.symbols<1>>) -> tensor<?xf32, #kiln.symbols<0>>
  %r = kiln.sum %part {axes = array<i64: 0>} : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<f32>
  return %r : tensor<f32>
}
