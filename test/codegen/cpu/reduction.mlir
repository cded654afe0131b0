// What the emitter of reductions makes of a schedule.
// RUN: kiln-opt %s --kiln-emit-cpu | FileCheck %s
// RUN: kiln-run %s --all --target=both

// The maximum and the quotient in 8 lanes; the sum has 32 whatever the schedule says. The exponential is kept where the result goes.
// CHECK-LABEL: llvm.func internal @softmax.kernel_0.task_0
// CHECK: scf.for {{.*}} -> (vector<8xf32>)
// CHECK: scf.for {{.*}} -> (vector<32xf32>)
// CHECK: arith.addf {{.*}} : vector<32xf32>
// CHECK: arith.divf {{.*}} : vector<8xf32>
func.func @softmax(%x: tensor<6x100xf32> {kiln.input = "0.5"}) -> tensor<6x100xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "reduction"(%a = %x : tensor<6x100xf32>) -> (tensor<6x100xf32>) {
    %m = kiln.max %a {axes = array<i64: 1>} : (tensor<6x100xf32>) -> tensor<6xf32>
    %mb = kiln.broadcast %m {axes = array<i64: 0>} : (tensor<6xf32>) -> tensor<6x100xf32>
    %d = kiln.subtract %a, %mb : (tensor<6x100xf32>, tensor<6x100xf32>) -> tensor<6x100xf32>
    %e = kiln.exp %d : (tensor<6x100xf32>) -> tensor<6x100xf32>
    %s = kiln.sum %e {axes = array<i64: 1>} : (tensor<6x100xf32>) -> tensor<6xf32>
    %sb = kiln.broadcast %s {axes = array<i64: 0>} : (tensor<6xf32>) -> tensor<6x100xf32>
    %r = kiln.divide %e, %sb : (tensor<6x100xf32>, tensor<6x100xf32>) -> tensor<6x100xf32>
    kiln.yield %r : tensor<6x100xf32>
  } {schedule = #kiln.rows<stages = [<reduce = [0]>, <reduce = [4], keep = [3]>], lanes = 8, parallel = 0, grain = 2>, workspace = array<i64: -1>}
  return %0 : tensor<6x100xf32>
}

