// RUN: kiln-opt %s | kiln-opt | FileCheck %s
// RUN: kiln-opt %s --emit-bytecode | kiln-opt | FileCheck %s

// CHECK-LABEL: trace.tree @clip(%arg0: tensor<4xf32>) -> tensor<4xf32> {
trace.tree @clip(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: %[[LARGE:.*]] = trace.segment(%[[A:.*]] = %arg0 : tensor<4xf32>) -> tensor<i1> {
  %isLarge = trace.segment(%a = %x : tensor<4xf32>) -> tensor<i1> {
    // CHECK: kiln.sum %[[A]]
    %sum = kiln.sum %a {axes = array<i64: 0>} : (tensor<4xf32>) -> tensor<f32>
    %one = kiln.constant 1.0 : f32 : tensor<f32>
    %test = kiln.greater %sum, %one : (tensor<f32>, tensor<f32>) -> tensor<i1>
    // CHECK: trace.return %{{.*}} : tensor<i1>
    trace.return %test : tensor<i1>
  }
  // CHECK: trace.guard %[[LARGE]] is true : tensor<i1> -> ^bb1, otherwise ^bb2
  trace.guard %isLarge is true : tensor<i1> -> ^large, otherwise ^small
// CHECK: ^bb1:
^large:
  %y = trace.segment(%a = %x : tensor<4xf32>) -> tensor<4xf32> {
    %t = kiln.tanh %a : (tensor<4xf32>) -> tensor<4xf32>
    trace.return %t : tensor<4xf32>
  }
  // CHECK: trace.return %{{.*}} : tensor<4xf32>
  trace.return %y : tensor<4xf32>
^small:
  trace.return %x : tensor<4xf32>
}

// A block that is reached with other values each time: a loop.
// CHECK-LABEL: trace.tree @halve(%arg0: tensor<f64> {kiln.device = "cpu"}) -> (tensor<f64>, tensor<i64>)
trace.tree @halve(%x: tensor<f64> {kiln.device = "cpu"}) -> (tensor<f64>, tensor<i64>) {
  // CHECK: trace.segment() -> (tensor<i64>, tensor<i1>)
  %zero, %true = trace.segment() -> (tensor<i64>, tensor<i1>) {
    %n = kiln.constant 0 : i64 : tensor<i64>
    %t = kiln.constant true : tensor<i1>
    trace.return %n, %t : tensor<i64>, tensor<i1>
  }
  // CHECK: trace.guard %{{.*}} is true : tensor<i1> -> ^bb1(%arg0, %{{.*}} : tensor<f64>, tensor<i64>), otherwise ^bb2(%arg0, %{{.*}} : tensor<f64>, tensor<i64>)
  trace.guard %true is true : tensor<i1> -> ^again(%x, %zero : tensor<f64>, tensor<i64>), otherwise ^end(%x, %zero : tensor<f64>, tensor<i64>)
^again(%value: tensor<f64>, %count: tensor<i64>):
  %half, %next, %more = trace.segment(%v = %value : tensor<f64>, %n = %count : tensor<i64>) -> (tensor<f64>, tensor<i64>, tensor<i1>) {
    %two = kiln.constant 2.0 : f64 : tensor<f64>
    %one = kiln.constant 1 : i64 : tensor<i64>
    %h = kiln.divide %v, %two : (tensor<f64>, tensor<f64>) -> tensor<f64>
    %m = kiln.add %n, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
    %t = kiln.greater %h, %two : (tensor<f64>, tensor<f64>) -> tensor<i1>
    trace.return %h, %m, %t : tensor<f64>, tensor<i64>, tensor<i1>
  }
  trace.guard %more is true : tensor<i1> -> ^again(%half, %next : tensor<f64>, tensor<i64>), otherwise ^end(%half, %next : tensor<f64>, tensor<i64>)
^end(%result: tensor<f64>, %steps: tensor<i64>):
  trace.return %result, %steps : tensor<f64>, tensor<i64>
}

// Several values are a chain of guards.
// CHECK-LABEL: trace.tree @choose
trace.tree @choose(%n: tensor<i32>, %x: tensor<2xf32>) -> tensor<2xf32> {
  // CHECK: trace.guard %arg0 is 3 : i32 : tensor<i32> -> ^bb2, otherwise ^bb1
  trace.guard %n is 3 : i32 : tensor<i32> -> ^three, otherwise ^other
^other:
  // CHECK: trace.guard %arg0 is 4 : i32 : tensor<i32> -> ^bb3, otherwise ^bb2
  trace.guard %n is 4 : i32 : tensor<i32> -> ^four, otherwise ^three
^three:
  trace.return %x : tensor<2xf32>
^four:
  %y = trace.segment(%a = %x : tensor<2xf32>) -> tensor<2xf32> {
    %n4 = kiln.negative %a : (tensor<2xf32>) -> tensor<2xf32>
    trace.return %n4 : tensor<2xf32>
  }
  trace.return %y : tensor<2xf32>
}
