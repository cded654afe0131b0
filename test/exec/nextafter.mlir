// The number next to the first element in the direction of the second.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @float32:
// CHECK-NEXT: {{^}}float32[11]: 1.40129846e-45 1.40129846e-45 3.40282347e+38 -3.40282347e+38 nan 9.99125805e-43 -9.99125805e-43 1.00000012 -1.49999988 0.49999997 3.24999976{{$}}
func.func @float32(%a: tensor<11xf32> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}, %b: tensor<11xf32> {kiln.input = "2,0.5,1,-1,nan,0,-0.0,inf,2,-3,0.75"}) -> tensor<11xf32> {
  %r = kiln.nextafter %a, %b : (tensor<11xf32>, tensor<11xf32>) -> tensor<11xf32>
  return %r : tensor<11xf32>
}

// CHECK-LABEL: @float64:
// CHECK-NEXT: {{^}}float64[11]: 4.9406564584124654e-324 4.9406564584124654e-324 1.7976931348623157e+308 -1.7976931348623157e+308 nan 9.9999999999999988e-43 -9.9999999999999988e-43 1.0000000000000002 -1.4999999999999998 0.49999999999999994 3.2499999999999996{{$}}
func.func @float64(%a: tensor<11xf64> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}, %b: tensor<11xf64> {kiln.input = "2,0.5,1,-1,nan,0,-0.0,inf,2,-3,0.75"}) -> tensor<11xf64> {
  %r = kiln.nextafter %a, %b : (tensor<11xf64>, tensor<11xf64>) -> tensor<11xf64>
  return %r : tensor<11xf64>
}

// CHECK-LABEL: @float16:
// CHECK-NEXT: {{^}}float16[11]: 5.96046448e-08 5.96046448e-08 65504 -65504 nan 0 -0 1.00097656 -1.49902344 0.499755859 3.24804688{{$}}
func.func @float16(%a: tensor<11xf16> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}, %b: tensor<11xf16> {kiln.input = "2,0.5,1,-1,nan,0,-0.0,inf,2,-3,0.75"}) -> tensor<11xf16> {
  %r = kiln.nextafter %a, %b : (tensor<11xf16>, tensor<11xf16>) -> tensor<11xf16>
  return %r : tensor<11xf16>
}

// CHECK-LABEL: @bfloat16:
// CHECK-NEXT: {{^}}bfloat16[11]: 9.18354962e-41 9.18354962e-41 3.38953139e+38 -3.38953139e+38 nan 0 -0 1.0078125 -1.4921875 0.498046875 3.234375{{$}}
func.func @bfloat16(%a: tensor<11xbf16> {kiln.input = "0,-0.0,inf,-inf,nan,1e-42,-1e-42,1,-1.5,0.5,3.25"}, %b: tensor<11xbf16> {kiln.input = "2,0.5,1,-1,nan,0,-0.0,inf,2,-3,0.75"}) -> tensor<11xbf16> {
  %r = kiln.nextafter %a, %b : (tensor<11xbf16>, tensor<11xbf16>) -> tensor<11xbf16>
  return %r : tensor<11xbf16>
}

// CHECK-LABEL: @float32_empty:
// CHECK-NEXT: {{^}}float32[0]:{{$}}
func.func @float32_empty(%a: tensor<0xf32> {kiln.input = ""}, %b: tensor<0xf32> {kiln.input = ""}) -> tensor<0xf32> {
  %r = kiln.nextafter %a, %b : (tensor<0xf32>, tensor<0xf32>) -> tensor<0xf32>
  return %r : tensor<0xf32>
}

// CHECK-LABEL: @float32_one:
// CHECK-NEXT: {{^}}float32[1]: 3.25{{$}}
func.func @float32_one(%a: tensor<1xf32> {kiln.input = "3.25"}, %b: tensor<1xf32> {kiln.input = "3.25"}) -> tensor<1xf32> {
  %r = kiln.nextafter %a, %b : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  return %r : tensor<1xf32>
}
