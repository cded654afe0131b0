// RUN: kiln-opt %s --kiln-plan-memory | FileCheck %s

// A body changes its argument where it lies, by one kernel after the other, an inner loop among them.
// CHECK-LABEL: func.func private @body
// CHECK-SAME: kiln.in_place = 1
// CHECK: kiln.kernel "assemble"
// CHECK: {in_place = array<i64: 0>, workspace = array<i64: -1>}
// CHECK: kiln.kernel "control"
// CHECK: {in_place = array<i64: 0, 1>, workspace = array<i64: -1, -1>}
// CHECK: kiln.kernel "assemble"
// CHECK: {in_place = array<i64: 0>, workspace = array<i64: -1>}
func.func private @body(%i: tensor<i64>, %x: tensor<8xf32>, %v: tensor<2xf32>) -> (tensor<i64>, tensor<8xf32>) {
  %0 = kiln.kernel "assemble"(%a = %x : tensor<8xf32>, %b = %v : tensor<2xf32>) -> (tensor<8xf32>) {
    %n = kiln.update %a, %b {starts = array<i64: 1>, steps = array<i64: 1>} : (tensor<8xf32>, tensor<2xf32>) -> tensor<8xf32>
    kiln.yield %n : tensor<8xf32>
  }
  %1:2 = kiln.kernel "control"(%a = %i : tensor<i64>, %b = %0 : tensor<8xf32>) -> (tensor<i64>, tensor<8xf32>) {
    %n:2 = kiln.loop @never, @inner(%a, %b) : (tensor<i64>, tensor<8xf32>) -> (tensor<i64>, tensor<8xf32>)
    kiln.yield %n#0, %n#1 : tensor<i64>, tensor<8xf32>
  }
  %2 = kiln.kernel "assemble"(%a = %1#1 : tensor<8xf32>) -> (tensor<8xf32>) {
    %s = kiln.slice %a {starts = array<i64: 0>, sizes = array<i64: 1>, steps = array<i64: 1>} : (tensor<8xf32>) -> tensor<1xf32>
    %d = kiln.add %s, %s : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
    %n = kiln.update %a, %d {starts = array<i64: 3>, steps = array<i64: 1>} : (tensor<8xf32>, tensor<1xf32>) -> tensor<8xf32>
    kiln.yield %n : tensor<8xf32>
  }
  return %1#0, %2 : tensor<i64>, tensor<8xf32>
}

// The change goes behind what reads the argument.
// CHECK-LABEL: func.func private @readsFirst
// CHECK: kiln.kernel "elementwise"
// CHECK: kiln.kernel "assemble"
// CHECK: in_place = array<i64: 0>
func.func private @readsFirst(%x: tensor<8xf32>, %v: tensor<2xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %0 = kiln.kernel "assemble"(%a = %x : tensor<8xf32>, %b = %v : tensor<2xf32>) -> (tensor<8xf32>) {
    %n = kiln.update %a, %b {starts = array<i64: 1>, steps = array<i64: 1>} : (tensor<8xf32>, tensor<2xf32>) -> tensor<8xf32>
    kiln.yield %n : tensor<8xf32>
  }
  %1 = kiln.kernel "elementwise"(%a = %x : tensor<8xf32>) -> (tensor<8xf32>) {
    %n = kiln.negative %a : (tensor<8xf32>) -> tensor<8xf32>
    kiln.yield %n : tensor<8xf32>
  }
  return %0, %1 : tensor<8xf32>, tensor<8xf32>
}

// Not where the argument is read again with what was made of it, nor where a write of several elements reads what it changes.
// CHECK-LABEL: func.func private @readsAgain
// CHECK-NOT: in_place
func.func private @readsAgain(%x: tensor<8xf32>, %v: tensor<2xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %0 = kiln.kernel "assemble"(%a = %x : tensor<8xf32>, %b = %v : tensor<2xf32>) -> (tensor<8xf32>) {
    %n = kiln.update %a, %b {starts = array<i64: 1>, steps = array<i64: 1>} : (tensor<8xf32>, tensor<2xf32>) -> tensor<8xf32>
    kiln.yield %n : tensor<8xf32>
  }
  %1 = kiln.kernel "elementwise"(%a = %x : tensor<8xf32>, %b = %0 : tensor<8xf32>) -> (tensor<8xf32>) {
    %n = kiln.add %a, %b : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
    kiln.yield %n : tensor<8xf32>
  }
  return %0, %1 : tensor<8xf32>, tensor<8xf32>
}
// Of two that read what the other one changes, one can.
// CHECK-LABEL: func.func private @exchange
// CHECK-SAME: kiln.in_place = 1
// CHECK: kiln.kernel "assemble"(%{{.*}} = %arg0
// CHECK: {workspace = array<i64: -1>}
// CHECK: kiln.kernel "assemble"(%{{.*}} = %arg1
// CHECK: {in_place = array<i64: 0>, workspace = array<i64: -1>}
func.func private @exchange(%x: tensor<8xf32>, %y: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %0 = kiln.kernel "assemble"(%a = %x : tensor<8xf32>, %b = %y : tensor<8xf32>) -> (tensor<8xf32>) {
    %s = kiln.slice %b {starts = array<i64: 0>, sizes = array<i64: 1>, steps = array<i64: 1>} : (tensor<8xf32>) -> tensor<1xf32>
    %n = kiln.update %a, %s {starts = array<i64: 3>, steps = array<i64: 1>} : (tensor<8xf32>, tensor<1xf32>) -> tensor<8xf32>
    kiln.yield %n : tensor<8xf32>
  }
  %1 = kiln.kernel "assemble"(%a = %y : tensor<8xf32>, %b = %x : tensor<8xf32>) -> (tensor<8xf32>) {
    %s = kiln.slice %b {starts = array<i64: 0>, sizes = array<i64: 1>, steps = array<i64: 1>} : (tensor<8xf32>) -> tensor<1xf32>
    %n = kiln.update %a, %s {starts = array<i64: 3>, steps = array<i64: 1>} : (tensor<8xf32>, tensor<1xf32>) -> tensor<8xf32>
    kiln.yield %n : tensor<8xf32>
  }
  return %0, %1 : tensor<8xf32>, tensor<8xf32>
}
// CHECK-LABEL: func.func private @readsParts
// CHECK-NOT: in_place
func.func private @readsParts(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = kiln.kernel "assemble"(%a = %x : tensor<8xf32>) -> (tensor<8xf32>) {
    %s = kiln.slice %a {starts = array<i64: 0>, sizes = array<i64: 4>, steps = array<i64: 1>} : (tensor<8xf32>) -> tensor<4xf32>
    %n = kiln.update %a, %s {starts = array<i64: 2>, steps = array<i64: 1>} : (tensor<8xf32>, tensor<4xf32>) -> tensor<8xf32>
    kiln.yield %n : tensor<8xf32>
  }
  return %0 : tensor<8xf32>
}
// CHECK-LABEL: func.func private @never
func.func private @never(%i: tensor<i64>, %x: tensor<8xf32>) -> tensor<i1> {
  %0 = kiln.kernel "elementwise"() -> (tensor<i1>) {
    %n = kiln.constant false : tensor<i1>
    kiln.yield %n : tensor<i1>
  }
  return %0 : tensor<i1>
}
func.func private @inner(%i: tensor<i64>, %x: tensor<8xf32>) -> (tensor<i64>, tensor<8xf32>) {
  return %i, %x : tensor<i64>, tensor<8xf32>
}
