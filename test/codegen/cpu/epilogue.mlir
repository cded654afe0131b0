// The constants of what follows from a tile stay behind its loop, whose registers are full of sums.
// RUN: kiln-translate --mlir-to-assembly --triple=x86_64-linux-gnu --cpu=x86-64-v4 %s | FileCheck %s

// CHECK-LABEL: kernel_0{{.*}}:
// CHECK-NOT: vbroadcastss{{.*}}LCPI
// CHECK: vfmadd231ps
// CHECK-NOT: (%rsp)
// CHECK: LCPI
func.func @once(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %0 = kiln.dot_general %x, %x {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  %1 = kiln.tanh %0 : (tensor<64x64xf32>) -> tensor<64x64xf32>
  return %1 : tensor<64x64xf32>
}

// One tile, with no loop around it.
// CHECK-LABEL: kernel_0{{.*}}:
// CHECK: vfmadd231ps
func.func @tile(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %0 = kiln.dot_general %x, %x {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %1 = kiln.tanh %0 : (tensor<8x8xf32>) -> tensor<8x8xf32>
  return %1 : tensor<8x8xf32>
}