// Two sums in two loops, and in one.
// CHECK-LABEL: func.func @apart.kernel_0
// CHECK: scf.for {{.*}} -> (vector<32xf32>) : i64 {
// CHECK: scf.for {{.*}} -> (vector<32xf32>) : i64 {
// CHECK: return
func.func @apart(%x: tensor<200xf32>) -> (tensor<f32>, tensor<f32>) attributes {kiln.workspace_bytes = 0 : i64} {
  %0:2 = kiln.kernel "reduction"(%a = %x : tensor<200xf32>) -> (tensor<f32>, tensor<f32>) {
    %q = kiln.multiply %a, %a : (tensor<200xf32>, tensor<200xf32>) -> tensor<200xf32>
    %s = kiln.sum %a {axes = array<i64: 0>} : (tensor<200xf32>) -> tensor<f32>
    %t = kiln.sum %q {axes = array<i64: 0>} : (tensor<200xf32>) -> tensor<f32>
    kiln.yield %s, %t : tensor<f32>, tensor<f32>
  } {schedule = #kiln.rows<stages = [<reduce = [2]>, <reduce = [1]>], lanes = 32>, workspace = array<i64: -1, -1>}
  return %0#0, %0#1 : tensor<f32>, tensor<f32>
}
// CHECK-LABEL: func.func @together.kernel_0
// CHECK: scf.for {{.*}} -> (vector<32xf32>, vector<32xf32>) : i64 {
func.func @together(%x: tensor<200xf32>) -> (tensor<f32>, tensor<f32>) attributes {kiln.workspace_bytes = 0 : i64} {
  %0:2 = kiln.kernel "reduction"(%a = %x : tensor<200xf32>) -> (tensor<f32>, tensor<f32>) {
    %q = kiln.multiply %a, %a : (tensor<200xf32>, tensor<200xf32>) -> tensor<200xf32>
    %s = kiln.sum %a {axes = array<i64: 0>} : (tensor<200xf32>) -> tensor<f32>
    %t = kiln.sum %q {axes = array<i64: 0>} : (tensor<200xf32>) -> tensor<f32>
    kiln.yield %s, %t : tensor<f32>, tensor<f32>
  } {schedule = #kiln.rows<stages = [<reduce = [1, 2]>], lanes = 32>, workspace = array<i64: -1, -1>}
  return %0#0, %0#1 : tensor<f32>, tensor<f32>
}

// True elements of a block: the ones of its mask, and of the rest those that are there.
// CHECK-LABEL: func.func @counted.kernel_0
// CHECK: scf.for {{.*}} -> (i64) : i64 {
// CHECK: vector.bitcast {{.*}} : vector<64xi1> to vector<1xi64>
// CHECK: math.ctpop {{.*}} : i64
// CHECK: vector.bitcast {{.*}} : vector<8xi1> to vector<1xi8>
func.func @counted(%x: tensor<200xi1>) -> tensor<i64> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "reduction"(%a = %x : tensor<200xi1>) -> (tensor<i64>) {
    %n = kiln.cast %a : (tensor<200xi1>) -> tensor<200xi64>
    %s = kiln.sum %n {axes = array<i64: 0>} : (tensor<200xi64>) -> tensor<i64>
    kiln.yield %s : tensor<i64>
  } {schedule = #kiln.rows<stages = [<reduce = [1]>], lanes = 64, count = true>, workspace = array<i64: -1>}
  return %0 : tensor<i64>
}

// What a row needs 4 KB on is asked for, two lines for each vector.
// CHECK-LABEL: func.func @ahead.kernel_0
// CHECK: scf.for
// CHECK: scf.for
// CHECK-COUNT-2: llvm.intr.prefetch
// CHECK-NOT: llvm.intr.prefetch
// CHECK: return
func.func @ahead(%x: tensor<30x200xf32>) -> tensor<30xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "reduction"(%a = %x : tensor<30x200xf32>) -> (tensor<30xf32>) {
    %s = kiln.sum %a {axes = array<i64: 1>} : (tensor<30x200xf32>) -> tensor<30xf32>
    kiln.yield %s : tensor<30xf32>
  } {schedule = #kiln.rows<stages = [<reduce = [0]>], lanes = 32, prefetch = 4096>, workspace = array<i64: -1>}
  return %0 : tensor<30xf32>
}

// Columns: 16 at a time down all rows with what lies 4 rows ahead prefetched, the rest in 8 lanes.
// CHECK-LABEL: func.func @walked.kernel_0
// CHECK: llvm.intr.prefetch
// CHECK: vector<16xf32>
// CHECK: vector<8xf32>
func.func @walked(%x: tensor<30x200xf32>) -> tensor<200xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "reduction"(%a = %x : tensor<30x200xf32>) -> (tensor<200xf32>) {
    %s = kiln.sum %a {axes = array<i64: 0>} : (tensor<30x200xf32>) -> tensor<200xf32>
    kiln.yield %s : tensor<200xf32>
  } {schedule = #kiln.columns<stages = [<reduce = [0]>], lanes = 8, wide = 16, prefetch = 4>, workspace = array<i64: -1>}
  return %0 : tensor<200xf32>
}

// Or row by row, four at a time, for 64 columns a task.
// CHECK-LABEL: llvm.func internal @swept.kernel_0.task_0
// CHECK: scf.for
// CHECK: scf.for
// CHECK-COUNT-4: arith.addf {{.*}} : vector<8xf32>
func.func @swept(%x: tensor<30x200xf32>) -> tensor<200xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "reduction"(%a = %x : tensor<30x200xf32>) -> (tensor<200xf32>) {
    %s = kiln.sum %a {axes = array<i64: 0>} : (tensor<30x200xf32>) -> tensor<200xf32>
    kiln.yield %s : tensor<200xf32>
  } {schedule = #kiln.columns<stages = [<reduce = [0]>], lanes = 8, sweep = 64, rows = 4, parallel = 1>, workspace = array<i64: -1>}
  return %0 : tensor<200xf32>
}
