// The pass has nothing to refuse: each rewrite puts verified operations for others that are equal. What is none of its operations, or is a
// kernel already, comes through as it is.
// RUN: kiln-opt %s --kiln-simplify --kiln-stats 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=STATS --allow-empty < %t
// STATS-NOT: simplify.rewrites

// CHECK-LABEL: @foreign
// CHECK-NEXT: %[[y:.*]] = arith.addi %arg0, %arg0 : i32
// CHECK-NEXT: return %[[y]]
func.func @foreign(%x: i32) -> i32 {
  %0 = arith.addi %x, %x : i32
  return %0 : i32
}

// CHECK-LABEL: @kernel
// CHECK-NEXT: kiln.kernel "elementwise"
// CHECK-NEXT: kiln.negative
// CHECK-NEXT: kiln.yield
func.func @kernel(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<4xf32>) -> (tensor<4xf32>) {
    %n = kiln.negative %a : (tensor<4xf32>) -> tensor<4xf32>
    kiln.yield %n : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: @blocks
// CHECK: kiln.negative
// CHECK-NEXT: cf.br
// CHECK: kiln.negative
// CHECK-NEXT: return
func.func @blocks(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = kiln.negative %x : (tensor<4xf32>) -> tensor<4xf32>
  cf.br ^next(%0 : tensor<4xf32>)
^next(%y: tensor<4xf32>):
  %1 = kiln.negative %y : (tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// CHECK: func.func private @elsewhere(i32) -> i32
func.func private @elsewhere(%x: i32) -> i32
