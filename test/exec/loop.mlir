// RUN: kiln-run %s --all --target=both | FileCheck %s
// RUN: kiln-opt %s --kiln-fuse-pipeline | FileCheck %s --check-prefix=PLAN

// Loops, and branches in them: carried numbers and arrays, large ones that change places, parts written in place, no trip at all, loops inside loops.

// CHECK-LABEL: @collatz:
// CHECK-NEXT: int64[]: 111
func.func @collatz(%n: tensor<i64> {kiln.input = "27"}) -> tensor<i64> {
  %zero = kiln.constant 0 : i64 : tensor<i64>
  %last, %steps = kiln.loop @isAboveOne, @collatzStep(%n, %zero) : (tensor<i64>, tensor<i64>) -> (tensor<i64>, tensor<i64>)
  return %steps : tensor<i64>
}
func.func private @isAboveOne(%n: tensor<i64>, %steps: tensor<i64>) -> tensor<i1> {
  %one = kiln.constant 1 : i64 : tensor<i64>
  %r = kiln.greater %n, %one : (tensor<i64>, tensor<i64>) -> tensor<i1>
  return %r : tensor<i1>
}
func.func private @collatzStep(%n: tensor<i64>, %steps: tensor<i64>) -> (tensor<i64>, tensor<i64>) {
  %one = kiln.constant 1 : i64 : tensor<i64>
  %odd = kiln.bitwise_and %n, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %next = kiln.branch [@half, @triple](%odd, %n) : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %more = kiln.add %steps, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
  return %next, %more : tensor<i64>, tensor<i64>
}
func.func private @half(%n: tensor<i64>) -> tensor<i64> {
  %two = kiln.constant 2 : i64 : tensor<i64>
  %r = kiln.floor_divide %n, %two : (tensor<i64>, tensor<i64>) -> tensor<i64>
  return %r : tensor<i64>
}
func.func private @triple(%n: tensor<i64>) -> tensor<i64> {
  %three = kiln.constant 3 : i64 : tensor<i64>
  %one = kiln.constant 1 : i64 : tensor<i64>
  %t = kiln.multiply %n, %three : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %r = kiln.add %t, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
  return %r : tensor<i64>
}

// The larger one changes places with each trip; an odd and an even number of them.
// CHECK-LABEL: @swaps:
// CHECK-NEXT: float64[]: 896
// CHECK-NEXT: float64[]: 1792
func.func @swaps(%x: tensor<128xf64> {kiln.input = "1"}) -> (tensor<f64>, tensor<f64>) {
  %three = kiln.constant 3 : i64 : tensor<i64>
  %one = kiln.constant 1 : i64 : tensor<i64>
  %i, %y = kiln.loop @counts, @twice(%three, %x) : (tensor<i64>, tensor<128xf64>) -> (tensor<i64>, tensor<128xf64>)
  %j, %z = kiln.loop @counts, @twice(%one, %y) : (tensor<i64>, tensor<128xf64>) -> (tensor<i64>, tensor<128xf64>)
  %s = kiln.sum %y {axes = array<i64: 0>} : (tensor<128xf64>) -> tensor<f64>
  %t = kiln.sum %z {axes = array<i64: 0>} : (tensor<128xf64>) -> tensor<f64>
  %e = kiln.sum %x {axes = array<i64: 0>} : (tensor<128xf64>) -> tensor<f64>
  %r = kiln.subtract %s, %e : (tensor<f64>, tensor<f64>) -> tensor<f64>
  %u = kiln.subtract %t, %e : (tensor<f64>, tensor<f64>) -> tensor<f64>
  %v = kiln.subtract %u, %e : (tensor<f64>, tensor<f64>) -> tensor<f64>
  return %r, %v : tensor<f64>, tensor<f64>
}
func.func private @counts(%i: tensor<i64>, %x: tensor<128xf64>) -> tensor<i1> {
  %zero = kiln.constant 0 : i64 : tensor<i64>
  %r = kiln.greater %i, %zero : (tensor<i64>, tensor<i64>) -> tensor<i1>
  return %r : tensor<i1>
}
func.func private @twice(%i: tensor<i64>, %x: tensor<128xf64>) -> (tensor<i64>, tensor<128xf64>) {
  %one = kiln.constant 1 : i64 : tensor<i64>
  %j = kiln.subtract %i, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %y = kiln.add %x, %x : (tensor<128xf64>, tensor<128xf64>) -> tensor<128xf64>
  return %j, %y : tensor<i64>, tensor<128xf64>
}

