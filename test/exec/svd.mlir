// Singular values in descending order, then the left singular vectors as columns and the right ones as rows, flat.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @values:
// CHECK-NEXT: {{^}}float64[2]: 4 3{{$}}
func.func @values(%a: tensor<2x2xf64> {kiln.input = "3,0,0,-4"}) -> tensor<2xf64> {
  %r = kiln.svd %a {vectors = 0 : i64} : (tensor<2x2xf64>) -> tensor<2xf64>
  return %r : tensor<2xf64>
}

// CHECK-LABEL: @tall:
// CHECK-NEXT: {{^}}float64[4]: 2 0 1 1{{$}}
func.func @tall(%a: tensor<2x1xf64> {kiln.input = "0,2"}) -> tensor<4xf64> {
  %r = kiln.svd %a {vectors = 1 : i64} : (tensor<2x1xf64>) -> tensor<4xf64>
  return %r : tensor<4xf64>
}

// CHECK-LABEL: @full:
// CHECK-NEXT: {{^}}float32[6]: 2 0 -1 1 0 1{{$}}
func.func @full(%a: tensor<2x1xf32> {kiln.input = "0,2"}) -> tensor<6xf32> {
  %r = kiln.svd %a {vectors = 2 : i64} : (tensor<2x1xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @complex:
// CHECK-NEXT: {{^}}complex128[3]: 2:0 0:1 1:0{{$}}
func.func @complex(%a: tensor<1x1xcomplex<f64>> {kiln.input = "0:2"}) -> tensor<3xcomplex<f64>> {
  %r = kiln.svd %a {vectors = 1 : i64} : (tensor<1x1xcomplex<f64>>) -> tensor<3xcomplex<f64>>
  return %r : tensor<3xcomplex<f64>>
}

// CHECK-LABEL: @none:
// CHECK-NEXT: {{^}}float32[4]: 1 0 0 1{{$}}
func.func @none(%a: tensor<2x0xf32> {kiln.input = ""}) -> tensor<4xf32> {
  %r = kiln.svd %a {vectors = 2 : i64} : (tensor<2x0xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}
