// A matrix with orthonormal columns, flat, then the upper triangle that it is multiplied with.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @tall:
// CHECK-NEXT: {{^}}float64[10]: 0 0 -0 1 1 0 -4 0 0 3{{$}}
func.func @tall(%a: tensor<3x2xf64> {kiln.input = "0,0,0,3,-4,0"}) -> tensor<10xf64> {
  %r = kiln.qr %a {complete = 0 : i64} : (tensor<3x2xf64>) -> tensor<10xf64>
  return %r : tensor<10xf64>
}

// CHECK-LABEL: @complete:
// CHECK-NEXT: {{^}}float64[6]: 0 -1 -1 0 -4 0{{$}}
func.func @complete(%a: tensor<2x1xf64> {kiln.input = "0,4"}) -> tensor<6xf64> {
  %r = kiln.qr %a {complete = 1 : i64} : (tensor<2x1xf64>) -> tensor<6xf64>
  return %r : tensor<6xf64>
}

// CHECK-LABEL: @wide:
// CHECK-NEXT: {{^}}float32[3]: 1 -2 5{{$}}
func.func @wide(%a: tensor<1x2xf32> {kiln.input = "-2,5"}) -> tensor<3xf32> {
  %r = kiln.qr %a {complete = 0 : i64} : (tensor<1x2xf32>) -> tensor<3xf32>
  return %r : tensor<3xf32>
}

// CHECK-LABEL: @complex:
// CHECK-NEXT: {{^}}complex64[2]: 0:-1 -2:0{{$}}
func.func @complex(%a: tensor<1x1xcomplex<f32>> {kiln.input = "0:2"}) -> tensor<2xcomplex<f32>> {
  %r = kiln.qr %a {complete = 0 : i64} : (tensor<1x1xcomplex<f32>>) -> tensor<2xcomplex<f32>>
  return %r : tensor<2xcomplex<f32>>
}

// CHECK-LABEL: @empty:
// CHECK-NEXT: {{^}}float32[0]:{{$}}
func.func @empty(%a: tensor<2x0xf32> {kiln.input = ""}) -> tensor<0xf32> {
  %r = kiln.qr %a {complete = 0 : i64} : (tensor<2x0xf32>) -> tensor<0xf32>
  return %r : tensor<0xf32>
}
