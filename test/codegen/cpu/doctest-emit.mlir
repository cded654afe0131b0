// The example of the pass's page: a kernel becomes a loop over vectors, and the program an entry that calls it.
// RUN: kiln-opt %s --kiln-emit-cpu --kiln-stats 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=STATS < %t
// STATS: emit-cpu.functions: 1
// STATS: emit-cpu.kernels: 1

// CHECK: kiln.workspace_bytes = 0
// CHECK: func.func @twice.kernel_0(%[[x:.*]]: !llvm.ptr {llvm.noalias}, %[[out:.*]]: !llvm.ptr {llvm.noalias}
// CHECK: scf.for %[[i:.*]] = %c0_i64 to %c1024_i64 step %c32_i64
// CHECK-NEXT: %[[from:.*]] = llvm.getelementptr inbounds %[[x]][%[[i]]]
// CHECK-NEXT: %[[v:.*]] = llvm.load %[[from]] {{.*}} -> vector<32xf32>
// CHECK-NEXT: %[[sum:.*]] = arith.addf %[[v]], %[[v]] : vector<32xf32>
// CHECK-NEXT: %[[to:.*]] = llvm.getelementptr inbounds %[[out]][%[[i]]]
// CHECK-NEXT: llvm.store %[[sum]], %[[to]]
// CHECK: func.func @twice(%{{.*}}: !llvm.ptr, %[[buffers:.*]]: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr) -> i32
// CHECK: call @twice.kernel_0
func.func @twice(%x: tensor<1024xf32>) -> tensor<1024xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<1024xf32>) -> (tensor<1024xf32>) {
    %y = kiln.add %a, %a : (tensor<1024xf32>, tensor<1024xf32>) -> tensor<1024xf32>
    kiln.yield %y : tensor<1024xf32>
  } {schedule = #kiln.nest<lanes = 32>, workspace = array<i64: -1>}
  return %0 : tensor<1024xf32>
}
