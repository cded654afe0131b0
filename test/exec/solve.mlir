// The x of a x = b for a square matrix a and the columns of b.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @columns:
// CHECK-NEXT: {{^}}float64[2, 3]: 1 2 3 0 0 1.5{{$}}
func.func @columns(%a: tensor<2x2xf64> {kiln.input = "2,0,1,4"}, %b: tensor<2x3xf64> {kiln.input = "2,4,6,1,2,9"}) -> tensor<2x3xf64> {
  %r = kiln.solve %a, %b : (tensor<2x2xf64>, tensor<2x3xf64>) -> tensor<2x3xf64>
  return %r : tensor<2x3xf64>
}

// CHECK-LABEL: @single:
// CHECK-NEXT: {{^}}float32[1, 1]: 0.5{{$}}
func.func @single(%a: tensor<1x1xf32> {kiln.input = "4"}, %b: tensor<1x1xf32> {kiln.input = "2"}) -> tensor<1x1xf32> {
  %r = kiln.solve %a, %b : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
  return %r : tensor<1x1xf32>
}

// CHECK-LABEL: @complex:
// CHECK-NEXT: {{^}}complex128[2, 1]: 0:-1 2:1{{$}}
func.func @complex(%a: tensor<2x2xcomplex<f64>> {kiln.input = "0:1,0:0,0:0,2:0"}, %b: tensor<2x1xcomplex<f64>> {kiln.input = "1:0,4:2"}) -> tensor<2x1xcomplex<f64>> {
  %r = kiln.solve %a, %b : (tensor<2x2xcomplex<f64>>, tensor<2x1xcomplex<f64>>) -> tensor<2x1xcomplex<f64>>
  return %r : tensor<2x1xcomplex<f64>>
}

// CHECK-LABEL: @stack:
// CHECK-NEXT: {{^}}float32[2, 1, 2]: 0.5 1 1 2{{$}}
func.func @stack(%a: tensor<2x1x1xf32> {kiln.input = "2,4"}, %b: tensor<2x1x2xf32> {kiln.input = "1,2,4,8"}) -> tensor<2x1x2xf32> {
  %r = kiln.solve %a, %b : (tensor<2x1x1xf32>, tensor<2x1x2xf32>) -> tensor<2x1x2xf32>
  return %r : tensor<2x1x2xf32>
}

// CHECK-LABEL: @empty:
// CHECK-NEXT: {{^}}float32[0, 2]:{{$}}
func.func @empty(%a: tensor<0x0xf32> {kiln.input = ""}, %b: tensor<0x2xf32> {kiln.input = ""}) -> tensor<0x2xf32> {
  %r = kiln.solve %a, %b : (tensor<0x0xf32>, tensor<0x2xf32>) -> tensor<0x2xf32>
  return %r : tensor<0x2xf32>
}
