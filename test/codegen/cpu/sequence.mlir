// What the emitters of scans, sorts, masks and results put together make of a schedule.
// RUN: kiln-opt %s --kiln-emit-cpu | FileCheck %s
// RUN: kiln-run %s --all --target=both

// Down the columns, 4 of them in lanes, shared by threads.
// CHECK-LABEL: llvm.func internal @scan.kernel_0.task_0
// CHECK: scf.for {{.*}} -> (vector<4xf32>)
func.func @scan(%x: tensor<5x12xf32>) -> tensor<5x12xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "scan"(%a = %x : tensor<5x12xf32>) -> (tensor<5x12xf32>) {
    %n = kiln.cumulative_sum %a {axis = 0} : (tensor<5x12xf32>) -> tensor<5x12xf32>
    kiln.yield %n : tensor<5x12xf32>
  } {schedule = #kiln.scan<lanes = 4, parallel = 1>, workspace = array<i64: -1>}
  return %0 : tensor<5x12xf32>
}

// Lines are shared; each of the four bytes of a key is counted, and distributed by.
// CHECK-LABEL: llvm.func internal @sort.kernel_0.task_0
// CHECK-COUNT-4: arith.shrui
// CHECK-LABEL: func.func @sort.kernel_0
func.func @sort(%x: tensor<6x9xf32> {kiln.input = "5"}) -> tensor<6x9xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "sort"(%a = %x : tensor<6x9xf32>) -> (tensor<6x9xf32>) {
    %n = kiln.sort %a {axis = 1, descending = 0} : (tensor<6x9xf32>) -> tensor<6x9xf32>
    kiln.yield %n : tensor<6x9xf32>
  } {schedule = #kiln.sort<parallel = 0, grain = 2>, workspace = array<i64: -1>}
  return %0 : tensor<6x9xf32>
}

// 64 elements of the mask as one number.
// CHECK-LABEL: func.func @mask.kernel_0
// CHECK: vector.bitcast {{.*}} : vector<64xi1> to vector<1xi64>
// CHECK: math.cttz
func.func @mask(%x: tensor<100xi1> {kiln.input = "1"}) -> tensor<70xi64> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "compact"(%a = %x : tensor<100xi1>) -> (tensor<70xi64>) {
    %n = kiln.nonzero %a {count = 70} : (tensor<100xi1>) -> tensor<70xi64>
    kiln.yield %n : tensor<70xi64>
  } {schedule = #kiln.compact<lanes = 64>, workspace = array<i64: -1>}
  return %0 : tensor<70xi64>
}

// Where there is room for a block, eight positions at a time are moved together; the number of true ones is counted in the mask.
// CHECK-LABEL: func.func @together.kernel_0
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.experimental.vector.compress"
// CHECK: math.cttz
func.func @together(%x: tensor<100xi1> {kiln.input = "0,1,1,1,1,0,1,0,0,1,1,1,0,0,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,0,1,0,1,1,0,0,1,1,1,1,0,1,0,0,1,1,1,0,0,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,0,1,0,1,1,0,0,1,1,1,1,0,1,0,0,1,1,1,0,0,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,0"}) -> tensor<70xi64> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "compact"(%a = %x : tensor<100xi1>) -> (tensor<70xi64>) {
    %n = kiln.nonzero %a {count = 70} : (tensor<100xi1>) -> tensor<70xi64>
    kiln.yield %n : tensor<70xi64>
  } {schedule = #kiln.compact<lanes = 16, compress = true>, workspace = array<i64: -1>}
  return %0 : tensor<70xi64>
}

// Elements in the place of positions: sixteen of 4 bytes.
// CHECK-LABEL: func.func @elements.kernel_0
// CHECK: llvm.call_intrinsic "llvm.experimental.vector.compress"{{.*}} : (vector<16xf32>, vector<16xi1>, vector<16xf32>)
func.func @elements(%x: tensor<40xf32> {kiln.input = "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39"}, %m: tensor<40xi1> {kiln.input = "0,1,1,1,1,0,1,0,0,1,1,1,0,0,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,0,1,0,1,1,0,0,1,1,1,1"}) -> tensor<24xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "compact"(%a = %x : tensor<40xf32>, %b = %m : tensor<40xi1>) -> (tensor<24xf32>) {
    %p = kiln.nonzero %b {count = 24} : (tensor<40xi1>) -> tensor<24xi64>
    %n = kiln.gather %a, %p {axis = 0 : i64} : (tensor<40xf32>, tensor<24xi64>) -> tensor<24xf32>
    kiln.yield %n : tensor<24xf32>
  } {schedule = #kiln.compact<lanes = 16, compress = true>, workspace = array<i64: -1>}
  return %0 : tensor<24xf32>
}

