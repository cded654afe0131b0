// `x` with `value` at `starts + i * steps` of each axis: what a write into a view makes of an array.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @inside:
// CHECK-NEXT: {{^}}float32[5]: 0 10 nan 3 4{{$}}
func.func @inside(%a: tensor<5xf32>, %b: tensor<2xf32> {kiln.input = "10,nan"}) -> tensor<5xf32> {
  %r = kiln.update %a, %b {starts = array<i64: 1>, steps = array<i64: 1>} : (tensor<5xf32>, tensor<2xf32>) -> tensor<5xf32>
  return %r : tensor<5xf32>
}

// CHECK-LABEL: @steps:
// CHECK-NEXT: {{^}}int32[7]: -1 1 2 -2 4 5 -3{{$}}
func.func @steps(%a: tensor<7xi32>, %b: tensor<3xi32> {kiln.input = "-1,-2,-3"}) -> tensor<7xi32> {
  %r = kiln.update %a, %b {starts = array<i64: 0>, steps = array<i64: 3>} : (tensor<7xi32>, tensor<3xi32>) -> tensor<7xi32>
  return %r : tensor<7xi32>
}

// CHECK-LABEL: @reversed:
// CHECK-NEXT: {{^}}float32[4]: 6 7 8 9{{$}}
func.func @reversed(%a: tensor<4xf32>, %b: tensor<4xf32> {kiln.input = "9,8,7,6"}) -> tensor<4xf32> {
  %r = kiln.update %a, %b {starts = array<i64: 3>, steps = array<i64: -1>} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// CHECK-LABEL: @box:
// CHECK-NEXT: {{^}}int8[3, 4]: 0 1 2 3 90 5 6 91 92 9 10 93{{$}}
func.func @box(%a: tensor<3x4xi8>, %b: tensor<2x2xi8> {kiln.input = "90,91,92,93"}) -> tensor<3x4xi8> {
  %r = kiln.update %a, %b {starts = array<i64: 1, 0>, steps = array<i64: 1, 3>} : (tensor<3x4xi8>, tensor<2x2xi8>) -> tensor<3x4xi8>
  return %r : tensor<3x4xi8>
}

// CHECK-LABEL: @nothing:
// CHECK-NEXT: {{^}}float32[3]: 0 1 2{{$}}
func.func @nothing(%a: tensor<3xf32>, %b: tensor<0xf32> {kiln.input = ""}) -> tensor<3xf32> {
  %r = kiln.update %a, %b {starts = array<i64: 0>, steps = array<i64: 1>} : (tensor<3xf32>, tensor<0xf32>) -> tensor<3xf32>
  return %r : tensor<3xf32>
}

// CHECK-LABEL: @complex:
// CHECK-NEXT: {{^}}complex64[2]: 1:1 5:6{{$}}
func.func @complex(%a: tensor<2xcomplex<f32>> {kiln.input = "1:1,2:2"}, %b: tensor<1xcomplex<f32>> {kiln.input = "5:6"}) -> tensor<2xcomplex<f32>> {
  %r = kiln.update %a, %b {starts = array<i64: 1>, steps = array<i64: 1>} : (tensor<2xcomplex<f32>>, tensor<1xcomplex<f32>>) -> tensor<2xcomplex<f32>>
  return %r : tensor<2xcomplex<f32>>
}

// Rows of 5 KB that start out of line: the elements up to the first line, whole vectors, and the rest.
// CHECK-LABEL: @long_rows:
// CHECK-NEXT: {{^}}float32[]: 2560{{$}}
func.func @long_rows() -> tensor<f32> {
  %zero = kiln.constant 0.0 : f32 : tensor<f32>
  %one = kiln.constant 1.0 : f32 : tensor<f32>
  %x = kiln.broadcast %zero {axes = array<i64>} : (tensor<f32>) -> tensor<3x1289xf32>
  %v = kiln.broadcast %one {axes = array<i64>} : (tensor<f32>) -> tensor<2x1280xf32>
  %r = kiln.update %x, %v {starts = array<i64: 1, 3>, steps = array<i64: 1, 1>} : (tensor<3x1289xf32>, tensor<2x1280xf32>) -> tensor<3x1289xf32>
  %all = kiln.sum %r {axes = array<i64: 0, 1>} : (tensor<3x1289xf32>) -> tensor<f32>
  return %all : tensor<f32>
}
