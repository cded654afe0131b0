// The factors of a square matrix with rows exchanged, flat, then the row exchanged with each, counted from 0.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @factors:
// CHECK-NEXT: {{^}}float64[6]: 2 4 0.5 1 1 1{{$}}
func.func @factors(%a: tensor<2x2xf64> {kiln.input = "1,3,2,4"}) -> tensor<6xf64> {
  %r = kiln.lu %a : (tensor<2x2xf64>) -> tensor<6xf64>
  return %r : tensor<6xf64>
}

// CHECK-LABEL: @singular:
// CHECK-NEXT: {{^}}float32[6]: 2 4 0.5 0 1 1{{$}}
func.func @singular(%a: tensor<2x2xf32> {kiln.input = "1,2,2,4"}) -> tensor<6xf32> {
  %r = kiln.lu %a : (tensor<2x2xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @complex:
// CHECK-NEXT: {{^}}complex64[6]: 2:0 0:0 0:0.5 1:0 1:0 1:0{{$}}
func.func @complex(%a: tensor<2x2xcomplex<f32>> {kiln.input = "0:1,1:0,2:0,0:0"}) -> tensor<6xcomplex<f32>> {
  %r = kiln.lu %a : (tensor<2x2xcomplex<f32>>) -> tensor<6xcomplex<f32>>
  return %r : tensor<6xcomplex<f32>>
}

// CHECK-LABEL: @stack:
// CHECK-NEXT: {{^}}float64[2, 2]: -4 0 0 0{{$}}
func.func @stack(%a: tensor<2x1x1xf64> {kiln.input = "-4,0"}) -> tensor<2x2xf64> {
  %r = kiln.lu %a : (tensor<2x1x1xf64>) -> tensor<2x2xf64>
  return %r : tensor<2x2xf64>
}

// CHECK-LABEL: @empty:
// CHECK-NEXT: {{^}}float32[0]:{{$}}
func.func @empty(%a: tensor<0x0xf32> {kiln.input = ""}) -> tensor<0xf32> {
  %r = kiln.lu %a : (tensor<0x0xf32>) -> tensor<0xf32>
  return %r : tensor<0xf32>
}
