// What the emitter of loop nests makes of a schedule.
// RUN: kiln-opt %s --kiln-emit-cpu | FileCheck %s
// RUN: kiln-run %s --all --target=both

module attributes {kiln.store_fence = "llvm.x86.sse.sfence"} {
// All axes are one: 35 elements in vectors of 8, and a masked rest.
// CHECK-LABEL: func.func @flat.kernel_0
// CHECK-COUNT-1: scf.for
// CHECK: llvm.load {{.*}} -> vector<8xf32>
// CHECK-NOT: scf.for
// CHECK: llvm.intr.masked.store
// CHECK: return
func.func @flat(%x: tensor<5x7xf32>) -> tensor<5x7xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<5x7xf32>) -> (tensor<5x7xf32>) {
    %n = kiln.negative %a : (tensor<5x7xf32>) -> tensor<5x7xf32>
    kiln.yield %n : tensor<5x7xf32>
  } {schedule = #kiln.nest<lanes = 8, collapse = true>, workspace = array<i64: -1>}
  return %0 : tensor<5x7xf32>
}

// Vectors of 16 are cut into registers of 256 bits.
// CHECK-LABEL: func.func @cut.kernel_0
// CHECK-SAME: passthrough = {{\[}}["prefer-vector-width", "256"], ["min-legal-vector-width", "256"]]
func.func @cut(%x: tensor<35xf32>) -> tensor<35xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<35xf32>) -> (tensor<35xf32>) {
    %n = kiln.negative %a : (tensor<35xf32>) -> tensor<35xf32>
    kiln.yield %n : tensor<35xf32>
  } {schedule = #kiln.nest<lanes = 16, registers = 256>, workspace = array<i64: -1>}
  return %0 : tensor<35xf32>
}

// Threads share the second axis, at least two of its iterations a task.
// CHECK-LABEL: llvm.func internal @shared.kernel_0.task_0
// CHECK: vector<4xf32>
// CHECK-LABEL: func.func @shared.kernel_0
// CHECK: scf.for
// CHECK: llvm.call {{.*}}, %c2_i64) :
func.func @shared(%x: tensor<3x5x8xf32>) -> tensor<3x5x8xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<3x5x8xf32>) -> (tensor<3x5x8xf32>) {
    %n = kiln.exp %a : (tensor<3x5x8xf32>) -> tensor<3x5x8xf32>
    kiln.yield %n : tensor<3x5x8xf32>
  } {schedule = #kiln.nest<lanes = 4, parallel = 1, grain = 2>, workspace = array<i64: -1>}
  return %0 : tensor<3x5x8xf32>
}

// Every second element, of two vectors that hold the eight and reach no further; the masked rest is gathered.
// CHECK-LABEL: func.func @second.kernel_0
// CHECK-COUNT-2: llvm.load {{.*}} -> vector<8xf32>
// CHECK: vector.shuffle {{.*}} [0, 2, 4, 6, 9, 11, 13, 15]
// CHECK: llvm.intr.masked.gather
// CHECK: return
func.func @second(%x: tensor<41xf32>) -> tensor<21xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<41xf32>) -> (tensor<21xf32>) {
    %s = kiln.slice %a {starts = array<i64: 0>, sizes = array<i64: 21>, steps = array<i64: 2>} : (tensor<41xf32>) -> tensor<21xf32>
    %n = kiln.negative %s : (tensor<21xf32>) -> tensor<21xf32>
    kiln.yield %n : tensor<21xf32>
  } {schedule = #kiln.nest<lanes = 8>, workspace = array<i64: -1>}
  return %0 : tensor<21xf32>
}

