// Program files and MLIR, both ways: a function, a tree of one segment, and one of two.
// RUN: kiln-translate --mlir-to-program %s -o %t.kilntrace
// RUN: kiln-translate --program-to-mlir %t.kilntrace | FileCheck %s --check-prefix=FUNC
// RUN: kiln-translate --program-to-tree %t.kilntrace | FileCheck %s --check-prefix=TREE
// RUN: kiln-translate --program-to-tree %t.kilntrace | kiln-opt | kiln-translate --mlir-to-program -o %t.again
// RUN: cmp %t.kilntrace %t.again
// RUN: kiln-translate --program-to-mlir %t.kilntrace | kiln-opt --emit-bytecode | kiln-translate --mlir-to-program -o %t.again
// RUN: cmp %t.kilntrace %t.again
// RUN: kiln-run %t.kilntrace --target=both --input=1,2,3,4,5,6 | FileCheck %s --check-prefix=RESULT
// RUN: kiln-opt %S/Inputs/segments.mlir | kiln-translate --mlir-to-program -o %t.again
// RUN: cmp %t.kilntrace %t.again
// RUN: not kiln-translate --mlir-to-program %S/Inputs/guards.mlir 2>&1 | FileCheck %s --check-prefix=GUARDS
// RUN: echo 'module {}' | not kiln-translate --mlir-to-code 2>&1 | FileCheck %s --check-prefix=EMPTY
// RUN: not kiln-translate --program-to-mlir %s 2>&1 | FileCheck %s --check-prefix=OTHER

// EMPTY: error: expected a module with a program, got none
// FUNC: func.func @program(%arg0: tensor<2x3xf32>, %arg1: tensor<3xf32> {kiln.device = "cuda:0", kiln.strides = array<i64: -9223372036854775808>}) -> (tensor<2xf32>, tensor<3x2xf32>) {
// FUNC-NEXT: %[[T:.*]] = kiln.transpose %arg0
// FUNC-NEXT: %[[S:.*]] = kiln.sum %arg0
// FUNC-NEXT: %{{.*}} = kiln.exp %arg1
// FUNC-NEXT: return %[[S]], %[[T]]

// TREE: trace.tree @program(%arg0: tensor<2x3xf32>, %arg1: tensor<3xf32> {kiln.device = "cuda:0", kiln.strides = array<i64: -9223372036854775808>}) -> (tensor<2xf32>, tensor<3x2xf32>) {
// TREE-NEXT: %[[R:.*]]:2 = trace.segment(%[[A:.*]] = %arg0 : tensor<2x3xf32>, %[[B:.*]] = %arg1 : tensor<3xf32>) -> (tensor<2xf32>, tensor<3x2xf32>) {
// TREE-NEXT: %[[T:.*]] = kiln.transpose %[[A]]
// TREE: trace.return %{{.*}}, %[[T]]
// TREE: trace.return %[[R]]#0, %[[R]]#1

// RESULT: float32[2]: 6 15
// RESULT-NEXT: float32[3, 2]: 1 4 2 5 3 6
// GUARDS: trace: expected a straight tree, got one with guards
// OTHER: program: contents: expected a program of Kiln, got other bytes
func.func @f(%x: tensor<2x3xf32>, %unused: tensor<3xf32> {kiln.device = "cuda:0", kiln.strides = array<i64: -9223372036854775808>}) -> (tensor<2xf32>, tensor<3x2xf32>) {
  %t = kiln.transpose %x {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %s = kiln.sum %x {axes = array<i64: 1>} : (tensor<2x3xf32>) -> tensor<2xf32>
  %e = kiln.exp %unused : (tensor<3xf32>) -> tensor<3xf32>
  return %s, %t : tensor<2xf32>, tensor<3x2xf32>
}
