// The triangle whose product with its adjoint is a positive definite matrix.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @lower:
// CHECK-NEXT: {{^}}float32[2, 2]: 2 0 1 2{{$}}
func.func @lower(%a: tensor<2x2xf32> {kiln.input = "4,2,2,5"}) -> tensor<2x2xf32> {
  %r = kiln.cholesky %a {upper = 0 : i64} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  return %r : tensor<2x2xf32>
}

// CHECK-LABEL: @upper:
// CHECK-NEXT: {{^}}float64[2, 2]: 2 1 0 2{{$}}
func.func @upper(%a: tensor<2x2xf64> {kiln.input = "4,2,2,5"}) -> tensor<2x2xf64> {
  %r = kiln.cholesky %a {upper = 1 : i64} : (tensor<2x2xf64>) -> tensor<2x2xf64>
  return %r : tensor<2x2xf64>
}

// CHECK-LABEL: @complex:
// CHECK-NEXT: {{^}}complex128[2, 2]: 2:0 0:0 0:1 2:0{{$}}
func.func @complex(%a: tensor<2x2xcomplex<f64>> {kiln.input = "4:0,0:-2,0:2,5:0"}) -> tensor<2x2xcomplex<f64>> {
  %r = kiln.cholesky %a {upper = 0 : i64} : (tensor<2x2xcomplex<f64>>) -> tensor<2x2xcomplex<f64>>
  return %r : tensor<2x2xcomplex<f64>>
}

// CHECK-LABEL: @stack:
// CHECK-NEXT: {{^}}float64[2, 1, 1]: 2 3{{$}}
func.func @stack(%a: tensor<2x1x1xf64> {kiln.input = "4,9"}) -> tensor<2x1x1xf64> {
  %r = kiln.cholesky %a {upper = 0 : i64} : (tensor<2x1x1xf64>) -> tensor<2x1x1xf64>
  return %r : tensor<2x1x1xf64>
}

// CHECK-LABEL: @empty:
// CHECK-NEXT: {{^}}float32[0, 0]:{{$}}
func.func @empty(%a: tensor<0x0xf32> {kiln.input = ""}) -> tensor<0x0xf32> {
  %r = kiln.cholesky %a {upper = 0 : i64} : (tensor<0x0xf32>) -> tensor<0x0xf32>
  return %r : tensor<0x0xf32>
}
