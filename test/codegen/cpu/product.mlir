// What the emitter of products makes of a schedule.
// RUN: kiln-opt %s --kiln-emit-cpu | FileCheck %s
// The bits are those of the reference interpreter, whatever the schedule.
// RUN: kiln-run %s --all --target=both

// A tile of 2 x 8 is two vectors, over all of the contracted axis two steps at a time; nothing is packed.
// CHECK-LABEL: func.func @in_place.kernel_0
// CHECK-NOT: llvm.intr.prefetch
// CHECK: scf.for {{.*}} -> (vector<8xf32>, vector<8xf32>)
// CHECK-COUNT-4: math.fma {{.*}} : vector<8xf32>
// CHECK: return
func.func @in_place(%x: tensor<4x6xf32>, %y: tensor<6x8xf32>) -> tensor<4x8xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "contraction"(%a = %x : tensor<4x6xf32>, %b = %y : tensor<6x8xf32>) -> (tensor<4x8xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<4x6xf32>, tensor<6x8xf32>) -> tensor<4x8xf32>
    kiln.yield %d : tensor<4x8xf32>
  } {schedule = #kiln.product<tile = 2x8, lanes = 8, unroll = 2, block = 4x8x6>, workspace = array<i64: -1>}
  return %0 : tensor<4x8xf32>
}

// Columns behind the end are masked in the one nest that there is, and the last tile moves up, so that rows need no places of their own:
// only what is new is stored.
// CHECK-LABEL: func.func @masked.kernel_0
// CHECK: llvm.intr.masked.load
// CHECK-COUNT-3: math.fma {{.*}} : vector<8xf32>
// CHECK-NOT: math.fma
// CHECK: return
func.func @masked(%x: tensor<7x6xf32>, %y: tensor<6x13xf32>) -> tensor<7x13xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "contraction"(%a = %x : tensor<7x6xf32>, %b = %y : tensor<6x13xf32>) -> (tensor<7x13xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<7x6xf32>, tensor<6x13xf32>) -> tensor<7x13xf32>
    kiln.yield %d : tensor<7x13xf32>
  } {schedule = #kiln.product<tile = 3x8, lanes = 8, block = 6x16x6, mask = true>, workspace = array<i64: -1>}
  return %0 : tensor<7x13xf32>
}

// Through two blocks of depth, whose second continues from the results of the first: rows that are computed twice are stored once.
// CHECK-LABEL: func.func @blocks.kernel_0
func.func @blocks(%x: tensor<7x6xf32>, %y: tensor<6x13xf32>) -> tensor<7x13xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "contraction"(%a = %x : tensor<7x6xf32>, %b = %y : tensor<6x13xf32>) -> (tensor<7x13xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<7x6xf32>, tensor<6x13xf32>) -> tensor<7x13xf32>
    kiln.yield %d : tensor<7x13xf32>
  } {schedule = #kiln.product<tile = 3x8, lanes = 8, unroll = 2, block = 6x8x4, pack = b, mask = true>, workspace = array<i64: -1>}
  return %0 : tensor<7x13xf32>
}

// Blocks of rows are shared by threads, and so are the panels of b that are packed for all of them; the next tile's rows are prefetched.
// CHECK-LABEL: llvm.func internal @rows.kernel_0.task_1
// CHECK: llvm.intr.prefetch
// CHECK-LABEL: func.func @rows.kernel_0
// CHECK: llvm.mlir.addressof @rows.kernel_0.task_0
// CHECK: llvm.mlir.addressof @rows.kernel_0.task_1
func.func @rows(%x: tensor<90x70xf32>, %y: tensor<70x3000xf32>) -> tensor<90x3000xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "contraction"(%a = %x : tensor<90x70xf32>, %b = %y : tensor<70x3000xf32>) -> (tensor<90x3000xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<90x70xf32>, tensor<70x3000xf32>) -> tensor<90x3000xf32>
    kiln.yield %d : tensor<90x3000xf32>
  } {schedule = #kiln.product<tile = 6x16, lanes = 16, block = 30x1504x32, pack = both, prefetch = true, parallel = rows, grain = 2>, workspace = array<i64: -1>}
  return %0 : tensor<90x3000xf32>
}

