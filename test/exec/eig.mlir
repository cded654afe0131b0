// Complex eigenvalues of a square matrix, then its eigenvectors, flat, as columns.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @pair:
// CHECK-NEXT: {{^}}complex128[2]: 0:1 0:-1{{$}}
func.func @pair(%a: tensor<2x2xf64> {kiln.input = "0,1,-1,0"}) -> tensor<2xcomplex<f64>> {
  %r = kiln.eig %a {vectors = 0 : i64} : (tensor<2x2xf64>) -> tensor<2xcomplex<f64>>
  return %r : tensor<2xcomplex<f64>>
}

// CHECK-LABEL: @vectors:
// CHECK-NEXT: {{^}}complex64[6]: 2:0 3:0 1:0 0:0 0:0 1:0{{$}}
func.func @vectors(%a: tensor<2x2xf32> {kiln.input = "2,0,0,3"}) -> tensor<6xcomplex<f32>> {
  %r = kiln.eig %a {vectors = 1 : i64} : (tensor<2x2xf32>) -> tensor<6xcomplex<f32>>
  return %r : tensor<6xcomplex<f32>>
}

// CHECK-LABEL: @complex:
// CHECK-NEXT: {{^}}complex128[2]: 1:-2 1:0{{$}}
func.func @complex(%a: tensor<1x1xcomplex<f64>> {kiln.input = "1:-2"}) -> tensor<2xcomplex<f64>> {
  %r = kiln.eig %a {vectors = 1 : i64} : (tensor<1x1xcomplex<f64>>) -> tensor<2xcomplex<f64>>
  return %r : tensor<2xcomplex<f64>>
}

// CHECK-LABEL: @empty:
// CHECK-NEXT: {{^}}complex64[0]:{{$}}
func.func @empty(%a: tensor<0x0xf32> {kiln.input = ""}) -> tensor<0xcomplex<f32>> {
  %r = kiln.eig %a {vectors = 1 : i64} : (tensor<0x0xf32>) -> tensor<0xcomplex<f32>>
  return %r : tensor<0xcomplex<f32>>
}
