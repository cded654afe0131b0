// The example of the pass's page: what one thread does, and a program that launches it.
// RUN: kiln-opt %s --kiln-emit-nvptx --kiln-stats 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=STATS < %t
// STATS: emit-nvptx.kernels: 2

// CHECK: gpu.module @kernels
// CHECK: gpu.func @kernel_0(%[[x:.*]]: !llvm.ptr {llvm.noalias}, %[[out:.*]]: !llvm.ptr {llvm.noalias}, %{{.*}}: !llvm.ptr) kernel
// CHECK-DAG: gpu.thread_id x
// CHECK-DAG: gpu.block_id x
// CHECK: %[[v:.*]] = llvm.load {{.*}} -> f32
// CHECK: arith.addf %[[v]], %[[v]] : f32
// CHECK: llvm.store
// CHECK: gpu.return
// CHECK: gpu.func @kernel_1(
// CHECK: func.func @twice(%[[a:.*]]: !llvm.ptr, %[[b:.*]]: !llvm.ptr, %[[memory:.*]]: !llvm.ptr, %{{.*}}: !llvm.ptr)
// CHECK: gpu.launch_func @kernels::@kernel_0 blocks in (%c4
// CHECK: gpu.launch_func @kernels::@kernel_1
func.func @twice(%x: tensor<1024xf32>) -> tensor<1024xf32> attributes {kiln.workspace_bytes = 4096 : i64} {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<1024xf32>) -> (tensor<1024xf32>) {
    %y = kiln.add %a, %a : (tensor<1024xf32>, tensor<1024xf32>) -> tensor<1024xf32>
    kiln.yield %y : tensor<1024xf32>
  } {schedule = #kiln.grid<threads = 256>, workspace = array<i64: 0>}
  %1 = kiln.kernel "elementwise"(%a = %0 : tensor<1024xf32>) -> (tensor<1024xf32>) {
    %y = kiln.negative %a : (tensor<1024xf32>) -> tensor<1024xf32>
    kiln.yield %y : tensor<1024xf32>
  } {schedule = #kiln.grid<threads = 256>, workspace = array<i64: -1>}
  return %1 : tensor<1024xf32>
}
