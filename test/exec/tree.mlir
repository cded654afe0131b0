// RUN: kiln-run %s --all --target=reference | FileCheck %s
// RUN: not kiln-run %s --entry=large --target=cpu 2>&1 | FileCheck %s --check-prefix=TARGET
// Trees: the way goes by values. On the left and on the right of a guard, back to an earlier block, and where paths join.

// TARGET: kiln-run: --target: expected reference for a tree, got 'cpu'

// CHECK-LABEL: @large:
// CHECK-NEXT: float32[2]: 1 1
trace.tree @large(%x: tensor<2xf32> {kiln.input = "30,40"}) -> tensor<2xf32> {
  %test = trace.segment(%a = %x : tensor<2xf32>) -> tensor<i1> {
    %sum = kiln.sum %a {axes = array<i64: 0>} : (tensor<2xf32>) -> tensor<f32>
    %one = kiln.constant 1.0 : f32 : tensor<f32>
    %more = kiln.greater %sum, %one : (tensor<f32>, tensor<f32>) -> tensor<i1>
    trace.return %more : tensor<i1>
  }
  trace.guard %test is true : tensor<i1> -> ^large, otherwise ^small
^large:
  %y = trace.segment(%a = %x : tensor<2xf32>) -> tensor<2xf32> {
    %t = kiln.divide %a, %a : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    trace.return %t : tensor<2xf32>
  }
  trace.return %y : tensor<2xf32>
^small:
  trace.return %x : tensor<2xf32>
}

// CHECK-LABEL: @small:
// CHECK-NEXT: int8[]: -5
trace.tree @small(%x: tensor<i8> {kiln.input = "-5"}) -> tensor<i8> {
  trace.guard %x is 5 : i8 : tensor<i8> -> ^five, otherwise ^other
^five:
  %y = trace.segment(%a = %x : tensor<i8>) -> tensor<i8> {
    %t = kiln.add %a, %a : (tensor<i8>, tensor<i8>) -> tensor<i8>
    trace.return %t : tensor<i8>
  }
  trace.return %y : tensor<i8>
^other:
  trace.guard %x is -5 : i8 : tensor<i8> -> ^same, otherwise ^five
^same:
  trace.return %x : tensor<i8>
}

// -0.0 is another value than 0.0: what Python did with it may have been another thing.
// CHECK-LABEL: @zero:
// CHECK-NEXT: float64[]: 2
trace.tree @zero(%x: tensor<f64> {kiln.input = "-0.0"}, %one: tensor<f64> {kiln.input = "1"}, %two: tensor<f64> {kiln.input = "2"}) -> tensor<f64> {
  trace.guard %x is 0.0 : f64 : tensor<f64> -> ^end(%one : tensor<f64>), otherwise ^end(%two : tensor<f64>)
^end(%result: tensor<f64>):
  trace.return %result : tensor<f64>
}

// Halved until it is at most 2, and how often.
// CHECK-LABEL: @halve:
// CHECK-NEXT: float64[]: 1.5625
// CHECK-NEXT: int64[]: 6
trace.tree @halve(%x: tensor<f64> {kiln.input = "100"}) -> (tensor<f64>, tensor<i64>) {
  %zero, %true = trace.segment() -> (tensor<i64>, tensor<i1>) {
    %n = kiln.constant 0 : i64 : tensor<i64>
    %t = kiln.constant true : tensor<i1>
    trace.return %n, %t : tensor<i64>, tensor<i1>
  }
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
