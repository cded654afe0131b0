// Arrays joined along an existing axis.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @vectors:
// CHECK-NEXT: {{^}}float32[5]: 1 2 3 nan 5{{$}}
func.func @vectors(%a: tensor<2xf32> {kiln.input = "1,2"}, %b: tensor<3xf32> {kiln.input = "3,nan,5"}, %c: tensor<0xf32> {kiln.input = ""}) -> tensor<5xf32> {
  %r = kiln.concat %a, %b, %c {axis = 0 : i64} : (tensor<2xf32>, tensor<3xf32>, tensor<0xf32>) -> tensor<5xf32>
  return %r : tensor<5xf32>
}

// CHECK-LABEL: @columns:
// CHECK-NEXT: {{^}}int8[2, 3]: 0 1 9 2 3 8{{$}}
func.func @columns(%a: tensor<2x2xi8>, %b: tensor<2x1xi8> {kiln.input = "9,8"}) -> tensor<2x3xi8> {
  %r = kiln.concat %a, %b {axis = 1 : i64} : (tensor<2x2xi8>, tensor<2x1xi8>) -> tensor<2x3xi8>
  return %r : tensor<2x3xi8>
}

// CHECK-LABEL: @odd:
// CHECK-NEXT: {{^}}bool[37]: 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 0 0 0 0{{$}}
func.func @odd(%a: tensor<33xi1> {kiln.input = "1"}, %b: tensor<4xi1> {kiln.input = "0"}) -> tensor<37xi1> {
  %r = kiln.concat %a, %b {axis = 0 : i64} : (tensor<33xi1>, tensor<4xi1>) -> tensor<37xi1>
  return %r : tensor<37xi1>
}

// CHECK-LABEL: @complex:
// CHECK-NEXT: {{^}}complex64[2]: 1:2 3:4{{$}}
func.func @complex(%a: tensor<1xcomplex<f32>> {kiln.input = "1:2"}, %b: tensor<1xcomplex<f32>> {kiln.input = "3:4"}) -> tensor<2xcomplex<f32>> {
  %r = kiln.concat %a, %b {axis = 0 : i64} : (tensor<1xcomplex<f32>>, tensor<1xcomplex<f32>>) -> tensor<2xcomplex<f32>>
  return %r : tensor<2xcomplex<f32>>
}

// CHECK-LABEL: @one:
// CHECK-NEXT: {{^}}float16[3]: 0 1 2{{$}}
func.func @one(%a: tensor<3xf16>) -> tensor<3xf16> {
  %r = kiln.concat %a {axis = 0 : i64} : (tensor<3xf16>) -> tensor<3xf16>
  return %r : tensor<3xf16>
}
