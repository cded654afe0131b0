// Positions of the first `count` true elements of a mask, in order; -1 behind the last.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @some:
// CHECK-NEXT: {{^}}int64[4]: 0 2 3 6{{$}}
func.func @some(%a: tensor<7xi1> {kiln.input = "1,0,1,1,0,0,1"}) -> tensor<4xi64> {
  %r = kiln.nonzero %a {count = 4 : i64} : (tensor<7xi1>) -> tensor<4xi64>
  return %r : tensor<4xi64>
}

// CHECK-LABEL: @fewer:
// CHECK-NEXT: {{^}}int64[2]: 0 2{{$}}
func.func @fewer(%a: tensor<7xi1> {kiln.input = "1,0,1,1,0,0,1"}) -> tensor<2xi64> {
  %r = kiln.nonzero %a {count = 2 : i64} : (tensor<7xi1>) -> tensor<2xi64>
  return %r : tensor<2xi64>
}

// CHECK-LABEL: @more:
// CHECK-NEXT: {{^}}int64[4]: 1 3 -1 -1{{$}}
func.func @more(%a: tensor<5xi1> {kiln.input = "0,1,0,1,0"}) -> tensor<4xi64> {
  %r = kiln.nonzero %a {count = 4 : i64} : (tensor<5xi1>) -> tensor<4xi64>
  return %r : tensor<4xi64>
}

// CHECK-LABEL: @none:
// CHECK-NEXT: {{^}}int64[2]: -1 -1{{$}}
func.func @none(%a: tensor<5xi1> {kiln.input = "0"}) -> tensor<2xi64> {
  %r = kiln.nonzero %a {count = 2 : i64} : (tensor<5xi1>) -> tensor<2xi64>
  return %r : tensor<2xi64>
}

// CHECK-LABEL: @empty:
// CHECK-NEXT: {{^}}int64[1]: -1{{$}}
func.func @empty(%a: tensor<0xi1> {kiln.input = ""}) -> tensor<1xi64> {
  %r = kiln.nonzero %a {count = 1 : i64} : (tensor<0xi1>) -> tensor<1xi64>
  return %r : tensor<1xi64>
}
