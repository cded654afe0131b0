// Discrete Fourier transform of real numbers along an axis: the frequencies from 0 to one half.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @even:
// CHECK-NEXT: {{^}}complex128[3]: 10:0 -2:2 -2:0{{$}}
func.func @even(%a: tensor<4xf64> {kiln.input = "1,2,3,4"}) -> tensor<3xcomplex<f64>> {
  %r = kiln.rfft %a {axis = 0 : i64, norm = 0 : i64} : (tensor<4xf64>) -> tensor<3xcomplex<f64>>
  return %r : tensor<3xcomplex<f64>>
}

// CHECK-LABEL: @odd:
// CHECK-NEXT: {{^}}complex64[2, 2]: 1:0 0:0 3:0 0:0{{$}}
func.func @odd(%a: tensor<2x3xf32> {kiln.input = "1,1,1,3,3,3"}) -> tensor<2x2xcomplex<f32>> {
  %r = kiln.rfft %a {axis = 1 : i64, norm = 2 : i64} : (tensor<2x3xf32>) -> tensor<2x2xcomplex<f32>>
  return %r : tensor<2x2xcomplex<f32>>
}

// CHECK-LABEL: @columns:
// CHECK-NEXT: {{^}}complex128[2, 2]: 4:0 6:0 -2:0 -2:0{{$}}
func.func @columns(%a: tensor<2x2xf64> {kiln.input = "1,2,3,4"}) -> tensor<2x2xcomplex<f64>> {
  %r = kiln.rfft %a {axis = 0 : i64, norm = 0 : i64} : (tensor<2x2xf64>) -> tensor<2x2xcomplex<f64>>
  return %r : tensor<2x2xcomplex<f64>>
}

// CHECK-LABEL: @one:
// CHECK-NEXT: {{^}}complex128[1]: 5:0{{$}}
func.func @one(%a: tensor<1xf64> {kiln.input = "5"}) -> tensor<1xcomplex<f64>> {
  %r = kiln.rfft %a {axis = 0 : i64, norm = 1 : i64} : (tensor<1xf64>) -> tensor<1xcomplex<f64>>
  return %r : tensor<1xcomplex<f64>>
}
