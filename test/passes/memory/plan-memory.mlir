// RUN: kiln-opt %s --kiln-plan-memory --kiln-stats 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=STATS < %t
// STATS: plan-memory.arrays: 3
// STATS: plan-memory.bytes: 512

// The second array lies over the first, which nobody reads any more; it is read again when the third is there.
// CHECK-LABEL: @chain
// CHECK-SAME: kiln.workspace_bytes = 512
// CHECK: workspace = array<i64: 0>
// CHECK: workspace = array<i64: 0>
// CHECK: workspace = array<i64: 256>
// CHECK: workspace = array<i64: -1>
func.func @chain(%x: tensor<64xf32>) -> tensor<64xf32> {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  }
  %1 = kiln.kernel "elementwise"(%a = %0 : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.abs %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  }
  %2 = kiln.kernel "elementwise"(%a = %1 : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  }
  %3 = kiln.kernel "elementwise"(%a = %2 : tensor<64xf32>, %b = %1 : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.add %a, %b : (tensor<64xf32>, tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  }
  return %3 : tensor<64xf32>
}
