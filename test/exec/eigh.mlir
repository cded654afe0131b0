// Eigenvalues of a Hermitian matrix in ascending order, then its eigenvectors, flat, as columns.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @values:
// CHECK-NEXT: {{^}}float64[2]: 2 3{{$}}
func.func @values(%a: tensor<2x2xf64> {kiln.input = "2,9,0,3"}) -> tensor<2xf64> {
  %r = kiln.eigh %a {upper = 0 : i64, vectors = 0 : i64} : (tensor<2x2xf64>) -> tensor<2xf64>
  return %r : tensor<2xf64>
}

// CHECK-LABEL: @vectors:
// CHECK-NEXT: {{^}}float32[6]: -1 0 0 1 1 0{{$}}
func.func @vectors(%a: tensor<2x2xf32> {kiln.input = "0,0,0,-1"}) -> tensor<6xf32> {
  %r = kiln.eigh %a {upper = 1 : i64, vectors = 1 : i64} : (tensor<2x2xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @complex:
// CHECK-NEXT: {{^}}complex128[2]: 5:0 1:0{{$}}
func.func @complex(%a: tensor<1x1xcomplex<f64>> {kiln.input = "5:0"}) -> tensor<2xcomplex<f64>> {
  %r = kiln.eigh %a {upper = 0 : i64, vectors = 1 : i64} : (tensor<1x1xcomplex<f64>>) -> tensor<2xcomplex<f64>>
  return %r : tensor<2xcomplex<f64>>
}

// CHECK-LABEL: @stack:
// CHECK-NEXT: {{^}}float64[2, 1]: 7 -7{{$}}
func.func @stack(%a: tensor<2x1x1xf64> {kiln.input = "7,-7"}) -> tensor<2x1xf64> {
  %r = kiln.eigh %a {upper = 0 : i64, vectors = 0 : i64} : (tensor<2x1x1xf64>) -> tensor<2x1xf64>
  return %r : tensor<2x1xf64>
}

// CHECK-LABEL: @empty:
// CHECK-NEXT: {{^}}float32[0]:{{$}}
func.func @empty(%a: tensor<0x0xf32> {kiln.input = ""}) -> tensor<0xf32> {
  %r = kiln.eigh %a {upper = 0 : i64, vectors = 1 : i64} : (tensor<0x0xf32>) -> tensor<0xf32>
  return %r : tensor<0xf32>
}
