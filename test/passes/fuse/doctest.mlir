// The example of the pass's page: softmax over rows is one kernel.
// RUN: kiln-opt %s --kiln-simplify --kiln-fuse --kiln-stats 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=STATS < %t
// STATS: fuse.fused-ops: 4
// STATS: fuse.kernels: 1

// CHECK: kiln.kernel "reduction"
// CHECK: kiln.max
// CHECK: kiln.exp
// CHECK: kiln.sum
// CHECK: kiln.divide
// CHECK: kiln.yield
// CHECK-NOT: kiln.kernel
func.func @softmax(%x: tensor<64x100xf32>) -> tensor<64x100xf32> {
  %m = kiln.max %x {axes = array<i64: 1>} : (tensor<64x100xf32>) -> tensor<64xf32>
  %mb = kiln.broadcast %m {axes = array<i64: 0>} : (tensor<64xf32>) -> tensor<64x100xf32>
  %d = kiln.subtract %x, %mb : (tensor<64x100xf32>, tensor<64x100xf32>) -> tensor<64x100xf32>
  %e = kiln.exp %d : (tensor<64x100xf32>) -> tensor<64x100xf32>
  %s = kiln.sum %e {axes = array<i64: 1>} : (tensor<64x100xf32>) -> tensor<64xf32>
  %sb = kiln.broadcast %s {axes = array<i64: 0>} : (tensor<64xf32>) -> tensor<64x100xf32>
  %r = kiln.divide %e, %sb : (tensor<64x100xf32>, tensor<64x100xf32>) -> tensor<64x100xf32>
  return %r : tensor<64x100xf32>
}
