// Angle of the point (y, x), in [-pi, pi].
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @float32:
// CHECK-NEXT: {{^}}float32[11]: 0 -0 1.57079637 -1.57079637 nan 1.57079637 -1.57079637 0 -0.643501103 2.97644401 1.34399748{{$}}
func.func @float32(%a: tensor<11xf32> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}, %b: tensor<11xf32> {kiln.input = "2,0.5,1,-1,nan,0,-0.0,inf,2,-3,0.75"}) -> tensor<11xf32> {
  %r = kiln.atan2 %a, %b : (tensor<11xf32>, tensor<11xf32>) -> tensor<11xf32>
  return %r : tensor<11xf32>
}

// CHECK-LABEL: @float64:
// CHECK-NEXT: {{^}}float64[11]: 0 -0 1.5707963267948966 -1.5707963267948966 nan 1.5707963267948966 -1.5707963267948966 0 -0.64350110879328437 2.9764439761751662 1.3439974787410107{{$}}
func.func @float64(%a: tensor<11xf64> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}, %b: tensor<11xf64> {kiln.input = "2,0.5,1,-1,nan,0,-0.0,inf,2,-3,0.75"}) -> tensor<11xf64> {
  %r = kiln.atan2 %a, %b : (tensor<11xf64>, tensor<11xf64>) -> tensor<11xf64>
  return %r : tensor<11xf64>
}

// CHECK-LABEL: @float16:
// CHECK-NEXT: {{^}}float16[11]: 0 -0 1.5703125 -1.5703125 nan 0 -3.140625 0 -0.643554688 2.9765625 1.34375{{$}}
func.func @float16(%a: tensor<11xf16> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}, %b: tensor<11xf16> {kiln.input = "2,0.5,1,-1,nan,0,-0.0,inf,2,-3,0.75"}) -> tensor<11xf16> {
  %r = kiln.atan2 %a, %b : (tensor<11xf16>, tensor<11xf16>) -> tensor<11xf16>
  return %r : tensor<11xf16>
}

// CHECK-LABEL: @bfloat16:
// CHECK-NEXT: {{^}}bfloat16[11]: 0 -0 1.5703125 -1.5703125 nan 0 -3.140625 0 -0.64453125 2.96875 1.34375{{$}}
func.func @bfloat16(%a: tensor<11xbf16> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}, %b: tensor<11xbf16> {kiln.input = "2,0.5,1,-1,nan,0,-0.0,inf,2,-3,0.75"}) -> tensor<11xbf16> {
  %r = kiln.atan2 %a, %b : (tensor<11xbf16>, tensor<11xbf16>) -> tensor<11xbf16>
  return %r : tensor<11xbf16>
}

// CHECK-LABEL: @float32_empty:
// CHECK-NEXT: {{^}}float32[0]:{{$}}
func.func @float32_empty(%a: tensor<0xf32> {kiln.input = ""}, %b: tensor<0xf32> {kiln.input = ""}) -> tensor<0xf32> {
  %r = kiln.atan2 %a, %b : (tensor<0xf32>, tensor<0xf32>) -> tensor<0xf32>
  return %r : tensor<0xf32>
}

// CHECK-LABEL: @float32_one:
// CHECK-NEXT: {{^}}float32[1]: 0.785398185{{$}}
func.func @float32_one(%a: tensor<1xf32> {kiln.input = "3.25"}, %b: tensor<1xf32> {kiln.input = "3.25"}) -> tensor<1xf32> {
  %r = kiln.atan2 %a, %b : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  return %r : tensor<1xf32>
}
