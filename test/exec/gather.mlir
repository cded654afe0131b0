// Elements of `x` at `indices` along one axis; negative indices count from the end.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @vector:
// CHECK-NEXT: {{^}}float32[4]: 4 0 4 2{{$}}
func.func @vector(%a: tensor<5xf32>, %b: tensor<4xi64> {kiln.input = "4,0,-1,2"}) -> tensor<4xf32> {
  %r = kiln.gather %a, %b {axis = 0 : i64} : (tensor<5xf32>, tensor<4xi64>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// CHECK-LABEL: @rows:
// CHECK-NEXT: {{^}}int32[2, 2]: 4 5 0 1{{$}}
func.func @rows(%a: tensor<3x2xi32>, %b: tensor<2xi8> {kiln.input = "2,-3"}) -> tensor<2x2xi32> {
  %r = kiln.gather %a, %b {axis = 0 : i64} : (tensor<3x2xi32>, tensor<2xi8>) -> tensor<2x2xi32>
  return %r : tensor<2x2xi32>
}

// CHECK-LABEL: @columns:
// CHECK-NEXT: {{^}}float64[2, 2, 2]: 0 2 1 2 3 5 4 5{{$}}
func.func @columns(%a: tensor<2x3xf64>, %b: tensor<2x2xi64> {kiln.input = "0,2,1,-1"}) -> tensor<2x2x2xf64> {
  %r = kiln.gather %a, %b {axis = 1 : i64} : (tensor<2x3xf64>, tensor<2x2xi64>) -> tensor<2x2x2xf64>
  return %r : tensor<2x2x2xf64>
}

// CHECK-LABEL: @scalar:
// CHECK-NEXT: {{^}}float16[]: 3{{$}}
func.func @scalar(%a: tensor<4xf16>, %b: tensor<i64> {kiln.input = "3"}) -> tensor<f16> {
  %r = kiln.gather %a, %b {axis = 0 : i64} : (tensor<4xf16>, tensor<i64>) -> tensor<f16>
  return %r : tensor<f16>
}

// CHECK-LABEL: @complex:
// CHECK-NEXT: {{^}}complex64[3]: 3:4 1:2 3:4{{$}}
func.func @complex(%a: tensor<2xcomplex<f32>> {kiln.input = "1:2,3:4"}, %b: tensor<3xi64> {kiln.input = "1,0,1"}) -> tensor<3xcomplex<f32>> {
  %r = kiln.gather %a, %b {axis = 0 : i64} : (tensor<2xcomplex<f32>>, tensor<3xi64>) -> tensor<3xcomplex<f32>>
  return %r : tensor<3xcomplex<f32>>
}

// CHECK-LABEL: @nothing:
// CHECK-NEXT: {{^}}float32[0]:{{$}}
func.func @nothing(%a: tensor<3xf32>, %b: tensor<0xi64> {kiln.input = ""}) -> tensor<0xf32> {
  %r = kiln.gather %a, %b {axis = 0 : i64} : (tensor<3xf32>, tensor<0xi64>) -> tensor<0xf32>
  return %r : tensor<0xf32>
}