// Squares of 4 x 4: four loads along the rows of the operand, and eight shuffles that turn them.
// CHECK-LABEL: func.func @turned.kernel_0
// CHECK-COUNT-4: llvm.load {{.*}} -> vector<4xf32>
// CHECK-COUNT-8: vector.shuffle
// CHECK-COUNT-4: llvm.store {{.*}} : vector<4xf32>
func.func @turned(%x: tensor<9x10xf32>) -> tensor<10x9xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<9x10xf32>) -> (tensor<10x9xf32>) {
    %t = kiln.transpose %a {permutation = array<i64: 1, 0>} : (tensor<9x10xf32>) -> tensor<10x9xf32>
    %n = kiln.negative %t : (tensor<10x9xf32>) -> tensor<10x9xf32>
    kiln.yield %n : tensor<10x9xf32>
  } {schedule = #kiln.nest<lanes = 4, transpose = 0, block = 8>, workspace = array<i64: -1>}
  return %0 : tensor<10x9xf32>
}

// An operand at a place that is computed has no square of its own: the lanes are gathered.
// CHECK-LABEL: func.func @moved.kernel_0
// CHECK: llvm.intr.masked.gather
func.func @moved(%x: tensor<9x10xf32>, %i: tensor<2xi64> {kiln.input = "1,2"}) -> tensor<8x8xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<9x10xf32>, %b = %i : tensor<2xi64>) -> (tensor<8x8xf32>) {
    %s = kiln.dynamic_slice %a, %b {sizes = array<i64: 8, 8>} : (tensor<9x10xf32>, tensor<2xi64>) -> tensor<8x8xf32>
    %t = kiln.transpose %s {permutation = array<i64: 1, 0>} : (tensor<8x8xf32>) -> tensor<8x8xf32>
    kiln.yield %t : tensor<8x8xf32>
  } {schedule = #kiln.nest<lanes = 4, transpose = 0, block = 8>, workspace = array<i64: -1>}
  return %0 : tensor<8x8xf32>
}

// Two rows at a time: of four neighbouring rows each is loaded once.
// CHECK-LABEL: func.func @stencil.kernel_0
// CHECK: scf.for
// CHECK-COUNT-4: llvm.load {{.*}} -> vector<8xf32>
// CHECK-NOT: llvm.load {{.*}} -> vector<8xf32>
// CHECK: llvm.store
func.func @stencil(%x: tensor<10x8xf32>) -> tensor<8x8xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "elementwise"(%in = %x : tensor<10x8xf32>) -> (tensor<8x8xf32>) {
    %a = kiln.slice %in {starts = array<i64: 0, 0>, sizes = array<i64: 8, 8>, steps = array<i64: 1, 1>} : (tensor<10x8xf32>) -> tensor<8x8xf32>
    %b = kiln.slice %in {starts = array<i64: 1, 0>, sizes = array<i64: 8, 8>, steps = array<i64: 1, 1>} : (tensor<10x8xf32>) -> tensor<8x8xf32>
    %c = kiln.slice %in {starts = array<i64: 2, 0>, sizes = array<i64: 8, 8>, steps = array<i64: 1, 1>} : (tensor<10x8xf32>) -> tensor<8x8xf32>
    %0 = kiln.add %a, %b : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
    %1 = kiln.add %0, %c : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
    kiln.yield %1 : tensor<8x8xf32>
  } {schedule = #kiln.nest<lanes = 8, rows = 2>, workspace = array<i64: -1>}
  return %0 : tensor<8x8xf32>
}

// Stores past the caches, and a fence behind the last of them.
// CHECK-LABEL: func.func @streamed.kernel_0
// CHECK: llvm.store {{.*}} {alignment = 64 : i64, nontemporal} : vector<16xf32>
// CHECK-LABEL: func.func @streamed(
// CHECK: llvm.x86.sse.sfence
func.func @streamed(%x: tensor<4x32xf32>) -> tensor<4x32xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<4x32xf32>) -> (tensor<4x32xf32>) {
    %n = kiln.negative %a : (tensor<4x32xf32>) -> tensor<4x32xf32>
    kiln.yield %n : tensor<4x32xf32>
  } {schedule = #kiln.nest<lanes = 16, stream = [0]>, workspace = array<i64: -1>}
  return %0 : tensor<4x32xf32>
}
}