// Those of 2 bytes one by one.
// CHECK-LABEL: func.func @narrow.kernel_0
// CHECK-NOT: call_intrinsic
func.func @narrow(%x: tensor<40xi16> {kiln.input = "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39"}, %m: tensor<40xi1> {kiln.input = "0,1,1,1,1,0,1,0,0,1,1,1,0,0,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,0,1,0,1,1,0,0,1,1,1,1"}) -> tensor<24xi16> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "compact"(%a = %x : tensor<40xi16>, %b = %m : tensor<40xi1>) -> (tensor<24xi16>) {
    %p = kiln.nonzero %b {count = 24} : (tensor<40xi1>) -> tensor<24xi64>
    %n = kiln.gather %a, %p {axis = 0 : i64} : (tensor<40xi16>, tensor<24xi64>) -> tensor<24xi16>
    kiln.yield %n : tensor<24xi16>
  } {schedule = #kiln.compact<lanes = 16, compress = true>, workspace = array<i64: -1>}
  return %0 : tensor<24xi16>
}

// Or every position is written, over the last one where that was not true.
// CHECK-LABEL: func.func @over.kernel_0
// CHECK-NOT: call_intrinsic
// CHECK-COUNT-8: llvm.store
func.func @over(%x: tensor<100xi1> {kiln.input = "0,1,1,1,1,0,1,0,0,1,1,1,0,0,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,0,1,0,1,1,0,0,1,1,1,1,0,1,0,0,1,1,1,0,0,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,0,1,0,1,1,0,0,1,1,1,1,0,1,0,0,1,1,1,0,0,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,0"}) -> tensor<70xi64> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "compact"(%a = %x : tensor<100xi1>) -> (tensor<70xi64>) {
    %n = kiln.nonzero %a {count = 70} : (tensor<100xi1>) -> tensor<70xi64>
    kiln.yield %n : tensor<70xi64>
  } {schedule = #kiln.compact<lanes = 8>, workspace = array<i64: -1>}
  return %0 : tensor<70xi64>
}

// Each part in loops of its own.
// CHECK-LABEL: func.func @joined.kernel_0
// CHECK: vector<2xf32>
// CHECK: vector<16xf32>
func.func @joined(%x: tensor<4x6xf32>, %y: tensor<4x33xf32>) -> tensor<4x39xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "assemble"(%a = %x : tensor<4x6xf32>, %b = %y : tensor<4x33xf32>) -> (tensor<4x39xf32>) {
    %n = kiln.concat %a, %b {axis = 1} : (tensor<4x6xf32>, tensor<4x33xf32>) -> tensor<4x39xf32>
    kiln.yield %n : tensor<4x39xf32>
  } {schedule = #kiln.assemble<parts = [<lanes = 2>, <lanes = 16>]>, workspace = array<i64: -1>}
  return %0 : tensor<4x39xf32>
}

// The copy in 16 lanes, rows shared by threads; the updates one after the other in 4.
// CHECK-LABEL: llvm.func internal @scattered.kernel_0.task_0
// CHECK: vector<16xf32>
// CHECK-LABEL: func.func @scattered.kernel_0
// CHECK: arith.addf {{.*}} : vector<4xf32>
func.func @scattered(%x: tensor<4x32xf32>, %i: tensor<3xi64> {kiln.input = "2,0,2"}, %u: tensor<3x32xf32>) -> tensor<4x32xf32> attributes {kiln.workspace_bytes = 0 : i64} {
  %0 = kiln.kernel "scatter"(%a = %x : tensor<4x32xf32>, %b = %i : tensor<3xi64>, %c = %u : tensor<3x32xf32>) -> (tensor<4x32xf32>) {
    %n = kiln.scatter_add %a, %b, %c {axis = 0} : (tensor<4x32xf32>, tensor<3xi64>, tensor<3x32xf32>) -> tensor<4x32xf32>
    kiln.yield %n : tensor<4x32xf32>
  } {schedule = #kiln.scatter<copy = <lanes = 16, parallel = 0>, lanes = 4>, workspace = array<i64: -1>}
  return %0 : tensor<4x32xf32>
}
