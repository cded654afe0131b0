// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule --kiln-emit-cpu --kiln-stats 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=STATS < %t
// STATS: emit-cpu.functions: 1
// STATS: emit-cpu.kernels: 3

// Three equal products of one unrolled loop: one function, called three times.
// CHECK-COUNT-1: func.func @powers.kernel_
// CHECK-NOT: func.func @powers.kernel_
// CHECK: func.func @powers(
// CHECK-COUNT-3: call @powers.kernel_0
func.func @powers(%x: tensor<8x8xf32>, %v: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %0 = kiln.dot_general %x, %v {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %1 = kiln.dot_general %x, %0 {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %2 = kiln.dot_general %x, %1 {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  return %2 : tensor<8x8xf32>
}
