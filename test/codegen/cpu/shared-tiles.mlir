// Products that share the code of their tiles: a function for each form of them, to which operands are addresses and distances.
// RUN: kiln-opt %s --kiln-emit-cpu | FileCheck %s
// The bits are those of the reference interpreter.
// RUN: kiln-run %s --all --target=both

// In two blocks of depth the second continues from what the result holds; the rows behind are prefetched. A fifth row has a pointer of its own.
// CHECK-LABEL: llvm.func internal @kiln_tile_f64_5x1x4_ahead_on
// CHECK: scf.if {{.*}} -> (vector<4xf64>, vector<4xf64>, vector<4xf64>, vector<4xf64>, vector<4xf64>)
// CHECK-COUNT-5: llvm.intr.prefetch
// CHECK: scf.for {{.*}} !llvm.ptr, !llvm.ptr, !llvm.ptr)
// CHECK-COUNT-5: math.fma {{.*}} : vector<4xf64>
// CHECK: llvm.return
// CHECK-LABEL: llvm.func internal @kiln_tile_f32_2x2x8(
// CHECK-SAME: !llvm.ptr, {{.*}}: i64, {{.*}}: i64, {{.*}}: !llvm.ptr, {{.*}}: i64, {{.*}}: i64, {{.*}}: !llvm.ptr, {{.*}}: i64, {{.*}}: i64)
// CHECK-NOT: prefetch
// CHECK-COUNT-4: math.fma {{.*}} : vector<8xf32>
// CHECK: llvm.return

// One of operands in place and one of packed ones, the left one transposed, whose result is worked on behind each tile.
// CHECK-LABEL: func.func @two.kernel_0
// CHECK-NOT: math.fma
// CHECK: llvm.call @kiln_tile_f32_2x2x8(
// CHECK-LABEL: func.func @two.kernel_1
// CHECK-NOT: math.fma
// CHECK: llvm.call @kiln_tile_f32_2x2x8(
// CHECK: arith.negf
func.func @two(%x: tensor<4x6xf32>, %y: tensor<6x16xf32>, %z: tensor<6x4xf32>) -> (tensor<4x16xf32>, tensor<4x16xf32>) attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "contraction"(%a = %x : tensor<4x6xf32>, %b = %y : tensor<6x16xf32>) -> (tensor<4x16xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<4x6xf32>, tensor<6x16xf32>) -> tensor<4x16xf32>
    kiln.yield %d : tensor<4x16xf32>
  } {schedule = #kiln.product<tile = 2x16, lanes = 8, block = 4x16x6, shared = true>, workspace = array<i64: -1>}
  %1 = kiln.kernel "contraction"(%a = %z : tensor<6x4xf32>, %b = %y : tensor<6x16xf32>) -> (tensor<4x16xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 0, y_axis = 0} : (tensor<6x4xf32>, tensor<6x16xf32>) -> tensor<4x16xf32>
    %e = kiln.negative %d : (tensor<4x16xf32>) -> tensor<4x16xf32>
    kiln.yield %e : tensor<4x16xf32>
  } {schedule = #kiln.product<tile = 2x16, lanes = 8, block = 4x16x6, pack = both, epilogue = 8, shared = true>, workspace = array<i64: -1>}
  return %0, %1 : tensor<4x16xf32>, tensor<4x16xf32>
}

// CHECK-LABEL: func.func @blocks.kernel_0
// CHECK: llvm.call @kiln_tile_f64_5x1x4_ahead_on(
func.func @blocks(%x: tensor<10x7xf64>, %y: tensor<7x8xf64>) -> tensor<10x8xf64> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "contraction"(%a = %x : tensor<10x7xf64>, %b = %y : tensor<7x8xf64>) -> (tensor<10x8xf64>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<10x7xf64>, tensor<7x8xf64>) -> tensor<10x8xf64>
    kiln.yield %d : tensor<10x8xf64>
  } {schedule = #kiln.product<tile = 5x4, lanes = 4, block = 10x8x4, pack = b, prefetch = true, shared = true>, workspace = array<i64: -1>}
  return %0 : tensor<10x8xf64>
}

// The first tile packs what it reads of b, the others read the panel.
// CHECK-LABEL: func.func @first.kernel_0
// CHECK-COUNT-4: math.fma
// CHECK-NOT: math.fma
// CHECK: llvm.call @kiln_tile_f32_2x2x8(
func.func @first(%x: tensor<4x6xf32>, %y: tensor<6x16xf32>) -> tensor<4x16xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "contraction"(%a = %x : tensor<4x6xf32>, %b = %y : tensor<6x16xf32>) -> (tensor<4x16xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<4x6xf32>, tensor<6x16xf32>) -> tensor<4x16xf32>
    kiln.yield %d : tensor<4x16xf32>
  } {schedule = #kiln.product<tile = 2x16, lanes = 8, block = 4x16x6, pack = b, first = true, shared = true>, workspace = array<i64: -1>}
  return %0 : tensor<4x16xf32>
}

// Tiles that are not whole, steps of more than one, and integers keep their own code.
// CHECK-LABEL: func.func @own.kernel_0
// CHECK-NOT: kiln_tile
// CHECK-LABEL: func.func @own.kernel_1
// CHECK-NOT: kiln_tile
// CHECK-LABEL: func.func @own.kernel_2
// CHECK-NOT: kiln_tile
func.func @own(%x: tensor<3x6xf32>, %y: tensor<6x16xf32>, %i: tensor<4x6xi32>, %j: tensor<6x16xi32>, %z: tensor<4x6xf32>) -> (tensor<3x16xf32>, tensor<4x16xf32>, tensor<4x16xi32>) attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "contraction"(%a = %x : tensor<3x6xf32>, %b = %y : tensor<6x16xf32>) -> (tensor<3x16xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<3x6xf32>, tensor<6x16xf32>) -> tensor<3x16xf32>
    kiln.yield %d : tensor<3x16xf32>
  } {schedule = #kiln.product<tile = 2x16, lanes = 8, block = 4x16x6, shared = true>, workspace = array<i64: -1>}
  %1 = kiln.kernel "contraction"(%a = %z : tensor<4x6xf32>, %b = %y : tensor<6x16xf32>) -> (tensor<4x16xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<4x6xf32>, tensor<6x16xf32>) -> tensor<4x16xf32>
    kiln.yield %d : tensor<4x16xf32>
  } {schedule = #kiln.product<tile = 2x16, lanes = 8, unroll = 2, block = 4x16x6, shared = true>, workspace = array<i64: -1>}
  %2 = kiln.kernel "contraction"(%a = %i : tensor<4x6xi32>, %b = %j : tensor<6x16xi32>) -> (tensor<4x16xi32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<4x6xi32>, tensor<6x16xi32>) -> tensor<4x16xi32>
    kiln.yield %d : tensor<4x16xi32>
  } {schedule = #kiln.product<tile = 2x16, lanes = 8, block = 4x16x6, shared = true>, workspace = array<i64: -1>}
  return %0, %1, %2 : tensor<3x16xf32>, tensor<4x16xf32>, tensor<4x16xi32>
}
