// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-schedule --kiln-emit-cpu --split-input-file | FileCheck %s
// RUN: kiln-opt %s --kiln-fuse-pipeline --kiln-cpu-pipeline --split-input-file | FileCheck %s --check-prefix=LLVM

// Whole vectors, then the rest in as few lanes as hold it, masked where it does not fill them; one pointer a buffer, none aliasing.
// CHECK-LABEL: func.func @add.kernel_0
// CHECK-SAME: %arg0: !llvm.ptr {llvm.noalias}, %arg1: !llvm.ptr {llvm.noalias}, %arg2: !llvm.ptr {llvm.noalias}
// CHECK: scf.for
// CHECK: llvm.load {{.*}} -> vector<32xf32>
// CHECK: arith.addf {{.*}} : vector<32xf32>
// CHECK: llvm.intr.masked.load {{.*}} -> vector<4xf32>
// CHECK: llvm.intr.masked.store {{.*}} : vector<4xf32>
// CHECK-LABEL: func.func @add(
// CHECK: call @add.kernel_0
// LLVM: llvm.func internal @add.kernel_0
// LLVM-NOT: unrealized_conversion_cast
func.func @add(%x: tensor<99xf32>, %y: tensor<99xf32>) -> tensor<99xf32> {
  %0 = kiln.add %x, %y : (tensor<99xf32>, tensor<99xf32>) -> tensor<99xf32>
  return %0 : tensor<99xf32>
}

// -----

// Four are left: no mask.
// CHECK-LABEL: func.func @sum.kernel_0
// CHECK-NOT: masked
// CHECK: llvm.load {{.*}} -> vector<32xf32>
// CHECK: llvm.load {{.*}} -> vector<4xf32>
// CHECK: vector.shuffle {{.*}} : vector<4xf32>, vector<4xf32>
// CHECK-LABEL: func.func @sum(
func.func @sum(%x: tensor<100xf32>) -> tensor<f32> {
  %0 = kiln.sum %x {axes = array<i64: 0>} : (tensor<100xf32>) -> tensor<f32>
  return %0 : tensor<f32>
}

// -----

// A matrix product accumulates in fused multiply-adds; nothing else is contracted.
// CHECK-LABEL: func.func @product.kernel_0
// CHECK: math.fma {{.*}} : vector<16xf32>
func.func @product(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %0 = kiln.dot_general %x, %y {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  return %0 : tensor<64x64xf32>
}

// -----

// Sums of more than a block are joined pairwise.
// CHECK-LABEL: func.func @total.kernel_0
// CHECK: scf.while
func.func @total(%x: tensor<100000xf32>) -> tensor<f32> {
  %0 = kiln.sum %x {axes = array<i64: 0>} : (tensor<100000xf32>) -> tensor<f32>
  return %0 : tensor<f32>
}

// -----

// An index out of range sets the status, and is never used.
// CHECK-LABEL: func.func @take.kernel_0
// CHECK: arith.select
// CHECK: llvm.intr.masked.gather
// CHECK: return %{{.*}} : i32
func.func @take(%x: tensor<10xf32>, %i: tensor<16xi64>) -> tensor<16xf32> {
  %0 = kiln.gather %x, %i {axis = 0} : (tensor<10xf32>, tensor<16xi64>) -> tensor<16xf32>
  return %0 : tensor<16xf32>
}
