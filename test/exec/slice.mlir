// Element `starts + i * steps` of each axis, `sizes` of them; steps may be negative.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @steps:
// CHECK-NEXT: {{^}}float32[3]: 2 4 6{{$}}
func.func @steps(%a: tensor<10xf32>) -> tensor<3xf32> {
  %r = kiln.slice %a {starts = array<i64: 2>, sizes = array<i64: 3>, steps = array<i64: 2>} : (tensor<10xf32>) -> tensor<3xf32>
  return %r : tensor<3xf32>
}

// CHECK-LABEL: @reversed:
// CHECK-NEXT: {{^}}int32[5]: 4 3 2 1 0{{$}}
func.func @reversed(%a: tensor<5xi32>) -> tensor<5xi32> {
  %r = kiln.slice %a {starts = array<i64: 4>, sizes = array<i64: 5>, steps = array<i64: -1>} : (tensor<5xi32>) -> tensor<5xi32>
  return %r : tensor<5xi32>
}

// CHECK-LABEL: @box:
// CHECK-NEXT: {{^}}float32[2, 3]: 6 7 8 16 17 18{{$}}
func.func @box(%a: tensor<4x5xf32>) -> tensor<2x3xf32> {
  %r = kiln.slice %a {starts = array<i64: 1, 1>, sizes = array<i64: 2, 3>, steps = array<i64: 2, 1>} : (tensor<4x5xf32>) -> tensor<2x3xf32>
  return %r : tensor<2x3xf32>
}

// CHECK-LABEL: @nothing:
// CHECK-NEXT: {{^}}float32[0]:{{$}}
func.func @nothing(%a: tensor<4xf32>) -> tensor<0xf32> {
  %r = kiln.slice %a {starts = array<i64: 0>, sizes = array<i64: 0>, steps = array<i64: 1>} : (tensor<4xf32>) -> tensor<0xf32>
  return %r : tensor<0xf32>
}

// CHECK-LABEL: @odd:
// CHECK-NEXT: {{^}}int8[13]: 36 33 30 27 24 21 18 15 12 9 6 3 0{{$}}
func.func @odd(%a: tensor<37xi8>) -> tensor<13xi8> {
  %r = kiln.slice %a {starts = array<i64: 36>, sizes = array<i64: 13>, steps = array<i64: -3>} : (tensor<37xi8>) -> tensor<13xi8>
  return %r : tensor<13xi8>
}

// CHECK-LABEL: @complex:
// CHECK-NEXT: {{^}}complex64[2]: 4:4 2:2{{$}}
func.func @complex(%a: tensor<4xcomplex<f32>> {kiln.input = "1:1,2:2,3:3,4:4"}) -> tensor<2xcomplex<f32>> {
  %r = kiln.slice %a {starts = array<i64: 3>, sizes = array<i64: 2>, steps = array<i64: -2>} : (tensor<4xcomplex<f32>>) -> tensor<2xcomplex<f32>>
  return %r : tensor<2xcomplex<f32>>
}
