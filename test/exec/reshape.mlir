// The same elements in row-major order under another shape.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @join:
// CHECK-NEXT: {{^}}float32[6]: 0 1 2 3 4 5{{$}}
func.func @join(%a: tensor<2x3xf32>) -> tensor<6xf32> {
  %r = kiln.reshape %a : (tensor<2x3xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @split:
// CHECK-NEXT: {{^}}int16[3, 2]: 0 1 2 3 4 5{{$}}
func.func @split(%a: tensor<6xi16>) -> tensor<3x2xi16> {
  %r = kiln.reshape %a : (tensor<6xi16>) -> tensor<3x2xi16>
  return %r : tensor<3x2xi16>
}

// CHECK-LABEL: @units:
// CHECK-NEXT: {{^}}float64[3]: 0 1 2{{$}}
func.func @units(%a: tensor<1x3x1xf64>) -> tensor<3xf64> {
  %r = kiln.reshape %a : (tensor<1x3x1xf64>) -> tensor<3xf64>
  return %r : tensor<3xf64>
}

// CHECK-LABEL: @scalar:
// CHECK-NEXT: {{^}}float32[]: 7{{$}}
func.func @scalar(%a: tensor<1x1xf32> {kiln.input = "7"}) -> tensor<f32> {
  %r = kiln.reshape %a : (tensor<1x1xf32>) -> tensor<f32>
  return %r : tensor<f32>
}

// CHECK-LABEL: @empty:
// CHECK-NEXT: {{^}}float32[3, 0]:{{$}}
func.func @empty(%a: tensor<0x3xf32> {kiln.input = ""}) -> tensor<3x0xf32> {
  %r = kiln.reshape %a : (tensor<0x3xf32>) -> tensor<3x0xf32>
  return %r : tensor<3x0xf32>
}
