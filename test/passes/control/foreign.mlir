// The pass has nothing to refuse: what a branch or a loop may name is verified with the module (test/dialects/control-invalid.mlir). What is
// none of them comes through as it is.
// RUN: kiln-opt %s --kiln-inline-bodies --kiln-stats 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=STATS --allow-empty < %t
// STATS-NOT: inline-bodies

// CHECK-LABEL: @foreign
// CHECK-NEXT: %[[y:.*]] = arith.addi %arg0, %arg0 : i32
// CHECK-NEXT: return %[[y]]
func.func @foreign(%x: i32) -> i32 {
  %0 = arith.addi %x, %x : i32
  return %0 : i32
}

// A branch in a kernel is somebody else's already.
// CHECK-LABEL: @kernel
// CHECK: kiln.kernel "control"
// CHECK-NEXT: kiln.branch [@same]
func.func @kernel(%n: tensor<i64>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = kiln.kernel "control"(%a = %n : tensor<i64>, %b = %x : tensor<4xf32>) -> (tensor<4xf32>) {
    %y = kiln.branch [@same](%a, %b) : (tensor<i64>, tensor<4xf32>) -> tensor<4xf32>
    kiln.yield %y : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}
func.func private @same(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// CHECK: func.func private @elsewhere(i32) -> i32
func.func private @elsewhere(%x: i32) -> i32
