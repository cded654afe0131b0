// RUN: kiln-opt %s --kiln-plan-memory --kiln-stats 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=STATS < %t
// RUN: kiln-opt %s --kiln-plan-memory --kiln-cpu-pipeline | FileCheck %s --check-prefix=LLVM
// STATS: plan-memory.arrays: 3
// STATS: plan-memory.open-blocks: 2

// Arrays of open size lie in blocks behind the others; those of one size share a block where their lifetimes do not overlap. The third
// result lives while the second is read.
// CHECK-LABEL: @chain
// CHECK-SAME: kiln.workspace_blocks = [tensor<?xf32, #kiln.symbols<0>>, tensor<?xf32, #kiln.symbols<0>>]
// CHECK-SAME: kiln.workspace_bytes = 0
// CHECK: workspace = array<i64: -2>
// CHECK: workspace = array<i64: -3>
// CHECK: workspace = array<i64: -2>
// CHECK: workspace = array<i64: -1>

// The size of the workspace is a function of the symbols.
// LLVM: llvm.func @kiln_workspace(%{{.*}}: !llvm.ptr) -> i64
func.func @chain(%x: tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>> attributes {kiln.symbols = 1} {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<?xf32, #kiln.symbols<0>>) -> (tensor<?xf32, #kiln.symbols<0>>) {
    %n = kiln.negative %a : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>>
    kiln.yield %n : tensor<?xf32, #kiln.symbols<0>>
  }
  %1 = kiln.kernel "scan"(%a = %0 : tensor<?xf32, #kiln.symbols<0>>) -> (tensor<?xf32, #kiln.symbols<0>>) {
    %n = kiln.cumulative_sum %a {axis = 0} : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>>
    kiln.yield %n : tensor<?xf32, #kiln.symbols<0>>
  }
  %2 = kiln.kernel "scan"(%a = %1 : tensor<?xf32, #kiln.symbols<0>>) -> (tensor<?xf32, #kiln.symbols<0>>) {
    %n = kiln.cumulative_sum %a {axis = 0} : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>>
    kiln.yield %n : tensor<?xf32, #kiln.symbols<0>>
  }
  %3 = kiln.kernel "elementwise"(%a = %2 : tensor<?xf32, #kiln.symbols<0>>) -> (tensor<?xf32, #kiln.symbols<0>>) {
    %n = kiln.negative %a : (tensor<?xf32, #kiln.symbols<0>>) -> tensor<?xf32, #kiln.symbols<0>>
    kiln.yield %n : tensor<?xf32, #kiln.symbols<0>>
  }
  return %3 : tensor<?xf32, #kiln.symbols<0>>
}
