// Complex numbers of their real and imaginary parts.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @float32:
// CHECK-NEXT: {{^}}complex64[11]: 0:2 -0:0.5 inf:1 -inf:-1 nan:nan 1.0005271e-42:0 -1.0005271e-42:-0 1:inf -1.5:2 0.5:-3 3.25:0.75{{$}}
func.func @float32(%a: tensor<11xf32> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}, %b: tensor<11xf32> {kiln.input = "2,0.5,1,-1,nan,0,-0.0,inf,2,-3,0.75"}) -> tensor<11xcomplex<f32>> {
  %r = kiln.complex %a, %b : (tensor<11xf32>, tensor<11xf32>) -> tensor<11xcomplex<f32>>
  return %r : tensor<11xcomplex<f32>>
}

// CHECK-LABEL: @float64:
// CHECK-NEXT: {{^}}complex128[11]: 0:2 -0:0.5 inf:1 -inf:-1 nan:nan 1e-42:0 -1e-42:-0 1:inf -1.5:2 0.5:-3 3.25:0.75{{$}}
func.func @float64(%a: tensor<11xf64> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}, %b: tensor<11xf64> {kiln.input = "2,0.5,1,-1,nan,0,-0.0,inf,2,-3,0.75"}) -> tensor<11xcomplex<f64>> {
  %r = kiln.complex %a, %b : (tensor<11xf64>, tensor<11xf64>) -> tensor<11xcomplex<f64>>
  return %r : tensor<11xcomplex<f64>>
}

// CHECK-LABEL: @float32_empty:
// CHECK-NEXT: {{^}}complex64[0]:{{$}}
func.func @float32_empty(%a: tensor<0xf32> {kiln.input = ""}, %b: tensor<0xf32> {kiln.input = ""}) -> tensor<0xcomplex<f32>> {
  %r = kiln.complex %a, %b : (tensor<0xf32>, tensor<0xf32>) -> tensor<0xcomplex<f32>>
  return %r : tensor<0xcomplex<f32>>
}

// CHECK-LABEL: @float32_one:
// CHECK-NEXT: {{^}}complex64[1]: 3.25:3.25{{$}}
func.func @float32_one(%a: tensor<1xf32> {kiln.input = "3.25"}, %b: tensor<1xf32> {kiln.input = "3.25"}) -> tensor<1xcomplex<f32>> {
  %r = kiln.complex %a, %b : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xcomplex<f32>>
  return %r : tensor<1xcomplex<f32>>
}