// Written in place, and a value that is given as it was given; the caller's arrays stay.
// PLAN: func.func private @fill
// PLAN-SAME: kiln.in_place = 1
// PLAN-SAME: kiln.in_place = 2
// CHECK-LABEL: @inPlace:
// CHECK-NEXT: float32[5]: 0 0.5 1 1.5 4
// CHECK-NEXT: float32[5]: 0 1 2 3 4
// CHECK-NEXT: float32[]: 0.5
func.func @inPlace(%x: tensor<5xf32>, %h: tensor<f32> {kiln.input = "0.5"}) -> (tensor<5xf32>, tensor<5xf32>, tensor<f32>) {
  %zero = kiln.constant 0 : i64 : tensor<i64>
  %i, %y, %z = kiln.loop @belowFour, @fill(%zero, %x, %h) : (tensor<i64>, tensor<5xf32>, tensor<f32>) -> (tensor<i64>, tensor<5xf32>, tensor<f32>)
  return %y, %x, %z : tensor<5xf32>, tensor<5xf32>, tensor<f32>
}
func.func private @belowFour(%i: tensor<i64>, %x: tensor<5xf32>, %h: tensor<f32>) -> tensor<i1> {
  %four = kiln.constant 4 : i64 : tensor<i64>
  %r = kiln.less %i, %four : (tensor<i64>, tensor<i64>) -> tensor<i1>
  return %r : tensor<i1>
}
func.func private @fill(%i: tensor<i64>, %x: tensor<5xf32>, %h: tensor<f32>) -> (tensor<i64>, tensor<5xf32>, tensor<f32>) {
  %one = kiln.constant 1 : i64 : tensor<i64>
  %next = kiln.add %i, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %f = kiln.cast %i : (tensor<i64>) -> tensor<f32>
  %v = kiln.multiply %f, %h : (tensor<f32>, tensor<f32>) -> tensor<f32>
  %part = kiln.reshape %v : (tensor<f32>) -> tensor<1xf32>
  %start = kiln.reshape %i : (tensor<i64>) -> tensor<1xi64>
  %y = kiln.dynamic_update %x, %part, %start : (tensor<5xf32>, tensor<1xf32>, tensor<1xi64>) -> tensor<5xf32>
  return %next, %y, %h : tensor<i64>, tensor<5xf32>, tensor<f32>
}

// No trip: the operands themselves. A carried bool is the condition.
// CHECK-LABEL: @never:
// CHECK-NEXT: bool[]: 0
// CHECK-NEXT: float32[3]: 0 1 2
func.func @never(%x: tensor<3xf32>) -> (tensor<i1>, tensor<3xf32>) {
  %false = kiln.constant false : tensor<i1>
  %r:2 = kiln.loop @flag, @negate(%false, %x) : (tensor<i1>, tensor<3xf32>) -> (tensor<i1>, tensor<3xf32>)
  return %r#0, %r#1 : tensor<i1>, tensor<3xf32>
}
// CHECK-LABEL: @once:
// CHECK-NEXT: bool[]: 0
// CHECK-NEXT: float32[3]: -0 -1 -2
func.func @once(%x: tensor<3xf32>) -> (tensor<i1>, tensor<3xf32>) {
  %true = kiln.constant true : tensor<i1>
  %r:2 = kiln.loop @flag, @negate(%true, %x) : (tensor<i1>, tensor<3xf32>) -> (tensor<i1>, tensor<3xf32>)
  return %r#0, %r#1 : tensor<i1>, tensor<3xf32>
}
func.func private @flag(%f: tensor<i1>, %x: tensor<3xf32>) -> tensor<i1> {
  return %f : tensor<i1>
}
func.func private @negate(%f: tensor<i1>, %x: tensor<3xf32>) -> (tensor<i1>, tensor<3xf32>) {
  %g = kiln.logical_not %f : (tensor<i1>) -> tensor<i1>
  %y = kiln.negative %x : (tensor<3xf32>) -> tensor<3xf32>
  return %g, %y : tensor<i1>, tensor<3xf32>
}

