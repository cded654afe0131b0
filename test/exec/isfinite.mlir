// True where an element is neither nan nor an infinity.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @float32:
// CHECK-NEXT: {{^}}bool[11]: 1 1 0 0 0 1 1 1 1 1 1{{$}}
func.func @float32(%a: tensor<11xf32> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}) -> tensor<11xi1> {
  %r = kiln.isfinite %a : (tensor<11xf32>) -> tensor<11xi1>
  return %r : tensor<11xi1>
}

// CHECK-LABEL: @float64:
// CHECK-NEXT: {{^}}bool[11]: 1 1 0 0 0 1 1 1 1 1 1{{$}}
func.func @float64(%a: tensor<11xf64> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}) -> tensor<11xi1> {
  %r = kiln.isfinite %a : (tensor<11xf64>) -> tensor<11xi1>
  return %r : tensor<11xi1>
}

// CHECK-LABEL: @float16:
// CHECK-NEXT: {{^}}bool[11]: 1 1 0 0 0 1 1 1 1 1 1{{$}}
func.func @float16(%a: tensor<11xf16> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}) -> tensor<11xi1> {
  %r = kiln.isfinite %a : (tensor<11xf16>) -> tensor<11xi1>
  return %r : tensor<11xi1>
}

// CHECK-LABEL: @bfloat16:
// CHECK-NEXT: {{^}}bool[11]: 1 1 0 0 0 1 1 1 1 1 1{{$}}
func.func @bfloat16(%a: tensor<11xbf16> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}) -> tensor<11xi1> {
  %r = kiln.isfinite %a : (tensor<11xbf16>) -> tensor<11xi1>
  return %r : tensor<11xi1>
}

// CHECK-LABEL: @float32_empty:
// CHECK-NEXT: {{^}}bool[0]:{{$}}
func.func @float32_empty(%a: tensor<0xf32> {kiln.input = ""}) -> tensor<0xi1> {
  %r = kiln.isfinite %a : (tensor<0xf32>) -> tensor<0xi1>
  return %r : tensor<0xi1>
}

// CHECK-LABEL: @float32_one:
// CHECK-NEXT: {{^}}bool[1]: 1{{$}}
func.func @float32_one(%a: tensor<1xf32> {kiln.input = "3.25"}) -> tensor<1xi1> {
  %r = kiln.isfinite %a : (tensor<1xf32>) -> tensor<1xi1>
  return %r : tensor<1xi1>
}
