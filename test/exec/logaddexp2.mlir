// Logarithm to base 2 of the sum of 2 to the power of each of two elements.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @float32:
// CHECK-NEXT: {{^}}float32[11]: 2.32192802 1.27155328 inf -1 nan 1 1 inf 2.12219334 0.622193396 3.48484063{{$}}
func.func @float32(%a: tensor<11xf32> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}, %b: tensor<11xf32> {kiln.input = "2,0.5,1,-1,nan,0,-0.0,inf,2,-3,0.75"}) -> tensor<11xf32> {
  %r = kiln.logaddexp2 %a, %b : (tensor<11xf32>, tensor<11xf32>) -> tensor<11xf32>
  return %r : tensor<11xf32>
}

// CHECK-LABEL: @float64:
// CHECK-NEXT: {{^}}float64[11]: 2.3219280948873622 1.2715533031636119 inf -1 nan 1 1 inf 2.1221934162022742 0.62219341620227442 3.4848405810792018{{$}}
func.func @float64(%a: tensor<11xf64> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}, %b: tensor<11xf64> {kiln.input = "2,0.5,1,-1,nan,0,-0.0,inf,2,-3,0.75"}) -> tensor<11xf64> {
  %r = kiln.logaddexp2 %a, %b : (tensor<11xf64>, tensor<11xf64>) -> tensor<11xf64>
  return %r : tensor<11xf64>
}

// CHECK-LABEL: @float16:
// CHECK-NEXT: {{^}}float16[11]: 2.32226562 1.27148438 inf -1 nan 1 1 inf 2.12304688 0.622070312 3.484375{{$}}
func.func @float16(%a: tensor<11xf16> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}, %b: tensor<11xf16> {kiln.input = "2,0.5,1,-1,nan,0,-0.0,inf,2,-3,0.75"}) -> tensor<11xf16> {
  %r = kiln.logaddexp2 %a, %b : (tensor<11xf16>, tensor<11xf16>) -> tensor<11xf16>
  return %r : tensor<11xf16>
}

// CHECK-LABEL: @bfloat16:
// CHECK-NEXT: {{^}}bfloat16[11]: 2.328125 1.2734375 inf -1 nan 1 1 inf 2.125 0.62109375 3.484375{{$}}
func.func @bfloat16(%a: tensor<11xbf16> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}, %b: tensor<11xbf16> {kiln.input = "2,0.5,1,-1,nan,0,-0.0,inf,2,-3,0.75"}) -> tensor<11xbf16> {
  %r = kiln.logaddexp2 %a, %b : (tensor<11xbf16>, tensor<11xbf16>) -> tensor<11xbf16>
  return %r : tensor<11xbf16>
}

// CHECK-LABEL: @float32_empty:
// CHECK-NEXT: {{^}}float32[0]:{{$}}
func.func @float32_empty(%a: tensor<0xf32> {kiln.input = ""}, %b: tensor<0xf32> {kiln.input = ""}) -> tensor<0xf32> {
  %r = kiln.logaddexp2 %a, %b : (tensor<0xf32>, tensor<0xf32>) -> tensor<0xf32>
  return %r : tensor<0xf32>
}

// CHECK-LABEL: @float32_one:
// CHECK-NEXT: {{^}}float32[1]: 4.25{{$}}
func.func @float32_one(%a: tensor<1xf32> {kiln.input = "3.25"}, %b: tensor<1xf32> {kiln.input = "3.25"}) -> tensor<1xf32> {
  %r = kiln.logaddexp2 %a, %b : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  return %r : tensor<1xf32>
}
