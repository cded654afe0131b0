// `size` real numbers along an axis from the frequencies that `rfft` gives.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @even:
// CHECK-NEXT: {{^}}float64[4]: 1 2 3 4{{$}}
func.func @even(%a: tensor<3xcomplex<f64>> {kiln.input = "10:0,-2:2,-2:0"}) -> tensor<4xf64> {
  %r = kiln.irfft %a {axis = 0 : i64, size = 4 : i64, norm = 2 : i64} : (tensor<3xcomplex<f64>>) -> tensor<4xf64>
  return %r : tensor<4xf64>
}

// CHECK-LABEL: @odd:
// CHECK-NEXT: {{^}}float32[3]: 1 1 1{{$}}
func.func @odd(%a: tensor<2xcomplex<f32>> {kiln.input = "3:0,0:0"}) -> tensor<3xf32> {
  %r = kiln.irfft %a {axis = 0 : i64, size = 3 : i64, norm = 2 : i64} : (tensor<2xcomplex<f32>>) -> tensor<3xf32>
  return %r : tensor<3xf32>
}

// CHECK-LABEL: @columns:
// CHECK-NEXT: {{^}}float64[2, 2]: 1 2 3 4{{$}}
func.func @columns(%a: tensor<2x2xcomplex<f64>> {kiln.input = "4,6,-2,-2"}) -> tensor<2x2xf64> {
  %r = kiln.irfft %a {axis = 0 : i64, size = 2 : i64, norm = 2 : i64} : (tensor<2x2xcomplex<f64>>) -> tensor<2x2xf64>
  return %r : tensor<2x2xf64>
}

// CHECK-LABEL: @one:
// CHECK-NEXT: {{^}}float64[1]: 5{{$}}
func.func @one(%a: tensor<1xcomplex<f64>> {kiln.input = "5:9"}) -> tensor<1xf64> {
  %r = kiln.irfft %a {axis = 0 : i64, size = 1 : i64, norm = 0 : i64} : (tensor<1xcomplex<f64>>) -> tensor<1xf64>
  return %r : tensor<1xf64>
}
