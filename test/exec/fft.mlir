// Discrete Fourier transform of complex numbers over axes; `inverse` with the sign of the exponent changed.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @line:
// CHECK-NEXT: {{^}}complex128[4]: 6:1 0:3 0:-1 -2:-3{{$}}
func.func @line(%a: tensor<4xcomplex<f64>> {kiln.input = "1,0:1,2,3"}) -> tensor<4xcomplex<f64>> {
  %r = kiln.fft %a {axes = array<i64: 0>, inverse = 0 : i64, norm = 0 : i64} : (tensor<4xcomplex<f64>>) -> tensor<4xcomplex<f64>>
  return %r : tensor<4xcomplex<f64>>
}

// CHECK-LABEL: @back:
// CHECK-NEXT: {{^}}complex64[2, 2]: 1.5:0 -0.5:0 3.5:0 -0.5:0{{$}}
func.func @back(%a: tensor<2x2xcomplex<f32>> {kiln.input = "1,2,3,4"}) -> tensor<2x2xcomplex<f32>> {
  %r = kiln.fft %a {axes = array<i64: 1>, inverse = 1 : i64, norm = 2 : i64} : (tensor<2x2xcomplex<f32>>) -> tensor<2x2xcomplex<f32>>
  return %r : tensor<2x2xcomplex<f32>>
}

// CHECK-LABEL: @plane:
// CHECK-NEXT: {{^}}complex128[2, 2]: 5:0 -1:0 -2:0 0:0{{$}}
func.func @plane(%a: tensor<2x2xcomplex<f64>> {kiln.input = "1,2,3,4"}) -> tensor<2x2xcomplex<f64>> {
  %r = kiln.fft %a {axes = array<i64: 0, 1>, inverse = 0 : i64, norm = 1 : i64} : (tensor<2x2xcomplex<f64>>) -> tensor<2x2xcomplex<f64>>
  return %r : tensor<2x2xcomplex<f64>>
}

// CHECK-LABEL: @one:
// CHECK-NEXT: {{^}}complex128[1]: 5:6{{$}}
func.func @one(%a: tensor<1xcomplex<f64>> {kiln.input = "5:6"}) -> tensor<1xcomplex<f64>> {
  %r = kiln.fft %a {axes = array<i64: 0>, inverse = 0 : i64, norm = 0 : i64} : (tensor<1xcomplex<f64>>) -> tensor<1xcomplex<f64>>
  return %r : tensor<1xcomplex<f64>>
}

// CHECK-LABEL: @nothing:
// CHECK-NEXT: {{^}}complex64[0, 2]:{{$}}
func.func @nothing(%a: tensor<0x2xcomplex<f32>> {kiln.input = ""}) -> tensor<0x2xcomplex<f32>> {
  %r = kiln.fft %a {axes = array<i64: 1>, inverse = 0 : i64, norm = 0 : i64} : (tensor<0x2xcomplex<f32>>) -> tensor<0x2xcomplex<f32>>
  return %r : tensor<0x2xcomplex<f32>>
}
