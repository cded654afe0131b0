// Angle whose cosine an element is; nan outside [-1, 1].
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @float32:
// CHECK-NEXT: {{^}}float32[11]: 1.57079637 1.57079637 nan nan nan 1.57079637 1.57079637 0 nan 1.04719758 nan{{$}}
func.func @float32(%a: tensor<11xf32> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}) -> tensor<11xf32> {
  %r = kiln.acos %a : (tensor<11xf32>) -> tensor<11xf32>
  return %r : tensor<11xf32>
}

// CHECK-LABEL: @float64:
// CHECK-NEXT: {{^}}float64[11]: 1.5707963267948966 1.5707963267948966 nan nan nan 1.5707963267948966 1.5707963267948966 0 nan 1.0471975511965979 nan{{$}}
func.func @float64(%a: tensor<11xf64> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}) -> tensor<11xf64> {
  %r = kiln.acos %a : (tensor<11xf64>) -> tensor<11xf64>
  return %r : tensor<11xf64>
}

// CHECK-LABEL: @float16:
// CHECK-NEXT: {{^}}float16[11]: 1.5703125 1.5703125 nan nan nan 1.5703125 1.5703125 0 nan 1.046875 nan{{$}}
func.func @float16(%a: tensor<11xf16> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}) -> tensor<11xf16> {
  %r = kiln.acos %a : (tensor<11xf16>) -> tensor<11xf16>
  return %r : tensor<11xf16>
}

// CHECK-LABEL: @bfloat16:
// CHECK-NEXT: {{^}}bfloat16[11]: 1.5703125 1.5703125 nan nan nan 1.5703125 1.5703125 0 nan 1.046875 nan{{$}}
func.func @bfloat16(%a: tensor<11xbf16> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}) -> tensor<11xbf16> {
  %r = kiln.acos %a : (tensor<11xbf16>) -> tensor<11xbf16>
  return %r : tensor<11xbf16>
}

// CHECK-LABEL: @float32_empty:
// CHECK-NEXT: {{^}}float32[0]:{{$}}
func.func @float32_empty(%a: tensor<0xf32> {kiln.input = ""}) -> tensor<0xf32> {
  %r = kiln.acos %a : (tensor<0xf32>) -> tensor<0xf32>
  return %r : tensor<0xf32>
}

// CHECK-LABEL: @float32_one:
// CHECK-NEXT: {{^}}float32[1]: nan{{$}}
func.func @float32_one(%a: tensor<1xf32> {kiln.input = "3.25"}) -> tensor<1xf32> {
  %r = kiln.acos %a : (tensor<1xf32>) -> tensor<1xf32>
  return %r : tensor<1xf32>
}
