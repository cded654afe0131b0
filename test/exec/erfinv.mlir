// Inverse of the error function; infinite at -1 and 1, nan beyond.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @float32:
// CHECK-NEXT: {{^}}float32[11]: 0 -0 nan nan nan 8.87021928e-43 -8.87021928e-43 inf nan 0.476936281 nan{{$}}
func.func @float32(%a: tensor<11xf32> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}) -> tensor<11xf32> {
  %r = kiln.erfinv %a : (tensor<11xf32>) -> tensor<11xf32>
  return %r : tensor<11xf32>
}

// CHECK-LABEL: @float64:
// CHECK-NEXT: {{^}}float64[11]: 0 -0 nan nan nan 8.8622692545275803e-43 -8.8622692545275803e-43 inf nan 0.47693627620446988 nan{{$}}
func.func @float64(%a: tensor<11xf64> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}) -> tensor<11xf64> {
  %r = kiln.erfinv %a : (tensor<11xf64>) -> tensor<11xf64>
  return %r : tensor<11xf64>
}

// CHECK-LABEL: @float16:
// CHECK-NEXT: {{^}}float16[11]: 0 -0 nan nan nan 0 -0 inf nan 0.477050781 nan{{$}}
func.func @float16(%a: tensor<11xf16> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}) -> tensor<11xf16> {
  %r = kiln.erfinv %a : (tensor<11xf16>) -> tensor<11xf16>
  return %r : tensor<11xf16>
}

// CHECK-LABEL: @bfloat16:
// CHECK-NEXT: {{^}}bfloat16[11]: 0 -0 nan nan nan 0 -0 inf nan 0.4765625 nan{{$}}
func.func @bfloat16(%a: tensor<11xbf16> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}) -> tensor<11xbf16> {
  %r = kiln.erfinv %a : (tensor<11xbf16>) -> tensor<11xbf16>
  return %r : tensor<11xbf16>
}

// CHECK-LABEL: @float32_empty:
// CHECK-NEXT: {{^}}float32[0]:{{$}}
func.func @float32_empty(%a: tensor<0xf32> {kiln.input = ""}) -> tensor<0xf32> {
  %r = kiln.erfinv %a : (tensor<0xf32>) -> tensor<0xf32>
  return %r : tensor<0xf32>
}

// CHECK-LABEL: @float32_one:
// CHECK-NEXT: {{^}}float32[1]: nan{{$}}
func.func @float32_one(%a: tensor<1xf32> {kiln.input = "3.25"}) -> tensor<1xf32> {
  %r = kiln.erfinv %a : (tensor<1xf32>) -> tensor<1xf32>
  return %r : tensor<1xf32>
}
