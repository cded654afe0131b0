// Sums of products of the weights with the window around each position, channels last.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @line:
// CHECK-NEXT: {{^}}float32[1, 3, 1]: -1 -0.5 0{{$}}
func.func @line(%a: tensor<1x5x1xf32> {kiln.input = "1,2,3,4,5"}, %b: tensor<3x1x1xf32> {kiln.input = "1,0.5,-1"}) -> tensor<1x3x1xf32> {
  %r = kiln.convolution %a, %b {strides = array<i64: 1>, low = array<i64: 0>, high = array<i64: 0>, dilation = array<i64: 1>, groups = 1 : i64} : (tensor<1x5x1xf32>, tensor<3x1x1xf32>) -> tensor<1x3x1xf32>
  return %r : tensor<1x3x1xf32>
}

// CHECK-LABEL: @padded:
// CHECK-NEXT: {{^}}float32[1, 4, 3]: 78 84 90 165 180 195 255 282 309 114 136 158{{$}}
func.func @padded(%a: tensor<1x4x2xf32>, %b: tensor<3x2x3xf32>) -> tensor<1x4x3xf32> {
  %r = kiln.convolution %a, %b {strides = array<i64: 1>, low = array<i64: 1>, high = array<i64: 1>, dilation = array<i64: 1>, groups = 1 : i64} : (tensor<1x4x2xf32>, tensor<3x2x3xf32>) -> tensor<1x4x3xf32>
  return %r : tensor<1x4x3xf32>
}

// CHECK-LABEL: @strided:
// CHECK-NEXT: {{^}}float64[2, 3, 1]: 20 42 64 97 119 141{{$}}
func.func @strided(%a: tensor<2x7x1xf64>, %b: tensor<2x1x1xf64> {kiln.input = "1,10"}) -> tensor<2x3x1xf64> {
  %r = kiln.convolution %a, %b {strides = array<i64: 2>, low = array<i64: 0>, high = array<i64: 0>, dilation = array<i64: 2>, groups = 1 : i64} : (tensor<2x7x1xf64>, tensor<2x1x1xf64>) -> tensor<2x3x1xf64>
  return %r : tensor<2x3x1xf64>
}

// CHECK-LABEL: @plane:
// CHECK-NEXT: {{^}}float32[1, 3, 2, 2]: 6 7 8 10 38 46 20 27 74 94 32 45{{$}}
func.func @plane(%a: tensor<1x3x3x1xf32>, %b: tensor<2x2x1x2xf32>) -> tensor<1x3x2x2xf32> {
  %r = kiln.convolution %a, %b {strides = array<i64: 1, 2>, low = array<i64: 1, 0>, high = array<i64: 0, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : (tensor<1x3x3x1xf32>, tensor<2x2x1x2xf32>) -> tensor<1x3x2x2xf32>
  return %r : tensor<1x3x2x2xf32>
}

// CHECK-LABEL: @groups:
// CHECK-NEXT: {{^}}float32[1, 2, 4]: 4 5 22 27 20 29 54 67{{$}}
func.func @groups(%a: tensor<1x2x4xf32>, %b: tensor<1x2x4xf32>) -> tensor<1x2x4xf32> {
  %r = kiln.convolution %a, %b {strides = array<i64: 1>, low = array<i64: 0>, high = array<i64: 0>, dilation = array<i64: 1>, groups = 2 : i64} : (tensor<1x2x4xf32>, tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  return %r : tensor<1x2x4xf32>
}

// CHECK-LABEL: @nans:
// CHECK-NEXT: {{^}}float32[1, 3, 1]: nan nan nan{{$}}
func.func @nans(%a: tensor<1x2x1xf32> {kiln.input = "nan,1"}, %b: tensor<2x1x1xf32> {kiln.input = "1,inf"}) -> tensor<1x3x1xf32> {
  %r = kiln.convolution %a, %b {strides = array<i64: 1>, low = array<i64: 1>, high = array<i64: 1>, dilation = array<i64: 1>, groups = 1 : i64} : (tensor<1x2x1xf32>, tensor<2x1x1xf32>) -> tensor<1x3x1xf32>
  return %r : tensor<1x3x1xf32>
}

// CHECK-LABEL: @nothing:
// CHECK-NEXT: {{^}}float32[1, 0, 1]:{{$}}
func.func @nothing(%a: tensor<1x1x1xf32> {kiln.input = "1"}, %b: tensor<3x1x1xf32> {kiln.input = "1,2,3"}) -> tensor<1x0x1xf32> {
  %r = kiln.convolution %a, %b {strides = array<i64: 1>, low = array<i64: 0>, high = array<i64: 0>, dilation = array<i64: 1>, groups = 1 : i64} : (tensor<1x1x1xf32>, tensor<3x1x1xf32>) -> tensor<1x0x1xf32>
  return %r : tensor<1x0x1xf32>
}
