// RUN: kiln-opt %s --kiln-plan-memory --kiln-stats 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=STATS < %t
// STATS: plan-memory.arrays: 3
// STATS: plan-memory.bytes: 512
// STATS: plan-memory.in-place: 1

// An update takes over the memory of the array that it changes; not where that array is read later, or by the value.
// CHECK-LABEL: @updates
// CHECK-SAME: kiln.workspace_bytes = 512
// CHECK: workspace = array<i64: 0>
// CHECK: workspace = array<i64: 0>
// CHECK: workspace = array<i64: 256>
// CHECK: workspace = array<i64: -1>
func.func @updates(%x: tensor<64xf32>, %v: tensor<4xf32>) -> tensor<64xf32> {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.negative %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  }
  %1 = kiln.kernel "assemble"(%a = %0 : tensor<64xf32>, %b = %v : tensor<4xf32>) -> (tensor<64xf32>) {
    %n = kiln.update %a, %b {starts = array<i64: 8>, steps = array<i64: 1>} : (tensor<64xf32>, tensor<4xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  }
  %2 = kiln.kernel "assemble"(%a = %1 : tensor<64xf32>) -> (tensor<64xf32>) {
    %p = kiln.slice %a {starts = array<i64: 0>, sizes = array<i64: 4>, steps = array<i64: 1>} : (tensor<64xf32>) -> tensor<4xf32>
    %n = kiln.update %a, %p {starts = array<i64: 2>, steps = array<i64: 1>} : (tensor<64xf32>, tensor<4xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  }
  %3 = kiln.kernel "elementwise"(%a = %2 : tensor<64xf32>) -> (tensor<64xf32>) {
    %n = kiln.abs %a : (tensor<64xf32>) -> tensor<64xf32>
    kiln.yield %n : tensor<64xf32>
  }
  return %3 : tensor<64xf32>
}
