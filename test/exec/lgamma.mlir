// Logarithm of the size of the gamma function; inf at 0 and the negative integers.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @float32:
// CHECK-NEXT: {{^}}float32[11]: inf inf inf inf nan 96.708046 96.708046 0 0.860047042 0.572364926 0.935801923{{$}}
func.func @float32(%a: tensor<11xf32> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}) -> tensor<11xf32> {
  %r = kiln.lgamma %a : (tensor<11xf32>) -> tensor<11xf32>
  return %r : tensor<11xf32>
}

// CHECK-LABEL: @float64:
// CHECK-NEXT: {{^}}float64[11]: inf inf inf inf nan 96.708573905749915 96.708573905749915 0 0.86004701537648098 0.57236494292470008 0.93580193110872534{{$}}
func.func @float64(%a: tensor<11xf64> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}) -> tensor<11xf64> {
  %r = kiln.lgamma %a : (tensor<11xf64>) -> tensor<11xf64>
  return %r : tensor<11xf64>
}

// CHECK-LABEL: @float16:
// CHECK-NEXT: {{^}}float16[11]: inf inf inf inf nan inf inf 0 0.859863281 0.572265625 0.936035156{{$}}
func.func @float16(%a: tensor<11xf16> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}) -> tensor<11xf16> {
  %r = kiln.lgamma %a : (tensor<11xf16>) -> tensor<11xf16>
  return %r : tensor<11xf16>
}

// CHECK-LABEL: @bfloat16:
// CHECK-NEXT: {{^}}bfloat16[11]: inf inf inf inf nan inf inf 0 0.859375 0.57421875 0.9375{{$}}
func.func @bfloat16(%a: tensor<11xbf16> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}) -> tensor<11xbf16> {
  %r = kiln.lgamma %a : (tensor<11xbf16>) -> tensor<11xbf16>
  return %r : tensor<11xbf16>
}

// CHECK-LABEL: @float32_empty:
// CHECK-NEXT: {{^}}float32[0]:{{$}}
func.func @float32_empty(%a: tensor<0xf32> {kiln.input = ""}) -> tensor<0xf32> {
  %r = kiln.lgamma %a : (tensor<0xf32>) -> tensor<0xf32>
  return %r : tensor<0xf32>
}

// CHECK-LABEL: @float32_one:
// CHECK-NEXT: {{^}}float32[1]: 0.935801923{{$}}
func.func @float32_one(%a: tensor<1xf32> {kiln.input = "3.25"}) -> tensor<1xf32> {
  %r = kiln.lgamma %a : (tensor<1xf32>) -> tensor<1xf32>
  return %r : tensor<1xf32>
}
