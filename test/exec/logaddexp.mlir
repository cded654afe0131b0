// Logarithm of the sum of the exponentials of two elements.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @float32:
// CHECK-NEXT: {{^}}float32[11]: 2.12692809 0.974076986 inf -1 nan 0.693147182 0.693147182 inf 2.02975035 0.529750407 3.32888985{{$}}
func.func @float32(%a: tensor<11xf32> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}, %b: tensor<11xf32> {kiln.input = "2,0.5,1,-1,nan,0,-0.0,inf,2,-3,0.75"}) -> tensor<11xf32> {
  %r = kiln.logaddexp %a, %b : (tensor<11xf32>, tensor<11xf32>) -> tensor<11xf32>
  return %r : tensor<11xf32>
}

// CHECK-LABEL: @float64:
// CHECK-NEXT: {{^}}float64[11]: 2.1269280110429727 0.97407698418010669 inf -1 nan 0.69314718055994529 0.69314718055994529 inf 2.0297504182726205 0.52975041827262059 3.3288897342925496{{$}}
func.func @float64(%a: tensor<11xf64> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}, %b: tensor<11xf64> {kiln.input = "2,0.5,1,-1,nan,0,-0.0,inf,2,-3,0.75"}) -> tensor<11xf64> {
  %r = kiln.logaddexp %a, %b : (tensor<11xf64>, tensor<11xf64>) -> tensor<11xf64>
  return %r : tensor<11xf64>
}

// CHECK-LABEL: @float16:
// CHECK-NEXT: {{^}}float16[11]: 2.12695312 0.974121094 inf -1 nan 0.693359375 0.693359375 inf 2.02929688 0.529785156 3.328125{{$}}
func.func @float16(%a: tensor<11xf16> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}, %b: tensor<11xf16> {kiln.input = "2,0.5,1,-1,nan,0,-0.0,inf,2,-3,0.75"}) -> tensor<11xf16> {
  %r = kiln.logaddexp %a, %b : (tensor<11xf16>, tensor<11xf16>) -> tensor<11xf16>
  return %r : tensor<11xf16>
}

// CHECK-LABEL: @bfloat16:
// CHECK-NEXT: {{^}}bfloat16[11]: 2.125 0.97265625 inf -1 nan 0.69140625 0.69140625 inf 2.03125 0.53125 3.328125{{$}}
func.func @bfloat16(%a: tensor<11xbf16> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}, %b: tensor<11xbf16> {kiln.input = "2,0.5,1,-1,nan,0,-0.0,inf,2,-3,0.75"}) -> tensor<11xbf16> {
  %r = kiln.logaddexp %a, %b : (tensor<11xbf16>, tensor<11xbf16>) -> tensor<11xbf16>
  return %r : tensor<11xbf16>
}

// CHECK-LABEL: @float32_empty:
// CHECK-NEXT: {{^}}float32[0]:{{$}}
func.func @float32_empty(%a: tensor<0xf32> {kiln.input = ""}, %b: tensor<0xf32> {kiln.input = ""}) -> tensor<0xf32> {
  %r = kiln.logaddexp %a, %b : (tensor<0xf32>, tensor<0xf32>) -> tensor<0xf32>
  return %r : tensor<0xf32>
}

// CHECK-LABEL: @float32_one:
// CHECK-NEXT: {{^}}float32[1]: 3.94314718{{$}}
func.func @float32_one(%a: tensor<1xf32> {kiln.input = "3.25"}, %b: tensor<1xf32> {kiln.input = "3.25"}) -> tensor<1xf32> {
  %r = kiln.logaddexp %a, %b : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  return %r : tensor<1xf32>
}