// Or blocks of columns: each task packs its own. What follows is done tile by tile, in 4 lanes; its constants are not to take the registers of
// the sums (epilogue.mlir).
// CHECK-LABEL: llvm.func internal @columns.kernel_0.task_0
// CHECK-SAME: passthrough = ["kiln-full-registers"]
// CHECK: vector<4xf32>
// CHECK-LABEL: func.func @columns.kernel_0
// CHECK-NOT: task_1
// CHECK: return
func.func @columns(%x: tensor<9x7xf32>, %y: tensor<50x7xf32>) -> tensor<9x50xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "contraction"(%a = %x : tensor<9x7xf32>, %b = %y : tensor<50x7xf32>) -> (tensor<9x50xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 1} : (tensor<9x7xf32>, tensor<50x7xf32>) -> tensor<9x50xf32>
    %n = kiln.tanh %d : (tensor<9x50xf32>) -> tensor<9x50xf32>
    kiln.yield %n : tensor<9x50xf32>
  } {schedule = #kiln.product<tile = 3x8, lanes = 8, block = 6x16x4, pack = b, parallel = columns, epilogue = 4>, workspace = array<i64: -1>}
  return %0 : tensor<9x50xf32>
}

// Three rows, four steps at a time over all columns.
// CHECK-LABEL: func.func @update.kernel_0
// CHECK: scf.for
// CHECK-COUNT-12: math.fma {{.*}} : vector<8xf32>
func.func @update(%x: tensor<3x11xf32>, %y: tensor<11x40xf32>) -> tensor<3x40xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "contraction"(%a = %x : tensor<3x11xf32>, %b = %y : tensor<11x40xf32>) -> (tensor<3x40xf32>) {
    %d = kiln.dot_general %a, %b {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<3x11xf32>, tensor<11x40xf32>) -> tensor<3x40xf32>
    kiln.yield %d : tensor<3x40xf32>
  } {schedule = #kiln.rank_update<depth = 4, lanes = 8>, workspace = array<i64: -1>}
  return %0 : tensor<3x40xf32>
}

// Both batch axes are rows: 2 x 3 x 5 of them.
// CHECK-LABEL: func.func @folded.kernel_0
// CHECK-DAG: %c30_i64 = arith.constant 30
// CHECK: return
func.func @folded(%x: tensor<2x3x5x4xf32>, %y: tensor<4x8xf32>) -> tensor<2x3x5x8xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "contraction"(%a = %x : tensor<2x3x5x4xf32>, %b = %y : tensor<4x8xf32>) -> (tensor<2x3x5x8xf32>) {
    %r = kiln.broadcast %b {axes = array<i64: 2, 3>} : (tensor<4x8xf32>) -> tensor<2x3x4x8xf32>
    %d = kiln.dot_general %a, %r {x_batch = array<i64: 0, 1>, y_batch = array<i64: 0, 1>, x_axis = 3, y_axis = 2} : (tensor<2x3x5x4xf32>, tensor<2x3x4x8xf32>) -> tensor<2x3x5x8xf32>
    kiln.yield %d : tensor<2x3x5x8xf32>
  } {schedule = #kiln.product<tile = 4x8, lanes = 8, block = 8x8x4, pack = b, fold = 2>, workspace = array<i64: -1>}
  return %0 : tensor<2x3x5x8xf32>
}

// A product of an array by itself: tiles up to the diagonal, and what lies above it is copied below, by rows that threads share.
// CHECK-LABEL: llvm.func internal @symmetric.kernel_0.task_2(
// CHECK: [[ABOVE:%.*]] = llvm.load {{.*}} : !llvm.ptr -> f32
// CHECK: llvm.store [[ABOVE]]
// CHECK: return
func.func @symmetric(%x: tensor<37x21xf32>) -> tensor<37x37xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "contraction"(%a = %x : tensor<37x21xf32>) -> (tensor<37x37xf32>) {
    %d = kiln.dot_general %a, %a {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 1} : (tensor<37x21xf32>, tensor<37x21xf32>) -> tensor<37x37xf32>
    kiln.yield %d : tensor<37x37xf32>
  } {schedule = #kiln.product<tile = 4x8, lanes = 8, block = 8x16x5, pack = both, symmetric = true, parallel = rows>, workspace = array<i64: -1>}
  return %0 : tensor<37x37xf32>
}
