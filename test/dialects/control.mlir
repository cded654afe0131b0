// RUN: kiln-opt %s | kiln-opt | FileCheck %s
// RUN: kiln-opt %s --emit-bytecode | kiln-opt | FileCheck %s
// RUN: kiln-translate --mlir-to-program %s -o %t.kilntrace
// RUN: kiln-translate --program-to-mlir %t.kilntrace | FileCheck %s --check-prefix=BACK
// RUN: kiln-translate --program-to-mlir %t.kilntrace | kiln-translate --mlir-to-program -o %t.again
// RUN: cmp %t.kilntrace %t.again
// RUN: kiln-translate --program-to-tree %t.kilntrace | kiln-opt | kiln-translate --mlir-to-program -o %t.again
// RUN: cmp %t.kilntrace %t.again

// A loop whose body has a branch. A body that is named twice is there once.

// BACK: func.func @program
// BACK: kiln.loop @program.body_0, @program.body_1(%{{.*}}, %arg0, %arg1)
// BACK: kiln.loop @program.body_0, @program.body_1
// BACK: func.func private @program.body_0
// BACK: func.func private @program.body_1
// BACK: kiln.branch [@program.body_1.body_0, @program.body_1.body_1]
// BACK: func.func private @program.body_1.body_0
// BACK: func.func private @program.body_1.body_1
// BACK-NOT: func.func

// CHECK-LABEL: @main
func.func @main(%x: tensor<2xf32>, %n: tensor<i64>) -> (tensor<2xf32>, tensor<2xf32>) {
  %zero = kiln.constant 0 : i64 : tensor<i64>
  // CHECK: %{{.*}}:2 = kiln.loop @less, @step(%{{.*}}, %{{.*}}, %{{.*}}) : (tensor<i64>, tensor<2xf32>, tensor<i64>) -> (tensor<i64>, tensor<2xf32>)
  %i, %y = kiln.loop @less, @step(%zero, %x, %n) : (tensor<i64>, tensor<2xf32>, tensor<i64>) -> (tensor<i64>, tensor<2xf32>)
  %j, %z = kiln.loop @less, @step(%zero, %y, %n) : (tensor<i64>, tensor<2xf32>, tensor<i64>) -> (tensor<i64>, tensor<2xf32>)
  return %y, %z : tensor<2xf32>, tensor<2xf32>
}
// CHECK: func.func private @less
func.func private @less(%i: tensor<i64>, %x: tensor<2xf32>, %n: tensor<i64>) -> tensor<i1> {
  %r = kiln.less %i, %n : (tensor<i64>, tensor<i64>) -> tensor<i1>
  return %r : tensor<i1>
}
func.func private @step(%i: tensor<i64>, %x: tensor<2xf32>, %n: tensor<i64>) -> (tensor<i64>, tensor<2xf32>) {
  %one = kiln.constant 1 : i64 : tensor<i64>
  %next = kiln.add %i, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
  // CHECK: kiln.branch [@same, @twice](%{{.*}}, %{{.*}}) : (tensor<i64>, tensor<2xf32>) -> tensor<2xf32>
  %y = kiln.branch [@same, @twice](%i, %x) : (tensor<i64>, tensor<2xf32>) -> tensor<2xf32>
  return %next, %y : tensor<i64>, tensor<2xf32>
}
func.func private @same(%x: tensor<2xf32>) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}
func.func private @twice(%x: tensor<2xf32>) -> tensor<2xf32> {
  %r = kiln.add %x, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %r : tensor<2xf32>
}