// Values that change places with each other, of which one array is read twice.
// CHECK-LABEL: @fibonacci:
// CHECK-NEXT: uint64[2]: 55 55
func.func @fibonacci(%x: tensor<2xui64> {kiln.input = "1"}) -> tensor<2xui64> {
  %n = kiln.constant 9 : i64 : tensor<i64>
  %r:3 = kiln.loop @remains, @shift(%n, %x, %x) : (tensor<i64>, tensor<2xui64>, tensor<2xui64>) -> (tensor<i64>, tensor<2xui64>, tensor<2xui64>)
  return %r#1 : tensor<2xui64>
}
func.func private @remains(%n: tensor<i64>, %a: tensor<2xui64>, %b: tensor<2xui64>) -> tensor<i1> {
  %zero = kiln.constant 0 : i64 : tensor<i64>
  %r = kiln.greater %n, %zero : (tensor<i64>, tensor<i64>) -> tensor<i1>
  return %r : tensor<i1>
}
func.func private @shift(%n: tensor<i64>, %a: tensor<2xui64>, %b: tensor<2xui64>) -> (tensor<i64>, tensor<2xui64>, tensor<2xui64>) {
  %one = kiln.constant 1 : i64 : tensor<i64>
  %less = kiln.subtract %n, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %sum = kiln.add %a, %b : (tensor<2xui64>, tensor<2xui64>) -> tensor<2xui64>
  return %less, %b, %sum : tensor<i64>, tensor<2xui64>, tensor<2xui64>
}

// A loop in a loop, over an argument that lies across.
// CHECK-LABEL: @nested:
// CHECK-NEXT: int64[2, 3]: 0 12 24 6 18 30
func.func @nested(%x: tensor<3x2xi64>) -> tensor<2x3xi64> {
  %t = kiln.transpose %x {permutation = array<i64: 1, 0>} : (tensor<3x2xi64>) -> tensor<2x3xi64>
  %zero = kiln.constant 0 : i64 : tensor<i64>
  %sum = kiln.subtract %t, %t : (tensor<2x3xi64>, tensor<2x3xi64>) -> tensor<2x3xi64>
  %r:2 = kiln.loop @outerTest, @outerStep(%zero, %sum, %t) : (tensor<i64>, tensor<2x3xi64>, tensor<2x3xi64>) -> (tensor<i64>, tensor<2x3xi64>)
  return %r#1 : tensor<2x3xi64>
}
func.func private @outerTest(%i: tensor<i64>, %s: tensor<2x3xi64>, %x: tensor<2x3xi64>) -> tensor<i1> {
  %n = kiln.constant 4 : i64 : tensor<i64>
  %r = kiln.less %i, %n : (tensor<i64>, tensor<i64>) -> tensor<i1>
  return %r : tensor<i1>
}
func.func private @outerStep(%i: tensor<i64>, %s: tensor<2x3xi64>, %x: tensor<2x3xi64>) -> (tensor<i64>, tensor<2x3xi64>) {
  %zero = kiln.constant 0 : i64 : tensor<i64>
  %one = kiln.constant 1 : i64 : tensor<i64>
  %r:2 = kiln.loop @innerTest, @innerStep(%zero, %s, %x, %i) : (tensor<i64>, tensor<2x3xi64>, tensor<2x3xi64>, tensor<i64>) -> (tensor<i64>, tensor<2x3xi64>)
  %next = kiln.add %i, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
  return %next, %r#1 : tensor<i64>, tensor<2x3xi64>
}
func.func private @innerTest(%k: tensor<i64>, %s: tensor<2x3xi64>, %x: tensor<2x3xi64>, %i: tensor<i64>) -> tensor<i1> {
  %r = kiln.less %k, %i : (tensor<i64>, tensor<i64>) -> tensor<i1>
  return %r : tensor<i1>
}
func.func private @innerStep(%k: tensor<i64>, %s: tensor<2x3xi64>, %x: tensor<2x3xi64>, %i: tensor<i64>) -> (tensor<i64>, tensor<2x3xi64>) {
  %one = kiln.constant 1 : i64 : tensor<i64>
  %next = kiln.add %k, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %sum = kiln.add %s, %x : (tensor<2x3xi64>, tensor<2x3xi64>) -> tensor<2x3xi64>
  return %next, %sum : tensor<i64>, tensor<2x3xi64>
}
