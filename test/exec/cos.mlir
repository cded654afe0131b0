// Cosine of an angle in radians; nan for infinities.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @float32:
// CHECK-NEXT: {{^}}float32[11]: 1 1 nan nan nan 1 1 0.540302277 0.070737198 0.87758255 -0.994129717{{$}}
func.func @float32(%a: tensor<11xf32> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}) -> tensor<11xf32> {
  %r = kiln.cos %a : (tensor<11xf32>) -> tensor<11xf32>
  return %r : tensor<11xf32>
}

// CHECK-LABEL: @float64:
// CHECK-NEXT: {{^}}float64[11]: 1 1 nan nan nan 1 1 0.54030230586813977 0.070737201667702906 0.87758256189037276 -0.99412967608054625{{$}}
func.func @float64(%a: tensor<11xf64> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}) -> tensor<11xf64> {
  %r = kiln.cos %a : (tensor<11xf64>) -> tensor<11xf64>
  return %r : tensor<11xf64>
}

// CHECK-LABEL: @float16:
// CHECK-NEXT: {{^}}float16[11]: 1 1 nan nan nan 1 1 0.540527344 0.0707397461 0.877441406 -0.994140625{{$}}
func.func @float16(%a: tensor<11xf16> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}) -> tensor<11xf16> {
  %r = kiln.cos %a : (tensor<11xf16>) -> tensor<11xf16>
  return %r : tensor<11xf16>
}

// CHECK-LABEL: @bfloat16:
// CHECK-NEXT: {{^}}bfloat16[11]: 1 1 nan nan nan 1 1 0.5390625 0.0708007812 0.87890625 -0.9921875{{$}}
func.func @bfloat16(%a: tensor<11xbf16> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}) -> tensor<11xbf16> {
  %r = kiln.cos %a : (tensor<11xbf16>) -> tensor<11xbf16>
  return %r : tensor<11xbf16>
}

// CHECK-LABEL: @float32_empty:
// CHECK-NEXT: {{^}}float32[0]:{{$}}
func.func @float32_empty(%a: tensor<0xf32> {kiln.input = ""}) -> tensor<0xf32> {
  %r = kiln.cos %a : (tensor<0xf32>) -> tensor<0xf32>
  return %r : tensor<0xf32>
}

// CHECK-LABEL: @float32_one:
// CHECK-NEXT: {{^}}float32[1]: -0.994129717{{$}}
func.func @float32_one(%a: tensor<1xf32> {kiln.input = "3.25"}) -> tensor<1xf32> {
  %r = kiln.cos %a : (tensor<1xf32>) -> tensor<1xf32>
  return %r : tensor<1xf32>
}
